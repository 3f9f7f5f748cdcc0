"""A backup: what its timer means, whom it leaves alone, and when it fires among many."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.vrrp import packet
from hanode.vrrp.deadlines import UNREAD_US, Deadlines, may_take_over
from hanode.vrrp.effects import Effect, State
from hanode.vrrp.engine_settings import InstanceSettings
from hanode.vrrp.machine import Machine
from hanode.vrrp.master_down_timer import MasterDownTimer
from hanode.vrrp.preempt import PreemptPolicy
from hanode.vrrp.track import Priority
from tests.vrrp.single import V2, V3, One

S = 1_000_000
OTHER = packet.packed("192.0.2.3")
THIRD = packet.packed("192.0.2.4")
OWN = Priority(100, 80, "100 - 20 (script chk) = 80")


# Why it becomes master


@pytest.mark.parametrize(
    ("timer", "cause"),
    [
        (MasterDownTimer(S), "no advert heard for 2.500 s"),
        (MasterDownTimer(S, OTHER), "no advert from 192.0.2.3 for 2.500 s"),
        (MasterDownTimer(S, OTHER, skew_only=True),
         "192.0.2.3 announced priority 0 (it is stopping)"),
        (MasterDownTimer(S, None, skew_only=True), "no other master has appeared in 2.500 s"),
        (MasterDownTimer(S, None, discarded=(THIRD, 70, 2 * S)),
         "own priority 80 is higher than 70 of 192.0.2.4"),
        (MasterDownTimer(S, OTHER, discarded=(THIRD, 70, 2 * S)),
         "own priority 80 is higher than 70 of 192.0.2.4"),
        (MasterDownTimer(S, OTHER, skew_only=True, discarded=(THIRD, 70, 2 * S)),
         "192.0.2.3 announced priority 0 (it is stopping)"),
        (MasterDownTimer(S, None, skew_only=True, discarded=(THIRD, 70, 2 * S)),
         "own priority 80 is higher than 70 of 192.0.2.4"),
    ],
)  # fmt: skip
def test_the_end_of_the_timer_is_explained(timer: MasterDownTimer, cause: str) -> None:
    assert timer.cause(OWN, 3_500_000) == cause


@pytest.mark.parametrize(
    ("settings", "skew_only", "us"),
    [
        (V2, False, 3 * 2 * S + 687_500),
        (V2, True, 687_500),
        (V3, False, 3 * 2 * S + 1_375_000),
        (V3, True, 1_375_000),
        (replace(V2, down_timer_adverts=7), False, 7 * 2 * S + 687_500),
    ],
)
def test_it_lasts_by_the_effective_priority_and_the_interval_of_the_master(
    settings: InstanceSettings, skew_only: bool, us: int
) -> None:
    timer = MasterDownTimer(0, skew_only=skew_only)
    assert timer.length_us(settings, OWN, 2 * S) == us


# Whom it leaves alone


@pytest.mark.parametrize(("other", "accepted"), [(99, False), (100, True), (101, True)])
def test_only_a_lower_master_is_preempted(other: int, accepted: bool) -> None:
    assert PreemptPolicy().accepts_master(other, 100, V2, 0) is accepted


def test_a_lower_one_is_left_alone_with_nopreempt_and_after_a_release() -> None:
    assert PreemptPolicy().accepts_master(99, 100, replace(V2, nopreempt=True), 0)
    policy = PreemptPolicy()
    policy.released = True
    assert policy.accepts_master(99, 100, V2, 0)
    policy.forget()
    assert not policy.accepts_master(99, 100, V2, 0)


def test_the_preempt_delay_begins_anew_with_a_new_state() -> None:
    policy, settings = PreemptPolicy(), replace(V2, preempt_delay_us=1)
    assert policy.accepts_master(99, 100, settings, 7), "it has not begun"
    policy.advert_accepted(99, 100, settings, 7)
    assert policy.until_us == 8
    policy.forget()
    assert policy.until_us is None


def test_without_preempt_delay_no_advert_begins_it() -> None:
    policy = PreemptPolicy()
    policy.advert_accepted(99, 100, V2, 7)
    assert policy.until_us is None


# One heap for all


def backups(*priorities: int) -> list[Machine]:
    """Machines that have just begun, each to fire at its own time."""
    return [One(replace(V2, priority=priority)).machine for priority in priorities]


def heap_of(*machines: Machine) -> Deadlines:
    deadlines = Deadlines()
    for machine in machines:
        machine.queued_us = None
        deadlines.queue(machine)
    return deadlines


def due(machine: Machine) -> int:
    assert machine.deadline_us is not None
    return machine.deadline_us


def test_they_fire_in_the_order_of_their_times() -> None:
    slow, fast = backups(100, 200)
    fired: list[tuple[Machine, int]] = []

    def fire(machine: Machine, now_us: int) -> list[Effect]:
        fired.append((machine, now_us))
        machine.main_timer_us = None
        return []

    deadlines = heap_of(slow, fast)
    assert deadlines.heap[0][0] == due(fast)
    deadlines.fire(fire, now_us=due(fast) - 1, unread=False)
    assert fired == []
    now_us = due(slow)
    deadlines.fire(fire, now_us=now_us, unread=False)
    assert fired == [(fast, now_us), (slow, now_us)]
    assert deadlines.heap == []
    assert slow.queued_us is fast.queued_us is None


def test_equal_times_fire_in_the_order_of_coming() -> None:
    one, other = backups(100, 100)
    fired: list[Machine] = []

    def fire(machine: Machine, _now_us: int) -> list[Effect]:
        fired.append(machine)
        machine.main_timer_us = None
        return []

    heap_of(one, other).fire(fire, now_us=due(one), unread=False)
    assert fired == [one, other]


def test_a_deadline_that_moved_later_keeps_its_entry_until_it_comes_to_the_top() -> None:
    (machine,) = backups(100)
    deadlines = heap_of(machine)
    first_us = due(machine)
    machine.main_timer_us = first_us + 5
    deadlines.queue(machine)
    assert [at for at, _, _ in deadlines.heap] == [first_us]
    assert deadlines.fire(_nobody, now_us=first_us, unread=False) == []
    assert [at for at, _, _ in deadlines.heap] == [first_us + 5]
    assert machine.queued_us == first_us + 5


def test_a_deadline_that_moved_earlier_is_queued_anew_and_the_old_entry_is_dropped() -> None:
    (machine,) = backups(100)
    deadlines = heap_of(machine)
    first_us = due(machine)
    machine.main_timer_us = first_us - 5
    deadlines.queue(machine)
    assert sorted(at for at, _, _ in deadlines.heap) == [first_us - 5, first_us]

    def fire(machine: Machine, _now_us: int) -> list[Effect]:
        machine.main_timer_us = first_us + 90
        return []

    deadlines.fire(fire, now_us=first_us - 5, unread=False)
    deadlines.fire(_nobody, now_us=first_us, unread=False)
    assert [at for at, _, _ in deadlines.heap] == [first_us + 90]


def test_one_with_nothing_to_wait_for_is_not_queued_and_leaves_the_heap() -> None:
    (machine,) = backups(100)
    deadlines = heap_of(machine)
    first_us = due(machine)
    machine.main_timer_us = None
    assert deadlines.fire(_nobody, now_us=first_us, unread=False) == []
    assert (deadlines.heap, machine.queued_us) == ([], None)
    deadlines.queue(machine)
    assert deadlines.heap == []


def test_unread_packets_hold_a_backup_back_and_no_master() -> None:
    (backup,) = backups(100)
    one = One(replace(V2, priority=254))
    one.become_master()
    master = one.machine
    deadlines = heap_of(backup, master)
    now_us = max(due(backup), due(master))
    effects = deadlines.fire(_nobody, now_us=now_us, unread=True)
    assert effects, "the master sends"
    assert backup.queued_us == now_us + UNREAD_US
    assert {at for at, _, _ in deadlines.heap} == {backup.queued_us, due(master)}


def _nobody(machine: Machine, _now_us: int) -> list[Effect]:
    raise AssertionError(f"{machine.settings.name} must not fire")


# Who is about to take over


def test_a_dropped_entry_does_not_hide_the_next_takeover() -> None:
    gone, stays = backups(200, 100)
    deadlines = heap_of(gone, stays)
    gone.main_timer_us = None
    now_us = due(stays) - 500
    assert deadlines.next_takeover(now_us=now_us, within_us=1_000) is stays
    assert gone.queued_us is None
    assert [machine for _, _, machine in deadlines.heap] == [stays]


def test_where_every_entry_is_dropped_there_is_no_takeover() -> None:
    (gone,) = backups(100)
    deadlines = heap_of(gone)
    now_us = due(gone)
    gone.main_timer_us = None
    assert deadlines.next_takeover(now_us=now_us, within_us=1_000) is None
    assert deadlines.heap == []


def test_a_second_entry_of_the_same_backup_is_dropped() -> None:
    (machine,) = backups(100)
    deadlines = heap_of(machine)
    first_us = due(machine)
    machine.main_timer_us = first_us - 100
    deadlines.queue(machine)
    machine.main_timer_us = first_us + 2_000
    now_us = first_us + 1_500
    assert deadlines.next_takeover(now_us=now_us, within_us=1_000) is machine
    assert [at for at, _, _ in deadlines.heap] == [first_us + 2_000]
    assert machine.queued_us == first_us + 2_000


def test_only_the_first_in_time_counts() -> None:
    one = One(replace(V2, priority=254))
    one.become_master()
    (backup,) = backups(100)
    master = one.machine
    backup.main_timer_us = due(master) + 1
    deadlines = heap_of(master, backup)
    assert deadlines.next_takeover(now_us=due(master), within_us=1_000) is None


def test_who_may_take_over() -> None:
    one = One(V2)
    machine = one.machine
    due_us = due(machine)
    assert may_take_over(machine, due_us, due_us - 1)
    assert not may_take_over(machine, due_us, S), "nobody missed an advert yet"
    assert may_take_over(machine, due_us, S + 1)
    assert may_take_over(machine, due_us - 1, due_us - 1)
    assert not may_take_over(machine, due_us + 1, due_us - 1), "it waits for unread packets"
    machine.main_timer_us = None
    assert not may_take_over(machine, due_us, due_us - 1)


def test_a_master_takes_nothing_over() -> None:
    one = One(V2)
    one.become_master()
    assert one.state is State.MASTER
    due_us = due(one.machine)
    assert not may_take_over(one.machine, due_us, due_us)
