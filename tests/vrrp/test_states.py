"""The table of states: what is not in it cannot happen, and the page in docs is drawn from it."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from hanode.vrrp.effects import State, StateChanged
from hanode.vrrp.events import (
    AddressLost,
    AdvertReceived,
    AdvertRefused,
    AnnounceAgain,
    Event,
    GroupReceivedLower,
    LinkChanged,
    LinkState,
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
from hanode.vrrp.machine import Machine
from hanode.vrrp.packet import Advert, Reason, Refusal
from hanode.vrrp.state_page import KINDS, markdown
from hanode.vrrp.states import MOVES, CauseKind
from tests.vrrp.single import HIGHER, V2, One

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "state-machine.md"
UP = LinkState(up=True, mac=bytes(6), addresses=(bytes((192, 0, 2, 2)),))
EXAMPLES: tuple[Event, ...] = (
    Started(UP),
    TimerFired(),
    AdvertReceived(bytes(4), Advert(2, 51, 100, 1_000_000, (), True)),
    AdvertRefused(bytes(4), Refusal(Reason.TTL, "its TTL is 7")),
    LinkChanged(UP),
    TrackerChanged("script", "chk", True),
    NeedsChanged(),
    AddressLost(V2.vips[0]),
    Reconfigured(V2),
    SyncFollow("MASTER", "sync group G: one"),
    GroupReceivedLower(),
    ReleaseMaster("operator: released"),
    TakeMaster("operator: taken"),
    MaintenanceChanged(True, "operator: maintenance is on"),
    AnnounceAgain(),
    Stopped("stopped"),
)
ALLOWED = {(move.old, move.event, move.new) for move in MOVES}
ILLEGAL = [
    (old, event, new)
    for old, event, new in product(State, EXAMPLES, State)
    if (old, type(event), new) not in ALLOWED
]


def test_there_is_an_example_of_every_event() -> None:
    assert {type(event) for event in EXAMPLES} == set(get_args(Event))
    assert len(ILLEGAL) == len(State) ** 2 * len(EXAMPLES) - len(MOVES)


def test_no_move_is_there_twice_and_none_leads_nowhere() -> None:
    assert len(ALLOWED) == len(MOVES)
    assert [move for move in MOVES if move.old is move.new or not move.why] == []
    assert {move.kind for move in MOVES} == set(CauseKind) == set(KINDS)


def machine_in(state: State) -> One:
    """An instance that came to this state as instances do."""
    one = One(V2)
    match state:
        case State.MASTER:
            one.become_master()
        case State.FAULT:
            one.link(up=False)
        case State.INIT:
            one.machine.step(Stopped("stopped"), now_us=0)
    assert one.state is state
    return one


def move(machine: Machine, event: Event, new: State) -> None:
    match new:
        case State.MASTER:
            machine._become_master(event, "a cause", 77)
        case State.BACKUP:
            machine._become_backup(event, "a cause", 77)
        case State.FAULT:
            machine._become_fault(event, "a cause", 77)
        case State.INIT:
            machine._enter(State.INIT, event, "a cause", 77)


def remembered(machine: Machine) -> tuple[object, ...]:
    timers = (machine.main_timer_us, machine.deadline_us, machine.master_advert_us)
    state = (machine.state, machine.cause, machine.since_us, machine.wants_master, machine.master)
    return *state, *timers, dict(machine.counters)


@pytest.mark.parametrize(
    ("old", "event", "new"), ILLEGAL, ids=[f"{o}-{type(e).__name__}-{n}" for o, e, n in ILLEGAL]
)
def test_an_illegal_move_says_what_it_is_and_changes_nothing(
    old: State, event: Event, new: State
) -> None:
    machine = machine_in(old).machine
    before = remembered(machine)
    sentence = f"{type(event).__name__} must not take V from {old} to {new}: the table of states"
    with pytest.raises(AssertionError, match=sentence):
        move(machine, event, new)
    assert remembered(machine) == before


@pytest.mark.parametrize("row", MOVES, ids=[f"{m.old}-{m.event.__name__}-{m.new}" for m in MOVES])
def test_a_move_of_the_table_is_made_at_its_time_and_with_its_cause(row: object) -> None:
    assert isinstance(row, type(MOVES[0]))
    one = machine_in(row.old)
    event = next(e for e in EXAMPLES if type(e) is row.event)
    changed = one.machine._enter(row.new, event, "a cause", 77)
    assert (one.state, one.machine.cause, one.machine.since_us) == (row.new, "a cause", 77)
    assert one.machine.main_timer_us is None, "the old state's timer is over"
    assert (changed.old, changed.new, changed.cause) == (row.old, row.new, "a cause")


def test_an_instance_that_never_began_stops_without_a_change_of_state() -> None:
    machine = Machine(V2)
    machine.step(Started(UP, delay_us=5, delay_cause="waits 5 us"), now_us=0)
    assert (machine.state, machine.cause, machine.deadline_us) == (State.INIT, "waits 5 us", 5)
    effects = machine.step(Stopped("stopped"), now_us=1)
    assert not [effect for effect in effects if isinstance(effect, StateChanged)]
    assert (machine.cause, machine.deadline_us) == ("stopped", None)


def test_the_page_is_the_one_that_the_table_makes() -> None:
    again = "python -m hanode explain --markdown --states > docs/state-machine.md"
    assert PAGE.read_text() == markdown(), f"run: {again}"
    for row in MOVES:
        cells = (f"`{row.event.__name__}`", row.new, row.kind, row.why, row.section)
        assert f"| {' | '.join(cells)} |" in PAGE.read_text()
    arrows = {f"    {row.old} --> {row.new}: " for row in MOVES}
    assert all(PAGE.read_text().count(arrow) == 1 for arrow in arrows)


def test_the_command_prints_the_page() -> None:
    words = (sys.executable, "-m", "hanode", "explain", "--markdown", "--states")
    printed = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert printed.stdout == markdown()


def test_a_packet_cannot_make_an_illegal_move() -> None:
    one = machine_in(State.FAULT)
    one.hear(255, HIGHER[4])
    one.hear(0, HIGHER[4])
    assert one.state is State.FAULT
