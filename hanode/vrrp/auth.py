"""Signed adverts: AH of VRRPv2 (RFC 2402, HMAC-MD5-96) and keepalived's auth_hmac trailer.

PURE. Byte for byte as keepalived makes and checks them.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections import OrderedDict

from hanode.vrrp.engine_settings import HmacSettings, InstanceSettings
from hanode.vrrp.kernel_objects import pack
from hanode.vrrp.packet import (
    AH_BYTES,
    AUTH_BYTES,
    PROTOCOL,
    PROTOCOL_AH,
    Datagram,
    Reason,
    Refusal,
    ipv4_header,
)

AH_HEAD = struct.Struct(">BBH4sI")
AH_LENGTH = AH_BYTES // 4 - 2
ICV_BYTES = 12
SEQUENCE_END = 1 << 32

TRAILER_BYTES = 28
TRAILER_TYPE = 1
TRAILER_HEAD = struct.Struct(">BBHQ")
"""Type, number of the key, 0, and the number of the advert (see `_clock`)."""
SEQUENCES = 1 << 64
SENDERS_REMEMBERED = 4
"""keepalived's number of slots for the senders that one multicast instance can receive."""


class AhSequence:
    """The sequence number of one instance: what was sent or believed last.

    One counter for both ways, as keepalived has it: a new master goes on where the old one was,
    else the others would take its adverts for a replay. Two masters that sent the same number in
    one moment would refuse each other for ever; a number that we sent, and have not received, is no
    replay when it comes for the first time.
    """

    def __init__(self) -> None:
        self.last = 0
        self.ident = 0
        self._sent = False
        """The last one was ours, and nobody else's yet."""

    def believe(self, number: int) -> bool:
        """Take over the number of an advert; False: it is a replay."""
        if number < self.last or (number == self.last and not self._sent):
            return False
        self.last, self._sent = number, False
        return True

    def next(self) -> int:
        """The number of the next advert."""
        self.last = (self.last + 1) % SEQUENCE_END or 1
        self.ident = (self.ident + 1) & 0xFFFF or 1
        self._sent = True
        return self.last


def ah_key(settings: InstanceSettings) -> bytes:
    """auth_pass as a key."""
    return settings.auth_pass.encode()[:AUTH_BYTES].ljust(AUTH_BYTES, b"\0")


def sign_ah(
    settings: InstanceSettings,
    vrrp: bytes,
    *,
    source: bytes,
    destination: bytes,
    sequence: AhSequence,
) -> tuple[bytes, bytes]:
    """The IP header and what follows it."""
    number = sequence.next()
    header = ipv4_header(
        source=source,
        destination=destination,
        length=AH_BYTES + len(vrrp),
        ident=sequence.ident,
        ttl=settings.ttl if settings.unicast else 255,
        protocol=PROTOCOL_AH,
    )
    head = AH_HEAD.pack(PROTOCOL, AH_LENGTH, 0, source, number)
    icv = _icv(ah_key(settings), header, head, vrrp, unicast=settings.unicast)
    return header, head + icv + vrrp


def check_ah(
    datagram: Datagram, settings: InstanceSettings, sequence: AhSequence
) -> Refusal | None:
    """Whether the authentication header is right; takes its number over if so."""
    head, icv = datagram.ah[:ICV_BYTES], datagram.ah[ICV_BYTES:]
    following, length, _, spi, number = AH_HEAD.unpack(head)
    if following != PROTOCOL or length != AH_LENGTH:
        return Refusal(Reason.LENGTH, "its authentication header is broken")
    if spi != datagram.source:
        return Refusal(Reason.AUTH, "the SPI of its AH is not its source address")
    wanted = _icv(
        ah_key(settings), datagram.ip_header, head, datagram.payload, unicast=settings.unicast
    )
    if not hmac.compare_digest(icv, wanted):
        return Refusal(Reason.AUTH, "its AH was made with another auth_pass")
    if not sequence.believe(number):
        return Refusal(
            Reason.REPLAY, f"its AH sequence number {number} is not above {sequence.last}"
        )
    return None


def _icv(key: bytes, header: bytes, head: bytes, vrrp: bytes, *, unicast: bool) -> bytes:
    """The mutable fields of the IP header count as zero: TOS, flags, checksum, a hop's TTL."""
    ttl = b"\0" if unicast else header[8:9]
    over = header[:1] + b"\0" + header[2:6] + b"\0\0" + ttl + header[9:10] + b"\0\0" + header[12:]
    digest = hmac.new(key, over + head + bytes(ICV_BYTES) + vrrp, hashlib.md5).digest()
    return digest[:ICV_BYTES]


