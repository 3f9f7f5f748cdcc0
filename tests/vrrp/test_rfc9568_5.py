"""RFC 9568 (VRRPv3), section 5: what is on the wire. The list of clauses is in clauses.py."""

from __future__ import annotations

import pytest

from hanode.vrrp import packet
from hanode.vrrp.effects import State
from hanode.vrrp.engine_settings import Address, InstanceSettings
from tests.vrrp.single import (
    HIGHER,
    OWN,
    V3,
    V6,
    One,
    adverts,
    priorities,
    refused,
    settings_of,
    sums_to_zero,
)

BOTH = pytest.mark.parametrize("settings", [V3, V6], ids=["IPv4", "IPv6"])


def test_5_1_1_1_source_is_the_primary_address_of_the_interface() -> None:
    assert {a.source for a in adverts(One(V3).become_master())} == {packet.packed(OWN[4])}


def test_5_1_1_2_destination_is_224_0_0_18() -> None:
    assert {a.destination for a in adverts(One(V3).become_master())} == {b"\xe0\0\0\x12"}


def test_5_1_1_3_ttl_is_255() -> None:
    assert {a.ttl for a in adverts(One(V3).become_master())} == {255}
    header = packet.ipv4_header(source=b"\1" * 4, destination=b"\2" * 4, length=12, ident=1)
    assert header[8] == 255


@pytest.mark.parametrize("ttl", [0, 1, 254])
def test_5_1_1_3_packet_whose_ttl_is_not_255_is_discarded(ttl: int) -> None:
    one = One(V3)
    one.hear(200, ttl=ttl)
    assert refused(one, "ip_ttl_err")


def test_5_1_1_4_protocol_is_112() -> None:
    header = packet.ipv4_header(source=b"\1" * 4, destination=b"\2" * 4, length=12, ident=1)
    assert header[9] == 112


def test_5_1_2_1_source_is_the_link_local_address() -> None:
    assert {a.source for a in adverts(One(V6).become_master())} == {packet.packed("fe80::2")}
    one = One(V6)
    one.own = "2001:db8::7"
    one.link(up=True)
    assert one.state is State.FAULT, "without a link-local address it cannot speak"


def test_5_1_2_2_destination_is_ff02_12() -> None:
    sent = adverts(One(V6).become_master())
    assert {a.destination for a in sent} == {packet.packed("ff02::12")}


def test_5_1_2_3_hop_limit_is_255() -> None:
    assert {a.ttl for a in adverts(One(V6).become_master())} == {255}


@pytest.mark.parametrize("hops", [0, 1, 254])
def test_5_1_2_3_packet_whose_hop_limit_is_not_255_is_discarded(hops: int) -> None:
    one = One(V6)
    one.hear(200, ttl=hops)
    assert refused(one, "ip_ttl_err")


@BOTH
def test_5_2_1_version_is_3(settings: InstanceSettings) -> None:
    assert {a.payload[0] >> 4 for a in adverts(One(settings).become_master())} == {3}


@BOTH
def test_5_2_2_type_is_1(settings: InstanceSettings) -> None:
    assert {a.payload[0] & 15 for a in adverts(One(settings).become_master())} == {1}


@BOTH
@pytest.mark.parametrize("kind", [0, 2, 15])
def test_5_2_2_packet_of_an_unknown_type_is_discarded(
    settings: InstanceSettings, kind: int
) -> None:
    one = One(settings)
    one.hear(200, change={0: 0x30 | kind})
    assert refused(one, "invalid_type_rcvd")


@BOTH
def test_5_2_3_vrid_names_the_virtual_router(settings: InstanceSettings) -> None:
    assert {a.payload[1] for a in adverts(One(settings).become_master())} == {51}


@BOTH
def test_5_2_4_owner_sends_255(settings: InstanceSettings) -> None:
    assert set(priorities(One(settings, priority=255).effects)) == {255}


