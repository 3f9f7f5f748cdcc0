"""Packets byte for byte as keepalived 2.2.7 sends them (keepalived.md section 2.7, captures)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanode.vrrp import packet
from hanode.vrrp.arp import gratuitous_arp
from hanode.vrrp.engine_settings import Address, InstanceSettings, Peer
from hanode.vrrp.packet import Advert, Datagram, Reason, Refusal
from hanode.vrrp.receive import Receiver
from tests.vrrp.story import LAB, advert_packet

SOURCE, GROUP = "192.0.2.2", "224.0.0.18"


def instance(*vips: str, **more: object) -> InstanceSettings:
    addresses = tuple(Address(ip, 24 if "." in ip else 64, "d0") for ip in vips)
    return InstanceSettings("VI_1", "d0", 51, 100, addresses, **more)  # type: ignore[arg-type]


PLAIN = instance("192.0.2.10")
PASS = instance("192.0.2.10", "192.0.2.11", auth_type="PASS", auth_pass="secret")
V3 = instance("192.0.2.10", version=3)
V6 = instance(
    "fe80::10", "2001:db8::10", version=3, family=6, mcast_group="ff02::12"
)  # fmt: skip

GOLDEN_IPV4 = [
    (PLAIN, 100, 1, GROUP, "45c0002800010000ff701890c0000202e0000012"
     "213364010001b8bfc000020a0000000000000000"),
    (PLAIN, 0, 1, GROUP, "45c0002800010000ff701890c0000202e0000012"
     "2133000100011cc0c000020a0000000000000000"),
    (PASS, 100, 1, GROUP, "45c0002c00010000ff70188cc0000202e0000012"
     "213364020101b966c000020ac000020b7365637265740000"),
    (PASS, 0, 5, GROUP, "45c0002c00050000ff701888c0000202e0000012"
     "2133000201011d67c000020ac000020b7365637265740000"),
    (V3, 100, 1, GROUP, "45c0002000010000ff701898c0000202e0000012"
     "31336401006405cbc000020a"),
    (V3, 0, 1, GROUP, "45c0002000010000ff701898c0000202e0000012"
     "31330001006469cbc000020a"),
    (PLAIN, 100, 1, "192.0.2.3", "45c0002800010000ff70369fc0000202c0000203"
     "213364010001b8bfc000020a0000000000000000"),
]  # fmt: skip


def encode(settings: InstanceSettings, priority: int, ident: int, to: str) -> bytes:
    source, destination = packet.packed(SOURCE), packet.packed(to)
    payload = packet.encode(settings, priority=priority, source=source, destination=destination)
    header = packet.ipv4_header(
        source=source, destination=destination, length=len(payload), ident=ident
    )
    return header + payload


@pytest.mark.parametrize(("settings", "priority", "ident", "to", "expected"), GOLDEN_IPV4)
def test_ipv4_advert_is_byte_equal_to_keepalived(
    settings: InstanceSettings, priority: int, ident: int, to: str, expected: str
) -> None:
    assert encode(settings, priority, ident, to).hex() == expected


def test_ipv6_advert_is_byte_equal_to_keepalived() -> None:
    payload = packet.encode(
        V6, priority=100, source=packet.packed("fe80::1"), destination=packet.packed("ff02::12")
    )
    assert payload.hex() == (
        "3133640200643fdd" + packet.packed("fe80::10").hex() + packet.packed("2001:db8::10").hex()
    )


def test_gratuitous_arp_is_byte_equal_to_keepalived() -> None:
    frame = gratuitous_arp(mac=bytes.fromhex("020000000001"), address=packet.packed("192.0.2.10"))
    assert frame.hex() == (
        "ffffffffffff020000000001080600010800060400010200"
        "00000001c000020affffffffffffc000020a"
    )  # fmt: skip


@pytest.mark.needs("shared")
def test_captured_frames_are_what_we_would_send(shared: Path) -> None:
    frames = [
        bytes.fromhex(line.split()[2])
        for line in (shared / "golden" / "cap.a").read_text().splitlines()
        if line.split()[1:2] in (["ip4"], ["arp"])
    ]
    ours = {
        encode(PASS, 100, 1, GROUP),
        encode(PASS, 0, 5, GROUP),
        *(
            gratuitous_arp(mac=bytes.fromhex("020000000001"), address=packet.packed(ip))
            for ip in ("192.0.2.10", "192.0.2.11")
        ),
    }
    captured = {f[14:] if f[12:14] == b"\x08\x00" else f for f in frames if f[23] != 2}
    assert captured == ours


@pytest.mark.parametrize(
    "settings", [PLAIN, PASS, V3, instance(), instance("192.0.2.9", version=3)]
)
def test_what_we_send_passes_our_own_checks(settings: InstanceSettings) -> None:
    datagram = packet.read_ipv4(encode(settings, 77, 9, GROUP))
    assert isinstance(datagram, Datagram)
    advert = Receiver(settings).judge(datagram)
    assert isinstance(advert, Advert)
    assert (advert.vrid, advert.priority, advert.interval_us) == (51, 77, 1_000_000)
    assert advert.same_addresses


def judged(settings: InstanceSettings, data: bytes) -> Reason | None:
    datagram = packet.read_ipv4(data)
    verdict = datagram if isinstance(datagram, Refusal) else Receiver(settings).judge(datagram)
    return verdict.reason if isinstance(verdict, Refusal) else None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d[:-1], Reason.LENGTH),
        (lambda d: d[:27], Reason.LENGTH),
        (lambda d: b"", Reason.LENGTH),
        (lambda d: b"\x4f" + d[1:], Reason.LENGTH),
        (lambda d: b"\x65" + d[1:], Reason.LENGTH),
        (lambda d: d[:23] + b"\x09" + d[24:], Reason.LENGTH),
        (lambda d: d[:8] + b"\xfe" + d[9:], Reason.TTL),
        (lambda d: d[:24] + b"\x07" + d[25:], Reason.AUTH_TYPE_UNKNOWN),
        (lambda d: d[:24] + b"\x02" + d[25:], Reason.AUTH_TYPE),
        (lambda d: d[:-1] + b"x", Reason.AUTH),
        (lambda d: d[:25] + b"\x02" + d[26:], Reason.INTERVAL),
        (lambda d: d[:20] + b"\x22" + d[21:], Reason.TYPE),
        (lambda d: d[:26] + b"\0\0" + d[28:], Reason.CHECKSUM),
        (lambda d: d[:19] + b"\x13" + d[20:], Reason.DESTINATION),
    ],
)
def test_each_fault_has_its_reason(change: object, reason: Reason) -> None:
    data = advert_packet(LAB, sender="192.168.192.100", priority=100)
    assert judged(LAB, data) is None
    assert judged(LAB, change(data)) == reason  # type: ignore[operator]


def test_wrong_version_is_refused() -> None:
    data = advert_packet(
        replace(LAB, version=3, auth_type="NONE"), sender="192.168.192.100", priority=100
    )
    assert judged(LAB, data) == Reason.VERSION


def test_only_eight_bytes_of_the_password_count() -> None:
    data = advert_packet(
        replace(LAB, auth_pass="secure12-longer"), sender="192.168.192.100", priority=100
    )
    assert judged(LAB, data) is None


@given(st.binary(max_size=80))
def test_no_bytes_raise(data: bytes) -> None:
    judged(LAB, data)


@given(st.integers(0, 47), st.integers(0, 255))
def test_no_changed_byte_raises_or_is_believed_with_another_meaning(at: int, value: int) -> None:
    good = advert_packet(LAB, sender="192.168.192.100", priority=100)
    data = bytearray(good)
    data[at % len(data)] = value
    verdict = judged(LAB, bytes(data))
    # Only fields that v2's checksum does not cover may differ in a packet that passes.
    covered = range(20, len(good))
    assert verdict is not None or bytes(data) == good or at % len(data) not in covered


@pytest.mark.parametrize("told", ["auto", "old", "never"])
@pytest.mark.parametrize("sent", ["auto", "old"])
def test_old_unicast_checksum_is_taken_unless_never(sent: str, told: str) -> None:
    """Its pseudo header names the multicast group instead of the destination."""
    peers = {"unicast": True, "unicast_peers": (Peer(SOURCE),), "checksum_group": "224.0.0.50"}
    ours = replace(V3, unicast_checksum=told, **peers)  # type: ignore[arg-type]
    theirs = replace(V3, unicast_checksum=sent, **peers)  # type: ignore[arg-type]
    datagram = packet.read_ipv4(encode(theirs, 100, 1, "192.0.2.3"))
    assert isinstance(datagram, Datagram)
    verdict = Receiver(ours).judge(datagram)
    if (sent, told) == ("old", "never"):
        assert isinstance(verdict, Refusal)
        assert verdict.reason is Reason.CHECKSUM
    else:
        assert isinstance(verdict, Advert)
    group = packet.packed("224.0.0.50" if sent == "old" else "192.0.2.3")
    pseudo = packet.pseudo_header(packet.packed(SOURCE), group, len(datagram.payload))
    assert packet.checksum(pseudo + datagram.payload) == 0
