"""One instance: what it knows of itself and of its master, and what each event makes of that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.vrrp import effects as fx
from hanode.vrrp import packet
from hanode.vrrp.effects import State
from hanode.vrrp.engine_settings import (
    Address,
    Command,
    InstanceSettings,
    NotifySettings,
    Peer,
    Route,
    Tracked,
    VrrpSettings,
)
from hanode.vrrp.events import (
    ABSENT,
    AddressLost,
    AdvertReceived,
    LinkChanged,
    LinkState,
    MaintenanceChanged,
    Started,
    Stopped,
    TimerFired,
    TrackerChanged,
)
from hanode.vrrp.machine import Machine
from hanode.vrrp.packet import Advert
from hanode.vrrp.track import Priority
from tests.vrrp.single import HIGHER, V2, V3, V6, One, adverts, announced, priorities

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


def test_an_address_that_was_taken_away_is_put_back_by_a_master_that_stays() -> None:
    route = Route(4, "198.51.100.0/24", dev="d0", source="192.0.2.10")
    one = master(routes=(route,))
    due_us = one.machine.main_timer_us
    lost = AddressLost(V2.vips[0], "someone (pid 7)")
    effects = one.machine.step(lost, now_us=one.now_us)
    assert effects == [
        fx.AddAddresses(V2.key, V2.vips),
        fx.AddRoutes(V2.key, (route,)),
        fx.AnnounceAddresses(V2.key, V2.vips, V2.garp_master_repeat),
        fx.Warned(
            V2.key, "V", "address taken away",
            "192.0.2.10/24 was removed from d0 by someone (pid 7), and is put back",
        ),
    ]  # fmt: skip
    assert (one.state, one.machine.main_timer_us) == (State.MASTER, due_us)


def test_a_fight_over_an_address_is_told_once_a_minute_and_put_back_each_time() -> None:
    one = master()
    told = []
    for second in range(70):
        effects = one.machine.step(AddressLost(V2.vips[0]), now_us=one.now_us + second * S)
        assert isinstance(effects[0], fx.AddAddresses)
        told += [e.cause for e in effects if isinstance(e, fx.Warned)]
    assert told[:4] == ["192.0.2.10/24 was removed from d0 by somebody else, and is put back"] * 4
    assert told[4:] == [
        "192.0.2.10/24 is removed from d0 again and again by somebody else, 5 times in 4 s, and"
        " put back each time: keep that program away from it",
        "192.0.2.10/24 is removed from d0 again and again by somebody else, 65 times in 64 s, and"
        " put back each time: keep that program away from it",
    ]


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
