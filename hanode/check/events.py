"""Events and effects of the health machine (`hanode.check.health`).

PURE. A probe is one connection of one check. Its number is never used twice; an event about a
probe that has been hung up is stale and ignored.
"""

from __future__ import annotations

from dataclasses import dataclass

from hanode import events


@dataclass(frozen=True, slots=True)
class Connected:
    """The probe's connection is established."""

    probe: int


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes were received; b"": the real server has closed its half of the connection."""

    probe: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """The connection broke or could not be established; `reason` is an errno name."""

    probe: int
    reason: str


@dataclass(frozen=True, slots=True)
class Unable:
    """This host could not start the connection; that says nothing about the real server."""

    probe: int
    reason: str
    """An errno name."""


Event = Connected | Received | Failed | Unable


@dataclass(frozen=True, slots=True)
class Connect:
    """Start a connection; the driver forgets it after `Hangup`, `Failed` or `Unable`."""

    probe: int
    ip: str
    port: int


@dataclass(frozen=True, slots=True)
class Send:
    probe: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Hangup:
    """Close the connection; the driver then sends no more events about it."""

    probe: int


@dataclass(frozen=True, slots=True)
class TableChanged:
    """The kernel's table for this virtual server is out of date."""

    virtual_server: str


@dataclass(frozen=True, slots=True)
class Happened:
    """An event to report: a `hanode.wire.Event` without its times."""

    event: events.Event


Effect = Connect | Send | Hangup | TableChanged | Happened
"""The driver carries effects out in the order in which they are given."""
