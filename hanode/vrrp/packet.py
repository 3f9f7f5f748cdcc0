"""VRRP packets: bytes to adverts and back, and the checks a received one must pass.

PURE. v2 and v3, IPv4 and IPv6 differ as data, not as classes. A peer's bytes never raise: what
does not fit becomes a `Refusal` with a typed reason, which is counted and dropped.
"""

from __future__ import annotations

import hmac
import ipaddress
import struct
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from hanode.vrrp.settings import InstanceSettings

PROTOCOL = 112
TTL = 255
"""RFC 9568 section 5.1.1.3: a router must drop a packet whose TTL is not 255, so that no packet
from beyond the link is believed."""
TOS = 0xC0
"""Internetwork control, as keepalived marks it."""
TYPE_ADVERTISEMENT = 1
AUTH_NONE, AUTH_PASS = 0, 1
AUTH_BYTES = 8
HEADER_BYTES = 8
ADDRESS_BYTES = {4: 4, 6: 16}
IPV4_HEADER_BYTES = 20


class Reason(StrEnum):
    """Why a packet was refused; the values are counters, by keepalived's names where it has one."""

    LENGTH = "packet_len_err"
    TTL = "ip_ttl_err"
    VERSION = "version_err"
    AUTH_TYPE_UNKNOWN = "invalid_authtype"
    AUTH_TYPE = "authtype_mismatch"
    AUTH = "auth_failure"
    INTERVAL = "advert_interval_err"
    TYPE = "invalid_type_rcvd"
    CHECKSUM = "checksum_err"
    DESTINATION = "destination_err"
    ADDRESSES = "addr_list_err"


@dataclass(frozen=True, slots=True)
class Refusal:
    reason: Reason
    text: str
    """The sentence's second half: `its TTL is 64 instead of 255`."""


@dataclass(frozen=True, slots=True)
class Advert:
    """An advertisement that passed the checks."""

    version: int
    vrid: int
    priority: int
    interval_us: int
    addresses: tuple[bytes, ...]
    same_addresses: bool = True
    """It lists exactly our addresses; False only where that is tolerated."""


