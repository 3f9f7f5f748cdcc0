"""What a rollout does next, as a pure decision."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from tests.web.backend.rollout_transcript import rewritten
from webapp.rollout.plan import (
    ANSWER_WITHIN_S,
    CONFIRM_WITHIN_S,
    NODE_REVERTS_AFTER_S,
    SETTLE_WITHIN_S,
    START_WITHIN_S,
    Decision,
    Mark,
    NodeNow,
    StepNow,
    decide,
    push_order,
)
from webapp.rollout.settle import Settling

A = StepNow("NodeA", 0, "waiting", 0.0)
B = StepNow("NodeB", 1, "waiting", 0.0)
MASTER = NodeNow(heard=True, master_of=("HA",))
BACKUP = NodeNow(heard=True)
BOTH = {"NodeA": MASTER, "NodeB": BACKUP}

GOOD = """
# Revision 3 of a pair. The master stands first in the cluster, and is sent last.
at 0
A heard master=HA
B heard
----
B waiting > sent
running: Waits: B did not report revision 3 yet.

# The same facts again: nothing moves twice.
at 0.5
----
running: Waits: B did not report revision 3 yet.

at 1
B heard rev=3 unsettled=HA
----
running: Waits: B applied it, but HA did not settle yet.

at 2
B heard rev=3
----
B sent > live
running

at 3
----
running

# B says that it keeps it. In the same moment A is next; a FAULT that it has is noted.
at 4
B heard rev=3 kept=3
A heard master=HA fault=GW unsettled=GW
----
B live > confirmed
A waiting > sent, faults before: GW
running: Waits: A did not report revision 3 yet.

# That FAULT was there before, so it is no harm of this push.
at 5
A heard rev=3 fault=GW unsettled=GW master=HA
----
A sent > live
running

at 6
A heard rev=3 kept=3
----
A live > confirmed
done

at 7
----
done
"""

SLOW = """
at 0
A heard master=HA
B heard
----
B waiting > sent
running: Waits: B did not report revision 3 yet.

# 20 s are allowed, to the last moment.
at 20
B heard rev=2
----
running: Waits: B did not report revision 3 yet.

at 20.1
----
B sent > timed_out: B did not report revision 3 within 20 s.
failed: B did not report revision 3 within 20 s. Nodes that were still \
waiting are untouched.

at 25
B heard rev=3 kept=3
----
failed: B did not take the revision.
"""

NEVER_KEPT = """
at 100
A heard master=HA
B heard
----
B waiting > sent
running: Waits: B did not report revision 3 yet.

at 101
B heard rev=3
----
B sent > live
running

# From live it has 10 s to say that it keeps it.
at 111
B heard rev=3 kept=2
----
running

at 111.1
----
B live > timed_out: B runs the revision but did not say within 10 s that it keeps it; it goes \
back by itself.
failed: B runs the revision but did not say within 10 s that it keeps it; it goes back by \
itself. Nodes that were still \
waiting are untouched.
"""

SICK = """
at 0
A heard master=HA
B heard fault=GW unsettled=GW
----
B waiting > sent, faults before: GW
running: Waits: B did not report revision 3 yet.

at 1
B silent rev=3
----
running: Waits: B was not heard yet.

at 2
B heard rev=3 fault=GW,HA,HB unsettled=GW,HA,HB
----
running: Waits: B applied it, but HA, HB is in FAULT and did not recover yet.

at 3
B heard rev=3 fault=GW unsettled=GW,HA,HB
----
running: Waits: B applied it, but HA, HB did not settle yet.

at 4
B heard rev=3 fault=GW unsettled=GW stopping
----
running: Waits: B applied it, but it did not settle yet.

at 21
----
B sent > timed_out: B applied it, but it did not settle within 20 s.
failed: B applied it, but it did not settle within 20 s. Nodes that were still \
waiting are untouched.
"""

REFUSED = """
at 0
A heard master=HA
B heard
----
B waiting > sent
running: Waits: B did not report revision 3 yet.

