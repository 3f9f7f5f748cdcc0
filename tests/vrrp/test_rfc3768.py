"""RFC 3768 (VRRPv2), sections 5 to 8: one test for each MUST. The list is in clauses.py.

What a router must do as a host is looked at in tests/kernel/test_clauses.py, for both versions.
"""

from __future__ import annotations

import pytest

from hanode.kernel.virtual_interfaces import mac_of
from hanode.vrrp import effects as fx
from hanode.vrrp import packet
from hanode.vrrp.effects import State
from hanode.vrrp.engine_settings import Vmac
from tests.vrrp.single import (
    HIGHER,
    LOWER,
    V2,
    One,
    added,
    adverts,
    announced,
    priorities,
    refused,
    removed,
    settings_of,
    sums_to_zero,
)

# 5 Protocol


def test_5_2_2_destination_is_224_0_0_18() -> None:
    assert {a.destination for a in adverts(One(V2).become_master())} == {b"\xe0\0\0\x12"}


def test_5_2_3_ttl_is_255() -> None:
    assert {a.ttl for a in adverts(One(V2).become_master())} == {255}


@pytest.mark.parametrize("ttl", [0, 1, 254])
def test_5_2_3_packet_whose_ttl_is_not_255_is_discarded(ttl: int) -> None:
    one = One(V2)
    one.hear(200, ttl=ttl)
    assert refused(one, "ip_ttl_err")


def test_5_3_1_version_is_2_and_type_1() -> None:
    assert {a.payload[0] for a in adverts(One(V2).become_master())} == {0x21}


@pytest.mark.parametrize("kind", [0, 2, 15])
def test_5_3_2_packet_of_an_unknown_type_is_discarded(kind: int) -> None:
    one = One(V2)
    one.hear(200, change={0: 0x20 | kind, 6: 0, 7: 0})
    assert refused(one, "invalid_type_rcvd")


def test_5_3_4_owner_sends_255() -> None:
    assert priorities(One(V2, priority=255).effects) == [255]


@pytest.mark.parametrize("priority", [1, 254])
def test_5_3_4_others_send_1_to_254(priority: int) -> None:
    assert set(priorities(One(V2, priority=priority).become_master())) == {priority}
    for wrong in (0, 256):
        with pytest.raises(ValueError, match="not in"):
            One(V2, priority=wrong)


@pytest.mark.parametrize(("kind", "reason"), [(9, "invalid_authtype"), (1, "authtype_mismatch")])
def test_5_3_6_unknown_or_other_authentication_is_discarded(kind: int, reason: str) -> None:
    one = One(V2)
    one.hear(200, change={4: kind})
    assert refused(one, reason)


def test_5_3_7_interval_is_in_seconds() -> None:
    (advert, *_) = adverts(One(V2, advert_int_us=7_000_000).become_master())
    assert advert.payload[5] == 7


def test_5_3_8_checksum_covers_the_packet_alone() -> None:
    (advert, *_) = adverts(One(V2).become_master())
    assert sums_to_zero(advert, pseudo=False)


def test_5_3_9_addresses_are_all_of_the_virtual_router() -> None:
    (advert, *_) = adverts(One(V2).become_master())
    assert advert.payload[3] == 1
    assert advert.payload[8:12] == packet.packed("192.0.2.10")


def test_5_3_10_authentication_data_is_0_when_sent_and_ignored_when_received() -> None:
    """RFC 2338's password, which keepalived offers, is in it; strict mode has none."""
    (advert, *_) = adverts(One(V2).become_master())
    assert advert.payload[4] == 0
    assert advert.payload[-8:] == bytes(8)
    total = int.from_bytes(advert.payload[6:8], "big")
    one = One(V2)
    one.hear(100, change={12: 1, 6: total - 256 >> 8 & 255, 7: total & 255}, sender="192.0.2.2")
    assert one.machine.counters["advert_rcvd"] == 1
    words = "authentication {\nauth_type PASS\nauth_pass secret\n}"
    for strict, kind in ((False, "PASS"), (True, "NONE")):
        made, _ = settings_of("192.0.2.1", strict=strict, words=words, version=2)
        assert made.auth_type == kind


# 6 States


@pytest.mark.parametrize(("priority", "skew_us"), [(100, 609_375), (1, 996_093), (254, 7_812)])
@pytest.mark.parametrize("interval_us", [1_000_000, 5_000_000])
def test_6_1_skew_time_does_not_depend_on_the_interval(
    priority: int, skew_us: int, interval_us: int
) -> None:
    one = One(V2, priority=priority, advert_int_us=interval_us)
    assert one.timer_us() == 3 * interval_us + skew_us


