"""What a person reads about a packet that was refused: the whole sentence, for each reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.vrrp import packet
from hanode.vrrp.auth import AhSequence, sign_ah
from hanode.vrrp.effects import Warned
from hanode.vrrp.engine_settings import InstanceSettings, Peer
from hanode.vrrp.packet import Advert, Datagram, Reason, Refusal
from hanode.vrrp.receive import Receiver
from tests.vrrp.faults import FAULTS, INTERFACE, Fault, name
from tests.vrrp.single import V2, V3, V6, One
from tests.vrrp.test_auth import AH, NOW_US, SIGNED, datagram, sent
from tests.vrrp.test_counters import WALL_US, running

SENTENCES = {
    "Plain-packet_len_err": "8 bytes do not hold the 1 address it announces",
    "Old-packet_len_err": "it has only 24 bytes",
    "Plain-ip_ttl_err": "its TTL is 254 instead of 255",
    "Plain-version_err": "it is VRRPv2, ours is VRRPv3",
    "Plain-invalid_type_rcvd": "its type is 2 instead of 1",
    "Plain-checksum_err": "its checksum is wrong",
    "Plain-destination_err": "it was sent to 192.168.192.100",
    "Old-invalid_authtype": "its auth_type 9 is unknown",
    "Old-authtype_mismatch": "its auth_type is PASS, ours is none",
    "Old-advert_interval_err": "its advert_int is 2 s, ours is 1 s",
    "Pass-auth_failure": "its auth_pass differs from ours",
    "Owner-owner_ignored": "we own the addresses, and ignore others",
    "Unicast-unicast_src_err": "its sender is no unicast_peer of ours",
    "Ah-authtype_mismatch": "it lacks an authentication header, our auth_type is AH",
    "Ah-auth_failure": "its AH was made with another auth_pass",
    "Ah-replay_err": "its AH sequence number 1 is not above 1",
    "Signed-auth_ext_missing": "it is not signed, and ours must be (auth_hmac)",
    "Signed-auth_ext_malformed": "its signature is of the unknown type 2",
    "Signed-auth_ext_unknown_key": "it is signed with key 7, unknown here",
    "Signed-auth_ext_invalid_hmac": "its signature with key 1 is wrong",
    "Signed-auth_ext_stale": "its signature is 60 s old, and time_window is 5 s",
    "Signed-auth_ext_replay": "its signature was used before",
}


@pytest.mark.parametrize(
    "fault", [fault for fault in FAULTS if fault.reason is not Reason.ADDRESSES], ids=name
)
def test_the_warning_says_who_sent_it_and_what_is_wrong(fault: Fault) -> None:
    router = running()
    effects = [
        effect
        for data in fault.make(fault.to, WALL_US)
        for effect in router.receive_ipv4(INTERFACE, data, now_us=0)
    ]
    cause = f"refused an advert from 192.168.192.111: {SENTENCES[name(fault)]}"
    assert effects == [Warned(fault.to.key, fault.to.name, fault.reason, cause)]


def refusal(settings: InstanceSettings, came: Datagram, *, wall_us: int = NOW_US) -> Refusal:
    verdict = Receiver(settings).judge(came, wall_us=wall_us)
    assert isinstance(verdict, Refusal)
    return verdict


UNICAST = replace(V3, unicast=True, unicast_peers=(Peer("192.0.2.2", min_ttl=254),))


@pytest.mark.parametrize("settings", [V2, V3, V6], ids=["v2", "v3", "v6"])
@pytest.mark.parametrize("version", [0, 1, 4, 7, 15])
@pytest.mark.parametrize("more", [0, 8, 24])
def test_a_version_that_does_not_exist(settings: InstanceSettings, version: int, more: int) -> None:
    """Nothing is known of its length, so that nothing is said of it."""
    came = datagram(sent(settings))
    payload = bytes([version << 4 | 1]) + came.payload[1:] + bytes(more)
    sentence = f"it is VRRPv{version}, ours is VRRPv{settings.version}"
    assert refusal(settings, replace(came, payload=payload)) == Refusal(Reason.VERSION, sentence)


def test_an_advert_with_something_behind_it() -> None:
    came = datagram(sent(V3))
    longer = replace(came, payload=came.payload + bytes(8))
    sentence = "20 bytes are more than the 1 address it announces"
    assert refusal(V3, longer) == Refusal(Reason.LENGTH, sentence)


def test_an_authentication_header_that_is_not_wanted() -> None:
    sentence = "it has an authentication header, our auth_type is none"
    assert refusal(V2, datagram(sent(AH))) == Refusal(Reason.AUTH_TYPE, sentence)


def test_a_v2_auth_type_that_is_not_wanted() -> None:
    ours = replace(V2, auth_type="PASS", auth_pass="secret")
    sentence = "its auth_type is none, ours is PASS"
    assert refusal(ours, datagram(sent(V2))) == Refusal(Reason.AUTH_TYPE, sentence)


def test_an_advert_to_the_group_where_ours_is_unicast() -> None:
    sentence = "it was sent to 224.0.0.18, ours is unicast"
    assert refusal(UNICAST, datagram(sent(V3))) == Refusal(Reason.DESTINATION, sentence)


@pytest.mark.parametrize(("ttl", "taken"), [(253, False), (254, True), (255, True)])
def test_a_peer_whose_ttl_is_outside_its_limits(ttl: int, taken: bool) -> None:
    ours = replace(UNICAST, check_unicast_src=True)
    came = replace(datagram(sent(ours)), ttl=ttl)
    if taken:
        assert isinstance(Receiver(ours).judge(came), Advert)
    else:
        sentence = "its TTL 253 is not in 254..255"
        assert refusal(ours, came) == Refusal(Reason.TTL, sentence)


def test_a_peer_may_have_an_upper_limit_too() -> None:
    peer = Peer("192.0.2.2", min_ttl=10, max_ttl=20)
    ours = replace(UNICAST, check_unicast_src=True, unicast_peers=(peer,))
    came = datagram(sent(ours))
    assert isinstance(Receiver(ours).judge(replace(came, ttl=20)), Advert)
    sentence = "its TTL 21 is not in 10..20"
    assert refusal(ours, replace(came, ttl=21)) == Refusal(Reason.TTL, sentence)


def test_the_age_of_a_signature_is_told_in_whole_seconds_which_count() -> None:
    signed = datagram(sent(SIGNED))
    old = refusal(SIGNED, signed, wall_us=NOW_US + 7_250_000)
    ahead = refusal(SIGNED, signed, wall_us=NOW_US - 7_160_000)
    assert old.text == "its signature is 7 s old, and time_window is 5 s"
    assert ahead.text == "its signature is 8 s ahead of our clock, and time_window is 5 s"


def test_a_signature_of_another_length() -> None:
    signed = datagram(sent(SIGNED))
    came = replace(signed, payload=signed.payload[:-1])
    assert refusal(SIGNED, came).reason is Reason.LENGTH, "as keepalived counts it"


def test_a_signed_advert_to_a_unicast_instance_must_come_from_a_peer() -> None:
    ours = replace(SIGNED, unicast=True, unicast_peers=(Peer("192.0.2.9"),))
    came = datagram(sent(replace(SIGNED, unicast=True, unicast_peers=(Peer("192.0.2.1"),))))
    sentence = "it is signed, and its sender is no unicast_peer of ours"
    assert refusal(ours, came) == Refusal(Reason.SOURCE, sentence)


@pytest.mark.parametrize("at", [0, 1], ids=["next header", "length"])
def test_a_broken_authentication_header(at: int) -> None:
    came = datagram(sent(AH))
    ah = bytearray(came.ah)
    ah[at] ^= 1
    sentence = "its authentication header is broken"
    assert refusal(AH, replace(came, ah=bytes(ah))) == Refusal(Reason.LENGTH, sentence)


def test_an_spi_that_is_not_the_sender() -> None:
    came = datagram(sent(AH))
    moved = replace(came, source=packet.packed("192.0.2.9"))
    sentence = "the SPI of its AH is not its source address"
    assert refusal(AH, moved) == Refusal(Reason.AUTH, sentence)


def test_strictly_an_advert_needs_an_address_and_an_interval() -> None:
    ours = replace(V3, strict=True)
    assert isinstance(Receiver(ours).judge(datagram(sent(V3))), Advert)
    empty = datagram(sent(replace(V3, vips=())))
    assert refusal(ours, empty) == Refusal(Reason.ADDRESSES, "it names no address")
    with_interval = datagram(sent(V3))
    header = with_interval.payload[:4] + b"\0\0"
    rest = with_interval.payload[8:]
    over = packet.pseudo_header(with_interval.source, with_interval.destination, 12)
    total = packet.checksum(over + header + b"\0\0" + rest)
    hurried = replace(with_interval, payload=header + total.to_bytes(2, "big") + rest)
    assert refusal(ours, hurried) == Refusal(Reason.INTERVAL, "its advert_int is 0")
    assert isinstance(Receiver(V3).judge(hurried), Advert), "keepalived takes it"


def test_an_ipv6_packet_without_a_whole_header() -> None:
    (warning,) = One(V6).hear(90, drop=33)
    assert isinstance(warning, Warned)
    assert warning.cause == "refused an advert from fe80::3: it has only 7 bytes"


# The IP header


def plain(payload: bytes = bytes(8)) -> bytes:
    header = packet.ipv4_header(
        source=packet.packed("192.0.2.2"), destination=packet.packed("224.0.0.18"),
        length=len(payload), ident=7,
    )  # fmt: skip
    return header + payload


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (plain()[:27], "it has only 27 bytes"),
        (b"\x44" + plain()[1:], "its IP header is broken"),
        (b"\x65" + plain()[1:], "its IP header is broken"),
        (plain(bytes(7)) + b"\0", "27 bytes hold no VRRP"),
        (plain()[:9] + b"\x33" + plain()[10:], "28 bytes hold no VRRP"),
        (plain(bytes(9))[:-1], "29 bytes were announced and 28 came"),
    ],
)
def test_a_packet_that_cannot_be_taken_apart(data: bytes, sentence: str) -> None:
    assert packet.read_ipv4(data) == Refusal(Reason.LENGTH, sentence)


def test_what_follows_the_announced_length_is_padding() -> None:
    read = packet.read_ipv4(plain(bytes(range(8))) + bytes(18))
    assert isinstance(read, Datagram)
    assert read == Datagram(
        packet.packed("192.0.2.2"), packet.packed("224.0.0.18"), 255, bytes(range(8)),
        b"", plain()[:20],
    )  # fmt: skip


def test_options_of_the_ip_header_are_passed_over() -> None:
    simple = plain(bytes(4) + bytes(range(8)))
    data = b"\x46" + simple[1:]
    read = packet.read_ipv4(data)
    assert isinstance(read, Datagram)
    assert (read.payload, read.ip_header) == (bytes(range(8)), data[:24])


def test_an_authentication_header_is_taken_off() -> None:
    header, payload = sign_ah(
        AH, bytes(range(8)), source=packet.packed("192.0.2.2"),
        destination=packet.packed("224.0.0.18"), sequence=AhSequence(),
    )  # fmt: skip
    read = packet.read_ipv4(header + payload)
    assert isinstance(read, Datagram)
    assert (read.ip_header, read.ah, read.payload) == (header, payload[:24], bytes(range(8)))


@pytest.mark.parametrize(
    ("data", "vrid"),
    [
        (plain()[:19], None),
        (plain()[:21], None),
        (plain(b"\x31\x33")[:22], 0x33),
        (b"\x4f" + plain()[1:], None),
        (b"\x46" + plain(bytes(4) + b"\x31\x34")[1:], 0x34),
        (b"\x41" + plain(b"\x31\x35")[1:], 0x35),
        (plain(b"\0" * 25 + b"\x36")[:9] + b"\x33" + plain(b"\0" * 25 + b"\x36")[10:], 0x36),
        (plain(b"\0" * 25)[:9] + b"\x33" + plain(b"\0" * 25)[10:], None),
    ],
)
def test_the_vrid_is_found_as_far_as_the_packet_goes(data: bytes, vrid: int | None) -> None:
    assert packet.vrid_at(data) == vrid
