"""Signatures: AH of version 2, and auth_hmac's trailer, computed here once more by its text."""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanode.vrrp import packet
from hanode.vrrp.auth import AhSequence
from hanode.vrrp.effects import SendAdvert
from hanode.vrrp.engine_settings import HmacKey, HmacSettings, InstanceSettings, Peer
from hanode.vrrp.packet import Advert, Datagram, Reason, Refusal
from hanode.vrrp.receive import Receiver
from hanode.vrrp.transmit import Transmitter
from tests.vrrp.single import V2, V3, V6

KEYS = HmacSettings((HmacKey(1, "11" * 32), HmacKey(2, "22" * 48)), active=1)
SIGNED = replace(V3, hmac=KEYS)
SIGNED6 = replace(V6, hmac=KEYS)
AH = replace(V2, auth_type="AH", auth_pass="secret")
NOW_US = 1_795_364_789_155_388
SOURCE = {4: "192.0.2.2", 6: "fe80::2"}


def sent(settings: InstanceSettings, *, wall_us: int = NOW_US, priority: int = 100) -> SendAdvert:
    transmitter = Transmitter(settings)
    transmitter.prepare(priority, packet.packed(SOURCE[settings.family]))
    return transmitter.adverts(wall_us=wall_us)[0]


def datagram(advert: SendAdvert) -> Datagram:
    if advert.ip_header:
        read = packet.read_ipv4(advert.ip_header + advert.payload)
        assert isinstance(read, Datagram)
        return read
    return Datagram(advert.source, advert.destination, advert.ttl, advert.payload)


def reason(
    settings: InstanceSettings, advert: SendAdvert, *, wall_us: int = NOW_US
) -> Reason | None:
    verdict = Receiver(settings).judge(datagram(advert), wall_us=wall_us)
    return verdict.reason if isinstance(verdict, Refusal) else None


# auth_hmac


