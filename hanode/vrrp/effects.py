"""What the VRRP machines want done, in the order in which it must happen.

PURE. The driver (`hanode.proc.vrrp`) carries them out; the simulator and the tests read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hanode.vrrp.settings import Address, InstanceKey


class State(StrEnum):
    """RFC 9568 section 6.4, and keepalived's FAULT."""

    INIT = "INIT"
    BACKUP = "BACKUP"
    MASTER = "MASTER"
    FAULT = "FAULT"


@dataclass(frozen=True, slots=True)
class SendAdvert:
    """Send `payload` (VRRP, without IP header) to the instance's group."""

    key: InstanceKey
    payload: bytes
    source: bytes
    """The IP source address: the checksum of v3 and the tie-break depend on it."""
    destination: bytes


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
class AnnounceAddresses:
    """Tell the neighbours where the addresses are now: the list, `repeat` times over."""

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
class Warned:
    """Something an operator should know; at most once a minute for each `topic`."""

    key: InstanceKey
    instance: str
    topic: str
    cause: str


Effect = SendAdvert | AddAddresses | RemoveAddresses | AnnounceAddresses | StateChanged | Warned
