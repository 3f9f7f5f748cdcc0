"""One instance: what it knows of itself and of its master, and what each event makes of that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.vrrp import effects as fx
from hanode.vrrp import packet
from hanode.vrrp.effects import State
from hanode.vrrp.events import (
    ABSENT,
    AddressLost,
    AdvertReceived,
    AdvertRefused,
    AnnounceAgain,
    GroupReceivedLower,
    LinkChanged,
    LinkState,
    MaintenanceChanged,
    ReleaseMaster,
    Started,
    Stopped,
    SyncFollow,
    TakeMaster,
    TimerFired,
    TrackerChanged,
)
from hanode.vrrp.machine import Machine
from hanode.vrrp.packet import Advert, Reason, Refusal
from hanode.vrrp.settings import (
    Address,
    Command,
    InstanceSettings,
    NotifySettings,
    Peer,
    Tracked,
    VrrpSettings,
)
from hanode.vrrp.track import Priority
from tests.vrrp.single import HIGHER, LOWER, V2, V3, V6, One, adverts, announced, priorities

S = 1_000_000
MAC = bytes(6)
UP = LinkState(up=True, mac=MAC, addresses=(packet.packed("192.0.2.2"),))
TOLD = NotifySettings(any=Command(("/bin/tell",)))


def master(settings: InstanceSettings = V2, **changes: object) -> One:
    one = One(settings, **changes)
    due_us = one.router.deadline_us
    assert due_us is not None
    one.wait(due_us)
    assert one.state is State.MASTER
    return one


# Before it begins


def test_a_new_machine_knows_nothing_yet() -> None:
    machine = Machine(replace(V2, tracked=(Tracked("script", "chk"),)))
    assert (machine.state, machine.cause, machine.since_us) == (State.INIT, "not started", 0)
    assert (machine.main_timer_us, machine.deadline_us, machine.queued_us) == (None, None, None)
    assert (machine.link, machine.source) == (ABSENT, b"")
    assert (machine.master, machine.master_priority, machine.followed_priority) == (None, 0, 0)
    assert machine.priority == Priority(100, 100, "100")
    assert not machine.wants_master
    assert not machine.waits_skew_time_only
    assert (machine.own_fault, machine.sync_group) == (None, None)
    assert (machine.repeatable, machine.repeatable_tail, machine.received_lower) == (
        False, b"", False,
    )  # fmt: skip
    assert machine.watched == (Tracked("script", "chk"),)
    assert machine.master_advert_us == S
    assert not any(machine.counters.values())


def test_who_has_stopped_takes_nothing_but_a_new_start() -> None:
    one = One(V2)
    one.machine.step(Stopped("a reason"), now_us=5)
    assert (one.state, one.machine.cause, one.machine.since_us) == (State.INIT, "a reason", 5)
    with pytest.raises(AssertionError, match="INIT cannot take TimerFired"):
        one.machine.step(TimerFired(), now_us=6)
    one.machine.step(Started(UP), now_us=7)
    assert (one.state, one.machine.since_us) == (State.BACKUP, 7)


@pytest.mark.parametrize(
    ("change", "deleted", "line"),
    [
        ({}, False, None),
        ({"notify": TOLD}, False, "STOP"),
        ({"notify": TOLD}, True, "FAULT"),
        ({"notify": replace(TOLD, tell_deleted=True)}, True, "DELETED"),
        ({"notify": replace(TOLD, tell_deleted=True)}, False, "STOP"),
    ],
)
def test_the_end_is_notified_even_of_one_that_never_began(
    change: dict[str, object], deleted: bool, line: str | None
) -> None:
    machine = Machine(replace(V2, **change))  # type: ignore[arg-type]
    machine.step(Started(UP, delay_us=5), now_us=0)
    effects = machine.step(Stopped("a reason", deleted), now_us=1)
    assert effects == ([] if line is None else [fx.Notify("INSTANCE", "V", line, 100)])


def test_maintenance_does_not_wait_for_a_first_result_and_its_end_does() -> None:
    one = One(V2)
    one.router.maintenance(True, now_us=0)
    waits = replace(V2, name="W", vrid=52, tracked=(Tracked("script", "chk"),))
    one.router.configure(VrrpSettings((one.settings, waits)), now_us=0)
    machine = one.router.machines[waits.key]
    assert (machine.state, machine.cause) == (State.FAULT, "operator: maintenance")
    one.router.maintenance(False, now_us=0)
    assert machine.state is State.FAULT
    assert machine.cause == "waits for the first result of script chk"
    one.router.tracker(TrackerChanged("script", "chk", True), now_us=0)
    assert (machine.state, machine.cause) == (State.BACKUP, "script chk succeeded")


def test_a_silence_before_the_start_shortens_the_wait_of_one_that_begins_as_backup() -> None:
    machine = Machine(V2)
    machine.step(Started(UP, silent_since_us=3 * S), now_us=4 * S)
    assert machine.deadline_us == 3 * S + 3_609_375


# An instance without an interface


def test_who_has_an_address_only_is_back_with_it() -> None:
    one = replace(
        V2, interface="", unicast=True, mcast_src_ip="192.0.2.2", unicast_peers=(Peer("192.0.2.3"),)
    )
    machine = Machine(one)
    machine.step(Started(replace(UP, addresses=())), now_us=0)
    assert machine.cause == "this machine has not the address 192.0.2.2"
    effects = machine.step(LinkChanged(UP), now_us=1)
    assert machine.cause == "192.0.2.2 is back"
    assert announced(effects) == [], "no interface to announce it on"


@pytest.mark.parametrize(
    ("settings", "own"),
    [
        (V2, []),
        (replace(V2, unicast=True, unicast_peers=(Peer("192.0.2.3"),)), ["192.0.2.2/32"]),
        (replace(V6, unicast=True, unicast_peers=(Peer("fe80::3"),)), ["fe80::2/128"]),
    ],
)
def test_after_fault_unicast_peers_are_told_where_it_is(
    settings: InstanceSettings, own: list[str]
) -> None:
    one = One(settings)
    one.link(up=False)
    effects = [e for e in one.link(up=True) if isinstance(e, fx.AnnounceAddresses)]
    assert announced(list(effects)) == own
    assert all(e.repeat == 1 and e.addresses[0].dev == "d0" for e in effects)


# As BACKUP


@pytest.mark.parametrize("settings", [V2, V3, V6])
def test_it_remembers_the_master_that_it_follows(settings: InstanceSettings) -> None:
    one = One(settings)
    one.hear(150, advert_int_us=S)
    sender = packet.packed(HIGHER[settings.family])
    machine = one.machine
    assert (machine.master, machine.master_priority, machine.followed_priority) == (
        sender, 150, 150,
    )  # fmt: skip
    assert machine.repeatable
    one.hear(0)
    assert (machine.master, machine.master_priority, machine.followed_priority) == (
        sender, 0, 150,
    )  # fmt: skip
    assert machine.waits_skew_time_only
    assert one.timer_us() == one.skew_us
    assert not machine.repeatable
    assert machine.counters["pri_zero_rcvd"] == 1


def test_a_lower_master_is_seen_and_does_not_restart_the_timer() -> None:
    one = One(V2)
    one.now_us = S
    assert one.hear(50) == []
    machine = one.machine
    assert (machine.master, machine.master_priority, machine.followed_priority) == (
        packet.packed(HIGHER[4]), 50, 0,
    )  # fmt: skip
    assert one.timer_us() == 2_609_375
    assert not machine.repeatable


@pytest.mark.parametrize(
    ("change", "repeatable"), [({}, True), ({"preempt_delay_us": 5 * S}, False)]
)
def test_an_advert_that_changes_more_than_the_timer_is_looked_at_again(
    change: dict[str, object], repeatable: bool
) -> None:
    one = One(V2, **change)
    one.hear(200)
    assert one.machine.repeatable is repeatable
    assert bool(one.machine.repeatable_tail) is repeatable


def test_an_advert_with_other_addresses_is_never_repeated_without_a_look() -> None:
    other = (Address("192.0.2.99", 24, "d0"),)
    one = One(V2, vip_mismatch="accept")
    assert len(one.hear(200, vips=other)) == 1
    assert not one.machine.repeatable
    trusting = One(V2, skip_check_adv_addr=True)
    trusting.hear(200)
    assert trusting.hear(200, vips=other) == []
    assert not trusting.machine.repeatable


def test_every_other_event_ends_the_repeating() -> None:
    one = One(V2)
    one.hear(200)
    one.machine.step(MaintenanceChanged(False, "nothing"), now_us=1)
    assert (one.machine.repeatable, one.machine.repeatable_tail) == (False, b"")


def test_version_3_follows_the_interval_of_the_master() -> None:
    one = One(V3)
    one.hear(200, advert_int_us=2 * S)
    assert one.machine.master_advert_us == 2 * S
    assert not one.machine.misses_its_master(one.now_us + 2 * S)
    assert one.machine.misses_its_master(one.now_us + 2 * S + 1)


def test_a_master_that_tells_no_interval_is_taken_to_have_ours() -> None:
    machine = One(V3).machine
    for interval_us, follows_us in ((2 * S, 2 * S), (0, S)):
        advert = Advert(3, 51, 200, interval_us, (V3.vips[0].packed,))
        machine.step(AdvertReceived(packet.packed(HIGHER[4]), advert), now_us=1)
        assert machine.master_advert_us == follows_us


def test_version_2_has_one_interval_for_all() -> None:
    machine = One(V2).machine
    advert = Advert(2, 51, 200, 7 * S, (V2.vips[0].packed,))
    machine.step(AdvertReceived(packet.packed(HIGHER[4]), advert), now_us=1)
    assert machine.master_advert_us == S


# Becoming MASTER and no longer being it


def test_a_new_master_speaks_first_then_takes_the_addresses() -> None:
    one = One(V2, notify=TOLD)
    one.hear(150)
    due_us = one.router.deadline_us
    assert due_us is not None
    effects = one.wait(due_us)
    assert [type(effect) for effect in effects] == [
        fx.SendAdvert, fx.AddAddresses, fx.AnnounceAddresses, fx.StateChanged, fx.Notify,
    ]  # fmt: skip
    machine = one.machine
    assert machine.master == packet.packed(one.own)
    assert machine.wants_master
    assert machine.since_us == due_us
    assert machine.cause == "no advert from 192.0.2.3 for 3.609 s"
    assert one.timer_us() == S
    assert machine.counters["become_master"] == machine.counters["advert_sent"] == 1
    assert effects[3] == fx.StateChanged(
        V2.key, "V", State.BACKUP, State.MASTER, machine.cause, 100, "100"
    )
    assert effects[4] == fx.Notify("INSTANCE", "V", "MASTER", 100)


def test_a_release_leaves_a_lower_master_alone_until_it_is_master_again() -> None:
    one = master()
    effects = one.router.release(now_us=one.now_us).effects
    assert priorities(effects) == [0]
    assert one.machine.master is None
    one.hear(50)
    assert one.machine.followed_priority == 50
    assert one.timer_us() == 3_609_375
    one.wait(4 * S)
    assert one.state is State.MASTER
    one.hear(200)
    one.hear(50)
    assert one.machine.followed_priority == 200


def test_who_gave_up_for_an_address_is_back_after_its_skew_time() -> None:
    one = master()
    effects = one.machine.step(AddressLost(V2.vips[0]), now_us=one.now_us)
    assert priorities(effects) == [0]
    assert one.machine.waits_skew_time_only
    assert one.machine.main_timer_us == one.now_us + one.skew_us
    assert one.machine.counters["pri_zero_sent"] == 1
    assert one.machine.counters["advert_sent"] == 2
    assert one.machine.counters["release_master"] == 1


def test_a_fault_is_told_with_priority_zero_and_forgets_the_master() -> None:
    one = master(notify=TOLD)
    effects = one.link(up=False)
    assert [type(effect) for effect in effects] == [
        fx.SendAdvert, fx.RemoveAddresses, fx.StateChanged, fx.Notify,
    ]  # fmt: skip
    assert priorities(effects) == [0]
    assert (one.machine.master, one.machine.deadline_us) == (None, None)
    assert not one.machine.wants_master


def test_without_a_source_there_is_no_farewell_and_none_is_counted() -> None:
    machine = One(V2, dont_track_primary=True).machine
    machine.step(TimerFired(), now_us=4 * S)
    machine.source = b""
    machine.transmitter.prepare(100, b"")
    effects = machine.step(Stopped("stopped"), now_us=5 * S)
    assert adverts(effects) == []
    assert machine.counters["pri_zero_sent"] == 0


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
