"""VRRP packets: bytes to adverts and back.

PURE. v2 and v3, IPv4 and IPv6 differ as data, not as classes. A peer's bytes never raise: what
does not fit becomes a `Refusal` with a typed reason, which is counted and dropped. The checks
that a received one must pass are in `receive.py`.
"""

from __future__ import annotations

import ipaddress
import struct
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from hanode.vrrp.engine_settings import InstanceSettings
from hanode.vrrp.kernel_objects import pack

PROTOCOL = 112
PROTOCOL_AH = 51
TTL = 255
VERSIONS = (2, 3)
"""Those of VRRP that exist."""
"""RFC 9568 section 5.1.1.3: a router must drop a packet whose TTL is not 255, so that no packet
from beyond the link is believed."""
TOS = 0xC0
"""Internetwork control, as keepalived marks it."""
TYPE_ADVERTISEMENT = 1
AUTH_NONE, AUTH_PASS, AUTH_AH = 0, 1, 2
AUTH_KINDS = {"NONE": AUTH_NONE, "PASS": AUTH_PASS, "AH": AUTH_AH}
AUTH_BYTES = 8
HEADER_BYTES = 8
CHECKSUM_AT = 6
ADDRESS_BYTES = {4: 4, 6: 16}
IPV4_HEADER_BYTES = 20
AH_BYTES = 24
"""RFC 2402's header with an ICV of 96 bits."""


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
    SOURCE = "unicast_src_err"
    OWNER = "owner_ignored"
    """owner_ignore_adverts."""
    REPLAY = "replay_err"
    """AH: the sequence number was there before."""
    EXT_MISSING = "auth_ext_missing"
    EXT_MALFORMED = "auth_ext_malformed"
    EXT_UNKNOWN_KEY = "auth_ext_unknown_key"
    EXT_INVALID_HMAC = "auth_ext_invalid_hmac"
    EXT_STALE = "auth_ext_stale"
    EXT_REPLAY = "auth_ext_replay"


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
    """Or hop limit."""
    payload: bytes
    """VRRP, without AH."""
    ah: bytes = b""
    """The authentication header, where there is one."""
    ip_header: bytes = b""
    """IPv4: as it came; AH signs it."""


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
        interval = bytes((AUTH_KINDS[settings.auth_type], settings.advert_int_us // 1_000_000))
        trailer = auth_data(settings)
    else:
        interval = struct.pack(">H", settings.advert_int_us // 10_000)
        trailer = b""
    head = bytes((first, settings.vrid, priority, len(settings.vips))) + interval
    body = addresses + trailer
    over = head + b"\0\0" + body
    if settings.version == 3 and not (settings.v3_checksum_as_v2 and settings.family == 4):
        if settings.unicast_checksum == "old" and settings.unicast and settings.family == 4:
            destination = packed(settings.checksum_group)
        over = pseudo_header(source, destination, len(over)) + over
    return head + struct.pack(">H", checksum(over)) + body


def summed_ipv6(payload: bytes, *, source: bytes, destination: bytes) -> bytes:
    """What follows an IPv6 header, with its checksum made anew over all of it."""
    blank = payload[:CHECKSUM_AT] + b"\0\0" + payload[CHECKSUM_AT + 2 :]
    total = checksum(pseudo_header(source, destination, len(blank)) + blank)
    return blank[:CHECKSUM_AT] + struct.pack(">H", total) + blank[CHECKSUM_AT + 2 :]


def auth_data(settings: InstanceSettings) -> bytes:
    """The eight bytes that always end a v2 advert (RFC 2338 section 5.3.10)."""
    if settings.auth_type != "PASS":
        return bytes(AUTH_BYTES)
    return settings.auth_pass.encode()[:AUTH_BYTES].ljust(AUTH_BYTES, b"\0")


def pseudo_header(source: bytes, destination: bytes, length: int) -> bytes:
    """What v3's checksum covers besides the packet (RFC 9568 section 5.2.8)."""
    if len(source) == 4:
        return source + destination + struct.pack(">BBH", 0, PROTOCOL, length)
    return source + destination + struct.pack(">IBBBB", length, 0, 0, 0, PROTOCOL)


def ipv4_header(
    *,
    source: bytes,
    destination: bytes,
    length: int,
    ident: int,
    ttl: int = TTL,
    protocol: int = PROTOCOL,
) -> bytes:
    """The IP header before `length` bytes of VRRP, or of AH and VRRP."""
    head = struct.pack(
        ">BBHHHBBH4s4s", 0x45, TOS, IPV4_HEADER_BYTES + length, ident, 0, ttl, protocol, 0,
        source, destination,
    )  # fmt: skip
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:]


def read_ipv4(packet: bytes) -> Datagram | Refusal:
    """Take a packet with its IP header apart."""
    if len(packet) < IPV4_HEADER_BYTES + HEADER_BYTES:
        return Refusal(Reason.LENGTH, f"it has only {len(packet)} bytes")
    header = (packet[0] & 0x0F) * 4
    total = int.from_bytes(packet[2:4], "big")
    if packet[0] >> 4 != 4 or header < IPV4_HEADER_BYTES:
        return Refusal(Reason.LENGTH, "its IP header is broken")
    signed = AH_BYTES if packet[9] == PROTOCOL_AH else 0
    start = header + signed
    if total < start + HEADER_BYTES:
        return Refusal(Reason.LENGTH, f"{total} bytes hold no VRRP")
    if len(packet) < total:
        return Refusal(Reason.LENGTH, f"{total} bytes were announced and {len(packet)} came")
    return Datagram(
        source=packet[12:16],
        destination=packet[16:20],
        ttl=packet[8],
        payload=packet[start:total],
        ah=packet[header:start],
        ip_header=packet[:header],
    )


def vrid_at(packet: bytes) -> int | None:
    """The VRID of an IPv4 packet, whatever else it lacks; None: it does not come so far."""
    if len(packet) < IPV4_HEADER_BYTES:
        return None
    at = max(packet[0] & 0x0F, IPV4_HEADER_BYTES // 4) * 4 + 1
    at += AH_BYTES if packet[9] == PROTOCOL_AH else 0
    return packet[at] if len(packet) > at else None


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
    return pack(address)
