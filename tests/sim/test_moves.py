"""No dead row in the table of states: a seed of the simulator makes each move, or a story here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hanode.vrrp.effects import Effect, State
from hanode.vrrp.engine_settings import InstanceSettings, Tracked, VrrpSettings
from hanode.vrrp.events import (
    Event,
    LinkState,
    MaintenanceChanged,
    NeedsChanged,
    Reconfigured,
    TimerFired,
    TrackerChanged,
)
from hanode.vrrp.machine import Machine
from hanode.vrrp.router import Router
from hanode.vrrp.states import MOVES
from tests.sim.worlds import live
from tests.vrrp.single import V2

SEEDS = 100
"""Each kind of world seven times; the moves that these do not make are in STORIES."""

Key = tuple[State, type[Event], State]
INIT, BACKUP, MASTER, FAULT = State.INIT, State.BACKUP, State.MASTER, State.FAULT
OWNER = replace(V2, priority=255)
WATCHES = (Tracked("script", "chk"),)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> set[Key]:
    """Every move that a machine makes while the test runs."""
    moves: set[Key] = set()
    real = Machine.step

    def step(self: Machine, event: Event, *, now_us: int) -> list[Effect]:
        old = self.state
        effects = real(self, event, now_us=now_us)
        if self.state is not old:
            moves.add((old, type(event), self.state))
        return effects

    monkeypatch.setattr(Machine, "step", step)
    return moves


class Story:
    """One instance on d0, whose script `chk` may be known to work or to fail."""

    def __init__(self, one: InstanceSettings, *, up: bool = True, chk: bool | None = None) -> None:
        self.now_us = 0
        self.router = Router()
        link = LinkState(up=up, mac=bytes(6), addresses=(bytes((192, 0, 2, 2)),))
        self.router.link("d0", link, now_us=0)
        if chk is not None:
            self.chk(chk)
        self.settings(one)

    def settings(self, one: InstanceSettings) -> None:
        self.router.configure(VrrpSettings((one,)), now_us=self.now_us)

    def chk(self, works: bool) -> None:
        self.router.tracker(TrackerChanged("script", "chk", works), now_us=self.now_us)

    def wait(self, seconds: float) -> None:
        end_us = self.now_us + round(seconds * 1e6)
        while (due_us := self.router.deadline_us) is not None and due_us <= end_us:
            self.now_us = max(self.now_us, due_us)
            self.router.tick(now_us=self.now_us)
        self.now_us = end_us

    def sleep(self, seconds: float) -> None:
        """The process does not run."""
        self.now_us += round(seconds * 1e6)
        self.router.tick(now_us=self.now_us)


def an_owner_waits_for_its_start() -> None:
    Story(replace(OWNER, startup_delay_us=1_000_000)).wait(2)


def an_owner_waits_for_its_script() -> None:
    Story(replace(OWNER, tracked=WATCHES)).chk(True)


def the_script_that_a_start_waits_for_goes() -> None:
    Story(replace(V2, tracked=WATCHES)).settings(V2)


def the_script_that_an_owner_s_start_waits_for_goes() -> None:
    Story(replace(OWNER, tracked=WATCHES)).settings(OWNER)


def the_script_that_a_start_without_a_link_waits_for_goes() -> None:
    Story(replace(V2, tracked=WATCHES), up=False).settings(V2)


def maintenance_comes_before_the_first_result() -> None:
    Story(replace(V2, tracked=WATCHES)).router.maintenance(True, now_us=1)


def a_backup_is_told_to_track_what_fails() -> None:
    Story(V2, chk=False).settings(replace(V2, tracked=WATCHES))


def a_master_is_told_to_track_what_fails() -> None:
    story = Story(V2, chk=False)
    story.wait(5)
    story.settings(replace(V2, tracked=WATCHES))


def a_master_has_slept_too_long() -> None:
    story = Story(replace(V2, expired_backup_priority=100))
    story.wait(5)
    story.sleep(10)


def what_has_failed_works_again() -> None:
    Story(replace(V2, tracked=WATCHES), chk=False).chk(True)


def what_has_failed_is_tracked_no_longer() -> None:
    Story(replace(V2, tracked=WATCHES), chk=False).settings(V2)


def a_backup_is_refused_what_it_needs() -> None:
    story = Story(V2)
    story.router.needs({V2.key: "no socket"}, now_us=1)


def a_master_is_refused_what_it_needs() -> None:
    story = Story(V2)
    story.wait(5)
    story.router.needs({V2.key: "no socket"}, now_us=story.now_us)


def what_it_needs_can_be_had_again() -> None:
    story = Story(V2)
    story.router.needs({V2.key: "no socket"}, now_us=1)
    story.router.needs({}, now_us=2)


STORIES: dict[Key, Callable[[], None]] = {
    (INIT, TimerFired, MASTER): an_owner_waits_for_its_start,
    (INIT, TrackerChanged, MASTER): an_owner_waits_for_its_script,
    (INIT, Reconfigured, BACKUP): the_script_that_a_start_waits_for_goes,
    (INIT, Reconfigured, MASTER): the_script_that_an_owner_s_start_waits_for_goes,
    (INIT, Reconfigured, FAULT): the_script_that_a_start_without_a_link_waits_for_goes,
    (INIT, MaintenanceChanged, FAULT): maintenance_comes_before_the_first_result,
    (BACKUP, Reconfigured, FAULT): a_backup_is_told_to_track_what_fails,
    (MASTER, Reconfigured, FAULT): a_master_is_told_to_track_what_fails,
    (MASTER, TimerFired, BACKUP): a_master_has_slept_too_long,
    (FAULT, TrackerChanged, BACKUP): what_has_failed_works_again,
    (BACKUP, NeedsChanged, FAULT): a_backup_is_refused_what_it_needs,
    (MASTER, NeedsChanged, FAULT): a_master_is_refused_what_it_needs,
    (FAULT, NeedsChanged, BACKUP): what_it_needs_can_be_had_again,
    (FAULT, Reconfigured, BACKUP): what_has_failed_is_tracked_no_longer,
}


@pytest.mark.parametrize("key", STORIES, ids=[story.__name__ for story in STORIES.values()])
def test_the_story_makes_its_move(key: Key, made: set[Key]) -> None:
    STORIES[key]()
    assert key in made


def test_every_move_of_the_table_is_made_by_a_seed_or_a_story(made: set[Key]) -> None:
    for seed in range(SEEDS):
        live(seed)
    table = {(move.old, move.event, move.new) for move in MOVES}
    assert table - made == set(STORIES), "a row that nothing reaches, or a story that none needs"