class HmacSigner:
    """Numbers trailers by the clock, each above the one before."""

    def __init__(self) -> None:
        self._last: int | None = None

    def sign(
        self, hmac_settings: HmacSettings, pdu: bytes, *, source: bytes, wall_us: int
    ) -> bytes:
        """The trailer of one advert; the same for every peer."""
        self._last = self._next(hmac_settings, _clock(wall_us))
        head = TRAILER_HEAD.pack(TRAILER_TYPE, hmac_settings.active, 0, self._last)
        return head + _digest(_key(hmac_settings, hmac_settings.active), head, pdu, source)

    def _next(self, keys: HmacSettings, clock: int) -> int:
        last = self._last
        if last is None or _signed(clock - last, 64) > 0:
            return clock
        ahead_s = _signed((last >> 32) - (clock >> 32), 32)
        if keys.anti_replay == "time" and ahead_s > _window_s(keys):
            # The clock was set back so far that nobody believes the old numbers any more.
            return clock
        return (last + 1) % SEQUENCES


def _clock(wall_us: int) -> int:
    """A moment as keepalived numbers it: seconds, 1/65,536 of them, and a counter of 16 bits."""
    seconds, rest_us = divmod(wall_us, 1_000_000)
    return (seconds & 0xFFFF_FFFF) << 32 | (rest_us * 65_536 // 1_000_000) << 16


def _signed(difference: int, bits: int) -> int:
    """The difference of two numbers that wrap (RFC 1982)."""
    half = 1 << (bits - 1)
    return (difference + half) % (1 << bits) - half


def _window_s(keys: HmacSettings) -> int:
    return keys.window_us // 1_000_000


class HmacReplay:
    """The highest number that each sender has used: its mark."""

    def __init__(self) -> None:
        self._marks: OrderedDict[bytes, int] = OrderedDict()

    def is_new(
        self, source: bytes, number: int, *, keys: HmacSettings, senders: int, now_s: int
    ) -> bool:
        """Whether it is above the sender's mark, which it becomes."""
        mark = self._marks.get(source)
        # A mark outside of the window orders nothing that the window would let in. It does not
        # count, so that a sender whose clock was corrected is believed again.
        counts = mark is not None and (
            keys.anti_replay == "monotonic"
            or abs(_signed(now_s - (mark >> 32), 32)) <= _window_s(keys)
        )
        if mark is not None and counts and _signed(number - mark, 64) <= 0:
            return False
        self._marks[source] = number
        self._marks.move_to_end(source)
        while len(self._marks) > senders:
            self._marks.popitem(last=False)
        return True


def check_hmac(
    datagram: Datagram,
    trailer: bytes,
    settings: InstanceSettings,
    replay: HmacReplay,
    *,
    wall_us: int,
) -> Refusal | None:
    """Whether an advert's trailer (28 bytes, or none) is right. `datagram.payload` lacks it."""
    keys = settings.hmac
    assert keys is not None
    if not trailer:
        if keys.mode != "enforce":
            return None
        return Refusal(Reason.EXT_MISSING, "it is not signed, and ours must be (auth_hmac)")
    peers = {pack(peer.ip) for peer in settings.unicast_peers}
    if settings.unicast and datagram.source not in peers:
        return Refusal(Reason.SOURCE, "it is signed, and its sender is no unicast_peer of ours")
    head = trailer[: TRAILER_HEAD.size]
    kind, key_id, reserved, number = TRAILER_HEAD.unpack(head)
    if kind != TRAILER_TYPE or reserved:
        return Refusal(Reason.EXT_MALFORMED, f"its signature is of the unknown type {kind}")
    now_s = wall_us // 1_000_000
    age_s = _signed(now_s - (number >> 32), 32)
    if keys.anti_replay == "time" and abs(age_s) > _window_s(keys):
        late = f"{abs(age_s)} s {'old' if age_s > 0 else 'ahead of our clock'}"
        told = f"its signature is {late}, and time_window is {_window_s(keys)} s"
        return Refusal(Reason.EXT_STALE, told)
    if key_id not in {key.id for key in keys.keys}:
        return Refusal(Reason.EXT_UNKNOWN_KEY, f"it is signed with key {key_id}, unknown here")
    wanted = _digest(_key(keys, key_id), head, datagram.payload, datagram.source)
    if not hmac.compare_digest(trailer[TRAILER_HEAD.size :], wanted):
        return Refusal(Reason.EXT_INVALID_HMAC, f"its signature with key {key_id} is wrong")
    senders = len(peers) if settings.unicast else SENDERS_REMEMBERED
    if not replay.is_new(datagram.source, number, keys=keys, senders=senders, now_s=now_s):
        return Refusal(Reason.EXT_REPLAY, "its signature was used before")
    return None


def _key(keys: HmacSettings, key_id: int) -> bytes:
    return next(bytes.fromhex(key.key) for key in keys.keys if key.id == key_id)


def _digest(key: bytes, head: bytes, pdu: bytes, source: bytes) -> bytes:
    """HMAC-SHA256's first half over a pseudo header, the PDU and the trailer before it."""
    family = 4 if len(source) == 4 else 6
    pseudo = bytes((family, pdu[0] >> 4, pdu[1], 0)) + source.ljust(16, b"\0")
    over = pseudo + pdu[:6] + b"\0\0" + pdu[8:] + head + bytes(16)
    return hmac.new(key, over, hashlib.sha256).digest()[:16]
