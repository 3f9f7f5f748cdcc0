"""`diff`: the changes between two configurations of a node, and the impact of reloading each.

PURE. Secrets are never shown: for a password the text says only that it changed.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from typing import Any

from hanode.conf.compare.diff_statements import (
    Change,
    of_globals,
    of_instance,
    of_root,
    of_service,
    statements,
)
from hanode.conf.keywords import blocks
from hanode.conf.language.schema import Keyword
from hanode.conf.language.values import Flag, seconds
from hanode.conf.model import queries
from hanode.conf.model.model import (
    Address,
    Config,
    RealServer,
    TcpCheck,
    VirtualServer,
    VrrpInstance,
)
from hanode.conf.model.services import services

__all__ = ["IMPACTS", "Change", "diff", "effective_priority", "worst"]

IMPACTS = ("none", "programs", "adverts", "vip_moves", "connections", "restart")
"""From no visible effect to the worst: adverts change, an address moves, connections drop, …"""


Rivals = tuple[tuple[Config, ...], tuple[Config, ...]]
"""The other nodes' configurations: before the change, and after it."""


def diff(
    old: Config,
    new: Config,
    *,
    others: Iterable[Config] = (),
    others_before: Iterable[Config] | None = None,
) -> tuple[Change, ...]:
    """The changes from `old` to `new`.

    With the other nodes' configurations in `others`, a changed priority has the impact "vip_moves"
    if it makes another node the master, or this one. `others_before`: theirs before the change,
    where they change with this one; None: they stay.
    """
    now_others = tuple(others)
    rivals = (now_others if others_before is None else tuple(others_before), now_others)
    changes = [*_globals(old, new)]
    renamed = _renamed(old, new)
    before = {renamed.get(i.name, i.name): i for i in old.instances}
    for name, was, now in _paired(before, {i.name: i for i in new.instances}):
        subject = f"vrrp_instance {name}"
        if was is None or now is None:
            word = "added" if was is None else "removed"
            changes.append(Change(subject, f"group {name} {word}", "vip_moves"))
        else:
            changes += _instance(subject, (old, was), (new, now), rivals)
    servers = _paired({s.key: s for s in services(old)}, {s.key: s for s in services(new)})
    for _, service, again in servers:
        one = service or again
        changes += _virtual_server(one.name, service and service.server, again and again.server)
    both = {i.name: i for i in new.instances}
    moves = any(
        _overtakes((old, was), (new, both[name]), rivals)
        for name, was in before.items()
        if name in both
    )
    for change in statements("file", old.other, new.other, of_root):
        weighs = change.impact == "adverts" and change.text.startswith("weight ")
        changes.append(replace(change, impact="vip_moves") if moves and weighs else change)
    return _moves_as_one(old, new, renamed, changes)


def _moves_as_one(
    old: Config, new: Config, renamed: dict[str, str], changes: list[Change]
) -> tuple[Change, ...]:
    """An address that leaves one instance and comes to another is one move, with a gap."""
    was = {ip: (renamed.get(name, name), text) for ip, (name, text) in _holders(old).items()}
    now = _holders(new)
    texts = {change.text for change in changes}
    left: set[str] = set()
    moved: dict[str, str] = {}
    for ip, (name, text) in was.items():
        to, again = now.get(ip, (name, text))
        if to == name:
            continue
        lost, come = f"{text} removed from {name}", f"{again} added to {to}"
        if lost in texts and come in texts:
            left.add(lost)
            moved[come] = f"{again} moves from {name} to {to}: nobody has it between"
    return tuple(
        replace(change, text=moved[change.text], impact="connections")
        if change.text in moved
        else change
        for change in changes
        if change.text not in left
    )


def _holders(config: Config) -> dict[str, tuple[str, str]]:
    """By address: the instance that holds it, and what it is called in a change."""
    found: dict[str, tuple[str, str]] = {}
    for one in config.instances:
        for what, addresses in (("VIP", one.vips), ("excluded VIP", one.excluded)):
            for address in addresses:
                found.setdefault(address.ip, (one.name, f"{what} {address}"))
    return found


