"""RFC 9568 (VRRPv3), sections 5 to 8: one test for each MUST that an engine can break.

The others are the kernel's, because a virtual address exists on an interface exactly while its
instance is master: answering ARP and neighbour solicitations, being a member of the solicited-node
group, accepting and forwarding (6.4.2 first paragraph, 6.4.3 first paragraph, 8.1.2, 8.2.2, 8.3.1);
router advertisements (8.2.3) and redirects (8.1.1) are not sent by VRRP at all. What these tests
hold is that the address is there exactly then.

Where keepalived differs by default, the test says so and holds the strict form too.
"""

from __future__ import annotations

import pytest

from hanode.vrrp import effects as fx
from hanode.vrrp import packet
from hanode.vrrp.arp import gratuitous_arp
from hanode.vrrp.effects import State
from hanode.vrrp.ndisc import neighbour_advert
from hanode.vrrp.settings import InstanceSettings
from tests.vrrp.single import (
    HIGHER,
    LOWER,
    OWN,
    V3,
    V6,
    One,
    added,
    adverts,
    announced,
    priorities,
    removed,
)

BOTH = pytest.mark.parametrize("settings", [V3, V6], ids=["IPv4", "IPv6"])


def refused(one: One, reason: str) -> bool:
    return bool(one.machine.counters[reason] == 1 and one.machine.counters["advert_rcvd"] == 0)


# 5.1 The IP header


def test_5_1_1_1_source_is_the_primary_address_of_the_interface() -> None:
    one = One(V3)
    assert {a.source for a in adverts(one.become_master())} == {packet.packed(OWN[4])}


def test_5_1_1_2_destination_is_224_0_0_18() -> None:
    sent = adverts(One(V3).become_master())
    assert {a.destination for a in sent} == {packet.packed("224.0.0.18")}


def test_5_1_1_3_ttl_must_be_255() -> None:
    assert {a.ttl for a in adverts(One(V3).become_master())} == {255}
    header = packet.ipv4_header(source=b"\1" * 4, destination=b"\2" * 4, length=12, ident=1)
    assert header[8] == 255


@pytest.mark.parametrize("ttl", [0, 1, 254])
def test_5_1_1_3_packet_with_another_ttl_must_be_discarded(ttl: int) -> None:
    one = One(V3)
    one.hear(200, ttl=ttl)
    assert refused(one, "ip_ttl_err")


def test_5_1_1_4_protocol_is_112() -> None:
    header = packet.ipv4_header(source=b"\1" * 4, destination=b"\2" * 4, length=12, ident=1)
    assert header[9] == 112


def test_5_1_2_1_source_is_the_link_local_address() -> None:
    one = One(V6)
    assert {a.source for a in adverts(one.become_master())} == {packet.packed("fe80::2")}
    one = One(V6)
    one.own = "2001:db8::7"
    one.link(up=True)
    assert one.state is State.FAULT, "without a link-local address it cannot speak"


def test_5_1_2_2_destination_is_ff02_12() -> None:
    sent = adverts(One(V6).become_master())
    assert {a.destination for a in sent} == {packet.packed("ff02::12")}


def test_5_1_2_3_hop_limit_must_be_255_and_another_must_be_discarded() -> None:
    assert {a.ttl for a in adverts(One(V6).become_master())} == {255}
    one = One(V6)
    one.hear(200, ttl=254)
    assert refused(one, "ip_ttl_err")


# 5.2 The fields


@BOTH
def test_5_2_1_version_is_3_and_2_type_is_1(settings: InstanceSettings) -> None:
    assert {a.payload[0] for a in adverts(One(settings).become_master())} == {0x31}


@BOTH
@pytest.mark.parametrize("kind", [0, 2, 15])
def test_5_2_2_unknown_type_must_be_discarded(settings: InstanceSettings, kind: int) -> None:
    one = One(settings)
    one.hear(200, change={0: 0x30 | kind})
    assert refused(one, "invalid_type_rcvd")


@BOTH
def test_5_2_3_vrid_names_the_virtual_router(settings: InstanceSettings) -> None:
    assert {a.payload[1] for a in adverts(One(settings).become_master())} == {51}


