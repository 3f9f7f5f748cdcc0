"""A revision's life, without a clock, a disk or a key of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.apply import (
    CONFIG_CHARACTERS_MAX,
    Configure,
    Effect,
    File,
    Identity,
    Persist,
    PersistedState,
    Report,
    RevisionLifecycle,
)
from hanode.wire import Bundle, Confirmation, Signed, to_json

ME = Identity("node-a", "cluster-1")
START = File(0, "start")
WALL = 1_000_000_000
S = 1_000_000


def lifecycle(state: PersistedState | None = None, identity: Identity = ME) -> RevisionLifecycle:
    """`good` is the only signature, and the text "bad" the only one with an error."""
    return RevisionLifecycle(
        identity,
        state or PersistedState(START, START),
        verify=lambda envelope: envelope.signature == "good",
        check=lambda file: ("f:1: bad",) if file.text == "bad" else (),
    )


def bundle(revision: int, text: str = "", **other: object) -> Signed:
    message = Bundle("cluster-1", "node-a", revision, text or f"text {revision}", 0, 30.0)
    return Signed("bundle", to_json(replace(message, **other)), "good")  # type: ignore[arg-type]


def confirmation(revision: int) -> Signed:
    return Signed("confirmation", to_json(Confirmation("cluster-1", "node-a", revision)), "good")


def phases(effects: list[Effect]) -> list[str]:
    return [e.phase for e in effects if isinstance(e, Report)]


def make_live(
    machine: RevisionLifecycle, revision: int, *, at_us: int = 0, **other: object
) -> None:
    machine.receive(bundle(revision, **other), now_us=at_us, wall_us=WALL + at_us)
    machine.configured(revision, None, now_us=at_us, wall_us=WALL + at_us)


def test_revision_is_staged_before_it_is_live() -> None:
    machine = lifecycle()
    effects = machine.receive(bundle(1), now_us=0, wall_us=WALL)
    assert phases(effects) == ["received", "verified", "checked", "staged"]
    assert effects[-1] == Configure(File(1, "text 1"))
    assert machine.state.live == START, "nothing is remembered before the engine took it"
    effects = machine.configured(1, None, now_us=0, wall_us=WALL)
    assert effects[0] == Persist(machine.state), "persisted before anybody is told"
    assert phases(effects) == ["live"]
    assert machine.state.live == File(1, "text 1")
    assert machine.state.confirmed == START


def test_engine_that_refuses_gets_the_old_file_back() -> None:
    machine = lifecycle()
    machine.receive(bundle(1), now_us=0, wall_us=WALL)
    effects = machine.configured(1, "no such interface", now_us=0, wall_us=WALL)
    assert phases(effects) == ["refused"]
    assert effects[-1] == Configure(START)
    assert machine.state == PersistedState(START, START)
    assert phases(machine.receive(bundle(1, "better"), now_us=0, wall_us=WALL))[-1] == "staged"


def test_confirmation_keeps_it_for_good() -> None:
    machine = lifecycle()
    make_live(machine, 1)
    assert machine.deadline_us == 30 * S
    assert phases(machine.confirm(confirmation(1))) == ["confirmed"]
    assert machine.deadline_us is None
    assert machine.state.confirmed == File(1, "text 1")
    assert machine.tick(now_us=999 * S) == []


def test_overdue_confirmation_goes_back() -> None:
    machine = lifecycle()
    make_live(machine, 1)
    assert machine.tick(now_us=30 * S - 1) == []
    assert machine.tick(now_us=30 * S) == [Configure(START)]
    effects = machine.configured(0, None, now_us=30 * S, wall_us=WALL)
    assert phases(effects) == ["reverted"]
    assert machine.state.live == START
    assert machine.state.newest == 1
    again = machine.receive(bundle(1), now_us=31 * S, wall_us=WALL)
    assert [(r.phase, r.journal) for r in again if isinstance(r, Report)] == [("refused", False)]


def test_going_back_is_done_even_if_the_engine_complains() -> None:
    machine = lifecycle()
    make_live(machine, 1)
    machine.tick(now_us=30 * S)
    (persist, report) = machine.configured(0, "stuck", now_us=30 * S, wall_us=WALL)
    assert isinstance(persist, Persist)
    assert isinstance(report, Report)
    assert report.phase == "reverted"
    assert "stuck" in report.problems[0]


def test_late_confirmation_of_a_reverted_revision_is_refused() -> None:
    machine = lifecycle()
    make_live(machine, 1)
    machine.tick(now_us=30 * S)
    machine.configured(0, None, now_us=30 * S, wall_us=WALL)
    assert phases(machine.confirm(confirmation(1))) == ["refused"]


def test_newer_revision_replaces_one_that_waits_but_not_the_confirmed_one() -> None:
    machine = lifecycle()
    make_live(machine, 1)
    make_live(machine, 2, at_us=10 * S)
    assert machine.deadline_us == 40 * S
    machine.tick(now_us=40 * S)
    machine.configured(0, None, now_us=40 * S, wall_us=WALL)
    assert machine.state.live == START


def test_zero_means_no_deadline() -> None:
    machine = lifecycle()
    make_live(machine, 1, confirm_within_s=0.0)
    assert machine.deadline_us is None
    assert machine.state.deadline_wall_us == 0


REFUSED = {
    "unsigned": Signed("bundle", bundle(9).payload, ""),
    "badly signed": Signed("bundle", bundle(9).payload, "evil"),
    "a confirmation": confirmation(9),
    "other node": bundle(9, node="node-b"),
    "other cluster": bundle(9, cluster="cluster-2"),
    "older": bundle(2),
    "equal": bundle(3, "other text"),
    "negative": bundle(-1),
    "newer protocol": bundle(9, v=99),
    "too long": bundle(9, "x" * (CONFIG_CHARACTERS_MAX + 1)),
    "no json": Signed("bundle", "{", "good"),
    "no bundle": Signed("bundle", "[]", "good"),
    "errors": bundle(9, "bad"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_envelope_changes_nothing(name: str) -> None:
    machine = lifecycle()
    make_live(machine, 3)
    before = machine.state
    effects = machine.receive(REFUSED[name], now_us=0, wall_us=WALL)
    assert phases(effects)[-1] == "refused"
    assert not any(isinstance(e, Configure | Persist) for e in effects)
    assert machine.state == before
    assert machine.staged_revision is None


def test_errors_are_told_with_the_refusal() -> None:
    report = lifecycle().receive(bundle(1, "bad"), now_us=0, wall_us=WALL)[-1]
    assert isinstance(report, Report)
    assert report.problems == ("f:1: bad",)


def test_refusing_the_same_envelope_again_is_no_news() -> None:
    machine = lifecycle()
    told = [
        report.journal
        for _ in range(3)
        for report in machine.receive(REFUSED["badly signed"], now_us=0, wall_us=WALL)
        if isinstance(report, Report)
    ]
    assert told == [True, False, False]


def test_node_without_enrolment_refuses_everything() -> None:
    machine = lifecycle(identity=Identity())
    assert phases(machine.receive(bundle(1, node="", cluster=""), now_us=0, wall_us=WALL)) == [
        "refused"
    ]
    assert phases(machine.confirm(confirmation(0))) == ["refused"]


def test_only_one_change_at_a_time() -> None:
    machine = lifecycle()
    machine.receive(bundle(1), now_us=0, wall_us=WALL)
    assert phases(machine.receive(bundle(2), now_us=0, wall_us=WALL)) == ["refused"]
    assert phases(machine.confirm(confirmation(1))) == ["refused"]
    assert phases(machine.reload(File(0, "text"))) == ["refused"]


def test_answer_to_an_older_configure_is_not_taken_for_the_newer() -> None:
    machine = lifecycle()
    machine.receive(bundle(2), now_us=0, wall_us=WALL)
    assert machine.configured(1, None, now_us=0, wall_us=WALL) == []
    assert machine.staged_revision == 2


def test_restart_waits_only_for_what_is_left() -> None:
    state = PersistedState(File(1, "text 1"), START, 1, 30 * S, WALL + 30 * S)
    machine = lifecycle(state)
    machine.wake(now_us=500 * S, wall_us=WALL + 20 * S)
    assert machine.deadline_us == 510 * S


@pytest.mark.parametrize(("wall", "left"), [(WALL - 3600 * S, 30 * S), (WALL + 3600 * S, 0)])
def test_jump_of_the_clock_never_makes_it_wait_longer(wall: int, left: int) -> None:
    machine = lifecycle(PersistedState(File(1, "text 1"), START, 1, 30 * S, WALL + 30 * S))
    machine.wake(now_us=0, wall_us=wall)
    assert machine.deadline_us == left


def test_reload_is_for_nodes_that_were_never_pushed_to() -> None:
    machine = lifecycle()
    effects = machine.reload(File(0, "new"))
    assert effects[-1] == Configure(File(0, "new"))
    machine.configured(0, None, now_us=0, wall_us=WALL)
    assert machine.state == PersistedState(File(0, "new"), File(0, "new"))
    make_live(machine, 1)
    assert phases(machine.reload(File(0, "newer"))) == ["refused"]


def test_failed_reload_keeps_the_old_file() -> None:
    machine = lifecycle()
    assert phases(machine.reload(File(0, "bad"))) == ["refused"]
    machine.reload(File(0, "new"))
    effects = machine.configured(0, "no", now_us=0, wall_us=WALL)
    assert effects[-1] == Configure(START)
    assert machine.state.live == START
