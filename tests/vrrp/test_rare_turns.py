"""Turns that only come together rarely: found by planting mistakes that nothing else saw."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.vrrp import effects as fx
from hanode.vrrp.effects import State
from hanode.vrrp.engine_settings import (
    Address,
    FifoSettings,
    HmacKey,
    HmacSettings,
    InstanceSettings,
    SyncGroupSettings,
    Tracked,
    VrrpSettings,
)
from hanode.vrrp.events import TrackerChanged
from tests.vrrp.single import V2, V3, V6, One, adverts, announced
from tests.vrrp.story import advert_packet
from tests.vrrp.test_auth import AH
from tests.vrrp.test_groups import MASTER, group_of, member, told
from tests.vrrp.test_instances import DOWN, A, B, C, Node

S = 1_000_000
QUIET = {"garp_master_delay_us": 0}
TWO = (Address("192.0.2.10", 24, "d0"), Address("192.0.2.11", 24, "d0"))


@pytest.mark.parametrize("settings", [V2, AH])
def test_a_master_that_announces_nothing_more_goes_on_with_its_adverts(
    settings: InstanceSettings,
) -> None:
    one = One(settings, **QUIET)
    one.wait(4 * S)
    assert one.state is State.MASTER
    assert len(adverts(one.wait(3 * S))) == 3


@pytest.mark.parametrize(
    ("settings", "latest_us"),
    [
        (replace(V2, advert_int_us=2 * S), 2 * 2 * S + 2 * S // 256),
        (replace(V3, advert_int_us=2 * S), 2 * 2 * S + 2 * 2 * S // 256),
        (replace(V2, down_timer_adverts=1), 2 * S // 256),
    ],
)
def test_how_late_a_watchful_master_may_be(settings: InstanceSettings, latest_us: int) -> None:
    for late_us, state in ((latest_us, State.MASTER), (latest_us + 1, State.BACKUP)):
        one = One(settings, expired_backup_priority=254, **QUIET)
        due_us = one.router.deadline_us
        assert due_us is not None
        one.wait(due_us)
        due_us = one.router.deadline_us
        assert due_us is not None
        one.router.tick(now_us=due_us + late_us)
        assert one.state is state


def test_a_master_of_long_ago_does_not_forbid_taking() -> None:
    one = One(V2)
    one.hear(200)
    one.link(up=False)
    one.link(up=True)
    assert (one.state, one.machine.master_priority) == (State.BACKUP, 200)
    assert one.machine.why_not_take() is None
    one.hear(200)
    one.wait(4 * S)
    assert one.state is State.MASTER
    assert one.machine.why_not_take() is None


def test_a_reload_during_a_preemption_that_was_delayed() -> None:
    one = One(V2, preempt_delay_us=S)
    one.hear(50)
    one.now_us = 1_200_000
    one.hear(50)
    due_us = one.machine.deadline_us
    new = replace(one.settings, garp_master_repeat=3)
    one.router.configure(VrrpSettings((new,)), now_us=1_300_000)
    assert one.machine.deadline_us == due_us


def test_taking_everything_passes_over_those_that_are_master() -> None:
    node = Node(VrrpSettings((A, B)))
    node.wait(5 * S)
    node.router.release("B", now_us=node.now_us)
    assert node.router.take(now_us=node.now_us).done == ("B",)


def test_an_operators_announcement_is_paced_too() -> None:
    one = One(V2, vips=TWO, garp_interval_us=100_000, garp_master_repeat=1, **QUIET)
    one.wait(5 * S)
    effects = one.router.announce(now_us=one.now_us).effects
    assert sorted(announced(effects) + announced(one.wait(S))) == sorted(map(str, TWO))


def test_a_backup_does_not_hide_the_master_whose_address_was_removed() -> None:
    node = Node(VrrpSettings((replace(A, priority=1, down_timer_adverts=9), B)))
    node.wait(5 * S)
    assert node.states() == {"A": "BACKUP", "B": "MASTER"}
    assert node.router.lost({("d1", "192.0.2.102/24"): ""}, now_us=node.now_us) != []


def test_all_addresses_that_were_removed_are_put_back() -> None:
    one = One(V2, vips=TWO)
    one.wait(4 * S)
    effects = one.router.lost({("d0", str(a)): "" for a in TWO}, now_us=one.now_us)
    assert [e.addresses for e in effects if isinstance(e, fx.AddAddresses)] == [(a,) for a in TWO]
    assert one.state is fx.State.MASTER


def test_addresses_that_another_master_keeps_do_not_hide_what_follows() -> None:
    node = Node(VrrpSettings((A, replace(C, vips=A.vips))))
    node.wait(5 * S)
    effects = node.router.release("A", now_us=node.now_us).effects
    assert [type(e) for e in effects] == [fx.SendAdvert, fx.StateChanged]


def test_the_wall_clock_may_be_told_at_any_time() -> None:
    keys = HmacSettings((HmacKey(1, "11" * 32),), active=1)
    one = One(replace(V3, hmac=keys))
    one.wait(2 * S)
    one.router.wall(1_000 * S, now_us=one.now_us)
    (advert,) = adverts(one.wait(1_700_000))
    assert advert.payload[-24:-20] == (1_001).to_bytes(4, "big")


def test_short_packets_are_counted_each_and_warned_of_once() -> None:
    one = One(V6)
    assert [len(one.hear(90, drop=33)) for _ in range(2)] == [1, 0]
    for _ in range(2):
        one.hear(90, drop=40)
    assert one.router.short_packets == 2


def test_the_name_of_the_group_is_not_said_twice() -> None:
    mover = member("A", MASTER)
    mover.cause = "sync group G: why"
    group = group_of(mover, member("B", State.BACKUP))
    ((_, event),) = group.followers(mover, State.BACKUP)
    assert event.cause == "sync group G: why"
    assert told(group, mover, MASTER) == []


THREE = SyncGroupSettings("G", ("A", "B", "C"))


def test_all_members_of_a_larger_group_are_heard_of() -> None:
    node = Node(VrrpSettings((A, B, C), (THREE,), fifos=(FifoSettings("/run/f"),)))
    effects = node.router.take("A", now_us=0).effects
    changed = [e.instance for e in effects if isinstance(e, fx.StateChanged)]
    assert sorted(changed) == ["A", "B", "C"]
    lower = advert_packet(A, sender="192.0.2.1", priority=5)
    heard = node.router.receive_ipv4("d0", lower, now_us=0)
    assert [e.key for e in heard if isinstance(e, fx.AnnounceAddresses)] == [A.key, B.key, C.key]
    effects = node.router.link("d1", DOWN, now_us=7)
    assert [e.instance for e in effects if isinstance(e, fx.StateChanged)] == ["B", "A", "C"]
    assert fx.Notify("GROUP", "G", "FAULT", 0) in effects


def test_a_member_that_falls_back_with_another_knows_since_when() -> None:
    node = Node(VrrpSettings((A, B), (SyncGroupSettings("G", ("A", "B")),)))
    node.wait(5 * S)
    higher = advert_packet(A, sender="192.0.2.3", priority=200)
    node.router.receive_ipv4("d0", higher, now_us=node.now_us)
    assert node.states() == {"A": "BACKUP", "B": "BACKUP"}
    assert node.router.machines[B.key].since_us == node.now_us


def test_a_changed_priority_during_a_preemption_that_was_delayed() -> None:
    one = One(V2, preempt_delay_us=S, tracked=(Tracked("script", "chk", -20),))
    one.hear(50)
    one.now_us = 1_200_000
    one.hear(50)
    one.router.tracker(TrackerChanged("script", "chk", False), now_us=1_300_000)
    assert one.machine.deadline_us == 3 * S + 176 * S // 256, "it began with the first advert"


def test_a_signed_farewell_has_the_time_of_day() -> None:
    one = One(replace(V3, hmac=HmacSettings((HmacKey(1, "11" * 32),), active=1)))
    one.router.wall(1_000 * S, now_us=0)
    one.wait(4 * S)
    (farewell,) = adverts(one.stop())
    assert farewell.payload[2] == 0
    assert farewell.payload[-24:-20] == (1_004).to_bytes(4, "big")


def a_master(**changes: object) -> One:
    one = One(V2, **changes)
    one.wait(4 * S)
    assert one.state is State.MASTER
    return one


def test_adverts_of_ones_own_address_are_told_of_once() -> None:
    one = a_master()
    assert [len(one.hear(200, one.own)) for _ in range(2)] == [1, 0]


def test_who_gives_way_knows_since_when() -> None:
    one = a_master()
    one.hear(200)
    assert (one.state, one.machine.since_us) == (State.BACKUP, one.now_us)


def test_who_gives_way_to_other_addresses_warns_and_says_that_it_was_there() -> None:
    one = a_master(vip_mismatch="accept", higher_prio_send_advert=True)
    effects = one.hear(200, vips=(Address("192.0.2.99", 24, "d0"),))
    assert [type(e) for e in effects] == [
        fx.Warned, fx.SendAdvert, fx.RemoveAddresses, fx.StateChanged,
    ]  # fmt: skip
