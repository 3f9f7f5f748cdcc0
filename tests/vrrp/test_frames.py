"""Bytes: the frames that announce addresses, checksums, and what an advert's fields mean."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from hanode.vrrp import packet
from hanode.vrrp.arp import gratuitous_arp
from hanode.vrrp.engine_settings import Address, InstanceSettings, Peer
from hanode.vrrp.ndisc import neighbour_advert
from hanode.vrrp.timing import master_down_us, seconds, skew_us, start_delay
from tests.vrrp.single import V2, V3, V6

MAC = bytes.fromhex("00005e000233")
FOUR, SIX = packet.packed("192.0.2.10"), packet.packed("fe80::10")
SOURCE, GROUP = packet.packed("192.0.2.2"), packet.packed("224.0.0.18")


def test_gratuitous_arp_asks_everybody_for_the_address_itself() -> None:
    ethernet = "ffffffffffff 00005e000233 0806"
    arp = "0001 0800 06 04 0001 00005e000233 c000020a ffffffffffff c000020a"
    assert gratuitous_arp(mac=MAC, address=FOUR) == bytes.fromhex(ethernet + arp)


@pytest.mark.parametrize(("router", "flags"), [(True, 0xA0), (False, 0x20)])
def test_neighbour_advert_overrides_what_all_nodes_knew(router: bool, flags: int) -> None:
    frame = neighbour_advert(mac=MAC, address=SIX, router=router)
    all_nodes = packet.packed("ff02::1")
    assert frame[:14] == bytes.fromhex("333300000001 00005e000233 86dd")
    assert frame[14:22] == bytes.fromhex("60000000 0020 3a ff"), "32 bytes of ICMPv6, hop limit 255"
    assert frame[22:54] == SIX + all_nodes
    icmp = frame[54:]
    assert icmp[:2] == bytes((136, 0))
    assert icmp[4:] == bytes((flags, 0, 0, 0)) + SIX + bytes((2, 1)) + MAC
    pseudo = SIX + all_nodes + struct.pack(">II", len(icmp), 58)
    assert packet.checksum(pseudo + icmp) == 0


# Checksums


@pytest.mark.parametrize(
    ("data", "total"),
    [
        (b"", 0xFFFF),
        (b"\x12\x34", 0xEDCB),
        (b"\x12", 0xEDFF),
        (b"\xff\xff\x00\x01", 0xFFFE),
        (b"\xff\xff\xff\xff\x00\x02", 0xFFFD),
        (bytes.fromhex("0001f203f4f5f6f7"), 0x220D),
    ],
)
def test_the_internet_checksum(data: bytes, total: int) -> None:
    assert packet.checksum(data) == total


def test_a_checksum_carries_as_often_as_it_must() -> None:
    assert packet.checksum(b"\xff\xff" * 0x1_0001 + b"\x00\x01") == 0xFFFE


def test_the_pseudo_header_of_either_family() -> None:
    assert packet.pseudo_header(SOURCE, GROUP, 12) == SOURCE + GROUP + bytes((0, 112, 0, 12))
    to = packet.packed("ff02::12")
    expected = SIX + to + bytes((0, 0, 0, 40, 0, 0, 0, 112))
    assert packet.pseudo_header(SIX, to, 40) == expected


UNICAST = replace(V3, unicast=True, unicast_peers=(Peer("192.0.2.3"),))


@pytest.mark.parametrize(
    ("settings", "over"),
    [
        (V2, None),
        (replace(V2, v3_checksum_as_v2=True), None),
        (V3, "224.0.0.18"),
        (replace(V3, v3_checksum_as_v2=True), None),
        (replace(V3, unicast_checksum="old", checksum_group="224.0.0.99"), "224.0.0.18"),
        (replace(UNICAST, unicast_checksum="old", checksum_group="224.0.0.99"), "224.0.0.99"),
        (replace(UNICAST, unicast_checksum="auto", checksum_group="224.0.0.99"), "224.0.0.18"),
    ],
)
def test_what_the_checksum_of_an_advert_covers(
    settings: InstanceSettings, over: str | None
) -> None:
    pdu = packet.encode(settings, priority=100, source=SOURCE, destination=GROUP)
    head = b"" if over is None else packet.pseudo_header(SOURCE, packet.packed(over), len(pdu))
    assert packet.checksum(head + pdu) == 0
    assert pdu[6:8] != b"\0\0"


@pytest.mark.parametrize(
    "change", [{"v3_checksum_as_v2": True}, {"unicast_checksum": "old", "unicast": True}]
)
def test_ipv6_always_has_the_checksum_of_the_rfc(change: dict[str, object]) -> None:
    to = packet.packed("ff02::12")
    plain = packet.encode(V6, priority=100, source=SIX, destination=to)
    told = replace(V6, **change)  # type: ignore[arg-type]
    assert packet.encode(told, priority=100, source=SIX, destination=to) == plain


# Fields


def test_the_fields_of_version_2() -> None:
    settings = replace(V2, auth_type="PASS", auth_pass="secret", advert_int_us=7_000_000)
    pdu = packet.encode(settings, priority=90, source=SOURCE, destination=GROUP)
    assert pdu[:6] == bytes((0x21, 51, 90, 1, 1, 7))
    assert pdu[8:] == FOUR + b"secret\0\0"


def test_the_fields_of_version_3() -> None:
    settings = replace(V3, advert_int_us=40_950_000)
    pdu = packet.encode(settings, priority=90, source=SOURCE, destination=GROUP)
    assert pdu[:6] == bytes((0x31, 51, 90, 1, 0x0F, 0xFF))
    assert pdu[8:] == FOUR


def test_a_password_longer_than_eight_bytes_is_cut() -> None:
    settings = replace(V2, auth_type="PASS", auth_pass="123456789")
    assert packet.auth_data(settings) == b"12345678"
    assert packet.auth_data(replace(settings, auth_type="NONE")) == bytes(8)


@pytest.mark.parametrize(
    ("head", "us"),
    [
        (bytes((0x21, 0, 0, 0, 1, 7)), 7_000_000),
        (bytes((0x31, 0, 0, 0, 0x00, 0x64)), 1_000_000),
        (bytes((0x31, 0, 0, 0, 0xFF, 0xFF)), 40_950_000),
        (bytes((0x31, 0, 0, 0, 0xF1, 0x02)), 2_580_000),
    ],
)
def test_the_interval_of_an_advert(head: bytes, us: int) -> None:
    assert packet.interval_us(head + bytes(6)) == us


def test_the_ip_header_of_an_advert() -> None:
    header = packet.ipv4_header(source=SOURCE, destination=GROUP, length=20, ident=0x1234)
    assert header[:10] == bytes.fromhex("45c0 0028 1234 0000 ff70")
    assert header[12:] == SOURCE + GROUP
    assert packet.checksum(header) == 0


# Other addresses than ours


A, B, C = (packet.packed(f"192.0.2.{n}") for n in (10, 11, 12))
LISTED = replace(V2, vips=(Address("192.0.2.10", 24, "d0"), Address("192.0.2.11", 24, "d0")))


@pytest.mark.parametrize(
    ("addresses", "same"),
    [((A, B), True), ((B, A), True), ((A,), False), ((A, B, C), False), ((A, B, B), False)],
)
def test_an_advert_lists_our_addresses_in_any_order(
    addresses: tuple[bytes, ...], same: bool
) -> None:
    assert packet.same_addresses(addresses, LISTED) is same


@pytest.mark.parametrize(
    ("addresses", "how"),
    [
        ((), "lacks 192.0.2.10, 192.0.2.11"),
        ((B,), "lacks 192.0.2.10"),
        ((A, B, C), "has besides 192.0.2.12"),
        ((A, C), "lacks 192.0.2.11 and has besides 192.0.2.12"),
        ((A, A, B), "repeats some"),
    ],
)
def test_how_addresses_differ_is_told_in_words(addresses: tuple[bytes, ...], how: str) -> None:
    sentence = f"lists other addresses than ours: it {how}"
    assert packet.difference(addresses, LISTED) == sentence


# Times


@pytest.mark.parametrize(
    ("version", "priority", "advert_us", "us"),
    [
        (2, 100, 1_000_000, 609_375),
        (2, 100, 9_000_000, 609_375),
        (2, 255, 1_000_000, 3_906),
        (2, 300, 1_000_000, 3_906),
        (2, 1, 1_000_000, 996_093),
        (3, 100, 1_000_000, 609_375),
        (3, 100, 2_000_000, 1_218_750),
        (3, 255, 1_000_000, 3_906),
        (3, 254, 19_999, 78),
    ],
)
def test_the_lower_the_priority_the_longer_the_skew_time(
    version: int, priority: int, advert_us: int, us: int
) -> None:
    assert skew_us(version=version, priority=priority, master_advert_us=advert_us) == us


@pytest.mark.parametrize(("adverts", "us"), [(1, 2_609_375), (3, 6_609_375)])
def test_a_backup_waits_so_many_adverts_and_the_skew_time(adverts: int, us: int) -> None:
    waits = master_down_us(version=2, priority=100, master_advert_us=2_000_000, adverts=adverts)
    assert waits == us


def test_a_backup_waits_three_adverts_where_nothing_else_is_said() -> None:
    assert master_down_us(version=2, priority=100, master_advert_us=2_000_000) == 6_609_375


@pytest.mark.parametrize(
    ("startup_us", "after_boot_us", "since_boot_us", "delay"),
    [
        (0, 0, None, (0, "waits 0.000 s after the start")),
        (7_000, 90_000, None, (7_000, "waits 0.007 s after the start")),
        (7_000, 90_000, 80_000,
         (10_000, "waits 0.010 s, until 0.090 s after the machine's start")),
        (7_000, 90_000, 83_000, (7_000, "waits 0.007 s after the start")),
        (0, 90_000, 91_000, (0, "waits 0.000 s after the start")),
    ],
)  # fmt: skip
def test_the_later_delay_counts_and_is_explained(
    startup_us: int, after_boot_us: int, since_boot_us: int | None, delay: tuple[int, str]
) -> None:
    assert start_delay(startup_us, after_boot_us, since_boot_us) == delay


def test_a_duration_is_told_in_thousandths_of_a_second() -> None:
    assert [seconds(us) for us in (0, 1_499, 3_628_906)] == ["0.000 s", "0.001 s", "3.629 s"]