def _renamed(old: Config, new: Config) -> dict[str, str]:
    """Old to new names of instances that were only renamed: keepalived knows them by their VRID."""
    gone = [i for i in old.instances if i.vrid and new.instance(i.name) is None]
    come = {_identity(i): i.name for i in new.instances if old.instance(i.name) is None}
    return {i.name: come[_identity(i)] for i in gone if _identity(i) in come}


def _identity(one: VrrpInstance) -> tuple[int, str, int]:
    return one.vrid, one.interface, queries.instance_family(one)


def worst(changes: Iterable[Change]) -> str:
    """The worst impact of the changes; "none" if there are none."""
    return max((c.impact for c in changes), key=IMPACTS.index, default="none")


def _globals(old: Config, new: Config) -> Iterator[Change]:
    for keyword, before, after in _changed(old.globals, new.globals, "global_defs"):
        impact = "adverts" if keyword.name == "vrrp_version" else "none"
        yield Change("global_defs", _changed_text(keyword, before, after), impact)
    yield from statements("global_defs", old.globals.other, new.globals.other, of_globals)


_INSTANCE_IMPACT = {"state": "none", "interface": "vip_moves", "virtual_router_id": "vip_moves"}


def _instance(
    subject: str,
    before: tuple[Config, VrrpInstance],
    after: tuple[Config, VrrpInstance],
    rivals: Rivals,
) -> Iterator[Change]:
    (_, old), (_, new) = before, after
    moves = _overtakes(before, after, rivals)
    if old.name != new.name:
        yield Change(subject, f"group {old.name} is now called {new.name}", "none")
    for keyword, was, now in _changed(old, new, "vrrp_instance"):
        impact = _INSTANCE_IMPACT.get(keyword.name, "adverts")
        text = _changed_text(keyword, was, now)
        if keyword.name in ("priority", "version", "advert_int"):
            used = [_used(keyword.name, *each) for each in (before, after)]
            text = f"{keyword.name} {_used_value(was, used[0])} → {_used_value(now, used[1])}"
            impact = "adverts" if used[0] != used[1] else "none"
        if keyword.name == "priority" and moves:
            impact = "vip_moves"
        if keyword.name == "nopreempt":
            impact = "none" if queries.nopreempt(new) else "vip_moves"
        yield Change(subject, text, impact)
    used = [_used("priority", *each) for each in (before, after)]
    if old.priority == new.priority and used[0] != used[1]:
        text = f"priority {used[0]} → {used[1]}, since none is written and the state changes"
        yield Change(subject, text, "vip_moves" if moves else "adverts")
    if (old.auth_type, old.auth_pass) != (new.auth_type, new.auth_pass):
        yield Change(subject, _auth(old, new), "adverts")
    yield from _addresses(subject, "VIP", old.vips, new.vips, new.name)
    yield from _addresses(subject, "excluded VIP", old.excluded, new.excluded, new.name)
    for change in statements(subject, old.other, new.other, of_instance):
        tracks = change.impact == "adverts" and change.text.startswith("tracked ")
        yield replace(change, impact="vip_moves") if moves and tracks else change


def _used(keyword: str, config: Config, one: VrrpInstance) -> str:
    """The value that keepalived uses, written or not."""
    if keyword == "priority":
        return str(queries.priority(one))
    if keyword == "version":
        return str(queries.version(one, config))
    return seconds(queries.interval_us(one))


def _used_value(value: object, used: str) -> str:
    return used if value is not None else f"not set ({used})"


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
    return queries.priority(instance)


def _overtakes(
    before: tuple[Config, VrrpInstance],
    after: tuple[Config, VrrpInstance],
    rivals: Rivals,
) -> bool:
    """Whether another node becomes the highest, as long as nothing that is tracked fails."""
    was, now = (
        _is_highest(at, those, one.name)
        for at, those, (_, one) in zip((before, after), rivals, (before, after), strict=True)
    )
    return None not in (was, now) and was != now


def _is_highest(
    at: tuple[Config, VrrpInstance], rivals: Iterable[Config], name: str
) -> bool | None:
    """Whether it has the highest priority; None: nobody else has this group."""
    found = ((config.instance(name), config) for config in rivals)
    theirs = [queries.healthy(one, config) for one, config in found if one is not None]
    return queries.healthy(at[1], at[0]) > max(theirs) if theirs else None


