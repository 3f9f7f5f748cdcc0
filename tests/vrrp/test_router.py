"""The router and the settings: who gets what, and what a reload leaves alone."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest

from hanode import wire
from hanode.vrrp import effects as fx
from hanode.vrrp import packet, timing
from hanode.vrrp.events import AddressLost, LinkState, Started, TimerFired
from hanode.vrrp.machine import Machine
from hanode.vrrp.router import Router
from hanode.vrrp.settings import InstanceSettings, VrrpSettings
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
    settings = VrrpSettings((LAB, OTHER))
    assert wire.from_json(VrrpSettings, wire.to_json(settings)) == settings


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
    assert len(router._heap) <= 2


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