@dataclass(frozen=True, slots=True)
class Datagram:
    """What the IP layer says about a received packet, and what it carried."""

    source: bytes
    destination: bytes
    ttl: int
    payload: bytes


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def encode(
    settings: InstanceSettings, *, priority: int, source: bytes, destination: bytes
) -> bytes:
    """The VRRP part of an advert, byte for byte as keepalived sends it."""
    addresses = b"".join(address.packed for address in settings.vips)
    first = settings.version << 4 | TYPE_ADVERTISEMENT
    if settings.version == 2:
        kind = AUTH_PASS if settings.auth_type == "PASS" else AUTH_NONE
        interval = bytes((kind, settings.advert_int_us // 1_000_000))
        trailer = auth_data(settings)
    else:
        interval = struct.pack(">H", settings.advert_int_us // 10_000)
        trailer = b""
    head = bytes((first, settings.vrid, priority, len(settings.vips))) + interval
    body = addresses + trailer
    over = head + b"\0\0" + body
    if settings.version == 3:
        over = pseudo_header(source, destination, len(over)) + over
    return head + struct.pack(">H", checksum(over)) + body


def auth_data(settings: InstanceSettings) -> bytes:
    """The eight bytes that always end a v2 advert (RFC 2338 section 5.3.10)."""
    if settings.auth_type == "NONE":
        return bytes(AUTH_BYTES)
    return settings.auth_pass.encode()[:AUTH_BYTES].ljust(AUTH_BYTES, b"\0")


def pseudo_header(source: bytes, destination: bytes, length: int) -> bytes:
    """What v3's checksum covers besides the packet (RFC 9568 section 5.2.8)."""
    if len(source) == 4:
        return source + destination + struct.pack(">BBH", 0, PROTOCOL, length)
    return source + destination + struct.pack(">IBBBB", length, 0, 0, 0, PROTOCOL)


def ipv4_header(*, source: bytes, destination: bytes, length: int, ident: int) -> bytes:
    """The IP header before `length` bytes of VRRP."""
    head = struct.pack(
        ">BBHHHBBH4s4s", 0x45, TOS, IPV4_HEADER_BYTES + length, ident, 0, TTL, PROTOCOL, 0,
        source, destination,
    )  # fmt: skip
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:]


def read_ipv4(packet: bytes) -> Datagram | Refusal:
    """Take a packet with its IP header apart."""
    if len(packet) < IPV4_HEADER_BYTES + HEADER_BYTES:
        return Refusal(Reason.LENGTH, f"it has only {len(packet)} bytes")
    header = (packet[0] & 0x0F) * 4
    total = int.from_bytes(packet[2:4], "big")
    if packet[0] >> 4 != 4 or header < IPV4_HEADER_BYTES or total < header + HEADER_BYTES:
        return Refusal(Reason.LENGTH, "its IP header is broken")
    if len(packet) < total:
        return Refusal(Reason.LENGTH, f"{total} bytes were announced and {len(packet)} came")
    return Datagram(
        source=packet[12:16],
        destination=packet[16:20],
        ttl=packet[8],
        payload=packet[header:total],
    )


def judge(
    datagram: Datagram, settings: InstanceSettings, *, destination: bytes
) -> Advert | Refusal:
    """All receive checks in keepalived's order (RFC 9568 section 7.1)."""
    payload = datagram.payload
    version = payload[0] >> 4
    count = payload[3]
    size = ADDRESS_BYTES[settings.family]
    trailer = AUTH_BYTES if version == 2 else 0
    if len(payload) != HEADER_BYTES + count * size + trailer:
        return Refusal(
            Reason.LENGTH, f"{len(payload)} bytes do not hold the {count} addresses it announces"
        )
    if datagram.ttl != TTL:
        return Refusal(Reason.TTL, f"its TTL is {datagram.ttl} instead of {TTL}")
    if version != settings.version:
        return Refusal(Reason.VERSION, f"it is VRRPv{version}, ours is VRRPv{settings.version}")
    refusal = _judge_v2(payload, settings) if version == 2 else None
    if refusal is not None:
        return refusal
    if payload[0] & 0x0F != TYPE_ADVERTISEMENT:
        return Refusal(Reason.TYPE, f"its type is {payload[0] & 0x0F} instead of 1")
    over = payload
    if version == 3:
        over = pseudo_header(datagram.source, datagram.destination, len(payload)) + payload
    if checksum(over) != 0:
        return Refusal(Reason.CHECKSUM, "its checksum is wrong")
    if datagram.destination != destination:
        return Refusal(Reason.DESTINATION, f"it was sent to {text(datagram.destination)}")
    end = HEADER_BYTES + count * size
    addresses = tuple(payload[at : at + size] for at in range(HEADER_BYTES, end, size))
    return Advert(
        version=version,
        vrid=payload[1],
        priority=payload[2],
        interval_us=interval_us(payload),
        addresses=addresses,
        same_addresses=same_addresses(addresses, settings),
    )


def _judge_v2(payload: bytes, settings: InstanceSettings) -> Refusal | None:
    kind = payload[4]
    if kind > 2:
        return Refusal(Reason.AUTH_TYPE_UNKNOWN, f"its auth_type {kind} is unknown")
    if kind != (AUTH_PASS if settings.auth_type == "PASS" else AUTH_NONE):
        names = {0: "none", 1: "PASS", 2: "AH"}
        return Refusal(
            Reason.AUTH_TYPE,
            f"its auth_type is {names[kind]}, ours is {settings.auth_type.replace('NONE', 'none')}",
        )
    if settings.auth_type == "PASS" and not hmac.compare_digest(
        payload[-AUTH_BYTES:], auth_data(settings)
    ):
        return Refusal(Reason.AUTH, "its auth_pass differs from ours")
    if payload[5] * 1_000_000 != settings.advert_int_us:
        return Refusal(
            Reason.INTERVAL,
            f"its advert_int is {payload[5]} s, ours is {settings.advert_int_us // 1_000_000} s",
        )
    return None


def interval_us(payload: bytes) -> int:
    """The sender's advert_int: whole seconds in v2, centiseconds in 12 bits in v3."""
    if payload[0] >> 4 == 2:
        return payload[5] * 1_000_000
    return (int.from_bytes(payload[4:6], "big") & 0x0FFF) * 10_000


def same_addresses(addresses: tuple[bytes, ...], settings: InstanceSettings) -> bool:
    """Whether an advert lists exactly our addresses; their order does not matter."""
    return Counter(addresses) == Counter(address.packed for address in settings.vips)


def difference(addresses: tuple[bytes, ...], settings: InstanceSettings) -> str:
    """In words, how an advert's addresses are not ours."""
    ours = {address.packed for address in settings.vips}
    theirs = set(addresses)
    parts = [
        f"{word} {', '.join(text(address) for address in sorted(some))}"
        for word, some in (("lacks", ours - theirs), ("has besides", theirs - ours))
        if some
    ]
    words = " and ".join(parts) or "repeats some"
    return f"lists other addresses than ours: it {words}"


def text(address: bytes) -> str:
    """A packed address as people write it."""
    return str(ipaddress.ip_address(address))


def packed(address: str) -> bytes:
    """The inverse of `text`."""
    return ipaddress.ip_address(address).packed
