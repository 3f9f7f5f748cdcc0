"""What happens to the health machine, and what it wants done.

PURE. A probe is one connection of one check, named by a number that is never used twice; what
is said about a probe that has been hung up is stale and means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from hanode import events


@dataclass(frozen=True, slots=True)
class Connected:
    """The probe's connection stands."""

    probe: int


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes came; b"": the real server has ended its half."""

    probe: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """The connection broke, or never came about; `reason` is an errno name."""

    probe: int
    reason: str


@dataclass(frozen=True, slots=True)
class Unable:
    """This host could not even try; that says nothing about the real server."""

    probe: int
    reason: str
    """An errno name."""


Event = Connected | Received | Failed | Unable


@dataclass(frozen=True, slots=True)
class Connect:
    """Begin a connection; it is over for the driver once hung up, failed or unable."""

    probe: int
    ip: str
    port: int


@dataclass(frozen=True, slots=True)
class Send:
    probe: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Hangup:
    """Close the connection; nothing about it will be heard any more."""

    probe: int


@dataclass(frozen=True, slots=True)
class TableChanged:
    """The kernel's table of this virtual server is out of date."""

    virtual_server: str


@dataclass(frozen=True, slots=True)
class Happened:
    """Something to tell."""

    event: events.Event


Effect = Connect | Send | Hangup | TableChanged | Happened
"""In the order in which they must be done."""