@BOTH
def test_5_2_4_owner_must_send_255(settings: InstanceSettings) -> None:
    assert set(priorities(One(settings, priority=255).effects)) == {255}


@pytest.mark.parametrize("priority", [1, 254])
def test_5_2_4_backup_must_use_1_to_254(priority: int) -> None:
    assert set(priorities(One(V3, priority=priority).become_master())) == {priority}
    for wrong in (0, 256):
        with pytest.raises(ValueError, match="not in"):
            One(V3, priority=wrong)


@BOTH
def test_5_2_5_count_is_the_number_of_addresses(settings: InstanceSettings) -> None:
    (advert, *_) = adverts(One(settings).become_master())
    assert advert.payload[3] == len(settings.vips)


@BOTH
def test_5_2_5_advert_without_addresses_must_be_ignored(settings: InstanceSettings) -> None:
    one = One(settings)
    before_us = one.timer_us()
    one.hear(200, vips=())
    assert one.machine.counters["addr_list_err"] == 1
    assert one.timer_us() == before_us
    # keepalived takes one where we have no address either; in strict mode it is refused too.
    one = One(settings, vips=(), strict=True)
    one.hear(200)
    assert refused(one, "addr_list_err")


@BOTH
def test_5_2_6_reserve_must_be_0_when_sent_and_ignored_when_received(
    settings: InstanceSettings,
) -> None:
    (advert, *_) = adverts(One(settings).become_master())
    assert advert.payload[4] >> 4 == 0
    plain = packet.encode(
        settings,
        priority=200,
        source=packet.packed(HIGHER[settings.family]),
        destination=packet.packed(settings.mcast_group),
    )
    marked = bytearray(plain)
    marked[4] |= 0xF0
    marked[6:8] = ((int.from_bytes(plain[6:8], "big") - 0xF000) % 0xFFFF).to_bytes(2, "big")
    one = One(settings)
    one.hear(200, change=dict(enumerate(marked)))
    assert one.machine.counters["advert_rcvd"] == 1
    assert one.machine.master_advert_us == 1_000_000


def test_5_2_7_interval_is_in_centiseconds() -> None:
    (advert, *_) = adverts(One(V3, advert_int_us=40_950_000).become_master())
    assert int.from_bytes(advert.payload[4:6], "big") == 4095


@BOTH
def test_5_2_8_checksum_covers_packet_and_pseudo_header(settings: InstanceSettings) -> None:
    (advert, *_) = adverts(One(settings).become_master())
    pseudo = packet.pseudo_header(advert.source, advert.destination, len(advert.payload))
    assert packet.checksum(pseudo + advert.payload) == 0
    assert packet.checksum(advert.payload) != 0


def test_5_2_9_first_ipv6_address_must_be_link_local() -> None:
    (advert, *_) = adverts(One(V6).become_master())
    assert advert.payload[8:24] == packet.packed("fe80::10")


# 6.1 Parameters


def test_6_1_skew_time_and_active_down_interval() -> None:
    one = One(V3, priority=100)
    assert one.skew_us == 609_375
    assert one.timer_us() == 3 * 1_000_000 + 609_375
    assert One(V3, priority=1).timer_us() == 3 * 1_000_000 + 255 * 1_000_000 // 256


# 6.4.1 Initialize


@BOTH
def test_6_4_1_100_owner_sends_announces_and_becomes_active(settings: InstanceSettings) -> None:
    one = One(settings, priority=255)
    assert one.state is State.MASTER
    assert priorities(one.effects) == [255]
    assert announced(one.effects) == [str(a) for a in settings.vips]
    assert one.timer_us() == 1_000_000, "(135) the Adver_Timer"


@BOTH
def test_6_4_1_140_others_wait_active_down_interval_as_backup(settings: InstanceSettings) -> None:
    one = One(settings)
    assert one.state is State.BACKUP
    assert one.timer_us() == 3_609_375
    assert adverts(one.effects) == []


# 6.4.2 Backup


@BOTH
def test_6_4_2_300_backup_must_not_hold_the_addresses(settings: InstanceSettings) -> None:
    one = One(settings)
    assert removed(one.effects) == [str(a) for a in settings.addresses]
    assert added(one.effects) == announced(one.effects) == []


