"""What a revision's lifecycle reports, whole: operators and the control plane read these sentences.

And its limits, on both sides of each.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from hanode.apply import (
    CONFIG_CHARACTERS_MAX,
    CONFIRM_WITHIN_MAX_S,
    Configure,
    Effect,
    File,
    Identity,
    Persist,
    PersistedState,
    Report,
    RevisionLifecycle,
)
from hanode.wire import VERSION, Confirmation, Signed, to_json
from tests.proc.test_apply import (
    ME,
    REFUSED,
    START,
    WALL,
    S,
    bundle,
    confirmation,
    lifecycle,
    make_live,
    phases,
)


def receive(machine: RevisionLifecycle, envelope: Signed) -> list[Effect]:
    return machine.receive(envelope, now_us=0, wall_us=WALL)


def configured(machine: RevisionLifecycle, revision: int, error: str | None = None) -> list[Effect]:
    return machine.configured(revision, error, now_us=0, wall_us=WALL)


def refused(cause: str, revision: int = 0, *, journal: bool = True) -> list[Effect]:
    return [Report(revision, "refused", cause, (), journal)]


def test_every_step_of_a_new_revision_is_told_in_order() -> None:
    machine = lifecycle()
    assert receive(machine, bundle(1)) == [
        Report(1, "received", "from the control plane"),
        Report(1, "verified", "signed by the pinned key, for this node, and newer"),
        Report(1, "checked", "no errors"),
        Report(1, "staged", "handed to the engine"),
        Configure(File(1, "text 1")),
    ]
    kept = PersistedState(File(1, "text 1"), START, 1, 30 * S, WALL + 30 * S)
    assert configured(machine, 1) == [Persist(kept), Report(1, "live", "the engine runs it")]
    kept = replace(kept, confirmed=kept.live, deadline_wall_us=0)
    assert machine.confirm(confirmation(1)) == [
        Persist(kept),
        Report(1, "confirmed", "the control plane saw this node healthy on it"),
    ]


def test_revision_that_is_given_up_is_told_with_its_reason() -> None:
    machine = lifecycle()
    make_live(machine, 1)
    machine.tick(now_us=30 * S)
    assert configured(machine, 0) == [
        Persist(PersistedState(START, START, 1, 30 * S, 0)),
        Report(1, "reverted", "no confirmation came within 30 s; back to revision 0"),
    ]


def test_nothing_is_waited_for_once_it_is_given_up() -> None:
    machine = lifecycle()
    make_live(machine, 1)
    machine.tick(now_us=30 * S)
    configured(machine, 0)
    assert machine.deadline_us is None


def test_node_that_was_never_pushed_to_has_seen_no_revision_and_waits_for_nothing() -> None:
    assert PersistedState(START, START) == PersistedState(START, START, 0, 0, 0)


def test_trouble_on_the_way_back_is_told_beside_it() -> None:
    machine = lifecycle()
    make_live(machine, 1)
    machine.tick(now_us=30 * S)
    report = configured(machine, 0, "stuck")[-1]
    assert isinstance(report, Report)
    assert report.problems == ("the engine did not take the old file: stuck",)


def test_engines_own_reason_is_told() -> None:
    machine = lifecycle()
    receive(machine, bundle(1))
    assert configured(machine, 1, "no such interface") == [
        *refused("the engine did not take it: no such interface", 1),
        Configure(START),
    ]


def test_start_file_that_is_read_again_is_told_as_revision_zero() -> None:
    machine = lifecycle()
    file = File(0, "new")
    assert machine.reload(file) == [Report(0, "checked", "no errors"), Configure(file)]
    kept = PersistedState(file, file)
    assert configured(machine, 0) == [Persist(kept), Report(0, "live", "the engine runs it")]


@pytest.mark.parametrize(
    ("errors", "cause"),
    [(("f:1: bad",), "an error: f:1: bad"), (("f:1: bad", "f:2: too"), "2 errors: f:1: bad")],
)
def test_file_with_errors_is_refused_with_the_first_of_them(
    errors: tuple[str, ...], cause: str
) -> None:
    machine = RevisionLifecycle(
        ME, PersistedState(START, START), verify=lambda _: True, check=lambda _: errors
    )
    assert machine.reload(File(0, "x")) == [
        Report(0, "refused", f"the file has {cause}", errors),
    ]
    assert receive(machine, bundle(4)) == [
        Report(4, "received", "from the control plane"),
        Report(4, "verified", "signed by the pinned key, for this node, and newer"),
        Report(4, "refused", f"the configuration has {cause}", errors),
    ]
    again = receive(machine, bundle(4))[-1]
    assert again == Report(4, "refused", f"the configuration has {cause}", errors, False)


TOO_LONG = "x" * (CONFIG_CHARACTERS_MAX + 1)
WORDS = {
    "unsigned": "it is not signed",
    "badly signed": "its signature is not that of the control plane this node trusts",
    "a confirmation": "it is a 'confirmation', not a bundle",
    "other node": "it is for the node 'node-b', not for this one",
    "other cluster": "it is for the cluster 'cluster-2', not for this one",
    "negative": "it has the revision -1; revisions begin at 1",
    "newer protocol": f"it speaks version 99; this node knows {VERSION}",
    "too long": f"its configuration is longer than {CONFIG_CHARACTERS_MAX} characters",
    "no json": "it cannot be read: not JSON: Expecting property name enclosed in double quotes: "
    "line 1 column 2 (char 1)",
    "no bundle": "it cannot be read: Bundle: expected an object, got list",
}


@pytest.mark.parametrize("name", WORDS)
def test_refusal_says_why_and_only_once_in_the_journal(name: str) -> None:
    machine = lifecycle()
    assert receive(machine, REFUSED[name]) == refused(WORDS[name])
    assert receive(machine, REFUSED[name]) == refused(WORDS[name], journal=False)


def test_foreign_confirmation_is_refused_with_its_reason_once() -> None:
    machine = lifecycle()
    foreign = replace(confirmation(1), signature="evil")
    cause = WORDS["badly signed"]
    assert machine.confirm(foreign) == refused(cause)
    assert machine.confirm(foreign) == refused(cause, journal=False)
    assert machine.confirm(bundle(1)) == refused("it is a 'bundle', not a confirmation")


def test_node_without_enrolment_says_so() -> None:
    cause = "this node is not enrolled with any control plane"
    assert receive(lifecycle(identity=Identity()), bundle(1)) == refused(cause)


def test_unknown_kind_is_told_shortened() -> None:
    envelope = replace(bundle(1), kind="k" * 41)
    assert receive(lifecycle(), envelope) == refused(f"it is a {'k' * 40!r}, not a bundle")


def test_older_revision_is_told_with_what_ran_here() -> None:
    machine = lifecycle()
    make_live(machine, 3)
    cause = "revision 2 is not newer than 3, which ran here already"
    assert receive(machine, bundle(2)) == refused(cause, 2)
    assert receive(machine, bundle(2)) == refused(cause, 2, journal=False)


def test_other_text_of_the_live_revision_is_refused() -> None:
    machine = lifecycle()
    make_live(machine, 3)
    cause = "another revision 3 is live here; push again, under a number above it"
    assert receive(machine, bundle(3, "other")) == refused(cause, 3)


def test_a_confirmation_of_another_content_under_the_same_number_confirms_nothing() -> None:
    """After a restored database the control plane may mean another revision 3."""

    def of(text: str) -> Signed:
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        said = Confirmation("cluster-1", "node-a", 3, config_sha256=sha256)
        return Signed("confirmation", to_json(said), "good")

    machine = lifecycle()
    make_live(machine, 3)
    before = machine.state
    cause = "a confirmation of another revision 3 than the one that is live here"
    assert machine.confirm(of("other")) == refused(cause, 3)
    assert machine.state == before
    live = machine.state.live.text
    assert [one.phase for one in machine.confirm(of(live)) if isinstance(one, Report)] == [
        "confirmed"
    ]
    assert machine.confirm(of("other")) == refused(cause, 3, journal=False)
    assert machine.state.confirmed.text == live


def test_revision_that_was_given_up_is_told_as_that() -> None:
    machine = lifecycle()
    make_live(machine, 1)
    make_live(machine, 2)
    machine.tick(now_us=30 * S)
    configured(machine, 0)
    given_up = "revision 2 was given up here before; push a newer one"
    assert receive(machine, bundle(2)) == refused(given_up, 2, journal=False)
    older = "revision 1 is not newer than 2, which ran here already"
    assert receive(machine, bundle(1)) == refused(older, 1)


def test_what_is_live_already_is_no_news() -> None:
    machine = lifecycle()
    make_live(machine, 1)
    answer = Report(1, "live", "it is live already", journal=False)
    assert receive(machine, bundle(1)) == [answer]


def test_what_is_confirmed_already_is_no_news() -> None:
    machine = lifecycle()
    make_live(machine, 1)
    machine.confirm(confirmation(1))
    answer = Report(1, "confirmed", "it was confirmed before", journal=False)
    assert machine.confirm(confirmation(1)) == [answer]


def test_confirmation_of_what_is_not_live_is_no_news() -> None:
    machine = lifecycle()
    make_live(machine, 1)
    cause = "a confirmation of revision 7, but revision 1 is live"
    assert machine.confirm(confirmation(7)) == refused(cause, 7, journal=False)


def test_whoever_asks_during_a_change_is_told_to_come_again() -> None:
    machine = lifecycle()
    receive(machine, bundle(4))
    cause = "revision 4 is being taken just now; try again"
    assert receive(machine, bundle(5)) == refused(cause, journal=False)
    cause = "another change is being taken; try again"
    assert machine.reload(File(0, "x")) == refused(cause, journal=False)


def test_reload_of_a_pushed_node_is_told_what_to_do() -> None:
    machine = lifecycle()
    make_live(machine, 6)
    cause = "revision 6 came from the control plane and is live; push a new revision instead"
    assert machine.reload(File(0, "x")) == refused(cause, journal=False)


# Limits


def test_configuration_of_the_greatest_length_is_taken() -> None:
    assert CONFIG_CHARACTERS_MAX == 2_000_000
    assert phases(receive(lifecycle(), bundle(1, TOO_LONG[1:])))[-1] == "staged"


def test_first_revision_is_one() -> None:
    assert phases(receive(lifecycle(), bundle(1)))[-1] == "staged"
    assert phases(receive(lifecycle(), bundle(0))) == ["refused"]


@pytest.mark.parametrize(
    ("asked_s", "given_s"), [(3_599.0, 3_599), (3_600.0, 3_600), (3_601.0, 3_600), (-1.0, 0)]
)
def test_time_to_confirm_is_an_hour_at_most(asked_s: float, given_s: int) -> None:
    assert CONFIRM_WITHIN_MAX_S == 3_600
    machine = lifecycle()
    make_live(machine, 1, confirm_within_s=asked_s)
    assert machine.state.confirm_within_us == given_s * S
    assert machine.deadline_us == (given_s * S or None)


def test_time_to_confirm_is_counted_to_the_microsecond() -> None:
    machine = lifecycle()
    make_live(machine, 1, confirm_within_s=0.0000014)
    assert machine.deadline_us == 1


def test_deadline_is_counted_from_when_the_engine_took_it() -> None:
    machine = lifecycle()
    receive(machine, bundle(1))
    machine.configured(1, None, now_us=7 * S, wall_us=WALL + 9 * S)
    assert machine.deadline_us == 37 * S
    assert machine.state.deadline_wall_us == WALL + 39 * S


def test_no_deadline_stands_while_a_change_is_taken() -> None:
    machine = lifecycle()
    make_live(machine, 1)
    receive(machine, bundle(2))
    assert machine.deadline_us is None
    assert machine.tick(now_us=999 * S) == []
    configured(machine, 2, "no")
    assert machine.deadline_us == 30 * S


def test_revision_without_a_deadline_ends_that_of_the_one_before() -> None:
    machine = lifecycle()
    make_live(machine, 1)
    make_live(machine, 2, confirm_within_s=0.0)
    assert machine.deadline_us is None


def test_restart_without_a_deadline_waits_for_nothing() -> None:
    machine = lifecycle(PersistedState(File(1, "text 1"), START, 1, 30 * S, 0))
    machine.wake(now_us=0, wall_us=WALL)
    assert machine.deadline_us is None


def test_deadline_of_the_first_microsecond_is_a_deadline() -> None:
    machine = lifecycle(PersistedState(File(1, "text 1"), START, 1, 30 * S, 1))
    machine.wake(now_us=5, wall_us=WALL)
    assert machine.deadline_us == 5
