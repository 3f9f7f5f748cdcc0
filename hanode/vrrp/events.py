"""What can happen to one VRRP instance.

PURE. The router (`router.py`) turns packets, link changes and new settings into these; the
machine (`machine.py`) takes nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from hanode.vrrp.packet import Advert, Refusal
from hanode.vrrp.settings import Address, InstanceSettings


@dataclass(frozen=True, slots=True)
class LinkState:
    """What the engine needs to know about an interface."""

    up: bool
    """Administratively up and with a carrier."""
    exists: bool = True
    mac: bytes = b""
    """Empty where the interface has none (then there is no gratuitous ARP)."""
    addresses: tuple[bytes, ...] = ()
    """Packed, IPv4 and IPv6, in the kernel's order."""


ABSENT = LinkState(up=False, exists=False)


@dataclass(frozen=True, slots=True)
class Started:
    """The instance begins; `link` is its interface now."""

    link: LinkState


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A deadline of the machine has come."""


@dataclass(frozen=True, slots=True)
class AdvertReceived:
    """An advert for this VRID that passed every check."""

    source: bytes
    advert: Advert


@dataclass(frozen=True, slots=True)
class AdvertRefused:
    """A packet for this VRID that failed a check."""

    source: bytes
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The interface is now like this."""

    link: LinkState


@dataclass(frozen=True, slots=True)
class AddressLost:
    """Somebody else removed one of our addresses from the kernel."""

    address: Address


@dataclass(frozen=True, slots=True)
class Reconfigured:
    """New settings with the same key."""

    settings: InstanceSettings


@dataclass(frozen=True, slots=True)
class Stopped:
    """The instance ends for good."""

    cause: str


Event = (
    Started
    | TimerFired
    | AdvertReceived
    | AdvertRefused
    | LinkChanged
    | AddressLost
    | Reconfigured
    | Stopped
)
