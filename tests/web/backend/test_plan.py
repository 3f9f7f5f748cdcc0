"""What a rollout does next, as a pure decision."""

from __future__ import annotations

from dataclasses import replace

import pytest

from webapp.rollout.plan import (
    ANSWER_WITHIN_S,
    CONFIRM_WITHIN_S,
    START_WITHIN_S,
    Mark,
    NodeNow,
    StepNow,
    decide,
)

A = StepNow("NodeA", 0, "waiting", 0.0)
B = StepNow("NodeB", 1, "waiting", 0.0)
MASTER = NodeNow(heard=True, master_of=("HA",))
BACKUP = NodeNow(heard=True)
BOTH = {"NodeA": MASTER, "NodeB": BACKUP}


def test_backups_go_first() -> None:
    decision = decide(3, (A, B), BOTH, age_s=0)
    assert decision.marks == (Mark("NodeB", "waiting", "sent"),)


def test_without_a_master_the_order_of_the_nodes_counts() -> None:
    decision = decide(3, (A, B), {"NodeA": BACKUP, "NodeB": BACKUP}, age_s=0)
    assert [mark.node for mark in decision.marks] == ["NodeA"]


@pytest.mark.parametrize("state", ["sent", "live"])
def test_one_node_at_a_time(state: str) -> None:
    decision = decide(3, (A, replace(B, state=state)), BOTH, age_s=0)
    assert not any(mark.node == "NodeA" for mark in decision.marks)


def test_a_node_that_runs_it_and_is_well_is_live_then_confirmed_then_the_master_follows() -> None:
    sent = replace(B, state="sent")
    runs = {**BOTH, "NodeB": replace(BACKUP, revision=3)}
    assert decide(3, (A, sent), runs, age_s=0).marks == (Mark("NodeB", "sent", "live"),)
    live = replace(B, state="live")
    assert decide(3, (A, live), runs, age_s=0).marks == ()
    keeps = {**BOTH, "NodeB": replace(BACKUP, revision=3, confirmed_revision=3)}
    assert decide(3, (A, live), keeps, age_s=0).marks == (Mark("NodeB", "live", "confirmed"),)
    confirmed = replace(B, state="confirmed")
    assert decide(3, (A, confirmed), keeps, age_s=0).marks == (Mark("NodeA", "waiting", "sent"),)


def test_all_confirmed_is_done() -> None:
    steps = (replace(A, state="confirmed"), replace(B, state="confirmed"))
    assert decide(3, steps, BOTH, age_s=0).state == "done"


@pytest.mark.parametrize("ended", ["refused", "reverted"])
def test_a_node_that_says_no_ends_it_and_the_rest_stays_untouched(ended: str) -> None:
    nodes = {**BOTH, "NodeB": replace(BACKUP, ended=ended, ended_because="NodeB said no: line 3")}
    decision = decide(3, (A, replace(B, state="sent")), nodes, age_s=0)
    assert decision.state == "failed"
    assert decision.marks == (Mark("NodeB", "sent", ended, "NodeB said no: line 3."),)
    assert "NodeB said no: line 3." in decision.reason
    assert "untouched" in decision.reason


def test_once_lost_nothing_more_is_sent() -> None:
    decision = decide(3, (A, replace(B, state="refused")), BOTH, age_s=0)
    assert decision.state == "failed"
    assert decision.marks == ()


def test_a_silent_node_is_waited_for_then_given_up() -> None:
    step = replace(B, state="sent", age_s=ANSWER_WITHIN_S - 1)
    silent = {**BOTH, "NodeB": NodeNow(heard=False)}
    assert decide(3, (A, step), silent, age_s=0).state == "running"
    decision = decide(3, (A, replace(step, age_s=ANSWER_WITHIN_S + 1)), silent, age_s=0)
    assert decision.state == "failed"
    assert decision.marks[0].new == "timed_out"


def test_a_node_that_never_keeps_it_is_given_up() -> None:
    step = replace(B, state="live", age_s=CONFIRM_WITHIN_S + 1)
    decision = decide(3, (A, step), {**BOTH, "NodeB": replace(BACKUP, revision=3)}, age_s=0)
    assert decision.marks[0].new == "timed_out"
    assert "goes back by itself" in decision.reason


def test_new_fault_is_not_healthy_an_old_one_is_no_harm_of_this_push() -> None:
    step = replace(B, state="sent", age_s=1.0)
    fault = replace(BACKUP, revision=3, faults=("HA",), unsettled=("HA",))
    assert decide(3, (A, step), {**BOTH, "NodeB": fault}, age_s=0).marks == ()
    before = replace(step, faults_before=("HA",))
    assert decide(3, (A, before), {**BOTH, "NodeB": fault}, age_s=0).marks[0].new == "live"


def test_an_instance_in_init_is_not_settled() -> None:
    init = replace(BACKUP, revision=3, unsettled=("HA",))
    assert decide(3, (A, replace(B, state="sent")), {**BOTH, "NodeB": init}, age_s=0).marks == ()


def test_nothing_is_sent_before_every_node_is_heard() -> None:
    nodes = {"NodeA": NodeNow(heard=False), "NodeB": BACKUP}
    decision = decide(3, (A, B), nodes, age_s=1)
    assert (decision.state, decision.marks) == ("waiting", ())
    assert "NodeA" in decision.reason
    late = decide(3, (A, B), nodes, age_s=START_WITHIN_S + 1)
    assert late.state == "failed"


def test_deciding_twice_on_the_same_rows_says_the_same() -> None:
    assert decide(3, (A, B), BOTH, age_s=0) == decide(3, (A, B), BOTH, age_s=0)