at 1
B heard ended=refused because=line_3_is_wrong.
----
B sent > refused: Line 3 is wrong.
failed: Line 3 is wrong. Nodes that were still \
waiting are untouched.
"""

REVERTED = """
at 0
A heard master=HA
B heard
----
B waiting > sent
running: Waits: B did not report revision 3 yet.

at 1
B heard rev=3
----
B sent > live
running

# It may even have said that it keeps the revision: what it did last counts.
at 2
B heard rev=3 kept=3 ended=reverted
----
B live > reverted: B reverted it.
failed: B reverted it. Nodes that were still \
waiting are untouched.
"""

NOT_HEARD = """
at 0
B heard
----
waiting: Waits for A, which is not heard at the moment.

at 100
B silent
----
waiting: Waits for A and B, which is not heard at the moment.

at 300
A silent
B heard
----
waiting: Waits for A, which is not heard at the moment.

at 300.1
----
failed: A was not heard for 5 minutes; nothing more was sent. Push again when it is back.
"""

HALFWAY = """
at 0
A heard master=HA
B heard
----
B waiting > sent
running: Waits: B did not report revision 3 yet.

at 1
B heard rev=3
----
B sent > live
running

# The master falls silent while the backup is under way: the rollout goes on running, and waits.
at 2
B heard rev=3 kept=3
A silent master=HA
----
B live > confirmed
running: Waits for A, which is not heard at the moment.

# The 5 minutes count from the last move.
at 302
----
running: Waits for A, which is not heard at the moment.

