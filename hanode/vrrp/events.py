"""What can happen to one VRRP instance.

PURE. The router (`router.py`) turns packets, link changes, trackers, operators' commands and new
settings into these; the machine (`machine.py`) takes nothing else. A new kind of event is a class
here, a case in `Machine.step`, and a row in `states.MOVES` for each state that it may lead to.
"""

from __future__ import annotations

from dataclasses import dataclass

from hanode.vrrp.engine_settings import Address, InstanceSettings
from hanode.vrrp.packet import Advert, Refusal
from hanode.vrrp.tracking_and_notify import TrackerKind


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
    resume: bool = False
    """An earlier run of ours was master until a moment ago, its addresses are still there, and
    no other node can have missed us yet: go on as master."""
    delay_us: int = 0
    """So long it waits before it begins, because the engine starts."""
    delay_cause: str = ""
    """Why, in words."""
    silent_since_us: int | None = None
    """From then until now somebody has listened for its adverts, and none has come: the
    Master_Down_Timer began then. None: it begins now."""


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
class TrackerChanged:
    """A tracked interface, script, process or file is now like this."""

    kind: TrackerKind
    name: str
    up: bool | None
    """None: not known yet."""
    value: int = 0
    """A file's number."""
    cause: str = ""
    """In words, without the name: `failed 3 times: exit code 1`."""


@dataclass(frozen=True, slots=True)
class NeedsChanged:
    """This node refuses it something else now, or nothing any more (`NodeContext.unmet`)."""


@dataclass(frozen=True, slots=True)
class AddressLost:
    """Somebody else removed one of our addresses from the kernel."""

    address: Address
    by: str = ""
    """Who; "": the kernel does not tell."""


@dataclass(frozen=True, slots=True)
class Reconfigured:
    """New settings with the same key."""

    settings: InstanceSettings


@dataclass(frozen=True, slots=True)
class SyncFollow:
    """The sync group of the instance goes to `state` (MASTER, BACKUP or FAULT): follow."""

    state: str
    cause: str
    after_skew_time: bool = False
    """BACKUP only: wait Skew_Time instead of Master_Down_Interval."""


@dataclass(frozen=True, slots=True)
class GroupReceivedLower:
    """Another member of the sync group, MASTER, has received an advert of lower priority."""


@dataclass(frozen=True, slots=True)
class ReleaseMaster:
    """An operator: let another node take over, and leave it to it."""

    cause: str


@dataclass(frozen=True, slots=True)
class TakeMaster:
    """An operator: become master now, if the election allows it."""

    cause: str


@dataclass(frozen=True, slots=True)
class MaintenanceChanged:
    """An operator: take no part (FAULT) while this is on."""

    on: bool
    cause: str


@dataclass(frozen=True, slots=True)
class AnnounceAgain:
    """An operator: tell the neighbours once more where the addresses are."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The instance ends for good."""

    cause: str
    deleted: bool = False
    """By a reload; else the whole engine ends."""


Event = (
    Started
    | TimerFired
    | AdvertReceived
    | AdvertRefused
    | LinkChanged
    | TrackerChanged
    | NeedsChanged
    | AddressLost
    | Reconfigured
    | SyncFollow
    | GroupReceivedLower
    | ReleaseMaster
    | TakeMaster
    | MaintenanceChanged
    | AnnounceAgain
    | Stopped
)
