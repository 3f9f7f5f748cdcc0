"""Whether a node's revisions and the control plane's are one history."""

from __future__ import annotations

from dataclasses import replace

import pytest

from webapp.rollout.history import JUMP_MAX, Known, Reported, condition, number_above

RUNS = Reported(revision=24, confirmed=24, newest=24, sha256="h24")
KNOWN = Known(newest=24, files={24: "h24", 23: "h23"}, wanted=24)


def kind(reported: Reported | None, known: Known = KNOWN, in_broker: int = 0) -> str:
    found = condition("NodeA", reported, known, in_broker=in_broker)
    return found[0] if found else ""


def test_one_history_is_no_condition() -> None:
    assert kind(RUNS) == kind(None) == kind(RUNS, in_broker=24) == ""
    nothing = Known(newest=0, files={}, wanted=None)
    assert kind(Reported(0, 0, 0, "file of the start"), nothing) == ""


def test_a_restored_database_is_said_of_each_node_that_is_ahead() -> None:
    ahead = Reported(26, 26, 26, "h26")
    found = condition("NodeA", ahead, KNOWN)
    assert found is not None
    assert found[0] == "ahead"
    assert "NodeA runs revision 26, which is not known here; the newest known is 24." in found[1]
    assert "restored" in found[1]
    assert "a number above all" in found[1]
    assert kind(replace(ahead, heard=False)) == "ahead", "what it last said is still true"


def test_a_number_that_was_given_up_is_used_too() -> None:
    """26 ran and was not confirmed: the node is back at 24, and takes nothing up to 26."""
    found = condition("NodeA", replace(RUNS, newest=26), KNOWN)
    assert found is not None
    assert "NodeA has run revision 26 before" in found[1]


def test_what_the_broker_holds_outlives_the_database() -> None:
    for reported in (None, RUNS):
        found = condition("NodeA", reported, KNOWN, in_broker=26)
        assert found is not None
        assert found[0] == "ahead"
        assert "The broker holds revision 26 for NodeA" in found[1]


def test_one_number_with_two_contents_is_a_fork() -> None:
    assert kind(replace(RUNS, sha256="of another 24")) == "forked"
    assert kind(Reported(23, 23, 23, "x"), replace(KNOWN, wanted=23)) == "forked"


def test_a_revision_whose_rollout_failed_and_that_stays() -> None:
    known = replace(KNOWN, wanted=23)
    found = condition("NodeA", RUNS, known)
    assert found is not None
    assert found[0] == "ahead"
    assert "though its rollout did not succeed" in found[1]


def test_a_node_that_was_put_back_is_behind() -> None:
    assert kind(Reported(23, 23, 23, "h23")) == "behind"
    assert kind(Reported(0, 0, 0, "its own file")) == "behind"
    assert kind(Reported(23, 23, 23, "h23", heard=False)) == "", "it may be on its way back"


def test_during_a_rollout_what_is_known_may_differ() -> None:
    busy = replace(KNOWN, under_way=True)
    assert kind(Reported(23, 23, 23, "h23"), busy) == ""
    assert kind(Reported(26, 26, 26, "h26"), busy) == "ahead"


@pytest.mark.parametrize(
    ("newest", "claimed", "above"),
    [
        (24, [], 24),
        (24, [26, 25], 26),
        (24, [0, 7], 24),
        (0, [JUMP_MAX], JUMP_MAX),
        (0, [JUMP_MAX + 1, 3], 3),  # no node can use up all numbers by one lie
        (24, [2**62], 24),
    ],
)
def test_a_new_number_is_above_all_that_can_be_believed(
    newest: int, claimed: list[int], above: int
) -> None:
    assert number_above(newest, claimed) == above
