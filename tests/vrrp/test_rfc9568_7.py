"""RFC 9568 (VRRPv3), sections 7 and 8: receiving and sending. The list is in clauses.py."""

from __future__ import annotations

import pytest

from hanode.kernel.virtual_interfaces import mac_of
from hanode.vrrp import packet
from hanode.vrrp.arp import gratuitous_arp
from hanode.vrrp.effects import Effect, SendAdvert, State, Warned
from hanode.vrrp.engine_settings import InstanceSettings, Vmac
from hanode.vrrp.ndisc import neighbour_advert
from tests.vrrp.single import (
    OWN,
    V3,
    V6,
    One,
    adverts,
    refused,
    settings_of,
    sums_to_zero,
)

BOTH = pytest.mark.parametrize("settings", [V3, V6], ids=["IPv4", "IPv6"])


# 7.1 Receiving


@BOTH
@pytest.mark.parametrize("ttl", [0, 64, 254])
def test_7_1_ttl_or_hop_limit_is_255(settings: InstanceSettings, ttl: int) -> None:
    """For multicast; between unicast peers, which keepalived adds, min_ttl and max_ttl count."""
    one = One(settings)
    one.hear(0, ttl=ttl)
    assert refused(one, "ip_ttl_err")


@BOTH
@pytest.mark.parametrize("version", [0, 1, 4, 15])
def test_7_1_version_is_3(settings: InstanceSettings, version: int) -> None:
    one = One(settings)
    one.hear(200, change={0: version << 4 | 1})
    assert refused(one, "version_err")
    one = One(V3)
    one.hear(200, version=2)
    assert refused(one, "version_err"), "a whole packet of version 2"


@BOTH
@pytest.mark.parametrize("kind", [0, 2, 15])
def test_7_1_type_is_1(settings: InstanceSettings, kind: int) -> None:
    one = One(settings)
    one.hear(0, change={0: 0x30 | kind})
    assert refused(one, "invalid_type_rcvd")


@BOTH
@pytest.mark.parametrize("drop", [1, 4, 5])
def test_7_1_packet_is_complete(settings: InstanceSettings, drop: int) -> None:
    one = One(settings)
    one.hear(200, drop=drop)
    assert refused(one, "packet_len_err")
    one = One(settings)
    one.hear(200, change={3: len(settings.vips) + 1})
    assert refused(one, "packet_len_err")


@BOTH
@pytest.mark.parametrize("word", [False, True], ids=["", "v3_checksum_as_v2"])
def test_7_1_checksum_is_right(settings: InstanceSettings, word: bool) -> None:
    one = One(settings, v3_checksum_as_v2=word)
    one.hear(200, change={6: 0x55, 7: 0xAA})
    assert refused(one, "checksum_err")


@pytest.mark.parametrize("theirs", [False, True])
def test_7_1_checksum_may_leave_the_pseudo_header_out_where_the_file_says_so(theirs: bool) -> None:
    for ours in (False, True):
        one = One(V3, v3_checksum_as_v2=ours)
        one.hear(200, v3_checksum_as_v2=theirs)
        assert one.machine.counters["checksum_err"] == (theirs and not ours)


@BOTH
def test_7_1_vrid_is_configured_on_the_interface(settings: InstanceSettings) -> None:
    one = One(settings)
    one.hear(0, vrid=52)
    one.hear(0, interface="d1")
    assert one.router.unknown_vrids == 2
    assert one.machine.counters["advert_rcvd"] == 0


@BOTH
def test_7_1_owner_does_not_listen(settings: InstanceSettings) -> None:
    """keepalived's owner does, and gives way to a higher address, except in strict mode."""
    one = One(settings, priority=255, owner_ignore_adverts=True)
    one.hear(255)
    assert one.state is State.MASTER
    assert refused(one, "owner_ignored")
    one = One(settings, priority=255)
    one.hear(255)
    assert one.state is State.BACKUP
    for strict in (False, True):
        made, _ = settings_of("192.0.2.1", strict=strict, words="priority 255")
        assert made.owner_ignore_adverts is strict


@BOTH
def test_7_1_interval_is_not_zero(settings: InstanceSettings) -> None:
    """By default it counts as ours: with keepalived's reading a backup would never wait."""
    zero = {4: 0, 5: 0}
    strict, free = One(settings, strict=True), One(settings)
    for one in (strict, free):
        data = packet.encode(
            settings,
            priority=200,
            source=packet.packed({4: "192.0.2.3", 6: "fe80::3"}[settings.family]),
            destination=packet.packed(settings.mcast_group),
        )
        total = int.from_bytes(data[6:8], "big") + int.from_bytes(data[4:6], "big")
        total = (total & 0xFFFF) + (total >> 16)
        one.hear(200, change={**zero, 6: total >> 8, 7: total & 255})
    assert refused(strict, "advert_interval_err")
    assert free.machine.counters["advert_rcvd"] == 1
    assert free.timer_us() == 3_609_375


@BOTH
@pytest.mark.parametrize("state", ["BACKUP", "MASTER"])
def test_7_1_packet_that_fails_a_check_is_discarded(settings: InstanceSettings, state: str) -> None:
    one = One(settings)
    if state == "MASTER":
        one.become_master()
    one.wait(500_000)
    before_us = one.timer_us()
    for priority in (0, 100, 255):
        effects = one.hear(priority, change={6: 0x55, 7: 0xAA})
        effects += one.hear(priority, ttl=3)
        effects += one.hear(priority, drop=1)
        assert not any(isinstance(effect, SendAdvert) for effect in effects)
    assert one.timer_us() == before_us
    assert one.state is State(state)


