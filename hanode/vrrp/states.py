"""The state table of an instance: which event may take it from which state to which.

PURE. `Machine` looks every change of state up here before it makes it, and docs/state-machine.md is
drawn from the table. An event that may change the state needs a row for each such change.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hanode.vrrp.effects import State
from hanode.vrrp.events import (
    AdvertReceived,
    Event,
    LinkChanged,
    MaintenanceChanged,
    NeedsChanged,
    Reconfigured,
    ReleaseMaster,
    Started,
    Stopped,
    SyncFollow,
    TakeMaster,
    TimerFired,
    TrackerChanged,
)


class CauseKind(StrEnum):
    """What kind of cause moves an instance."""

    START = "start"
    ELECTION = "election"
    """Adverts, or that none came."""
    TRACKING = "tracking"
    """The interface, its addresses, and what the instance tracks."""
    SYNC_GROUP = "sync group"
    RELOAD = "reload"
    OPERATOR = "operator"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Move:
    """One change of state that is allowed."""

    old: State
    event: type[Event]
    new: State
    kind: CauseKind
    why: str
    """When it happens, in words."""
    section: str = ""
    """Of RFC 9568; empty: the RFC does not know this move, keepalived or the engine does."""


_INIT, _BACKUP, _MASTER, _FAULT = State.INIT, State.BACKUP, State.MASTER, State.FAULT
_KIND = CauseKind

MOVES: Final = (
    # An instance begins at once, after its start-up delay, or when the first result is there of
    # everything whose failure would be its fault.
    Move(_INIT, Started, _BACKUP, _KIND.START, "it starts, and is not the owner", "6.4.1"),
    Move(
        _INIT, Started, _MASTER, _KIND.START,
        "it starts as the owner of the addresses, or resumes what a killed run held", "6.4.1",
    ),
    Move(_INIT, Started, _FAULT, _KIND.START, "it starts and has a fault"),
    Move(_INIT, TimerFired, _BACKUP, _KIND.START, "its start-up delay is over", "6.4.1"),
    Move(
        _INIT, TimerFired, _MASTER, _KIND.START,
        "its start-up delay is over, and it is the owner", "6.4.1",
    ),
    Move(_INIT, TimerFired, _FAULT, _KIND.START, "its start-up delay is over, and it has a fault"),
    Move(_INIT, TrackerChanged, _BACKUP, _KIND.START, "the first results are there", "6.4.1"),
    Move(
        _INIT, TrackerChanged, _MASTER, _KIND.START,
        "the first results are there, and it is the owner", "6.4.1",
    ),
    Move(_INIT, TrackerChanged, _FAULT, _KIND.TRACKING, "a first result is a failure"),
    Move(
        _INIT, Reconfigured, _BACKUP, _KIND.RELOAD,
        "the result that it waited for is no longer tracked", "6.4.1",
    ),
    Move(
        _INIT, Reconfigured, _MASTER, _KIND.RELOAD,
        "the result that it waited for is no longer tracked, and it is the owner", "6.4.1",
    ),
    Move(
        _INIT, Reconfigured, _FAULT, _KIND.RELOAD,
        "the result that it waited for is no longer tracked, and it has a fault",
    ),
    Move(_INIT, MaintenanceChanged, _FAULT, _KIND.OPERATOR, "maintenance begins"),
    # BACKUP
    Move(
        _BACKUP, TimerFired, _MASTER, _KIND.ELECTION,
        "the Master_Down_Timer has run out: the master is silent, stops, or has a lower priority",
        "6.4.2",
    ),
    Move(_BACKUP, TakeMaster, _MASTER, _KIND.OPERATOR, "an operator takes the mastership"),
    Move(_BACKUP, SyncFollow, _MASTER, _KIND.SYNC_GROUP, "its sync group becomes MASTER"),
    Move(_BACKUP, SyncFollow, _FAULT, _KIND.SYNC_GROUP, "another member has a fault"),
    Move(_BACKUP, LinkChanged, _FAULT, _KIND.TRACKING, "its interface or source address is gone"),
    Move(_BACKUP, TrackerChanged, _FAULT, _KIND.TRACKING, "something that it tracks fails"),
    Move(_BACKUP, NeedsChanged, _FAULT, _KIND.TRACKING, "this node refuses it what it needs"),
    Move(_BACKUP, Reconfigured, _FAULT, _KIND.RELOAD, "its new settings have a fault"),
    Move(_BACKUP, MaintenanceChanged, _FAULT, _KIND.OPERATOR, "maintenance begins"),
    Move(_BACKUP, Stopped, _INIT, _KIND.STOP, "the engine stops, or a reload removes it", "6.4.2"),
    # MASTER
    Move(
        _MASTER, AdvertReceived, _BACKUP, _KIND.ELECTION,
        "another master has a higher priority, or the same and a higher address", "6.4.3",
    ),
    Move(
        _MASTER, TimerFired, _BACKUP, _KIND.ELECTION,
        "its own advert is so late that others may have taken over (timer_expired_backup)",
    ),
    Move(_MASTER, ReleaseMaster, _BACKUP, _KIND.OPERATOR, "an operator releases the mastership"),
    Move(_MASTER, SyncFollow, _BACKUP, _KIND.SYNC_GROUP, "another member is BACKUP"),
    Move(_MASTER, SyncFollow, _FAULT, _KIND.SYNC_GROUP, "another member has a fault"),
    Move(_MASTER, LinkChanged, _FAULT, _KIND.TRACKING, "its interface or source address is gone"),
    Move(_MASTER, TrackerChanged, _FAULT, _KIND.TRACKING, "something that it tracks fails"),
    Move(_MASTER, NeedsChanged, _FAULT, _KIND.TRACKING, "this node refuses it what it needs"),
    Move(_MASTER, Reconfigured, _FAULT, _KIND.RELOAD, "its new settings have a fault"),
    Move(_MASTER, MaintenanceChanged, _FAULT, _KIND.OPERATOR, "maintenance begins"),
    Move(_MASTER, Stopped, _INIT, _KIND.STOP, "the engine stops, or a reload removes it", "6.4.3"),
    # FAULT
    Move(_FAULT, LinkChanged, _BACKUP, _KIND.TRACKING, "its interface and source address are back"),
    Move(_FAULT, TrackerChanged, _BACKUP, _KIND.TRACKING, "what it tracks is well again"),
    Move(_FAULT, NeedsChanged, _BACKUP, _KIND.TRACKING, "it has all that it needs again"),
    Move(_FAULT, SyncFollow, _BACKUP, _KIND.SYNC_GROUP, "no member has a fault any more"),
    Move(_FAULT, Reconfigured, _BACKUP, _KIND.RELOAD, "its new settings have no fault"),
    Move(_FAULT, MaintenanceChanged, _BACKUP, _KIND.OPERATOR, "maintenance is over"),
    Move(_FAULT, Stopped, _INIT, _KIND.STOP, "the engine stops, or a reload removes it"),
)  # fmt: skip

_BY_KEY: Final = {(move.old, move.event, move.new): move for move in MOVES}


def allowed(old: State, event: Event, new: State, instance: str) -> Move:
    """The row of the table. Raises AssertionError where there is none: that is our own bug."""
    move = _BY_KEY.get((old, type(event), new))
    if move is None:
        raise AssertionError(
            f"{type(event).__name__} must not take {instance} from {old} to {new}: the table of"
            f" states has no such move ({event})"
        )
    return move