at 302.1
----
failed: A was not heard for 5 minutes; nothing more was sent. Push again when it is back.
"""


@pytest.mark.parametrize(
    "script", [GOOD, SLOW, NEVER_KEPT, SICK, REFUSED, REVERTED, NOT_HEARD, HALFWAY]
)
def test_a_rollout_goes_as_its_transcript_says(script: str) -> None:
    assert rewritten(script) == script


def test_a_node_that_did_not_answer_in_time_is_named_in_the_reason() -> None:
    decision = decide(3, (A, replace(B, state="sent", age_s=20.1)), BOTH, age_s=0)
    assert decision.state == "failed"
    assert decision.reason == (
        "NodeB did not report revision 3 within 20 s. Nodes that were still waiting are untouched."
    )


def test_backups_go_first_each_by_its_place() -> None:
    places = {"a": 3, "b": 0, "c": 2, "d": 1}
    assert push_order(places, set()) == ["b", "d", "c", "a"]
    assert push_order(places, {"b", "c"}) == ["d", "a", "b", "c"]
    assert push_order(places, set(places)) == ["b", "d", "c", "a"]
    assert push_order({}, {"a"}) == []


def test_the_plan_follows_the_push_order_whoever_is_master() -> None:
    names = ("A", "B", "C")
    steps = tuple(StepNow(name, 2 - at, "waiting", 0.0) for at, name in enumerate(names))
    positions = {step.node: step.position for step in steps}
    for masters in itertools.product((False, True), repeat=3):
        nodes = {
            name: MASTER if master else BACKUP for name, master in zip(names, masters, strict=True)
        }
        order = push_order(positions, {n for n, node in nodes.items() if node.master_of})
        assert decide(3, steps, nodes, age_s=0).marks == (Mark(order[0], "waiting", "sent"),)


@pytest.mark.parametrize("state", ["sent", "live"])
def test_one_node_at_a_time(state: str) -> None:
    decision = decide(3, (A, replace(B, state=state)), BOTH, age_s=0)
    assert not any(mark.node == "NodeA" for mark in decision.marks)


@pytest.mark.parametrize("lost", ["refused", "reverted", "timed_out"])
def test_once_lost_nothing_more_is_sent(lost: str) -> None:
    """Not even to a node that was under way when another was lost."""
    under_way = replace(A, state="sent", age_s=999.0)
    decision = decide(3, (under_way, replace(B, state=lost)), BOTH, age_s=0)
    assert decision == Decision(state="failed", reason="NodeB did not take the revision.")


def test_a_node_of_which_nothing_is_known_was_not_heard() -> None:
    sent = replace(B, state="sent")
    assert decide(3, (A, sent), {}, age_s=0).reason == "Waits: NodeB was not heard yet."


@pytest.mark.parametrize("state", ["sent", "live"])
def test_a_node_that_is_further_has_not_taken_this_one(state: str) -> None:
    """It runs what this control plane forgot, or never knew: a higher number proves nothing."""
    newer = {**BOTH, "NodeB": replace(BACKUP, revision=4, confirmed_revision=4, newest_revision=4)}
    decision = decide(3, (A, replace(B, state=state)), newer, age_s=0)
    assert decision.state == "failed"
    assert decision.marks[0].new == "refused"
    assert "has run revision 4 already" in decision.reason
    assert "gets a number above that" in decision.reason


@pytest.mark.parametrize("state", ["sent", "live"])
def test_the_same_number_with_another_content_is_another_revision(state: str) -> None:
    step = replace(B, state=state, sha256="of what was sent")
    other = replace(BACKUP, revision=3, confirmed_revision=3, sha256="of what it runs")
    decision = decide(3, (A, step), {**BOTH, "NodeB": other}, age_s=0)
    assert (decision.state, decision.marks[0].new) == ("failed", "refused")
    assert "runs another revision 3 than this one" in decision.reason
    same = replace(other, sha256=step.sha256)
    new = {"sent": "live", "live": "confirmed"}[state]
    assert decide(3, (A, step), {**BOTH, "NodeB": same}, age_s=0).marks == (
        Mark("NodeB", state, new),
    )


def test_nothing_is_sent_where_the_number_was_used() -> None:
    """Not even to the others: a restored database is to be said before anything is changed."""
    used = {**BOTH, "NodeA": replace(MASTER, revision=2, newest_revision=3)}
    decision = decide(3, (A, B), used, age_s=0)
    assert (decision.state, decision.marks) == ("failed", ())
    assert decision.reason.startswith("NodeA has run revision 3 already")


def test_no_limit_runs_before_the_broker_has_the_message() -> None:
    """A worker died between the commit and the sending: the node cannot have answered."""
    for state in ("sent", "live"):
        late = replace(B, state=state, age_s=999.0, told=False)
        decision = decide(3, (A, late), BOTH, age_s=999.0)
        assert (decision.state, decision.marks) == ("running", ())
        assert "has not taken the message to NodeB yet" in decision.reason


DONE = (replace(A, state="confirmed"), replace(B, state="confirmed"))


def test_a_push_is_done_when_the_addresses_are_where_they_belong() -> None:
    moves = Settling("NodeB takes HA over from NodeA")
    waits = decide(3, DONE, BOTH, age_s=SETTLE_WITHIN_S, settling=moves)
    assert waits == Decision(
        reason="Every node keeps it. Waits: NodeB takes HA over from NodeA.", state="running"
    )
    late = decide(3, DONE, BOTH, age_s=SETTLE_WITHIN_S + 0.1, settling=moves)
    assert (late.state, late.reason) == (
        "done",
        "Every node keeps it, but NodeB takes HA over from NodeA.",
    )
    assert decide(3, DONE, BOTH, age_s=0).state == "done"


def test_two_masters_that_stay_are_no_success() -> None:
    split = Settling("NodeA and NodeB are both master of HA", bad=True)
    assert decide(3, DONE, BOTH, age_s=1, settling=split).state == "running"
    late = decide(3, DONE, BOTH, age_s=SETTLE_WITHIN_S + 1, settling=split)
    assert (late.state, late.marks) == ("failed", ())


def test_a_long_preempt_delay_is_said_and_not_waited_for() -> None:
    later = Settling("NodeB takes HA over once its preempt_delay of 300 s is over", waits=False)
    assert decide(3, DONE, BOTH, age_s=0, settling=later).state == "done"


# All nodes at one time


def together(*states: str, **nodes: NodeNow) -> Decision:
    steps = tuple(replace(one, state=state) for one, state in zip((A, B), states, strict=True))
    return decide(3, steps, {**BOTH, **nodes}, age_s=0, at_once=True)


def test_all_are_sent_it_in_one_move_once_all_are_heard() -> None:
    decision = together("waiting", "waiting")
    assert set(decision.marks) == {
        Mark("NodeA", "waiting", "sent"),
        Mark("NodeB", "waiting", "sent"),
    }
    silent = together("waiting", "waiting", NodeA=NodeNow(False))
    assert (silent.marks, silent.state) == ((), "waiting")


RUNS_IT = NodeNow(heard=True, revision=3)
KEEPS_IT = replace(RUNS_IT, confirmed_revision=3)


def test_none_may_keep_it_before_all_run_it() -> None:
    one = together("sent", "sent", NodeB=RUNS_IT)
    assert (one.marks, one.reason) == ((), "Waits: NodeA did not report revision 3 yet.")
    both = together("sent", "sent", NodeA=RUNS_IT, NodeB=RUNS_IT)
    assert [(mark.old, mark.new) for mark in both.marks] == [("sent", "live")] * 2
    kept = together("live", "live", NodeA=RUNS_IT, NodeB=KEEPS_IT)
    assert kept.marks == (Mark("NodeB", "live", "confirmed"),)
    rest = together("live", "confirmed", NodeA=KEEPS_IT, NodeB=KEEPS_IT)
    assert rest.marks == (Mark("NodeA", "live", "confirmed"),)


@pytest.mark.parametrize("ended", ["refused", "reverted"])
def test_if_one_does_not_take_it_the_others_go_back(ended: str) -> None:
    lost = replace(MASTER, ended=ended, ended_because="line 3 is wrong")
    decision = together("sent", "sent", NodeA=lost, NodeB=RUNS_IT)
    assert decision.state == "failed"
    assert [(mark.node, mark.new) for mark in decision.marks] == [
        ("NodeA", ended),
        ("NodeB", "timed_out"),
    ]
    assert "NodeB is not told to keep it: it goes back by itself" in decision.marks[1].detail
    assert decision.reason == (
        "Line 3 is wrong. NodeB goes back to the revision of before by itself."
    )


def test_one_that_is_late_ends_it_for_all() -> None:
    steps = (replace(A, state="sent", age_s=20.1), replace(B, state="sent", age_s=20.1))
    decision = decide(3, steps, {**BOTH, "NodeB": RUNS_IT}, age_s=0, at_once=True)
    assert [mark.new for mark in decision.marks] == ["timed_out"] * 2
    assert decision.state == "failed"


def test_a_node_is_well_at_the_last_moment_and_after_it() -> None:
    """The limit ends the waiting; it makes nobody ill."""
    late = replace(B, state="sent", age_s=ANSWER_WITHIN_S + 5)
    runs = {**BOTH, "NodeB": replace(BACKUP, revision=3)}
    assert decide(3, (A, late), runs, age_s=0).marks == (Mark("NodeB", "sent", "live"),)


def test_the_confirmation_reaches_the_node_before_it_goes_back() -> None:
    """Found healthy at the last moment, the node still has the whole time to receive it."""
    assert ANSWER_WITHIN_S + CONFIRM_WITHIN_S <= NODE_REVERTS_AFTER_S
    assert ANSWER_WITHIN_S < NODE_REVERTS_AFTER_S
    assert CONFIRM_WITHIN_S > 0
    assert START_WITHIN_S > NODE_REVERTS_AFTER_S


def test_defaults_are_those_of_a_node_that_was_never_pushed_to() -> None:
    assert NodeNow(True) == NodeNow(True, 0, 0, (), (), (), False, "", "", "", 0)
    assert Decision() == Decision((), "running", "", {})
    assert Mark("a", "b", "c") == Mark("a", "b", "c", "")
    assert StepNow("a", 0, "sent", 0.0) == StepNow("a", 0, "sent", 0.0, (), "", True)
