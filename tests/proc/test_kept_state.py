"""Today's loaders read what an engine of an earlier commit wrote, without a process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hanode.apply import Effect, Identity, Report, RevisionLifecycle
from hanode.system import persisted_state
from hanode.system.journal import RESERVE, Journal
from hanode.system.signing import verifier
from hanode.wire import Event, from_json, to_json
from tests.proc.harness import CLUSTER, WIRE_ID
from tests.proc.keep_state import CONFIG_201, CONFIG_202, MORE, STORIES, WITH_INCLUDE
from tests.proc.kept import COMMITS, KeptState, copied

WAIT_US = 3_600_000_000
"""How long the killed engine's revision 2 had for its confirmation."""

Open = Callable[[str], KeptState]


@pytest.fixture(params=COMMITS)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    return lambda story: copied(request.param, story, tmp_path / "state")


def loaded(state: KeptState) -> persisted_state.StateFile:
    found = persisted_state.load(state.state)
    assert found is not None
    return found


def lifecycle(state: KeptState) -> RevisionLifecycle:
    kept = loaded(state)
    verify = verifier(state.enrolment.public_key)
    return RevisionLifecycle(kept.identity, kept.memory, verify=verify, check=lambda _file: ())


def told(effects: list[Effect]) -> list[tuple[str, str]]:
    return [(e.phase, e.cause) for e in effects if isinstance(e, Report)]


@pytest.mark.parametrize("story", STORIES)
def test_memory_is_written_back_byte_for_byte(state: Open, story: str, tmp_path: Path) -> None:
    """So that the older engine can be put back, too."""
    old = state(story)
    persisted_state.save(tmp_path, loaded(old))
    for name in ("revisions.json", "live.conf", "confirmed.conf"):
        assert (tmp_path / name).read_bytes() == (old.state / name).read_bytes()


@pytest.mark.parametrize("story", ["stopped", "killed"])
def test_live_and_confirmed_revision_are_kept(state: Open, story: str) -> None:
    kept = loaded(state(story))
    assert kept.identity == Identity(WIRE_ID, CLUSTER)
    assert (kept.memory.live.revision, kept.memory.live.text) == (2, CONFIG_202)
    assert (kept.memory.confirmed.revision, kept.memory.confirmed.text) == (1, CONFIG_201)
    assert kept.memory.newest == 2


def test_start_file_is_kept_with_what_it_included(state: Open) -> None:
    live = loaded(state("given-up")).memory.live
    assert (live.revision, live.text) == (0, WITH_INCLUDE)
    assert live.included is not None
    ((name, text),) = live.included[0].files
    assert Path(name).name == live.included[0].pattern == "more.conf"
    assert text == MORE


@pytest.mark.parametrize("story", ["stopped", "killed"])
def test_older_bundle_is_refused_as_before(state: Open, story: str) -> None:
    old = state(story)
    effects = lifecycle(old).receive(old.bundles[0], now_us=0, wall_us=0)
    assert told(effects) == [("refused", "revision 1 is not newer than 2, which ran here already")]


def test_revision_that_was_given_up_is_refused_as_before(state: Open) -> None:
    old = state("given-up")
    effects = lifecycle(old).receive(old.bundles[0], now_us=0, wall_us=0)
    assert told(effects) == [
        ("refused", "revision 1 was given up here before; push a newer one"),
    ]


def test_bundle_that_is_live_is_known_again(state: Open) -> None:
    old = state("stopped")
    effects = lifecycle(old).receive(old.bundles[1], now_us=0, wall_us=0)
    assert told(effects) == [("live", "it is live already")]


def test_confirmation_that_was_signed_then_is_taken(state: Open) -> None:
    old = state("killed")
    machine = lifecycle(old)
    assert told(machine.confirm(old.confirmations[1]))[0][0] == "confirmed"
    assert machine.state.confirmed.text == CONFIG_202


def test_time_to_confirm_goes_on(state: Open) -> None:
    old = state("killed")
    given_up_us = loaded(old).memory.deadline_wall_us
    machine = lifecycle(old)
    machine.wake(now_us=0, wall_us=given_up_us - 5)
    assert machine.deadline_us == 5
    machine.wake(now_us=0, wall_us=given_up_us - WAIT_US - 5)
    assert machine.deadline_us == WAIT_US


def test_revision_without_a_deadline_stays(state: Open) -> None:
    machine = lifecycle(state("stopped"))
    machine.wake(now_us=0, wall_us=2**62)
    assert machine.deadline_us is None


@pytest.mark.parametrize("story", STORIES)
def test_events_are_read_and_would_be_written_the_same(state: Open, story: str) -> None:
    old = state(story)
    lines = old.lines
    assert [to_json(from_json(Event, line)).encode() + b"\n" for line in lines] == lines
    events = Journal(old.state).after(0)
    assert [event.seq for event in events] == list(range(1, len(lines) + 1))
    assert {event.journal for event in events} == {old.journal}


@pytest.mark.parametrize("story", STORIES)
def test_journal_goes_on_with_the_next_number(state: Open, story: str) -> None:
    old = state(story)
    count = len(old.lines)
    old.booted("now")
    journal = Journal(old.state, boot="now")
    assert journal.id == old.journal
    assert journal.append(Event("warning", "x", "y", 1, 2)).seq == count + 1


def test_journal_after_another_boot_goes_on_above_what_was_reserved(state: Open) -> None:
    old = state("killed")
    journal = Journal(old.state, boot="another")
    assert journal.id == old.journal
    assert journal.append(Event("warning", "x", "y", 1, 2)).seq == RESERVE + 1