@BOTH
def test_6_4_2_340_shutdown_cancels_the_timer(settings: InstanceSettings) -> None:
    one = One(settings)
    assert adverts(one.stop()) == []
    assert one.router.deadline_us is None


@BOTH
def test_6_4_2_355_timer_sends_announces_and_becomes_active(settings: InstanceSettings) -> None:
    one = One(settings)
    effects = one.wait(3_609_375)
    kinds = [type(effect) for effect in effects]
    assert kinds[:3] == [fx.SendAdvert, fx.AddAddresses, fx.AnnounceAddresses]
    assert announced(effects) == [str(a) for a in settings.vips]
    assert one.state is State.MASTER
    assert one.timer_us() == 1_000_000


@BOTH
def test_6_4_2_430_priority_0_sets_the_timer_to_skew_time(settings: InstanceSettings) -> None:
    one = One(settings)
    one.hear(0)
    assert one.timer_us() == one.skew_us


@BOTH
@pytest.mark.parametrize("priority", [100, 101, 255])
def test_6_4_2_450_same_or_higher_priority_resets_the_timer(
    settings: InstanceSettings, priority: int
) -> None:
    one = One(settings)
    one.wait(1_000_000)
    one.hear(priority, advert_int_us=2_000_000)
    # (455) the interval is the sender's, and so are (460, 465) skew and down interval.
    assert one.machine.master_advert_us == 2_000_000
    one.wait(6_000_000 + 2 * one.skew_us - 1)
    assert one.state is State.BACKUP
    one.wait(1)
    assert one.state is State.MASTER


@BOTH
def test_6_4_2_450_without_preemption_a_lower_priority_resets_it_too(
    settings: InstanceSettings,
) -> None:
    one = One(settings, nopreempt=True)
    one.wait(3_000_000)
    one.hear(1)
    one.wait(3_609_374)
    assert one.state is State.BACKUP


@BOTH
def test_6_4_2_480_lower_priority_is_discarded(settings: InstanceSettings) -> None:
    one = One(settings)
    one.wait(3_000_000)
    one.hear(99)
    one.wait(609_375)
    assert one.state is State.MASTER


# 6.4.3 Active


@BOTH
def test_6_4_3_600_active_must_hold_the_addresses(settings: InstanceSettings) -> None:
    assert added(One(settings).become_master()) == [str(a) for a in settings.addresses]


def test_6_4_3_645_packets_must_not_be_accepted_without_accept_mode() -> None:
    block = [e for e in One(V3, accept=False).become_master() if isinstance(e, fx.BlockAddresses)]
    assert block[0].addresses == V3.vips
    owner = One(V3, accept=False, priority=255)
    assert not any(isinstance(e, fx.BlockAddresses) for e in owner.effects)


@BOTH
def test_6_4_3_655_shutdown_sends_priority_0_and_removes(settings: InstanceSettings) -> None:
    one = One(settings)
    one.become_master()
    effects = one.stop()
    assert priorities(effects) == [0]
    assert removed(effects) == [str(a) for a in settings.addresses]
    assert one.router.deadline_us is None


@BOTH
def test_6_4_3_680_timer_sends_and_is_set_again(settings: InstanceSettings) -> None:
    one = One(settings)
    one.become_master()
    assert len(adverts(one.wait(10_000_000))) == 10


@BOTH
def test_6_4_3_705_priority_0_is_answered_at_once(settings: InstanceSettings) -> None:
    one = One(settings)
    one.become_master()
    one.wait(300_000)
    assert priorities(one.hear(0)) == [100]
    assert one.state is State.MASTER
    assert one.timer_us() == 1_000_000, "(715) the Adver_Timer begins anew"


@BOTH
@pytest.mark.parametrize("case", ["higher priority", "same priority, higher address"])
def test_6_4_3_725_the_better_one_makes_it_backup(settings: InstanceSettings, case: str) -> None:
    one = One(settings)
    one.become_master()
    priority = 101 if case == "higher priority" else 100
    effects = one.hear(priority, HIGHER[settings.family], advert_int_us=2_000_000)
    assert one.state is State.BACKUP
    assert adverts(effects) == []
    assert removed(effects) == [str(a) for a in settings.addresses]
    # (735..750) interval, skew and timer are the sender's.
    assert one.timer_us() == 6_000_000 + 2 * one.skew_us


