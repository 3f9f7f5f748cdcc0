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
    START_WITHIN_S,
    Decision,
    Mark,
    NodeNow,
    StepNow,
    decide,
    push_order,
)

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


def test_a_node_may_already_be_further() -> None:
    """A newer revision that it runs or keeps is not an older one."""
    newer = {**BOTH, "NodeB": replace(BACKUP, revision=4, confirmed_revision=4)}
    sent, live = replace(B, state="sent"), replace(B, state="live")
    assert decide(3, (A, sent), newer, age_s=0).marks == (Mark("NodeB", "sent", "live"),)
    assert decide(3, (A, live), newer, age_s=0).marks == (Mark("NodeB", "live", "confirmed"),)


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
    assert NodeNow(True) == NodeNow(True, 0, 0, (), (), (), False, "", "")
    assert Decision() == Decision((), "running", "", {})
    assert Mark("a", "b", "c") == Mark("a", "b", "c", "")
    assert StepNow("a", 0, "sent", 0.0) == StepNow("a", 0, "sent", 0.0, ())