@BOTH
@pytest.mark.parametrize("priority", [1, 254])
def test_5_2_4_others_send_1_to_254(settings: InstanceSettings, priority: int) -> None:
    assert set(priorities(One(settings, priority=priority).become_master())) == {priority}
    for wrong in (0, 256):
        with pytest.raises(ValueError, match="not in"):
            One(settings, priority=wrong)


@BOTH
def test_5_2_5_count_is_the_number_of_addresses(settings: InstanceSettings) -> None:
    (advert, *_) = adverts(One(settings).become_master())
    assert advert.payload[3] == len(settings.vips)


@BOTH
def test_5_2_5_advert_without_addresses_is_ignored(settings: InstanceSettings) -> None:
    one = One(settings)
    before_us = one.timer_us()
    one.hear(200, vips=())
    assert one.machine.counters["addr_list_err"] == 1
    assert one.timer_us() == before_us
    # keepalived takes one where it has no address either, and newer ones at all times; in strict
    # mode it is refused.
    for change in ({"vips": ()}, {"vip_mismatch": "accept"}):
        one = One(settings, **change)
        one.hear(200, vips=())
        assert one.timer_us() == 3_609_375
        assert one.machine.master is not None
        one = One(settings, strict=True, **change)
        one.hear(200, vips=())
        assert refused(one, "addr_list_err")
        assert one.machine.master is None


@BOTH
def test_5_2_6_reserve_is_0_when_sent(settings: InstanceSettings) -> None:
    (advert, *_) = adverts(One(settings, advert_int_us=40_950_000).become_master())
    assert advert.payload[4] >> 4 == 0


@BOTH
def test_5_2_6_reserve_is_ignored_when_received(settings: InstanceSettings) -> None:
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


def test_5_2_8_checksum_of_ipv4_covers_the_packet_alone() -> None:
    """As RFC 5798 was read by keepalived, by default a pseudo-header too; v3_checksum_as_v2."""
    (advert, *_) = adverts(One(V3, v3_checksum_as_v2=True).become_master())
    assert sums_to_zero(advert, pseudo=False)
    assert not sums_to_zero(advert, pseudo=True)
    (advert, *_) = adverts(One(V3).become_master())
    assert sums_to_zero(advert, pseudo=True)
    assert not sums_to_zero(advert, pseudo=False)


@pytest.mark.parametrize("word", [False, True])
def test_5_2_8_checksum_of_ipv6_covers_a_pseudo_header(word: bool) -> None:
    (advert, *_) = adverts(One(V6, v3_checksum_as_v2=word).become_master())
    assert sums_to_zero(advert, pseudo=True)
    assert not sums_to_zero(advert, pseudo=False)


def test_5_2_9_first_ipv6_address_is_link_local() -> None:
    """As the file has it; strict mode, as keepalived's, complains of another first one."""
    (advert, *_) = adverts(One(V6).become_master())
    assert advert.payload[8:24] == packet.packed("fe80::10")
    good, bad = "fe80::10/64\n2001:db8::10/64", "2001:db8::10/64\nfe80::10/64"
    told = [
        (vips is bad, strict)
        for strict in (False, True)
        for vips in (good, bad)
        if "link-local-first" in settings_of(vips, strict=strict)[1]
    ]
    assert told == [(True, True)]


@pytest.mark.parametrize("settings", [V3, V6], ids=["IPv4", "IPv6"])
def test_5_2_9_addresses_are_of_the_header_s_family(settings: InstanceSettings) -> None:
    other = (
        Address("2001:db8::1", 64, "d0") if settings.family == 4 else Address("1.2.3.4", 32, "d")
    )
    with pytest.raises(ValueError, match=f"every virtual_ipaddress must be IPv{settings.family}"):
        One(settings, vips=(*settings.vips, other))
    mixed, _ = settings_of("192.0.2.1/24\nfe80::10/64", strict=False)
    assert [a.ip for a in mixed.vips] == ["192.0.2.1"]
    assert mixed.excluded == (), "as keepalived 2.2.7, which leaves it out"