def _addresses(
    subject: str, what: str, old: tuple[Address, ...], new: tuple[Address, ...], name: str
) -> Iterator[Change]:
    for _, before, after in _paired(_by_place(old), _by_place(new)):
        if before is None:
            yield Change(subject, f"{what} {after} added to {name}", "adverts")
        elif after is None:
            yield Change(subject, f"{what} {before} removed from {name}", "connections")
        elif before != after:
            text = f"{what} {_line(before)} → {_line(after)}"
            yield Change(subject, text, "connections")
    if old != new and set(old) == set(new):
        yield Change(subject, f"{what}s of {name} in another order", "adverts")


def _by_place(addresses: tuple[Address, ...]) -> dict[tuple[str, int], Address]:
    """By address, and how often it stands above: keepalived holds each that is written."""
    found: dict[tuple[str, int], Address] = {}
    above: Counter[str] = Counter()
    for address in addresses:
        found[address.ip, above[address.ip]] = address
        above[address.ip] += 1
    return found


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
        impact = "connections" if keyword.name == "lb_kind" else "none"
        yield Change(subject, _changed_text(keyword, before, after), impact)
    yield from statements(subject, old.other, new.other, of_service)
    pairs = _paired({r.key: r for r in old.real_servers}, {r.key: r for r in new.real_servers})
    for real, before_real, after_real in pairs:
        yield from _real_server(key, real, before_real, after_real)


def _real_server(
    service: str, key: str, old: RealServer | None, new: RealServer | None
) -> Iterator[Change]:
    subject = f"real_server {key} of {service}"
    if old is None:
        yield Change(subject, f"real server {key} added to {service}", "none")
        return
    if new is None:
        yield Change(subject, f"real server {key} removed from {service}", "connections")
        return
    for keyword, before, after in _changed(old, new, "real_server"):
        yield Change(subject, f"{_changed_text(keyword, before, after)} at {key}", "none")
    before, after = ((r.check, *r.further_checks) for r in (old, new))
    for was, now in itertools.zip_longest(before, after):
        yield from _check(subject, key, was, now)
    yield from statements(subject, old.other, new.other, of_service)


def _check(subject: str, key: str, old: TcpCheck | None, new: TcpCheck | None) -> Iterator[Change]:
    if old is None and new is not None:
        yield Change(subject, f"TCP_CHECK added to {key}", "none")
    elif new is None and old is not None:
        yield Change(subject, f"TCP_CHECK removed from {key}", "none")
    elif old is not None and new is not None:
        for keyword, before, after in _changed(old, new, "TCP_CHECK"):
            text = _changed_text(keyword, before, after)
            yield Change(subject, f"TCP_CHECK {text} at {key}", "none")
        yield from statements(subject, old.other, new.other, of_service)


def _changed(old: Any, new: Any, name: str) -> Iterator[tuple[Keyword, Any, Any]]:
    """(keyword, before, after) of the fields of a block that differ."""
    own = {f.name for f in fields(old)}
    for keyword in blocks()[name].keywords.values():
        if keyword.field not in own or keyword.same_as is not None:
            continue
        before, after = getattr(old, keyword.field or ""), getattr(new, keyword.field or "")
        if before != after:
            yield keyword, before, after


def _changed_text(keyword: Keyword, before: Any, after: Any) -> str:
    """`lb_algo rr → wlc (the default)`; for a keyword without value, `added` or `removed`."""
    if isinstance(keyword.value, Flag):
        return f"{keyword.name} {'added' if after else 'removed'}"
    return f"{keyword.name} {_value(keyword, before)} → {_value(keyword, after)}"


def _value(keyword: Keyword, value: Any) -> str:
    if value is None or value == "" or value is False:
        return "not set" if keyword.default is None else f"not set ({keyword.default})"
    return " ".join(keyword.value.write(value)) or "on"


def _paired(old: dict[Any, Any], new: dict[Any, Any]) -> Iterator[tuple[Any, Any, Any]]:
    """(name, old, new) for each name: the new names in their order, then those that are gone."""
    for name, value in new.items():
        yield name, old.get(name), value
    for name, value in old.items():
        if name not in new:
            yield name, value, None
