"""Whether the addresses are where the nodes' reports say that they belong."""

from __future__ import annotations

import pytest

from webapp.rollout.settle import LONG_DELAY_S, SETTLED, Member, Settling, settling

A, B = Member("NodeA", "MASTER", 100), Member("NodeB", "BACKUP", 95)


def member(name: str, state: str, priority: int = 100, **more: object) -> Member:
    return Member(name, state, priority, **more)  # type: ignore[arg-type]


def test_a_master_above_its_backups_is_settled() -> None:
    assert settling({}) == settling({"HA": (A, B)}) == SETTLED
    assert settling({"HA": (A,)}) == SETTLED


def test_a_backup_that_is_above_the_master_takes_over() -> None:
    """D1: B from 95 to 110. Both keep the revision, and the address moves 3 s later."""
    risen = member("NodeB", "BACKUP", 110)
    assert settling({"HA": (A, risen)}) == Settling("NodeB takes HA over from NodeA")
    assert settling({"HA": (member("NodeA", "BACKUP"), member("NodeB", "MASTER", 110))}) == SETTLED


def test_nor_does_it_without_preemption() -> None:
    assert settling({"HA": (A, member("NodeB", "BACKUP", 110, preempts=False))}) == SETTLED
    assert settling({"HA": (A, member("NodeB", "FAULT", 110))}) == SETTLED
    assert settling({"HA": (A, member("NodeB", "BACKUP", 100))}) == SETTLED, "equals stay"


@pytest.mark.parametrize(("delay_s", "waits"), [(LONG_DELAY_S, True), (LONG_DELAY_S + 1, False)])
def test_a_long_preempt_delay_is_not_waited_for(delay_s: float, waits: bool) -> None:
    risen = member("NodeB", "BACKUP", 110, preempt_delay_s=delay_s)
    found = settling({"HA": (A, risen)})
    assert (found.waits, found.bad) == (waits, False)
    assert ("preempt_delay of 11 s" in found.text) is not waits


def test_two_masters_and_none_are_bad() -> None:
    two = settling({"HA": (A, member("NodeB", "MASTER", 95))})
    assert two == Settling("NodeA and NodeB are both master of HA", bad=True)
    none = settling({"HA": (member("NodeA", "INIT"), B)})
    assert none == Settling("no node is master of HA", bad=True)


def test_where_all_are_in_fault_the_push_is_not_to_blame() -> None:
    found = settling({"HA": (member("NodeA", "FAULT"), member("NodeB", "FAULT"))})
    assert (found.waits, found.bad) == (False, False)
    assert found.text == "no node is well enough to be master of HA"


def test_a_node_that_is_not_heard_may_be_the_master() -> None:
    found = settling({"HA": (member("NodeA", "unknown"), B)})
    assert (found.bad, found.waits) == (False, True)
    assert "NodeA is not heard" in found.text


def test_a_master_without_its_addresses_is_not_settled() -> None:
    found = settling({"HA": (member("NodeA", "MASTER", missing=("192.0.2.1/24",)), B)})
    assert found == Settling("NodeA does not hold 192.0.2.1/24", bad=True)


def test_the_worst_is_said() -> None:
    later = (A, member("NodeB", "BACKUP", 110, preempt_delay_s=300.0))
    soon = (A, member("NodeB", "BACKUP", 110))
    two = (A, member("NodeB", "MASTER"))
    assert settling({"later": later, "soon": soon}).text.startswith("NodeB takes soon")
    assert settling({"later": later, "soon": soon, "two": two}).bad
