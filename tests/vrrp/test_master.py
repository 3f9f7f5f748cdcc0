"""One instance as MASTER, asked by operators, with new priorities and with new settings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.vrrp import effects as fx
from hanode.vrrp import packet
from hanode.vrrp.effects import State
from hanode.vrrp.engine_settings import (
    Address,
    Peer,
    Tracked,
    VrrpSettings,
)
from hanode.vrrp.events import (
    AdvertReceived,
    AdvertRefused,
    AnnounceAgain,
    GroupReceivedLower,
    ReleaseMaster,
    SyncFollow,
    TakeMaster,
    TimerFired,
    TrackerChanged,
)
from hanode.vrrp.machine import Machine
from hanode.vrrp.packet import Advert, Reason, Refusal
from tests.vrrp.single import HIGHER, LOWER, V2, V3, One, adverts, announced, priorities
from tests.vrrp.test_machine import TOLD, UP, S, master

# As MASTER


@pytest.mark.parametrize(
    ("priority", "sender", "cause"),
    [
        (101, LOWER[4], "higher priority 101 heard from 192.0.2.1"),
        (101, HIGHER[4], "higher priority 101 heard from 192.0.2.3"),
        (100, HIGHER[4], "equal priority 100 heard from 192.0.2.3, and its address is higher"),
        (100, LOWER[4], None),
        (99, HIGHER[4], None),
    ],
)
def test_a_higher_priority_or_the_same_and_a_higher_address_ends_it(
    priority: int, sender: str, cause: str | None
) -> None:
    one = master()
    one.hear(priority, sender)
    machine = one.machine
    assert machine.master_priority == priority
    if cause is None:
        assert one.state is State.MASTER
        assert machine.followed_priority == 0
        return
    assert (one.state, machine.cause) == (State.BACKUP, cause)
    assert (machine.master, machine.followed_priority) == (packet.packed(sender), priority)
    assert one.timer_us() == 3_609_375


def test_a_lower_one_is_answered_and_told_of() -> None:
    one = master(notify=TOLD)
    effects = one.hear(50)
    assert [type(effect) for effect in effects] == [
        fx.Warned, fx.SendAdvert, fx.AnnounceAddresses, fx.Notify,
    ]  # fmt: skip
    cause = "192.0.2.3 sends adverts too, with priority 50; ours, 100, wins"
    assert effects[0] == fx.Warned(V2.key, "V", "lower priority", cause)
    assert effects[3] == fx.Notify("INSTANCE", "V", "MASTER_RX_LOWER_PRI", 100)
    assert one.machine.received_lower
    assert one.timer_us() == S
    assert one.machine.counters["advert_sent"] == 2
    one.machine.step(AnnounceAgain(), now_us=one.now_us)
    assert not one.machine.received_lower


def test_it_announces_as_often_as_the_file_says_for_lower_ones() -> None:
    one = master(garp_lower_prio_repeat=3, garp_lower_prio_delay_us=400_000)
    (announcement,) = [e for e in one.hear(50) if isinstance(e, fx.AnnounceAddresses)]
    assert (announcement.addresses, announcement.repeat) == (V2.vips, 3)
    later = [e for e in one.wait(400_000) if isinstance(e, fx.AnnounceAddresses)]
    assert later == [announcement]


def test_priority_zero_is_answered_at_once() -> None:
    one = master()
    one.wait(300_000)
    effects = one.hear(0)
    assert priorities(effects) == [100]
    assert one.machine.counters["pri_zero_rcvd"] == 1
    assert one.timer_us() == S
    assert one.machine.master_priority == 0


def test_an_advert_from_its_own_address_is_warned_about() -> None:
    one = master()
    cause = "an advert came from our own address 192.0.2.2"
    assert one.hear(200, "192.0.2.2") == [fx.Warned(V2.key, "V", "own address", cause)]


def test_other_addresses_are_warned_about_under_their_own_topic() -> None:
    for one in (One(V2), master()):
        (warning,) = one.hear(200, vips=(Address("192.0.2.99", 24, "d0"),))
        assert isinstance(warning, fx.Warned)
        assert warning.topic == "addresses"
        assert warning.cause.endswith("has besides 192.0.2.99; refused")
        assert one.machine.counters["addr_list_err"] == 1
        assert one.machine.counters["advert_rcvd"] == 1
        assert one.hear(200, vips=(Address("192.0.2.98", 24, "d0"),)) == []


def test_only_who_runs_counts_what_was_refused() -> None:
    refused = AdvertRefused(packet.packed(HIGHER[4]), Refusal(Reason.TTL, "its TTL is 7"))
    cause = "refused an advert from 192.0.2.3: its TTL is 7"
    for one, counts in ((One(V2), 1), (master(), 1)):
        effects = one.machine.step(refused, now_us=one.now_us)
        assert effects == [fx.Warned(V2.key, "V", Reason.TTL, cause)]
        assert one.machine.counters["ip_ttl_err"] == counts
    faulted = One(V2)
    faulted.link(up=False)
    assert faulted.machine.step(refused, now_us=0) == []
    assert faulted.machine.counters["ip_ttl_err"] == 0


def test_who_is_in_fault_or_waits_hears_nothing() -> None:
    heard = AdvertReceived(packet.packed(HIGHER[4]), Advert(2, 51, 200, S, (V2.vips[0].packed,)))
    faulted = One(V2)
    faulted.link(up=False)
    assert faulted.machine.step(heard, now_us=0) == []
    assert faulted.machine.counters["advert_rcvd"] == 0
    with pytest.raises(AssertionError, match="FAULT has no timer"):
        faulted.machine.step(TimerFired(), now_us=0)


def test_a_tick_before_its_time_sends_nothing() -> None:
    one = master()
    due_us = one.machine.main_timer_us
    assert due_us is not None
    assert list(one.machine.advertise(due_us - 1)) == []
    assert one.machine.main_timer_us == due_us
    assert len(one.machine.advertise(due_us)) == 1
    assert one.machine.main_timer_us == due_us + S


# Operators


def test_who_is_not_master_neither_releases_nor_announces() -> None:
    machine = One(V2).machine
    assert machine.step(ReleaseMaster("released"), now_us=0) == []
    assert machine.step(AnnounceAgain(), now_us=0) == []
    assert machine.step(GroupReceivedLower(), now_us=0) == []
    assert machine.state is State.BACKUP


def test_announcing_again_is_as_on_becoming_master() -> None:
    one = master(garp_master_repeat=3)
    announcement = [fx.AnnounceAddresses(V2.key, V2.vips, 3)]
    assert one.machine.step(AnnounceAgain(), now_us=one.now_us) == announcement
    assert master(vips=()).machine.step(AnnounceAgain(), now_us=0) == []


@pytest.mark.parametrize(
    ("priority", "sender", "allowed"),
    [(99, HIGHER[4], True), (100, LOWER[4], True), (100, HIGHER[4], False), (101, LOWER[4], False)],
)
def test_mastership_is_taken_from_who_could_not_take_it_back(
    priority: int, sender: str, allowed: bool
) -> None:
    one = One(V2, nopreempt=True)
    one.hear(priority, sender)
    why = (
        f"V: the master {sender} has priority {priority}, ours is 100: it would take the addresses"
        " back; release it there"
    )
    assert one.machine.why_not_take() == (None if allowed else why)
    effects = one.machine.step(TakeMaster("taken"), now_us=one.now_us)
    assert bool(effects) is allowed
    assert one.state is (State.MASTER if allowed else State.BACKUP)


def test_mastership_may_be_taken_where_the_master_leaves_or_there_is_none() -> None:
    assert One(V2).machine.why_not_take() is None
    assert master().machine.why_not_take() is None
    one = One(V2)
    one.hear(200)
    assert one.machine.why_not_take() is not None
    one.hear(0)
    assert one.machine.why_not_take() is None


def test_a_master_cannot_take_and_a_faulted_one_says_why() -> None:
    one = master()
    assert one.machine.step(TakeMaster("taken"), now_us=one.now_us) == []
    one.link(up=False)
    assert one.machine.why_not_take() == "V is in FAULT: d0 down"
    assert one.machine.step(TakeMaster("taken"), now_us=one.now_us) == []
    assert Machine(V2).why_not_take() == "V is in INIT: not started"


# What it does not follow


@pytest.mark.parametrize("word", ["MASTER", "BACKUP", "FAULT"])
def test_a_group_that_is_where_the_instance_is_changes_nothing(word: str) -> None:
    states = {"MASTER": master, "BACKUP": lambda: One(V2), "FAULT": lambda: One(V2)}
    one = states[word]()
    if word == "FAULT":
        one.link(up=False)
    assert one.machine.step(SyncFollow(word, "a cause"), now_us=one.now_us) == []


def test_a_group_cannot_lead_out_of_a_fault_of_ones_own() -> None:
    one = One(V2)
    one.link(up=False)
    assert one.machine.step(SyncFollow("BACKUP", "a cause"), now_us=0) == []
    assert one.machine.step(SyncFollow("MASTER", "a cause"), now_us=0) == []
    assert (one.state, one.machine.cause) == (State.FAULT, "d0 down")


# Priorities


def test_a_changed_priority_is_told_whole() -> None:
    chk = Tracked("script", "chk", -20)
    one = One(V2, tracked=(chk,), notify=replace(TOLD, priority_changes=True))
    effects = one.router.tracker(TrackerChanged("script", "chk", False), now_us=0)
    arithmetic = "100 - 20 (script chk) = 80"
    assert effects == [
        fx.PriorityChanged(V2.key, "V", State.BACKUP, 80, arithmetic, "script chk failed"),
        fx.Notify("INSTANCE", "V", "BACKUP_PRIORITY", 80),
    ]
    assert one.timer_us() == 3 * S + 176 * S // 256
    again = one.router.tracker(TrackerChanged("script", "chk", False, cause="again"), now_us=1)
    assert again == []


def test_the_priority_of_who_waits_in_fault_changes_in_silence() -> None:
    chk = Tracked("script", "chk", -20)
    one = One(V2, tracked=(chk,), notify=replace(TOLD, priority_changes=True))
    one.link(up=False)
    assert one.router.tracker(TrackerChanged("script", "chk", False), now_us=0) == []
    assert one.machine.priority.effective == 80


# New settings


@pytest.mark.parametrize(
    ("change", "sends"),
    [
        ({"garp_master_repeat": 3}, 0),
        ({"nopreempt": True}, 0),
        ({"priority": 99}, 1),
        ({"advert_int_us": 2 * S}, 1),
        ({"vips": ()}, 1),
        ({"auth_type": "PASS", "auth_pass": "x"}, 1),
        ({"auth_type": "AH", "auth_pass": "x"}, 1),
    ],
)
def test_a_master_speaks_at_once_only_where_its_advert_changed(
    change: dict[str, object], sends: int
) -> None:
    one = master()
    new = replace(V2, **change)  # type: ignore[arg-type]
    effects = one.router.configure(VrrpSettings((new,)), now_us=one.now_us + 5).effects
    assert len(adverts(effects)) == sends
    expected = one.now_us + (5 + new.advert_int_us if sends else S)
    assert one.machine.main_timer_us == expected


def test_a_signing_master_speaks_at_every_reload() -> None:
    one = master(replace(V2, auth_type="AH", auth_pass="x"))
    new = replace(one.settings, garp_master_repeat=2)
    effects = one.router.configure(VrrpSettings((new,)), now_us=one.now_us).effects
    assert len(adverts(effects)) == 1


def test_a_new_interval_of_ours_counts_at_once() -> None:
    one = One(V3)
    one.hear(200, advert_int_us=4 * S)
    new = replace(V3, nopreempt=True)
    one.router.configure(VrrpSettings((new,)), now_us=0)
    assert one.machine.master_advert_us == 4 * S, "that of the master still counts"
    one.router.configure(VrrpSettings((replace(V3, advert_int_us=2 * S),)), now_us=0)
    assert one.machine.master_advert_us == 2 * S
    assert one.timer_us() == 3 * 2 * S + 156 * 2 * S // 256
    one.hear(200, advert_int_us=4 * S)
    new = replace(V2, advert_int_us=2 * S)
    one.router.configure(VrrpSettings((new,)), now_us=0)
    assert one.machine.master_advert_us == 2 * S, "another version: nothing of before"


def test_a_reload_begins_changes_and_ends_the_extra_announcements() -> None:
    elsewhere = replace(V2, vips=(Address("192.0.2.10", 24, "d1"),), garp_master_delay_us=0)
    one = One(elsewhere)
    one.router.link("d1", UP, now_us=0)
    one.wait(3_609_375)

    def after(change: dict[str, object]) -> list[int]:
        """When it announces in the three seconds after the reload."""
        new = replace(elsewhere, **change)  # type: ignore[arg-type]
        one.router.configure(VrrpSettings((new,)), now_us=one.now_us)
        begin_us, times = one.now_us, []
        while (due_us := one.router.deadline_us) is not None and due_us <= begin_us + 3 * S:
            if announced(one.wait(due_us - one.now_us)):
                times.append(one.now_us - begin_us)
        one.wait(begin_us + 3 * S - one.now_us)
        return times

    assert after({"garp_extra_us": 1_300_000}) == [1_300_000, 2_600_000]
    assert after({"garp_extra_us": 1_300_000, "nopreempt": True}) == [900_000, 2_200_000]
    assert after({"garp_extra_us": 2 * S}) == [2 * S]
    assert after({}) == []


def test_the_last_advert_goes_by_the_old_settings() -> None:
    one = master(replace(V2, unicast=True, unicast_peers=(Peer("192.0.2.3"),)))
    no_peer = replace(one.settings, unicast_peers=(), unicast_fault_no_peer=True)
    effects = one.router.configure(VrrpSettings((no_peer,)), now_us=one.now_us).effects
    assert [advert.destination for advert in adverts(effects)] == [packet.packed("192.0.2.3")]
    assert one.state is State.FAULT