@BOTH
@pytest.mark.parametrize("case", ["lower priority", "same priority, lower address"])
def test_6_4_3_765_others_are_discarded_and_told(settings: InstanceSettings, case: str) -> None:
    one = One(settings)
    one.become_master()
    priority = 99 if case == "lower priority" else 100
    effects = one.hear(priority, LOWER[settings.family])
    assert one.state is State.MASTER
    assert priorities(effects) == [100], "(760) an advert asserts our state"


# 7.1 Receiving


@BOTH
def test_7_1_version_must_be_3(settings: InstanceSettings) -> None:
    one = One(settings)
    version_2 = packet.encode(V3, priority=200, source=b"\1" * 4, destination=b"\2" * 4)
    one.hear(200, change={0: 0x41, **dict(enumerate(version_2[1:4], start=1))})
    assert one.machine.counters["advert_rcvd"] == 0


@BOTH
@pytest.mark.parametrize("drop", [1, 4])
def test_7_1_packet_must_be_complete(settings: InstanceSettings, drop: int) -> None:
    one = One(settings)
    one.hear(200, drop=drop)
    assert refused(one, "packet_len_err")


@BOTH
def test_7_1_checksum_must_be_right(settings: InstanceSettings) -> None:
    one = One(settings)
    one.hear(200, change={6: 0x55, 7: 0xAA})
    assert refused(one, "checksum_err")


@BOTH
def test_7_1_vrid_must_be_configured_on_the_interface(settings: InstanceSettings) -> None:
    one = One(settings)
    one.hear(200, vrid=52)
    assert one.machine.counters["advert_rcvd"] == 0
    assert one.router.unknown_vrids == 1


@BOTH
def test_7_1_owner_must_not_listen(settings: InstanceSettings) -> None:
    """keepalived's owner does, and gives way to a higher address, except in strict mode."""
    one = One(settings, priority=255, owner_ignore_adverts=True)
    one.hear(255)
    assert one.state is State.MASTER
    assert refused(one, "owner_ignored")
    one = One(settings, priority=255)
    one.hear(255)
    assert one.state is State.BACKUP


@BOTH
def test_7_1_refused_packet_changes_no_timer(settings: InstanceSettings) -> None:
    one = One(settings)
    one.wait(500_000)
    before_us = one.timer_us()
    one.hear(200, change={6: 0x55, 7: 0xAA})
    one.hear(0, ttl=3)
    assert one.timer_us() == before_us


# 7.2 Transmitting, 7.3 the virtual MAC address


@BOTH
def test_7_2_fields_are_those_of_the_virtual_router(settings: InstanceSettings) -> None:
    (advert, *_) = adverts(One(settings).become_master())
    size = len(settings.vips[0].packed)
    ours = [advert.payload[8 + i * size : 8 + (i + 1) * size] for i in range(advert.payload[3])]
    assert ours == [a.packed for a in settings.vips]
    assert (advert.payload[1], advert.payload[2]) == (51, 100)


def test_7_3_announcements_name_the_mac_that_they_are_given() -> None:
    mac = bytes.fromhex("00005e000133")
    frame = gratuitous_arp(mac=mac, address=b"\1\2\3\4")
    assert frame[6:12] == frame[22:28] == mac
    mac = bytes.fromhex("00005e000233")
    frame = neighbour_advert(mac=mac, address=packet.packed("fe80::10"), router=True)
    assert frame[6:12] == frame[-6:] == mac
    assert frame[58] == 0xA0, "router and override, not solicited (6.4.1 (120))"


# 8.3.2, 8.4


def test_8_3_2_priorities_below_255_are_never_raised_to_it() -> None:
    one = One(V3, priority=254)
    assert one.machine.priority.effective == 254


@BOTH
def test_8_4_version_2_is_not_believed(settings: InstanceSettings) -> None:
    """We speak one version for each instance: migration by both at once (8.4.1) is not offered."""
    one = One(settings)
    one.hear(200, change={0: 0x21})
    assert one.machine.counters["advert_rcvd"] == 0
