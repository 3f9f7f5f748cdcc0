"""What changes between two configurations of a node, in users' words, and what reloading it does.

PURE. Secrets are never shown: of a password it is only said that it changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

from hanode.conf import facts
from hanode.conf.diff_statements import (
    Change,
    of_globals,
    of_instance,
    of_root,
    of_service,
    statements,
)
from hanode.conf.model import (
    Address,
    Config,
    RealServer,
    TcpCheck,
    VirtualServer,
    VrrpInstance,
)
from hanode.conf.schema import blocks

__all__ = ["IMPACTS", "Change", "diff", "effective_priority", "worst"]

IMPACTS = ("none", "adverts", "vip_moves", "connections", "restart")
"""From nothing visible to the worst: adverts change, an address moves, connections drop, …"""


def diff(old: Config, new: Config, *, others: Iterable[Config] = ()) -> tuple[Change, ...]:
    """What changes from one to the other.

    With the other nodes' configurations a changed priority is judged: "vip_moves" where it makes
    another node the master, or this one.
    """
    rivals = tuple(others)
    changes = [*_globals(old, new)]
    pairs = _paired({i.name: i for i in old.instances}, {i.name: i for i in new.instances})
    for name, before, after in pairs:
        subject = f"vrrp_instance {name}"
        if before is None or after is None:
            word = "added" if before is None else "removed"
            changes.append(Change(subject, f"group {name} {word}", "vip_moves"))
        else:
            changes += _instance(subject, before, after, rivals)
    servers = _paired(
        {s.key: s for s in old.virtual_servers}, {s.key: s for s in new.virtual_servers}
    )
    for key, was, now in servers:
        changes += _virtual_server(key, was, now)
    changes += statements("file", old.other, new.other, of_root)
    return tuple(changes)


def worst(changes: Iterable[Change]) -> str:
    """The worst impact of them."""
    return max((c.impact for c in changes), key=IMPACTS.index, default="none")


def _globals(old: Config, new: Config) -> Iterator[Change]:
    for keyword, before, after in _changed(old.globals, new.globals, "global_defs"):
        impact = "adverts" if keyword == "vrrp_version" else "none"
        yield Change("global_defs", f"{keyword} {before} → {after}", impact)
    yield from statements("global_defs", old.globals.other, new.globals.other, of_globals)


_INSTANCE_IMPACT = {"state": "none", "interface": "vip_moves", "virtual_router_id": "vip_moves"}


def _instance(
    subject: str, old: VrrpInstance, new: VrrpInstance, rivals: tuple[Config, ...]
) -> Iterator[Change]:
    for keyword, before, after in _changed(old, new, "vrrp_instance"):
        impact = _INSTANCE_IMPACT.get(keyword, "adverts")
        if keyword == "priority" and _overtakes(old, new, rivals):
            impact = "vip_moves"
        if keyword == "nopreempt":
            impact = "none"
        yield Change(subject, f"{keyword} {before} → {after}", impact)
    if (old.auth_type, old.auth_pass) != (new.auth_type, new.auth_pass):
        yield Change(subject, _auth(old, new), "adverts")
    yield from _addresses(subject, "VIP", old.vips, new.vips, new.name)
    yield from _addresses(subject, "excluded VIP", old.excluded, new.excluded, new.name)
    yield from statements(subject, old.other, new.other, of_instance)


def _auth(old: VrrpInstance, new: VrrpInstance) -> str:
    if new.auth_pass is None and new.auth_type is None:
        return "authentication removed"
    if old.auth_pass is None and old.auth_type is None:
        return f"authentication {new.auth_type or ''} added".replace("  ", " ")
    if old.auth_type != new.auth_type:
        return f"auth_type {old.auth_type or 'none'} → {new.auth_type or 'none'}"
    return "auth_pass changed"


def effective_priority(instance: VrrpInstance) -> int:
    """The priority that keepalived uses, written or not."""
    return facts.priority(instance)


def _overtakes(old: VrrpInstance, new: VrrpInstance, rivals: tuple[Config, ...]) -> bool:
    theirs = [effective_priority(i) for c in rivals for i in c.instances if i.name == new.name]
    if not theirs:
        return False
    before, after = effective_priority(old), effective_priority(new)
    return (before > max(theirs)) != (after > max(theirs))


def _addresses(
    subject: str, what: str, old: tuple[Address, ...], new: tuple[Address, ...], name: str
) -> Iterator[Change]:
    for _, before, after in _paired({a.ip: a for a in old}, {a.ip: a for a in new}):
        if before is None:
            yield Change(subject, f"{what} {after} added to {name}", "adverts")
        elif after is None:
            yield Change(subject, f"{what} {before} removed from {name}", "connections")
        elif before != after:
            text = f"{what} {_line(before)} → {_line(after)}"
            yield Change(subject, text, "connections")
    if old != new and set(old) == set(new):
        yield Change(subject, f"{what}s of {name} in another order", "adverts")


def _line(address: Address) -> str:
    dev = ("dev", address.dev) if address.dev else ()
    return " ".join((str(address), *dev, *address.options))


def _virtual_server(
    key: str, old: VirtualServer | None, new: VirtualServer | None
) -> Iterator[Change]:
    subject = f"virtual_server {key}"
    if new is None:
        yield Change(subject, f"virtual server {key} removed", "connections")
        return
    if old is None:
        yield Change(subject, f"virtual server {key} added", "none")
        return
    for keyword, before, after in _changed(old, new, "virtual_server"):
        impact = "connections" if keyword == "lb_kind" else "none"
        yield Change(subject, f"{keyword} {before} → {after}", impact)
    yield from statements(subject, old.other, new.other, of_service)
    pairs = _paired({r.key: r for r in old.real_servers}, {r.key: r for r in new.real_servers})
    for real, before_real, after_real in pairs:
        yield from _real_server(key, real, before_real, after_real)


def _real_server(
    service: str, key: str, old: RealServer | None, new: RealServer | None
) -> Iterator[Change]:
    subject = f"real_server {key}"
    if old is None:
        yield Change(subject, f"real server {key} added to {service}", "none")
        return
    if new is None:
        yield Change(subject, f"real server {key} removed from {service}", "connections")
        return
    for keyword, before, after in _changed(old, new, "real_server"):
        yield Change(subject, f"{keyword} {before} → {after} at {key}", "none")
    yield from _check(subject, key, old.check, new.check)
    yield from statements(subject, old.other, new.other, of_service)


def _check(subject: str, key: str, old: TcpCheck | None, new: TcpCheck | None) -> Iterator[Change]:
    if old is None and new is not None:
        yield Change(subject, f"TCP_CHECK added to {key}", "none")
    elif new is None and old is not None:
        yield Change(subject, f"TCP_CHECK removed from {key}", "none")
    elif old is not None and new is not None:
        for keyword, before, after in _changed(old, new, "TCP_CHECK"):
            yield Change(subject, f"TCP_CHECK {keyword} {before} → {after} at {key}", "none")
        yield from statements(subject, old.other, new.other, of_service)


def _changed(old: Any, new: Any, name: str) -> Iterator[tuple[str, str, str]]:
    """(keyword, before, after) of the fields of a block that differ."""
    own = {f.name for f in fields(old)}
    for keyword in blocks()[name].keywords.values():
        if keyword.field not in own or keyword.same_as is not None:
            continue
        before, after = getattr(old, keyword.field or ""), getattr(new, keyword.field or "")
        if before != after:
            yield keyword.name, _value(keyword.value, before), _value(keyword.value, after)


def _value(kind: Any, value: Any) -> str:
    if value is None or value == "" or value is False:
        return "not set"
    return " ".join(kind.write(value)) or "on"


def _paired(old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Each name with what it was and what it is, in the new order, then what is gone."""
    for name, value in new.items():
        yield name, old.get(name), value
    for name, value in old.items():
        if name not in new:
            yield name, value, None