def test_7_1_first_ipv6_address_is_not_looked_at_as_with_keepalived() -> None:
    """Erratum 8300 refuses the advert. keepalived, strict or not, compares the set alone."""
    for strict in (False, True):
        one = One(V6, strict=strict)
        one.hear(200, vips=V6.vips[::-1])
        assert one.machine.counters["advert_rcvd"] == 1
        assert one.timer_us() == 3_000_000 + one.skew_us


def warnings(effects: list[Effect]) -> list[str]:
    return [effect.cause for effect in effects if isinstance(effect, Warned)]


@BOTH
def test_7_1_failed_check_is_logged_at_a_bounded_rate(settings: InstanceSettings) -> None:
    one = One(settings)
    said = [text for _ in range(500) for text in warnings(one.hear(200, ttl=3))]
    assert len(said) == 1, said
    assert "TTL" in said[0] or "hop limit" in said[0]


@BOTH
def test_7_1_another_interval_is_believed(settings: InstanceSettings) -> None:
    one = One(settings)
    one.hear(200, advert_int_us=2_000_000)
    assert one.machine.counters["advert_rcvd"] == 1
    assert one.timer_us() == 6_000_000 + 2 * one.skew_us


@BOTH
def test_7_1_another_list_of_addresses_is_told(settings: InstanceSettings) -> None:
    """2.2.7 refuses the advert too; 2.3.3 and later, with vip_mismatch here, only log."""
    for mismatch, left_us in (("refuse", 2_609_375), ("accept", 3_609_375)):
        one = One(settings, vip_mismatch=mismatch)
        one.wait(1_000_000)
        (said,) = warnings(one.hear(200, vips=settings.vips[:1] * 2 + settings.vips[1:]))
        assert "address" in said
        assert one.timer_us() == left_us


# 7.2 Transmitting, 7.3 the virtual MAC address


@BOTH
def test_7_2_fields_are_those_of_the_virtual_router(settings: InstanceSettings) -> None:
    (advert, *_) = adverts(One(settings).become_master())
    size = len(settings.vips[0].packed)
    ours = [advert.payload[8 + i * size : 8 + (i + 1) * size] for i in range(advert.payload[3])]
    assert ours == [a.packed for a in settings.vips]
    assert advert.payload[:3] == bytes((0x31, 51, 100))
    assert int.from_bytes(advert.payload[4:6], "big") == 100


@BOTH
def test_7_2_checksum_is_computed(settings: InstanceSettings) -> None:
    """5.2.8 says over what: without a pseudo-header for IPv4, with v3_checksum_as_v2."""
    (advert, *_) = adverts(One(settings, v3_checksum_as_v2=True).become_master())
    assert sums_to_zero(advert, pseudo=settings.family == 6)
    assert any(advert.payload[6:8])


@BOTH
def test_7_2_source_mac_is_the_virtual_one(settings: InstanceSettings) -> None:
    """With use_vmac; in strict mode no other MAC may be given, nor vmac_xmit_base."""
    one = One(settings, vmac=Vmac("vrrp.51"))
    assert one.settings.sends_on == "vrrp.51"
    assert mac_of(one.settings).hex() == {4: "00005e000133", 6: "00005e000233"}[settings.family]
    assert One(settings).settings.sends_on == "d0", "keepalived's default"
    words = "use_vmac 02:00:00:00:00:01\nvmac_xmit_base"
    free, _ = settings_of("192.0.2.1", strict=False, words=words)
    assert free.vmac is not None
    assert (free.vmac.mac, free.vmac.xmit_base) == ("02:00:00:00:00:01", True)
    strict, _ = settings_of("192.0.2.1", strict=True, words=words)
    assert strict.vmac is not None
    assert (strict.vmac.mac, strict.vmac.xmit_base) == (None, False)


@BOTH
def test_7_2_source_is_the_primary_or_link_local_address(settings: InstanceSettings) -> None:
    sent = adverts(One(settings).become_master())
    assert {a.source for a in sent} == {packet.packed(OWN[settings.family])}


@BOTH
def test_7_2_protocol_is_112(settings: InstanceSettings) -> None:
    (advert, *_) = adverts(One(settings).become_master())
    header = packet.ipv4_header(source=b"\1" * 4, destination=b"\2" * 4, length=12, ident=1)
    assert header[9] == 112
    assert packet.pseudo_header(b"\1" * 16, b"\2" * 16, 24)[-1] == 112
    assert not advert.ip_header, "the driver makes it, for the protocol of its socket"


@BOTH
def test_7_2_destination_is_the_group(settings: InstanceSettings) -> None:
    sent = adverts(One(settings).become_master())
    group = {4: "224.0.0.18", 6: "ff02::12"}[settings.family]
    assert {a.destination for a in sent} == {packet.packed(group)}


def test_7_3_announcements_name_the_mac_that_they_are_given() -> None:
    mac = bytes.fromhex("00005e000133")
    frame = gratuitous_arp(mac=mac, address=b"\1\2\3\4")
    assert frame[6:12] == frame[22:28] == mac
    mac = bytes.fromhex("00005e000233")
    frame = neighbour_advert(mac=mac, address=packet.packed("fe80::10"), router=True)
    assert frame[6:12] == frame[-6:] == mac


# 8.3.2, 8.4


def test_8_3_2_priorities_below_255_are_never_raised_to_it() -> None:
    assert One(V3, priority=254).machine.priority.effective == 254


@BOTH
def test_8_4_version_2_is_not_believed(settings: InstanceSettings) -> None:
    """We speak one version for each instance: migration by both at once (8.4.2) is not offered."""
    one = One(settings)
    one.hear(200, change={0: 0x21})
    assert one.machine.counters["advert_rcvd"] == 0
    assert one.machine.master is None