@pytest.mark.parametrize("settings", [SIGNED, SIGNED6, replace(V2, hmac=KEYS)])
def test_trailer_is_made_as_keepalived_writes_it_down(settings: InstanceSettings) -> None:
    advert = sent(settings)
    pdu, trailer = advert.payload[:-28], advert.payload[-28:]
    assert trailer[:4] == bytes((1, 1, 0, 0))
    seconds, fraction, counter = struct.unpack(">IHH", trailer[4:12])
    assert (seconds, fraction, counter) == (1_795_364_789, 155_388 * 65_536 // 1_000_000, 0)
    source = packet.packed(SOURCE[settings.family]).ljust(16, b"\0")
    pseudo = bytes((settings.family, settings.version, 51, 0)) + source
    over = pseudo + pdu[:6] + b"\0\0" + pdu[8:] + trailer[:12] + bytes(16)
    assert trailer[12:] == hmac.new(bytes.fromhex("11" * 32), over, hashlib.sha256).digest()[:16]
    plain = sent(replace(settings, hmac=None)).payload
    if settings.family == 6:
        pdu, plain = pdu[:6] + pdu[8:], plain[:6] + plain[8:]
        over = packet.pseudo_header(advert.source, advert.destination, len(advert.payload))
        assert packet.checksum(over + advert.payload) == 0, "the kernel's covers the trailer"
    assert pdu == plain, "the VRRP checksum over IPv4 does not know of the trailer"


@pytest.mark.parametrize("settings", [SIGNED, SIGNED6, replace(V2, hmac=KEYS)])
def test_signed_advert_is_believed(settings: InstanceSettings) -> None:
    assert reason(settings, sent(settings)) is None


@pytest.mark.parametrize(
    ("mode", "signs", "takes_unsigned"),
    [("enforce", True, False), ("permissive", True, True), ("receive-only", False, True)],
)
def test_modes(mode: str, signs: bool, takes_unsigned: bool) -> None:
    settings = replace(V3, hmac=replace(KEYS, mode=mode))
    assert (len(sent(settings).payload) > len(sent(V3).payload)) is signs
    expected = None if takes_unsigned else Reason.EXT_MISSING
    assert reason(settings, sent(V3)) == expected
    assert reason(settings, sent(SIGNED)) is None


def test_each_fault_of_a_signature_has_its_counter() -> None:
    good = sent(SIGNED)
    body = good.payload

    def changed(payload: bytes) -> SendAdvert:
        return replace(good, payload=payload)

    assert reason(SIGNED, changed(body[:-1])) == Reason.LENGTH
    assert reason(SIGNED, changed(body[:-28] + b"\2" + body[-27:])) == Reason.EXT_MALFORMED
    assert reason(SIGNED, changed(body[:-27] + b"\7" + body[-26:])) == Reason.EXT_UNKNOWN_KEY
    assert reason(SIGNED, changed(body[:-27] + b"\2" + body[-26:])) == Reason.EXT_INVALID_HMAC
    assert reason(SIGNED, changed(body[:-1] + bytes((body[-1] ^ 1,)))) == Reason.EXT_INVALID_HMAC
    assert reason(SIGNED, good, wall_us=NOW_US + 6_000_000) == Reason.EXT_STALE
    assert reason(SIGNED, good, wall_us=NOW_US - 6_000_000) == Reason.EXT_STALE
    assert reason(SIGNED, replace(good, source=packet.packed("192.0.2.3"))) is not None
    assert reason(V3, good) == Reason.LENGTH, "who knows no auth_hmac refuses the longer packet"


def test_key_rotation() -> None:
    new = replace(V3, hmac=replace(KEYS, active=2))
    assert reason(SIGNED, sent(new)) is None
    only_old = replace(V3, hmac=HmacSettings(KEYS.keys[:1], active=1))
    assert reason(only_old, sent(new)) == Reason.EXT_UNKNOWN_KEY
    with pytest.raises(ValueError, match="no key 9"):
        replace(KEYS, active=9)


def test_replayed_advert_is_refused_and_sequences_grow_whatever_the_clock_does() -> None:
    transmitter, receiver = Transmitter(SIGNED), Receiver(SIGNED)
    transmitter.prepare(100, packet.packed("192.0.2.2"))
    for wall_us in (NOW_US, NOW_US, NOW_US + 5, NOW_US - 1_000_000, NOW_US + 1_000_000):
        (advert,) = transmitter.adverts(wall_us=wall_us)
        assert isinstance(receiver.judge(datagram(advert), wall_us=NOW_US), Advert)
        again = receiver.judge(datagram(advert), wall_us=NOW_US)
        assert isinstance(again, Refusal)
        assert again.reason == Reason.EXT_REPLAY
    patient = Receiver(replace(V3, hmac=replace(KEYS, anti_replay="monotonic")))
    assert isinstance(patient.judge(datagram(advert), wall_us=NOW_US + 3_600_000_000), Advert)
    again = patient.judge(datagram(advert), wall_us=NOW_US + 3_600_000_000)
    assert isinstance(again, Refusal)
    assert again.reason == Reason.EXT_REPLAY, "monotonic looks at no clock, and at every replay"


def test_only_four_multicast_senders_are_remembered_and_every_unicast_peer() -> None:
    adverts = []
    for last in range(1, 6):
        transmitter = Transmitter(SIGNED)
        transmitter.prepare(100, packet.packed(f"192.0.2.{last}"))
        adverts += transmitter.adverts(wall_us=NOW_US)
    receiver = Receiver(SIGNED)
    for advert in adverts:
        assert isinstance(receiver.judge(datagram(advert), wall_us=NOW_US), Advert)
    assert isinstance(receiver.judge(datagram(adverts[4]), wall_us=NOW_US), Refusal)
    assert isinstance(receiver.judge(datagram(adverts[0]), wall_us=NOW_US), Advert)


def test_all_unicast_peers_get_one_signature() -> None:
    peers = (Peer("192.0.2.3"), Peer("192.0.2.4"))
    transmitter = Transmitter(replace(SIGNED, unicast=True, unicast_peers=peers))
    transmitter.prepare(100, packet.packed("192.0.2.2"))
    one, other = transmitter.adverts(wall_us=NOW_US)
    assert one.payload[6:8] != other.payload[6:8], "the checksum has each one's address"
    assert one.payload[-28:] == other.payload[-28:]


# AH


@pytest.mark.parametrize("unicast", [False, True])
def test_ah_signs_what_no_router_changes(unicast: bool) -> None:
    """HMAC-MD5-96 over the whole datagram: its mutable fields and the signature itself are 0."""
    settings = replace(AH, unicast=unicast, unicast_peers=(Peer("192.0.2.3"),))
    advert = sent(settings)
    signed = bytearray(advert.ip_header + advert.payload)
    assert len(advert.ip_header) == 20
    assert signed[9] == 51, "the protocol is AH's, and signed"
    signature = bytes(signed[32:44])
    for at in (1, 6, 7, 10, 11, *([8] if unicast else []), *range(32, 44)):
        signed[at] = 0
    assert signature == hmac.new(b"secret\0\0", signed, hashlib.md5).digest()[:12]


def test_ah_number_grows_with_each_advert_and_follows_the_master_before() -> None:
    sequence = AhSequence()
    receiver, transmitter = Receiver(AH, sequence), Transmitter(AH)
    for _ in range(3):
        transmitter.prepare(100, packet.packed("192.0.2.2"))
        (advert,) = transmitter.adverts(wall_us=0)
        assert isinstance(receiver.judge(datagram(advert)), Advert)
    assert sequence.last == 3
    assert sequence.next() == 4, "a new master goes on where the old one was"


def test_ah_number_that_both_masters_sent_is_believed_once() -> None:
    """Else two that sent it in one moment refuse each other for ever, beat for beat."""
    sequence = AhSequence()
    receiver, ours = Receiver(AH, sequence), Transmitter(AH)
    ours.sequence = sequence
    theirs = Transmitter(AH)
    ours.prepare(100, packet.packed("192.0.2.2"))
    theirs.prepare(150, packet.packed("192.0.2.3"))
    (mine,), (other,) = ours.adverts(wall_us=0), theirs.adverts(wall_us=0)
    assert sequence.last == 1
    verdict = receiver.judge(datagram(other))
    assert isinstance(verdict, Advert)
    assert verdict.priority == 150
    for again in (other, mine):
        refused = receiver.judge(datagram(again))
        assert isinstance(refused, Refusal)
        assert refused.reason == Reason.REPLAY


def test_ah_of_unicast_leaves_the_ttl_out() -> None:
    settings = replace(AH, unicast=True, unicast_peers=(Peer("192.0.2.3"),))
    advert = sent(settings)
    hopped = replace(advert, ip_header=advert.ip_header[:8] + b"\x07" + advert.ip_header[9:])
    assert reason(settings, hopped) is None
    advert = sent(AH)
    hopped = replace(advert, ip_header=advert.ip_header[:8] + b"\x07" + advert.ip_header[9:])
    assert reason(AH, hopped) == Reason.AUTH


@pytest.mark.parametrize(
    ("at", "reason_"),
    [(0, Reason.LENGTH), (1, Reason.LENGTH), (4, Reason.AUTH), (8, Reason.AUTH), (13, Reason.AUTH),
     (26, Reason.AUTH), (30, Reason.AUTH)],
)  # fmt: skip
def test_changed_ah_is_refused(at: int, reason_: Reason) -> None:
    advert = sent(AH)
    payload = bytearray(advert.payload)
    payload[at] ^= 0x41
    assert reason(AH, replace(advert, payload=bytes(payload))) == reason_


def test_ah_and_what_has_none_do_not_mix() -> None:
    assert reason(AH, sent(V2)) == Reason.AUTH_TYPE
    assert reason(V2, sent(AH)) == Reason.AUTH_TYPE


# Whatever comes


@pytest.mark.parametrize("settings", [AH, SIGNED, V3, V2])
@given(data=st.binary(max_size=120))
def test_no_bytes_raise(settings: InstanceSettings, data: bytes) -> None:
    for read in (packet.read_ipv4(data), packet.read_ipv4(b"\x45" + data[1:])):
        if isinstance(read, Datagram):
            Receiver(settings).judge(read, wall_us=NOW_US)


@given(st.sampled_from([AH, SIGNED]), st.integers(0, 79), st.integers(1, 255))
def test_no_changed_byte_of_a_signed_advert_is_believed(
    settings: InstanceSettings, at: int, flip: int
) -> None:
    advert = sent(settings)
    payload = bytearray(advert.payload)
    payload[at % len(payload)] ^= flip
    assert reason(settings, replace(advert, payload=bytes(payload))) is not None
