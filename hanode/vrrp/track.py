"""Effective priority and faults, from the interface and from what an instance tracks.

PURE. The arithmetic is kept in words, because "why 80?" is the operator's question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hanode.vrrp.engine_settings import PRIORITY_OWNER, InstanceSettings
from hanode.vrrp.events import LinkState, TrackerChanged
from hanode.vrrp.kernel_objects import pack
from hanode.vrrp.node_context import TrackerKey
from hanode.vrrp.packet import ADDRESS_BYTES
from hanode.vrrp.tracking_and_notify import Tracked

FILE_FAULT = -254
"""A file's number times its weight that is so low, or lower, is a fault."""
FILE_MOST = 253

Known = Mapping[TrackerKey, TrackerChanged]


@dataclass(frozen=True, slots=True)
class Weight:
    """What one tracked thing adds to the priority at the moment."""

    label: str
    """`script chk_http`."""
    delta: int


@dataclass(frozen=True, slots=True)
class Priority:
    base: int
    effective: int
    arithmetic: str


def priority(base: int, weights: tuple[Weight, ...] = ()) -> Priority:
    """base + sum of the weights, kept within 1..254; an owner's 255 never changes."""
    active = [weight for weight in weights if weight.delta]
    if base == PRIORITY_OWNER or not active:
        return Priority(base, base, str(base))
    total = base + sum(weight.delta for weight in active)
    effective = max(1, min(PRIORITY_OWNER - 1, total))
    terms = "".join(
        f" {'+' if weight.delta > 0 else '-'} {abs(weight.delta)} ({weight.label})"
        for weight in active
    )
    kept = "" if effective == total else f", kept at {effective}"
    return Priority(base, effective, f"{base}{terms} = {total}{kept}")


def source_address(settings: InstanceSettings, link: LinkState) -> bytes | None:
    """Where our adverts come from: mcast_src_ip, or the first address that is no virtual one.

    Only the owner of the addresses (priority 255) may speak from one of them.
    """
    if settings.mcast_src_ip is not None:
        source = pack(settings.mcast_src_ip)
        must_be_there = settings.track_src_ip or settings.roams
        return None if must_be_there and source not in link.addresses else source
    size = ADDRESS_BYTES[settings.family]
    ours = {address.packed for address in settings.addresses}
    owned: bytes | None = None
    for address in link.addresses:
        if len(address) != size or (size == 16 and not is_link_local(address)):
            continue
        if address not in ours:
            return address
        owned = owned or address
    return owned if settings.priority == PRIORITY_OWNER else None


def is_link_local(address: bytes) -> bool:
    """fe80::/10."""
    return address[0] == 0xFE and address[1] & 0xC0 == 0x80


def watched(settings: InstanceSettings) -> tuple[Tracked, ...]:
    """What it tracks, and the other interfaces that its addresses, routes and rules need.

    Without those it is in FAULT, so a weight that is written for one of them does not count.
    """
    others = [dev for dev in needed(settings) if dev not in (settings.interface, settings.device)]
    found = {(t.kind, t.name): t for t in settings.tracked}
    found |= {("interface", dev): Tracked("interface", dev) for dev in others}
    return tuple(found.values())


def needed(settings: InstanceSettings) -> tuple[str, ...]:
    """The interfaces that its addresses, routes and rules name, but for those with no_track."""
    found = [a.below or a.dev for a in settings.addresses if not a.no_track]
    found += [r.dev for r in settings.routes if r.dev is not None and not r.no_track]
    for rule in settings.rules:
        found += [dev for dev in (rule.iif, rule.oif) if dev is not None and not rule.no_track]
    return tuple(dict.fromkeys((*found, *settings.follows)))


def weights(things: tuple[Tracked, ...], known: Known) -> tuple[Weight, ...]:
    """What each adds now."""
    return tuple(
        Weight(_label(thing), _delta(thing, state))
        for thing in things
        if thing.weight and (state := known.get((thing.kind, thing.name))) is not None
    )


def _delta(thing: Tracked, state: TrackerChanged) -> int:
    if thing.kind == "file":
        product = _product(thing, state)
        return 0 if product <= FILE_FAULT else min(FILE_MOST, product)
    # keepalived: a positive weight counts while all is well, a negative one while it is not;
    # `reverse` turns the sign of what counts.
    if state.up is None or state.up != (thing.weight > 0):
        return 0
    return -thing.weight if thing.reverse else thing.weight


def _product(thing: Tracked, state: TrackerChanged) -> int:
    return state.value * (-thing.weight if thing.reverse else thing.weight)


def _label(thing: Tracked) -> str:
    return thing.name if thing.kind == "interface" else f"{thing.kind} {thing.name}"


def fault(
    settings: InstanceSettings,
    link: LinkState,
    things: tuple[Tracked, ...] = (),
    known: Known | None = None,
    maintenance: str | None = None,
    unmet: str | None = None,
) -> str | None:
    """Why the instance cannot take part, or None. `unmet`: what this node refuses it."""
    if maintenance is not None:
        return maintenance
    if not link.exists:
        return f"{settings.interface} does not exist"
    if not link.up and not settings.dont_track_primary:
        return f"{settings.interface} down"
    if unmet is not None:
        return unmet
    if source_address(settings, link) is None:
        if settings.mcast_src_ip is not None:
            return f"{_whose(settings)} has not the address {settings.mcast_src_ip}"
        return f"{settings.source_on} has no IPv{settings.family} address of its own"
    if settings.unicast and settings.unicast_fault_no_peer and not settings.unicast_peers:
        return "there is no unicast_peer"
    for thing in things if known else ():
        assert known is not None
        state = known.get((thing.kind, thing.name))
        if state is not None and (reason := _failure(thing, state)) is not None:
            return reason
    return None


def _whose(settings: InstanceSettings) -> str:
    """Who should have the address to speak from."""
    if settings.vrf is not None:
        return f"VRF {settings.vrf}"
    return settings.source_on or "this machine"


def _failure(thing: Tracked, state: TrackerChanged) -> str | None:
    if thing.kind == "file":
        if thing.weight:
            return (
                f"file {thing.name} has {state.value}, times {thing.weight}"
                if _product(thing, state) <= FILE_FAULT
                else None
            )
        wrong = (state.value != 0) != thing.reverse
        return f"file {thing.name} has {state.value}" if wrong else None
    if thing.weight or state.up is None or state.up != thing.reverse:
        return None
    if thing.reverse:
        return f"{_label(thing)} {state.cause or 'is well'}, and it is tracked in reverse"
    default = {"interface": "down", "process": "does not run"}.get(thing.kind, "failed")
    return f"{_label(thing)} {state.cause or default}"


def pending(things: tuple[Tracked, ...], known: Known) -> str | None:
    """The first result that is missing before the instance can begin, as in keepalived."""
    for thing in things:
        if thing.kind in ("script", "process", "file") and not thing.weight:
            state = known.get((thing.kind, thing.name))
            if state is None or state.up is None:
                return f"waits for the first result of {_label(thing)}"
    return None


def cause(event: TrackerChanged) -> str:
    """The event in words."""
    thing = Tracked(event.kind, event.name)
    if event.kind == "file":
        return f"{_label(thing)} has {event.value}"
    defaults = {
        "interface": ("is back", "down"),
        "process": ("runs", "does not run"),
    }.get(event.kind, ("succeeded", "failed"))
    return f"{_label(thing)} {event.cause or defaults[0 if event.up else 1]}"
