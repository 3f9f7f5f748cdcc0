"""Converts the state of the health machine to the statuses that leave the node.

PURE.
"""

from __future__ import annotations

from collections.abc import Callable, Set

from hanode.check.checker_settings import CheckerSettings, VirtualServerSettings
from hanode.check.health import Health
from hanode.wire import RealServerStatus, VirtualServerStatus


def report(
    health: Health, *, in_kernel: Set[str] | None, to_wall_us: Callable[[int], int]
) -> tuple[VirtualServerStatus, ...]:
    """One status for each virtual server, in the order of the configuration.

    `in_kernel` holds the keys of the virtual servers that IPVS has; None: this node has no IPVS.
    `to_wall_us` converts monotonic times to wall clock times.
    """
    return tuple(
        VirtualServerStatus(
            key=virtual.settings.key,
            up=bool(virtual.quorum),
            in_kernel=None if in_kernel is None else virtual.settings.key in in_kernel,
            real_servers=tuple(
                RealServerStatus(
                    key=server.settings.key,
                    up=server.known,
                    weight=server.settings.weight,
                    since_us=to_wall_us(server.since_us),
                    cause=server.cause,
                )
                for server in virtual.servers.values()
            ),
        )
        for virtual in health.virtual_servers
    )


def changes(old: CheckerSettings, new: CheckerSettings) -> tuple[str, ...]:
    """The changes between two configurations of the checker, one clause each."""
    before = {server.key: server for server in old.virtual_servers}
    after = {server.key: server for server in new.virtual_servers}
    found = [f"virtual server {key} is gone" for key in before if key not in after]
    for key, server in after.items():
        if key not in before:
            count = len(server.real_servers)
            found.append(f"virtual server {key} is new, with {count} real server(s)")
        elif server != before[key]:
            found += _server_changes(before[key], server)
    return tuple(found)


def _server_changes(old: VirtualServerSettings, new: VirtualServerSettings) -> list[str]:
    where = f"of virtual server {new.key}"
    found = [
        f"{words} {where}: {before} -> {after}"
        for words, before, after in (
            ("scheduler", old.scheduler, new.scheduler),
            ("forwarding", old.forwarding, new.forwarding),
            ("persistence", old.persistence_s, new.persistence_s),
            ("quorum", old.quorum, new.quorum),
            ("hysteresis", old.hysteresis, new.hysteresis),
        )
        if before != after
    ]
    if old.sorry_server != new.sorry_server:
        found.append(f"sorry server {where}: {_sorry(old)} -> {_sorry(new)}")
    before_keys = {server.key: server for server in old.real_servers}
    after_keys = {server.key: server for server in new.real_servers}
    found += [f"real server {key} {where} is gone" for key in before_keys if key not in after_keys]
    for key, server in after_keys.items():
        known = before_keys.get(key)
        if known is None:
            found.append(f"real server {key} {where} is new")
        elif known.weight != server.weight:
            found.append(f"weight of {key} {where}: {known.weight} -> {server.weight}")
        elif known != server:
            found.append(f"real server {key} {where} is checked or reached in another way")
    return found


def _sorry(settings: VirtualServerSettings) -> str:
    return settings.sorry_server.key if settings.sorry_server else "none"
