"""RFC 3768 (VRRPv2), sections 5 to 8: what differs from version 3, one test for each MUST.

What is the same in both (TTL, type, the states) is held by test_rfc9568.py for the code that both
share, and here once more where version 2 has a branch of its own.
"""

from __future__ import annotations

import pytest

from hanode.vrrp import packet
from hanode.vrrp.effects import State
from tests.vrrp.single import HIGHER, LOWER, V2, One, adverts, priorities, removed


def test_5_2_3_packet_with_another_ttl_must_be_discarded() -> None:
    one = One(V2)
    one.hear(200, ttl=254)
    assert one.machine.counters["ip_ttl_err"] == 1
    assert one.machine.counters["advert_rcvd"] == 0


def test_5_3_1_version_is_2_and_5_3_2_type_is_1() -> None:
    assert {a.payload[0] for a in adverts(One(V2).become_master())} == {0x21}
    one = One(V2)
    one.hear(200, change={0: 0x22, 6: 0, 7: 0})
    assert one.machine.counters["invalid_type_rcvd"] == 1


def test_5_3_4_owner_must_use_255_and_0_means_stopped() -> None:
    owner = One(V2, priority=255)
    assert priorities(owner.effects) == [255]
    assert priorities(owner.stop()) == [0]


def test_5_3_6_authentication_type_is_0_and_5_3_10_data_is_0_when_sent() -> None:
    (advert, *_) = adverts(One(V2).become_master())
    assert advert.payload[4] == 0
    assert advert.payload[-8:] == bytes(8)


@pytest.mark.parametrize(("kind", "reason"), [(9, "invalid_authtype"), (1, "authtype_mismatch")])
def test_5_3_6_unknown_or_other_authentication_must_be_discarded(kind: int, reason: str) -> None:
    one = One(V2)
    one.hear(200, change={4: kind})
    assert one.machine.counters[reason] == 1
    assert one.machine.counters["advert_rcvd"] == 0


def test_5_3_7_interval_is_in_seconds() -> None:
    (advert, *_) = adverts(One(V2, advert_int_us=7_000_000).become_master())
    assert advert.payload[5] == 7


def test_5_3_8_checksum_covers_the_packet_alone() -> None:
    (advert, *_) = adverts(One(V2).become_master())
    assert packet.checksum(advert.payload) == 0


def test_5_3_9_addresses_are_all_of_the_virtual_router() -> None:
    (advert, *_) = adverts(One(V2).become_master())
    assert advert.payload[3] == 1
    assert advert.payload[8:12] == packet.packed("192.0.2.10")


@pytest.mark.parametrize(("priority", "skew_us"), [(100, 609_375), (1, 996_093), (254, 7_812)])
@pytest.mark.parametrize("interval_us", [1_000_000, 5_000_000])
def test_6_1_skew_time_does_not_depend_on_the_interval(
    priority: int, skew_us: int, interval_us: int
) -> None:
    one = One(V2, priority=priority, advert_int_us=interval_us)
    assert one.timer_us() == 3 * interval_us + skew_us


def test_6_4_1_owner_becomes_master_at_once_and_others_backup() -> None:
    assert One(V2, priority=255).state is State.MASTER
    assert One(V2, priority=254).state is State.BACKUP


def test_6_4_2_priority_0_sets_master_down_timer_to_skew_time() -> None:
    one = One(V2)
    one.hear(0)
    assert one.timer_us() == 609_375


def test_6_4_2_same_priority_resets_and_lower_is_discarded() -> None:
    one = One(V2)
    one.wait(1_000_000)
    one.hear(100)
    assert one.timer_us() == 3_609_375
    one.wait(3_000_000)
    one.hear(99)
    one.wait(609_375)
    assert one.state is State.MASTER


def test_6_4_3_priority_0_is_answered() -> None:
    one = One(V2)
    one.become_master()
    assert priorities(one.hear(0)) == [100]


@pytest.mark.parametrize(("priority", "sender"), [(101, LOWER[4]), (100, HIGHER[4])])
def test_6_4_3_the_better_one_makes_it_backup(priority: int, sender: str) -> None:
    one = One(V2)
    one.become_master()
    assert removed(one.hear(priority, sender)) == ["192.0.2.10/24"]
    assert one.state is State.BACKUP
    assert one.timer_us() == 3_609_375


@pytest.mark.parametrize(("priority", "sender"), [(99, HIGHER[4]), (100, LOWER[4])])
def test_6_4_3_others_are_discarded(priority: int, sender: str) -> None:
    one = One(V2, lower_prio_no_advert=True)
    one.become_master()
    effects = one.hear(priority, sender)
    assert one.state is State.MASTER
    assert adverts(effects) == [], "3768 does not answer; keepalived does unless told not to"


def test_7_1_version_must_be_2() -> None:
    one = One(V2)
    one.hear(200, version=3)
    assert one.machine.counters["advert_rcvd"] == 0
    assert one.machine.counters["version_err"] + one.machine.counters["packet_len_err"] == 1


def test_7_1_packet_must_be_complete() -> None:
    one = One(V2)
    one.hear(200, drop=1)
    assert one.machine.counters["packet_len_err"] == 1


def test_7_1_checksum_must_be_right() -> None:
    one = One(V2)
    one.hear(200, change={6: 1, 7: 2})
    assert one.machine.counters["checksum_err"] == 1


def test_7_1_interval_must_be_ours() -> None:
    one = One(V2)
    one.hear(200, advert_int_us=2_000_000)
    assert one.machine.counters["advert_interval_err"] == 1
    assert one.machine.counters["advert_rcvd"] == 0


def test_7_1_vrid_must_be_configured() -> None:
    one = One(V2)
    one.hear(200, vrid=52)
    assert one.router.unknown_vrids == 1


def test_7_2_source_is_the_primary_address_and_5_2_2_destination_the_group() -> None:
    (advert, *_) = adverts(One(V2).become_master())
    assert advert.source == packet.packed("192.0.2.2")
    assert advert.destination == packet.packed("224.0.0.18")