def test_6_4_1_owner_becomes_master_at_once() -> None:
    one = One(V2, priority=255)
    assert one.state is State.MASTER
    assert len(adverts(one.effects)) == 1
    assert announced(one.effects) == ["192.0.2.10/24"]
    assert one.timer_us() == 1_000_000


def test_6_4_1_others_become_backup() -> None:
    one = One(V2, priority=254)
    assert one.state is State.BACKUP
    assert adverts(one.effects) == []


def test_6_4_2_shutdown_cancels_the_timer() -> None:
    one = One(V2)
    machine = one.machine
    assert adverts(one.stop()) == []
    assert machine.state is State.INIT
    assert one.router.deadline_us is None


def test_6_4_2_timer_sends_announces_and_becomes_master() -> None:
    one = One(V2)
    effects = one.wait(3_609_375)
    kinds = [type(effect) for effect in effects]
    assert kinds[:3] == [fx.SendAdvert, fx.AddAddresses, fx.AnnounceAddresses]
    assert announced(effects) == ["192.0.2.10/24"]
    assert one.state is State.MASTER
    assert one.timer_us() == 1_000_000


def test_6_4_2_priority_0_sets_master_down_timer_to_skew_time() -> None:
    one = One(V2)
    one.hear(0)
    assert one.timer_us() == 609_375


@pytest.mark.parametrize(
    ("priority", "nopreempt"), [(100, False), (101, False), (255, False), (99, True), (1, True)]
)
def test_6_4_2_advert_that_is_given_way_to_resets_the_timer(priority: int, nopreempt: bool) -> None:
    one = One(V2, nopreempt=nopreempt)
    one.wait(1_000_000)
    one.hear(priority)
    assert one.timer_us() == 3_609_375


def test_6_4_2_lower_priority_is_discarded() -> None:
    one = One(V2)
    one.wait(3_000_000)
    one.hear(99)
    one.wait(609_375)
    assert one.state is State.MASTER


def test_6_4_3_packets_are_not_accepted_by_who_does_not_own_the_address() -> None:
    """keepalived accepts by default; strict mode does not."""
    strict, _ = settings_of("192.0.2.1", strict=True, version=2)
    free, _ = settings_of("192.0.2.1", strict=False, version=2)
    assert (strict.accept, free.accept) == (False, True)
    effects = One(V2, accept=strict.accept).become_master()
    assert any(isinstance(e, fx.BlockAddresses) for e in effects)


def test_6_4_3_packets_are_accepted_by_the_owner() -> None:
    one = One(V2, accept=False, priority=255)
    assert added(one.effects) == ["192.0.2.10/24"]
    assert not any(isinstance(e, fx.BlockAddresses) for e in one.effects)


def test_6_4_3_shutdown_sends_priority_0() -> None:
    one = One(V2)
    one.become_master()
    machine = one.machine
    assert priorities(one.stop()) == [0]
    assert machine.state is State.INIT
    assert one.router.deadline_us is None


def test_6_4_3_timer_sends_and_is_set_again() -> None:
    one = One(V2)
    one.become_master()
    one.wait(one.timer_us())
    assert one.timer_us() == 1_000_000
    assert len(adverts(one.wait(10_000_000))) == 10


def test_6_4_3_priority_0_is_answered() -> None:
    one = One(V2)
    one.become_master()
    one.wait(300_000)
    assert priorities(one.hear(0)) == [100]
    assert one.timer_us() == 1_000_000


@pytest.mark.parametrize(("priority", "sender"), [(101, LOWER[4]), (100, HIGHER[4])])
def test_6_4_3_the_better_one_makes_it_backup(priority: int, sender: str) -> None:
    one = One(V2)
    one.become_master()
    effects = one.hear(priority, sender)
    assert removed(effects) == ["192.0.2.10/24"]
    assert adverts(effects) == []
    assert one.state is State.BACKUP
    assert one.timer_us() == 3_609_375


@pytest.mark.parametrize(("priority", "sender"), [(99, HIGHER[4]), (100, LOWER[4])])
def test_6_4_3_others_are_discarded(priority: int, sender: str) -> None:
    """In silence in strict mode; keepalived answers by default, as RFC 9568 wants it."""
    strict, _ = settings_of("192.0.2.1", strict=True, version=2)
    free, _ = settings_of("192.0.2.1", strict=False, version=2)
    for made, answers in ((strict, 0), (free, 1)):
        one = One(V2, lower_prio_no_advert=made.lower_prio_no_advert)
        one.become_master()
        before_us = one.timer_us()
        assert len(adverts(one.hear(priority, sender))) == answers
        assert one.state is State.MASTER
        assert answers or one.timer_us() == before_us


# 7 Receiving and sending


@pytest.mark.parametrize("ttl", [0, 64, 254])
def test_7_1_ttl_is_255(ttl: int) -> None:
    one = One(V2)
    one.hear(0, ttl=ttl)
    assert refused(one, "ip_ttl_err")


