"""What the VRRP machines want done, in the order in which it must be done.

PURE. The driver (`hanode.proc.vrrp`) carries them out; the simulator and the tests read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hanode.vrrp.engine_settings import Address, InstanceKey, Route, Rule


class State(StrEnum):
    """RFC 9568 section 6.4, and keepalived's FAULT."""

    INIT = "INIT"
    BACKUP = "BACKUP"
    MASTER = "MASTER"
    FAULT = "FAULT"


PROTOCOL_VRRP, PROTOCOL_AH = 112, 51


@dataclass(frozen=True, slots=True)
class SendAdvert:
    """Send one advert to one destination: the group, or a unicast peer.

    The same object comes again every interval while nothing changes, so a driver may keep what
    it made of it; an instance with several peers has one for each, and they differ in
    `destination`. Signed ones (AH, auth_hmac) are new every time.
    """

    key: InstanceKey
    payload: bytes
    """What follows the IP header: VRRP, or AH and VRRP."""
    source: bytes
    """The IP source address: the checksum of v3 and the tie-break depend on it."""
    destination: bytes
    ttl: int = 255
    """Or hop limit."""
    ip_header: bytes = b""
    """IPv4 with AH: the whole header, its identification included, which AH has signed. Send
    exactly this before `payload`. Empty: the driver makes the header."""


@dataclass(frozen=True, slots=True)
class AddAddresses:
    """Put these on their devices; those already there stay."""

    key: InstanceKey
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class RemoveAddresses:
    """Take these from their devices; those not there do not matter."""

    key: InstanceKey
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class AddRoutes:
    """Put these routes in; put one back that somebody removes, until RemoveRoutes."""

    key: InstanceKey
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class RemoveRoutes:
    """Take these routes out; those not there do not matter."""

    key: InstanceKey
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class AddRules:
    """Put these rules in; put one back that somebody removes, until RemoveRules."""

    key: InstanceKey
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class RemoveRules:
    """Take these rules out; those not there do not matter."""

    key: InstanceKey
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class BlockAddresses:
    """From now on drop packets to these addresses (no_accept); comes before AddAddresses."""

    key: InstanceKey
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class UnblockAddresses:
    """The end of BlockAddresses; comes after RemoveAddresses."""

    key: InstanceKey
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class AnnounceAddresses:
    """Tell the neighbours where the addresses are now: the list, `repeat` times over.

    Gratuitous ARP for IPv4, unsolicited neighbour advertisements for IPv6, each on its own
    address's device. With garp_interval or gna_interval the router has done the pacing already.
    """

    key: InstanceKey
    addresses: tuple[Address, ...]
    repeat: int


@dataclass(frozen=True, slots=True)
class StateChanged:
    """A transition, with its cause in words."""

    key: InstanceKey
    instance: str
    old: State
    new: State
    cause: str
    priority: int
    """Effective priority at that moment."""
    arithmetic: str
    """How the effective priority came about: `100` or `100 - 20 (script chk_http) = 80`."""


@dataclass(frozen=True, slots=True)
class GroupChanged:
    """A sync group's transition."""

    group: str
    old: State
    new: State
    cause: str


@dataclass(frozen=True, slots=True)
class PriorityChanged:
    """The effective priority is another one now; the state is the same."""

    key: InstanceKey
    instance: str
    state: State
    priority: int
    arithmetic: str
    cause: str


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell scripts, pipes and mail: keepalived's line is `{kind} "{name}" {state} {priority}`.

    They come in keepalived's order: members first and their group last, except at the start.
    """

    kind: str
    """INSTANCE or GROUP."""
    name: str
    state: str
    """MASTER, BACKUP, FAULT, STOP, DELETED, MASTER_RX_LOWER_PRI, MASTER_PRIORITY or
    BACKUP_PRIORITY."""
    priority: int
    """0 for a group."""


@dataclass(frozen=True, slots=True)
class Warned:
    """Something an operator should know; at most once a minute for each `topic`."""

    key: InstanceKey
    instance: str
    topic: str
    cause: str


Effect = (
    SendAdvert
    | AddAddresses
    | RemoveAddresses
    | AddRoutes
    | RemoveRoutes
    | AddRules
    | RemoveRules
    | BlockAddresses
    | UnblockAddresses
    | AnnounceAddresses
    | StateChanged
    | GroupChanged
    | PriorityChanged
    | Notify
    | Warned
)
