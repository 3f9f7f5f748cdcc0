"""Whatever is wrong with a packet is counted by its kind, and the counter is seen from outside."""

from __future__ import annotations

import json

import pytest

from hanode.proc.dump.keepalived_json import EXTENSION, FURTHER, STATS, dump_json
from hanode.proc.dump.keepalived_text import FURTHER_LABELS, STATS_LINES, dump_stats
from hanode.vrrp import packet
from hanode.vrrp.counters import COUNTERS
from hanode.vrrp.effects import State
from hanode.vrrp.engine_settings import VrrpSettings
from hanode.vrrp.events import LinkState
from hanode.vrrp.packet import Reason
from hanode.vrrp.router import Router
from hanode.wire import InstanceStatus
from tests.vrrp.faults import FAULTS, INSTANCES, INTERFACE, OURS, PLAIN, Fault, name, sent
from tests.vrrp.single import V6, One
from tests.vrrp.story import MAC

WALL_US = 1_795_364_789_155_388


def running() -> Router:
    router = Router()
    router.wall(WALL_US, now_us=0)
    link = LinkState(up=True, mac=MAC, addresses=(packet.packed(OURS),))
    router.link(INTERFACE, link, now_us=0)
    router.configure(VrrpSettings(INSTANCES), now_us=0)
    return router


def counted(router: Router) -> dict[str, dict[str, int]]:
    return {m.settings.name: dict(m.counters) for m in router.machines.values()}


@pytest.mark.parametrize("fault", FAULTS, ids=name)
def test_bad_packet_is_counted_by_its_kind_and_by_no_other(fault: Fault) -> None:
    router = running()
    before = counted(router)
    for data in fault.make(fault.to, WALL_US):
        router.receive_ipv4(INTERFACE, data, now_us=0)
    grown = {
        (instance, counter): count - before[instance][counter]
        for instance, counters in counted(router).items()
        for counter, count in counters.items()
        if count != before[instance][counter] and counter != "advert_rcvd"
    }
    assert grown == {(fault.to.name, fault.reason): 1}


def test_every_reason_has_a_packet_here() -> None:
    assert {fault.reason for fault in FAULTS} == set(Reason)


def test_good_packets_are_not_counted_as_bad() -> None:
    router = running()
    for instance in INSTANCES[:3]:
        router.receive_ipv4(INTERFACE, sent(instance, WALL_US), now_us=0)
        assert router.machines[instance.key].counters["advert_rcvd"] == 1
    assert not any(c[reason] for c in counted(router).values() for reason in Reason)


@pytest.mark.parametrize("data", [b"", b"\x45", sent(PLAIN, WALL_US)[:21]])
def test_packet_that_names_nobody_is_counted_as_short(data: bytes) -> None:
    router = running()
    assert router.receive_ipv4(INTERFACE, data, now_us=0) == []
    assert (router.short_packets, router.unknown_vrids) == (1, 0)
    assert not any(c[reason] for c in counted(router).values() for reason in Reason)


@pytest.mark.parametrize(("size", "who"), [(0, "nobody"), (1, "nobody"), (2, "it"), (7, "it")])
def test_ipv6_packet_without_a_whole_header_is_counted(size: int, who: str) -> None:
    one = One(V6)
    one.hear(90, drop=40 - size)
    assert one.router.short_packets == (who == "nobody")
    assert one.machine.counters["packet_len_err"] == (who == "it")


def test_advert_from_our_own_address_is_counted_by_a_master() -> None:
    one = One(V6)
    one.become_master()
    one.hear(255, one.own)
    assert one.machine.counters["own_address_rcvd"] == 1
    assert one.state is State.MASTER


def test_packet_of_another_vrid_is_counted_as_unknown() -> None:
    router = running()
    data = bytearray(sent(PLAIN, WALL_US))
    data[21] = 99
    router.receive_ipv4(INTERFACE, bytes(data), now_us=0)
    assert (router.short_packets, router.unknown_vrids) == (0, 1)


# What is counted is told


def test_each_counter_has_a_place_in_either_dump_file() -> None:
    assert set(STATS) | set(FURTHER) == set(COUNTERS)
    assert set(FURTHER_LABELS) | set(EXTENSION) == set(FURTHER)
    assert {name for _, name in STATS_LINES if name} == set(STATS)


@pytest.mark.parametrize("reason", Reason)
def test_dump_files_show_a_counter_that_is_not_zero(reason: Reason) -> None:
    settings, counters = VrrpSettings((PLAIN,)), {PLAIN.name: {str(reason): 4321}}
    status = InstanceStatus(PLAIN.name, 51, INTERFACE, "BACKUP", 0, "start", 100, 100)
    (told,) = json.loads(dump_json(settings, [status], counters))
    assert told["stats"][reason] == 4321
    assert dump_stats(settings, counters).count(": 4321\n") == 1


def test_dump_files_are_keepalived_s_where_nothing_else_was_counted() -> None:
    settings, counters = VrrpSettings((PLAIN,)), {PLAIN.name: dict.fromkeys(COUNTERS, 0)}
    status = InstanceStatus(PLAIN.name, 51, INTERFACE, "BACKUP", 0, "start", 100, 100)
    (told,) = json.loads(dump_json(settings, [status], counters))
    assert tuple(told["stats"]) == STATS
    assert len(dump_stats(settings, counters).splitlines()) == len(STATS_LINES) + 1
