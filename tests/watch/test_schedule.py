"""When the watch process looks through the machine, and how its end goes."""

from __future__ import annotations

from hanode.watch.schedule import (
    KILL_AFTER_US,
    LOOK_EVERY_US,
    STOP_POLL_US,
    STOP_WITHIN_US,
    Endings,
    Schedule,
)


def test_the_machine_is_looked_through_every_second_while_there_is_something_to_find() -> None:
    schedule = Schedule()
    assert schedule.deadline_us is None
    schedule.looked(5, again=True)
    assert schedule.deadline_us == 5 + LOOK_EVERY_US
    assert not schedule.look_due(4 + LOOK_EVERY_US)
    assert schedule.look_due(5 + LOOK_EVERY_US)
    schedule.looked(5 + LOOK_EVERY_US, again=False)
    assert schedule.deadline_us is None
    assert not schedule.look_due(10 * LOOK_EVERY_US)


def test_the_end_comes_when_scripts_and_mail_are_done() -> None:
    schedule = Schedule()
    assert not schedule.stopped(0, busy=False), "nobody has asked for it"
    assert schedule.stop(100)
    assert schedule.deadline_us == 100, "there may be nothing to wait for"
    assert not schedule.stopped(100, busy=True)
    assert schedule.deadline_us == 100 + STOP_POLL_US
    assert schedule.stopped(100 + STOP_POLL_US, busy=False)


def test_the_end_does_not_wait_for_ever() -> None:
    schedule = Schedule()
    schedule.looked(0, again=True)
    schedule.stop(0)
    assert not schedule.stop(500_000), "asked twice, it does not begin anew"
    assert not schedule.look_due(LOOK_EVERY_US), "nothing is looked at any more"
    assert not schedule.stopped(STOP_WITHIN_US - 10, busy=True)
    assert schedule.deadline_us == STOP_WITHIN_US
    assert schedule.stopped(STOP_WITHIN_US, busy=True)


def test_a_script_that_does_not_end_is_killed_once() -> None:
    endings = Endings[str]()
    assert endings.deadline_us is None
    endings.terminated("a", 0)
    endings.terminated("b", 10)
    endings.terminated("c", 20)
    endings.ended("b")
    assert endings.deadline_us == KILL_AFTER_US
    assert endings.due(KILL_AFTER_US - 1) == []
    assert endings.due(KILL_AFTER_US + 15) == ["a"]
    assert endings.due(KILL_AFTER_US + 20) == ["c"]
    assert endings.deadline_us is None
    endings.ended("never seen")