@pytest.mark.parametrize("version", [0, 1, 4, 15])
def test_7_1_version_is_2(version: int) -> None:
    one = One(V2)
    one.hear(200, change={0: version << 4 | 1}, drop=8)
    assert refused(one, "version_err")
    one = One(V2)
    one.hear(200, version=3)
    assert refused(one, "version_err"), "a whole packet of version 3"


@pytest.mark.parametrize("drop", [1, 4, 8, 12])
def test_7_1_packet_is_complete(drop: int) -> None:
    one = One(V2)
    one.hear(200, drop=drop)
    assert refused(one, "packet_len_err")


def test_7_1_checksum_is_right() -> None:
    one = One(V2)
    one.hear(200, change={6: 1, 7: 2})
    assert refused(one, "checksum_err")


def test_7_1_vrid_is_configured_on_the_interface() -> None:
    one = One(V2)
    one.hear(200, vrid=52)
    one.hear(200, interface="d1")
    assert one.router.unknown_vrids == 2
    assert one.machine.counters["advert_rcvd"] == 0


def test_7_1_owner_does_not_listen() -> None:
    """keepalived's owner does, except in strict mode."""
    for strict in (False, True):
        made, _ = settings_of("192.0.2.1", strict=strict, version=2, words="priority 255")
        one = One(V2, priority=255, owner_ignore_adverts=made.owner_ignore_adverts)
        one.hear(255)
        assert refused(one, "owner_ignored") is strict
        assert one.state is (State.MASTER if strict else State.BACKUP)


def test_7_1_authentication_is_ours_and_performed() -> None:
    one = One(V2, auth_type="PASS", auth_pass="secret")
    one.hear(200, auth_pass="other")
    assert refused(one, "auth_failure")
    one.hear(200)
    assert one.machine.counters["advert_rcvd"] == 1
    one.hear(200, auth_type="NONE")
    assert one.machine.counters["authtype_mismatch"] == 1


@pytest.mark.parametrize("state", ["BACKUP", "MASTER"])
def test_7_1_packet_that_fails_a_check_is_discarded(state: str) -> None:
    one = One(V2)
    if state == "MASTER":
        one.become_master()
    one.wait(500_000)
    before_us = one.timer_us()
    for priority in (0, 100, 255):
        effects = one.hear(priority, change={6: 0x55, 7: 0xAA})
        effects += one.hear(priority, ttl=3)
        effects += one.hear(priority, drop=1)
        assert adverts(effects) == []
    assert one.timer_us() == before_us
    assert one.state is State(state)


@pytest.mark.parametrize("priority", [0, 1, 254])
def test_7_1_other_addresses_of_who_is_no_owner_are_dropped(priority: int) -> None:
    """As keepalived 2.2.7; newer ones only log, which is vip_mismatch here."""
    one = One(V2)
    before_us = one.timer_us()
    one.hear(priority, vips=())
    assert one.machine.counters["addr_list_err"] == 1
    assert one.timer_us() == before_us
    one = One(V2, vip_mismatch="accept")
    one.wait(1_000_000)
    one.hear(200, vips=())
    assert one.timer_us() == 3_609_375


def test_7_1_interval_is_ours() -> None:
    one = One(V2)
    one.hear(200, advert_int_us=2_000_000)
    assert refused(one, "advert_interval_err")


def test_7_2_fields_are_those_of_the_virtual_router() -> None:
    (advert, *_) = adverts(One(V2).become_master())
    assert advert.payload[:6] == bytes((0x21, 51, 100, 1, 0, 1))
    assert advert.payload[8:12] == packet.packed("192.0.2.10")


def test_7_2_checksum_is_computed() -> None:
    (advert, *_) = adverts(One(V2, priority=7).become_master())
    assert sums_to_zero(advert, pseudo=False)
    assert any(advert.payload[6:8])


def test_7_2_source_mac_is_the_virtual_one() -> None:
    """With use_vmac; keepalived's default is the interface's own."""
    one = One(V2, vmac=Vmac("vrrp.51"))
    assert one.settings.sends_on == "vrrp.51"
    assert mac_of(one.settings).hex() == "00005e000133"
    assert One(V2).settings.sends_on == "d0"


def test_7_2_source_is_the_primary_address() -> None:
    assert {a.source for a in adverts(One(V2).become_master())} == {packet.packed("192.0.2.2")}


def test_7_2_protocol_is_112() -> None:
    header = packet.ipv4_header(source=b"\1" * 4, destination=b"\2" * 4, length=20, ident=1)
    assert header[9] == 112


def test_7_2_destination_is_the_group() -> None:
    assert {a.destination for a in adverts(One(V2).become_master())} == {b"\xe0\0\0\x12"}
