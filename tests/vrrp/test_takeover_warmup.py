"""When a takeover is prepared, how long its moment is waited for, and when backups wait."""

from __future__ import annotations

from dataclasses import replace

from hanode.vrrp.backlog import WAIT_US, Backlog
from hanode.vrrp.effects import State
from hanode.vrrp.engine_settings import VrrpSettings
from hanode.vrrp.events import LinkState
from hanode.vrrp.packet import packed
from hanode.vrrp.router import Router
from hanode.vrrp.takeover_warmup import (
    DRY_RUN_US,
    WARMUP_US,
    Takeover,
    next_takeover,
    still_next,
)
from tests.vrrp.single import V3, One
from tests.vrrp.story import MAC


def silent(one: One) -> int:
    """The master is heard once and then no more; when the Master_Down_Timer fires."""
    one.hear(200)
    due_us = one.router.deadline_us
    assert due_us is not None
    return due_us


def test_a_takeover_is_prepared_two_milliseconds_before_it() -> None:
    one = One(replace(V3, advert_int_us=10_000))
    due_us = silent(one)
    assert next_takeover(one.router, now_us=due_us - WARMUP_US - 1) is None
    takeover = next_takeover(one.router, now_us=due_us - WARMUP_US)
    assert takeover is not None
    assert (takeover.machine, takeover.due_us) == (one.machine, due_us)
    assert takeover.prepare


def test_with_too_little_time_it_is_not_prepared_but_waited_for() -> None:
    one = One(replace(V3, advert_int_us=10_000))
    due_us = silent(one)
    for left_us, prepared in ((DRY_RUN_US, True), (DRY_RUN_US - 1, False), (0, False)):
        takeover = next_takeover(one.router, now_us=due_us - left_us)
        assert takeover is not None, left_us
        assert takeover.prepare is prepared, left_us


def test_an_advert_ends_the_waiting() -> None:
    one = One(replace(V3, advert_int_us=10_000))
    due_us = silent(one)
    takeover = next_takeover(one.router, now_us=due_us - WARMUP_US)
    assert takeover is not None
    assert still_next(takeover, one.router)
    one.now_us = due_us - 1_000
    one.hear(200)
    assert not still_next(takeover, one.router)


def test_another_instance_that_is_due_before_ends_it_too() -> None:
    one = One(replace(V3, advert_int_us=10_000))
    due_us = silent(one)
    takeover = next_takeover(one.router, now_us=due_us - WARMUP_US)
    assert takeover is not None
    one.stop()
    assert not still_next(takeover, one.router), "nothing is due any more"
    router = Router()
    router.link("d0", LinkState(up=True, mac=MAC, addresses=(packed("192.0.2.2"),)), now_us=0)
    master = replace(V3, name="M", vrid=52, priority=255, advert_int_us=10_000, vips=())
    router.configure(VrrpSettings((V3, replace(master, state="MASTER"))), now_us=0)
    backup, owner = router.machines[V3.key], router.machines[master.key]
    assert owner.state is State.MASTER
    assert backup.deadline_us is not None
    assert not still_next(Takeover(backup, backup.deadline_us, prepare=True), router)


def test_a_master_is_never_waited_for() -> None:
    one = One(V3)
    one.become_master()
    due_us = one.router.deadline_us
    assert due_us is not None
    assert next_takeover(one.router, now_us=due_us - 1) is None


def test_backups_wait_for_unread_packets_but_not_for_ever() -> None:
    backlog = Backlog()
    assert not backlog.holds_backups(0)
    backlog.more()
    assert backlog.holds_backups(10)
    assert not backlog.holds_backups(20), "all was read in the next turn"
    for now_us in range(30, 30 + WAIT_US + 1, WAIT_US // 4):
        backlog.more()
        assert backlog.holds_backups(now_us)
    backlog.more()
    assert not backlog.holds_backups(30 + WAIT_US + 1), "a flood must not stop a takeover"
    assert not backlog.holds_backups(31 + WAIT_US), "it has ended"
    backlog.more()
    assert backlog.holds_backups(32 + WAIT_US), "another one begins anew"
