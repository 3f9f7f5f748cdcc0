"""The router and the settings: who gets what, and what a reload leaves alone."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanode import wire
from hanode.vrrp import effects as fx
from hanode.vrrp import packet, timing
from hanode.vrrp.engine_settings import InstanceSettings, SyncGroupSettings, Tracked, VrrpSettings
from hanode.vrrp.events import ABSENT, AddressLost, LinkState, Started, TimerFired
from hanode.vrrp.machine import Machine
from hanode.vrrp.router import Router
from hanode.vrrp.startup_facts import StartupFacts
from hanode.vrrp.track import Weight, priority
from tests.vrrp.story import LAB, MAC, address, advert_packet

LINK = LinkState(up=True, mac=MAC, addresses=(packet.packed("192.168.192.111"),))
OTHER = replace(
    LAB, name="Other", vrid=52, vips=(address("192.168.192.210/24", "ens33"),), priority=200
)


def running(*instances: InstanceSettings, until_us: int = 0) -> Router:
    router = Router()
    router.link("ens33", LINK, now_us=0)
    router.configure(VrrpSettings(instances), now_us=0)
    while router.deadline_us is not None and router.deadline_us <= until_us:
        router.tick(now_us=router.deadline_us)
    return router


def test_settings_survive_the_way_to_the_vrrp_process() -> None:
    told = VrrpSettings((LAB, OTHER))
    assert wire.from_json(VrrpSettings, wire.to_json(told)) == told


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"vrid": 0}, "virtual_router_id 0 is not in 1..255"),
        ({"priority": 256}, "priority 256 is not in 1..255"),
        ({"advert_int_us": 100_000}, "whole seconds"),
        ({"version": 3, "advert_int_us": 41_000_000}, "0.01..40.95"),
        ({"version": 3, "advert_int_us": 1}, "shorter than 10 ms"),
    ],
)
def test_settings_that_cannot_run_are_refused(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        replace(LAB, **change)  # type: ignore[arg-type]


def test_two_instances_cannot_share_a_vrid_on_an_interface() -> None:
    with pytest.raises(ValueError, match="HA_Group and Other both use virtual_router_id 51"):
        VrrpSettings((LAB, replace(OTHER, vrid=51)))


def test_unchanged_instance_is_not_touched_by_a_reload() -> None:
    router = running(LAB, OTHER, until_us=4_200_000)
    machine = router.machines[LAB.key]
    before = (machine.state, machine.since_us, machine.deadline_us, dict(machine.counters))
    result = router.configure(VrrpSettings((LAB, replace(OTHER, priority=201))), now_us=4_300_000)
    assert router.machines[LAB.key] is machine
    assert before == (machine.state, machine.since_us, machine.deadline_us, machine.counters)
    assert result.changed == ("Other changed",)
    assert all(effect.key == OTHER.key for effect in result.effects)


def test_address_that_moves_to_another_master_is_not_removed_under_it() -> None:
    router = running(LAB, OTHER, until_us=4_000_000)
    moved = LAB.vips[0]
    result = router.configure(
        VrrpSettings((replace(OTHER, vips=(moved,)), replace(LAB, vips=()))), now_us=4_000_000
    )
    held: set[object] = {moved, *OTHER.vips}
    for effect in result.effects:
        if isinstance(effect, fx.AddAddresses):
            held |= set(effect.addresses)
        if isinstance(effect, fx.RemoveAddresses):
            held -= set(effect.addresses)
    assert held == {moved}


def test_packet_of_an_unknown_vrid_reaches_nobody() -> None:
    router = running(LAB)
    data = advert_packet(OTHER, sender="192.168.192.100", priority=255)
    assert router.receive_ipv4("ens33", data, now_us=1) == []
    assert router.receive_ipv4("eth9", data, now_us=1) == []
    assert router.unknown_vrids == 2


def test_earlier_deadline_of_another_instance_is_not_missed() -> None:
    router = running(LAB, OTHER)
    assert router.deadline_us == 3_000_000 + (256 - 200) * 1_000_000 // 256
    data = advert_packet(LAB, sender="192.168.192.100", priority=0)
    router.receive_ipv4("ens33", data, now_us=10)
    assert router.deadline_us == 10 + 628_906


def test_backup_that_keeps_hearing_needs_no_growing_heap() -> None:
    router = running(LAB)
    data = advert_packet(LAB, sender="192.168.192.100", priority=100)
    for now_us in range(0, 100_000_000, 1_000_000):
        while router.deadline_us is not None and router.deadline_us <= now_us:
            assert router.tick(now_us=now_us) == []
        router.receive_ipv4("ens33", data, now_us=now_us)
    assert len(router.instances.deadlines.heap) <= 2


def test_machine_refuses_what_cannot_happen() -> None:
    machine = Machine(LAB)
    with pytest.raises(AssertionError, match="INIT cannot take TimerFired"):
        machine.step(TimerFired(), now_us=0)
    with pytest.raises(AssertionError, match="INIT cannot take AddressLost"):
        machine.step(AddressLost(LAB.vips[0]), now_us=0)
    machine.step(Started(LINK), now_us=0)
    with pytest.raises(AssertionError, match="BACKUP cannot take Started"):
        machine.step(Started(LINK), now_us=0)


def test_advert_that_is_late_by_more_than_an_interval_is_not_caught_up() -> None:
    router = running(LAB, until_us=3_700_000)
    effects = router.tick(now_us=9_000_000)
    assert sum(isinstance(e, fx.SendAdvert) for e in effects) == 1
    assert router.deadline_us == 10_000_000


def test_times_are_those_of_the_rfcs() -> None:
    assert timing.skew_us(version=2, priority=95, master_advert_us=9_000_000) == 628_906
    assert timing.master_down_us(version=2, priority=100, master_advert_us=1_000_000) == 3_609_375
    assert timing.skew_us(version=3, priority=100, master_advert_us=10_000) == 6_093
    assert timing.master_down_us(version=3, priority=100, master_advert_us=10_000) == 36_093


def test_priority_arithmetic_is_told_in_words() -> None:
    assert priority(100).arithmetic == "100"
    lowered = priority(100, (Weight("script chk_http", -20), Weight("eth1", 0)))
    assert (lowered.effective, lowered.arithmetic) == (80, "100 - 20 (script chk_http) = 80")
    kept = priority(250, (Weight("file f", 10),))
    assert (kept.effective, kept.arithmetic) == (254, "250 + 10 (file f) = 260, kept at 254")
    assert priority(255, (Weight("file f", -10),)).effective == 255


def test_running_makes_no_garbage_that_only_a_collector_finds() -> None:
    """The process runs without one."""
    router = running(LAB, OTHER, until_us=4_000_000)
    good = advert_packet(LAB, sender="192.168.192.100", priority=0)
    bad = advert_packet(replace(LAB, auth_pass="no"), sender="192.168.192.100", priority=9)
    gc.collect()
    gc.disable()
    try:
        for now_us in range(4_000_000, 90_000_000, 100_000):
            router.tick(now_us=now_us)
            router.receive_ipv4("ens33", good, now_us=now_us)
            router.receive_ipv4("ens33", bad, now_us=now_us)
            changed = replace(LAB, priority=90 + now_us // 100_000 % 9)
            router.configure(VrrpSettings((changed, OTHER)), now_us=now_us)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_unknown_vrid_is_told_once_a_minute_where_that_is_asked_for() -> None:
    router = Router()
    router.link("ens33", LINK, now_us=0)
    router.configure(VrrpSettings((LAB,), log_unknown_vrids=True), now_us=0)
    data = advert_packet(OTHER, sender="192.168.192.100", priority=255)
    (warning,) = router.receive_ipv4("ens33", data, now_us=1)
    assert isinstance(warning, fx.Warned)
    assert warning.cause == (
        "192.168.192.100 sends adverts of virtual_router_id 52, which is not configured"
    )
    assert router.receive_ipv4("ens33", data, now_us=59_000_000) == []
    assert router.receive_ipv4("ens33", data, now_us=61_000_000) != []


def test_member_that_its_group_faulted_is_free_when_the_group_is_gone() -> None:
    group = SyncGroupSettings("G", (LAB.name, OTHER.name))
    tracked = replace(OTHER, tracked=(Tracked("interface", "eth9"),))
    router = Router()
    router.link("ens33", LINK, now_us=0)
    router.link("eth9", ABSENT, now_us=0)
    router.configure(VrrpSettings((LAB, tracked), (group,)), now_us=0)
    assert router.machines[LAB.key].state is fx.State.FAULT
    router.configure(VrrpSettings((LAB, tracked)), now_us=1)
    assert router.machines[LAB.key].state is fx.State.BACKUP
    assert router.machines[OTHER.key].state is fx.State.FAULT


def test_members_that_disagree_after_a_reload_go_back_together() -> None:
    router = running(LAB, OTHER, until_us=3_300_000)
    states = {m.settings.name: m.state for m in router.machines.values()}
    assert states == {"HA_Group": fx.State.BACKUP, "Other": fx.State.MASTER}
    another = advert_packet(LAB, sender="192.168.192.111", priority=200)
    router.receive_ipv4(LAB.interface, another, now_us=3_300_000)
    group = SyncGroupSettings("G", (LAB.name, OTHER.name))
    router.configure(VrrpSettings((LAB, OTHER), (group,)), now_us=3_300_000)
    assert {m.state for m in router.machines.values()} == {fx.State.BACKUP}
    while router.deadline_us is not None and router.deadline_us < 9_000_000:
        router.tick(now_us=router.deadline_us)
    assert {m.state for m in router.machines.values()} == {fx.State.MASTER}


def machine_facts(router: Router) -> list[object]:
    return [
        (m.state, m.cause, m.deadline_us, m.master, m.master_priority, dict(m.counters))
        for m in router.machines.values()
    ]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 1_500_000),
            st.sampled_from(("same", "same", "same", "higher", "stop", "refused", "down", "up")),
        ),
        max_size=30,
    ),
    st.booleans(),
)
def test_short_way_for_a_repeated_advert_is_the_long_way(
    story: list[tuple[int, str]], nopreempt: bool
) -> None:
    """Hearing the same advert again is done without a look; it must come to the same."""
    ours = replace(LAB, nopreempt=nopreempt)
    adverts = {
        "same": advert_packet(LAB, sender="192.168.192.100", priority=99),
        "higher": advert_packet(LAB, sender="192.168.192.102", priority=150),
        "stop": advert_packet(LAB, sender="192.168.192.100", priority=0),
        "refused": advert_packet(LAB, sender="192.168.192.100", priority=99, ttl=9),
    }
    short, long = running(ours), running(ours)
    now_us = 0
    for wait_us, what in story:
        now_us += wait_us
        results = []
        for router in (short, long):
            if router is long:
                router.machines[ours.key].repeatable_tail = b""
            effects: list[object] = []
            while router.deadline_us is not None and router.deadline_us <= now_us:
                effects += router.tick(now_us=router.deadline_us)
            if what in adverts:
                effects += router.receive_ipv4("ens33", adverts[what], now_us=now_us)
            else:
                effects += router.link("ens33", replace(LINK, up=what == "up"), now_us=now_us)
            results.append(effects)
        assert results[0] == results[1]
        assert machine_facts(short) == machine_facts(long)


def test_many_instances_cost_little_on_the_way_of_every_advert() -> None:
    """No allocation that stays, and one heap entry each, however long it runs."""
    instances = [
        replace(LAB, name=f"V{n}", vrid=n, vips=(address(f"10.0.0.{n}/24", "ens33"),))
        for n in range(1, 200)
    ]
    router = running(*instances, until_us=10_000_000)
    assert {m.state for m in router.machines.values()} == {fx.State.MASTER}
    assert len(router.instances.deadlines.heap) == len(instances)
    first = {m.settings.name: m.transmitter.ready for m in router.machines.values()}
    while router.deadline_us is not None and router.deadline_us <= 60_000_000:
        router.tick(now_us=router.deadline_us)
    assert len(router.instances.deadlines.heap) == len(instances)
    for machine in router.machines.values():
        assert machine.transmitter.ready is first[machine.settings.name]


@pytest.mark.parametrize(("group", "together"), [("", 2), ("ens33 ens34", 1)])
def test_the_interfaces_of_a_garp_group_wait_for_each_other(group: str, together: int) -> None:
    paced = {"priority": 255, "garp_interval_us": 300_000, "garp_group": group}
    here = replace(LAB, **paced)  # type: ignore[arg-type]
    vips = (address("192.168.192.210/24", "ens34"),)
    there = replace(OTHER, interface="ens34", vips=vips, **paced)  # type: ignore[arg-type]
    router = Router()
    for name in ("ens33", "ens34"):
        router.link(name, LINK, now_us=0)
    sent: dict[int, int] = {}
    names: list[str] = []

    def count(effects: list[fx.Effect], now_us: int) -> None:
        found = [e for e in effects if isinstance(e, fx.AnnounceAddresses)]
        names.extend(e.key[0] for e in found)
        if found:
            sent[now_us] = len(found)

    count(router.configure(VrrpSettings((here, there)), now_us=0).effects, 0)
    while router.deadline_us is not None and router.deadline_us < 1_500_000:
        now_us = router.deadline_us
        count(router.tick(now_us=now_us), now_us)
    assert sent == dict.fromkeys(range(0, 1_500_000, 300_000), together)
    assert names[:2] == ["ens33", "ens34"], "what was never announced goes before repeats"


@pytest.mark.parametrize(
    ("since_boot_us", "waits_us"),
    [(2_000_000, 58_000_000), (57_000_000, 5_000_000), (90_000_000, 5_000_000), (None, 5_000_000)],
)
def test_the_later_of_the_delays_after_start_and_boot_counts(
    since_boot_us: int | None, waits_us: int
) -> None:
    late = replace(LAB, startup_delay_us=5_000_000, delay_after_boot_us=60_000_000)
    router = Router()
    router.link(LAB.interface, LINK, now_us=0)
    router.configure(
        VrrpSettings((late,)), now_us=0, startup=StartupFacts(since_boot_us=since_boot_us)
    )
    machine = router.machines[LAB.key]
    assert (machine.state, router.deadline_us) == (fx.State.INIT, waits_us)
    assert machine.cause.startswith(f"waits {waits_us / 1e6:.3f} s")
    router.tick(now_us=waits_us)
    assert machine.state is fx.State.BACKUP


def test_start_up_delay_is_for_the_engine_s_start_not_for_what_a_reload_adds() -> None:
    late = replace(LAB, startup_delay_us=5_000_000)
    router = running(late)
    assert router.machines[LAB.key].state is fx.State.INIT
    added = replace(OTHER, startup_delay_us=5_000_000)
    router.configure(VrrpSettings((late, added)), now_us=1_000_000)
    assert router.machines[OTHER.key].state is fx.State.BACKUP
    assert router.machines[LAB.key].state is fx.State.INIT
