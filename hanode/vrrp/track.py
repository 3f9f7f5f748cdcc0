"""Effective priority and faults: what an instance's surroundings make of it.

PURE. The arithmetic is kept in words, because "why 80?" is the operator's question.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from hanode.vrrp.events import LinkState
from hanode.vrrp.packet import ADDRESS_BYTES
from hanode.vrrp.settings import PRIORITY_OWNER, InstanceSettings


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
        return ipaddress.ip_address(settings.mcast_src_ip).packed
    size = ADDRESS_BYTES[settings.family]
    ours = {address.packed for address in settings.addresses}
    candidates = [
        address
        for address in link.addresses
        if len(address) == size and (size == 4 or address[:2] == b"\xfe\x80")
    ]
    for address in candidates:
        if address not in ours:
            return address
    if settings.priority == PRIORITY_OWNER and candidates:
        return candidates[0]
    return None


def fault(settings: InstanceSettings, link: LinkState) -> str | None:
    """Why the instance cannot take part, or None."""
    if not link.exists:
        return f"{settings.interface} does not exist"
    if not link.up:
        return f"{settings.interface} down"
    if source_address(settings, link) is None:
        return f"{settings.interface} has no IPv{settings.family} address of its own"
    return None
