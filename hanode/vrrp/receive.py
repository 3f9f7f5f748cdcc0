"""The checks that a received advert must pass, in keepalived's order (RFC 9568 section 7.1).

PURE. One `Receiver` for each instance: signatures need a memory of what came before.
"""

from __future__ import annotations

import hmac

from hanode.vrrp import packet
from hanode.vrrp.auth import TRAILER_BYTES, AhSequence, HmacReplay, check_ah, check_hmac
from hanode.vrrp.engine_settings import PRIORITY_OWNER, InstanceSettings
from hanode.vrrp.packet import (
    ADDRESS_BYTES,
    AUTH_BYTES,
    AUTH_KINDS,
    HEADER_BYTES,
    TTL,
    TYPE_ADVERTISEMENT,
    VERSIONS,
    Advert,
    Datagram,
    Reason,
    Refusal,
    text,
)

AUTH_NAMES = {0: "none", 1: "PASS", 2: "AH"}


class Receiver:
    """Judges the datagrams that came for one VRID."""

    __slots__ = ("_destination", "_peers", "_replay", "_sequence", "_settings")

    def __init__(self, settings: InstanceSettings, sequence: AhSequence | None = None) -> None:
        self._sequence = sequence or AhSequence()
        self._replay = HmacReplay()
        self.use(settings)

    def use(self, settings: InstanceSettings) -> None:
        """New settings; the memory of what came before stays."""
        self._settings = settings
        self._destination = None if settings.unicast else packet.packed(settings.mcast_group)
        self._peers = {packet.packed(peer.ip): peer for peer in settings.unicast_peers}

    @property
    def signed(self) -> bool:
        """Whether adverts are signed, so that each differs from the last."""
        return self._settings.hmac is not None or self._settings.auth_type == "AH"

    def judge(self, datagram: Datagram, *, wall_us: int = 0) -> Advert | Refusal:
        """The advert, or why it is refused."""
        settings = self._settings
        if bool(datagram.ah) != (settings.auth_type == "AH"):
            has = "has" if datagram.ah else "lacks"
            ours = settings.auth_type.replace("NONE", "none")
            return Refusal(
                Reason.AUTH_TYPE, f"it {has} an authentication header, our auth_type is {ours}"
            )
        if datagram.ah and (refusal := check_ah(datagram, settings, self._sequence)):
            return refusal
        return self._judge_pdu(datagram, wall_us)

    def _judge_pdu(self, datagram: Datagram, wall_us: int) -> Advert | Refusal:
        settings, payload = self._settings, datagram.payload
        if settings.owner_ignore_adverts and settings.priority == PRIORITY_OWNER:
            return Refusal(Reason.OWNER, "we own the addresses, and ignore others")
        version, count, size = payload[0] >> 4, payload[3], ADDRESS_BYTES[settings.family]
        if version not in VERSIONS:  # nothing is known of its length
            return Refusal(Reason.VERSION, f"it is VRRPv{version}, ours is VRRPv{settings.version}")
        end = HEADER_BYTES + count * size
        length = end + (AUTH_BYTES if version == 2 else 0)
        trailer = payload[length:]
        signed = settings.hmac is not None and len(trailer) == TRAILER_BYTES
        if len(payload) < length or (trailer and not signed):
            announced = "1 address" if count == 1 else f"{count} addresses"
            fit = "do not hold" if len(payload) < length else "are more than"
            what = f"{len(payload)} bytes {fit} the {announced} it announces"
            return Refusal(Reason.LENGTH, what)
        if not settings.unicast and datagram.ttl != TTL:
            return Refusal(Reason.TTL, f"its TTL is {datagram.ttl} instead of {TTL}")
        if version != settings.version:
            return Refusal(Reason.VERSION, f"it is VRRPv{version}, ours is VRRPv{settings.version}")
        # The kernel makes and checks keepalived's checksum over IPv6: there it covers the trailer.
        summed = datagram if settings.family == 6 else _without(datagram, trailer)
        if settings.hmac is not None:
            datagram = _without(datagram, trailer)
            payload = datagram.payload
            refusal = check_hmac(datagram, trailer, settings, self._replay, wall_us=wall_us)
            if refusal is not None:
                return refusal
        refusal = judge_v2(payload, settings) if version == 2 else None
        refusal = refusal or self._judge_rest(datagram, summed)
        if refusal is not None:
            return refusal
        if settings.strict and (refusal := judge_strictly(payload)) is not None:
            return refusal
        addresses = tuple(payload[at : at + size] for at in range(HEADER_BYTES, end, size))
        return Advert(
            version=version,
            vrid=payload[1],
            priority=payload[2],
            interval_us=packet.interval_us(payload),
            addresses=addresses,
            same_addresses=packet.same_addresses(addresses, settings),
        )

    def _judge_rest(self, datagram: Datagram, summed: Datagram) -> Refusal | None:
        payload = datagram.payload
        if payload[0] & 0x0F != TYPE_ADVERTISEMENT:
            return Refusal(Reason.TYPE, f"its type is {payload[0] & 0x0F} instead of 1")
        if not self._sums_up(summed):
            return Refusal(Reason.CHECKSUM, "its checksum is wrong")
        if self._destination is None:
            if is_multicast(datagram.destination):
                to = text(datagram.destination)
                return Refusal(Reason.DESTINATION, f"it was sent to {to}, ours is unicast")
            return self._judge_peer(datagram)
        if datagram.destination != self._destination:
            return Refusal(Reason.DESTINATION, f"it was sent to {text(datagram.destination)}")
        return None

    def _sums_up(self, datagram: Datagram) -> bool:
        payload, settings = datagram.payload, self._settings
        if payload[0] >> 4 == 2:
            return packet.checksum(payload) == 0
        over = [datagram.destination]
        if settings.unicast and settings.family == 4 and settings.unicast_checksum != "never":
            # Releases before 1.3.6, and peers with old_unicast_checksum.
            over.append(packet.packed(settings.checksum_group))
        if any(
            packet.checksum(packet.pseudo_header(datagram.source, to, len(payload)) + payload) == 0
            for to in over
        ):
            return True
        # With v3_checksum_as_v2 either sum is one that a peer of ours may send. (keepalived then
        # looks at neither; RFC 9568 section 7.1 wants the checksum verified.)
        either = settings.v3_checksum_as_v2 and settings.family == 4
        return either and packet.checksum(payload) == 0

    def _judge_peer(self, datagram: Datagram) -> Refusal | None:
        if not self._settings.check_unicast_src:
            return None
        peer = self._peers.get(datagram.source)
        if peer is None:
            return Refusal(Reason.SOURCE, "its sender is no unicast_peer of ours")
        if not peer.min_ttl <= datagram.ttl <= peer.max_ttl:
            bounds = f"{peer.min_ttl}..{peer.max_ttl}"
            return Refusal(Reason.TTL, f"its TTL {datagram.ttl} is not in {bounds}")
        return None


def _without(datagram: Datagram, trailer: bytes) -> Datagram:
    """The same without the bytes at its end."""
    if not trailer:
        return datagram
    payload = datagram.payload[: -len(trailer)]
    return Datagram(datagram.source, datagram.destination, datagram.ttl, payload)


def judge_v2(payload: bytes, settings: InstanceSettings) -> Refusal | None:
    """What only VRRPv2 has: authentication, and an interval that must be ours."""
    kind = payload[4]
    if kind not in AUTH_NAMES:
        return Refusal(Reason.AUTH_TYPE_UNKNOWN, f"its auth_type {kind} is unknown")
    if kind != AUTH_KINDS[settings.auth_type]:
        ours = settings.auth_type.replace("NONE", "none")
        return Refusal(Reason.AUTH_TYPE, f"its auth_type is {AUTH_NAMES[kind]}, ours is {ours}")
    if settings.auth_type == "PASS" and not hmac.compare_digest(
        payload[-AUTH_BYTES:], packet.auth_data(settings)
    ):
        return Refusal(Reason.AUTH, "its auth_pass differs from ours")
    if payload[5] * 1_000_000 != settings.advert_int_us:
        ours = f"{settings.advert_int_us // 1_000_000} s"
        return Refusal(Reason.INTERVAL, f"its advert_int is {payload[5]} s, ours is {ours}")
    return None


def judge_strictly(payload: bytes) -> Refusal | None:
    """What keepalived takes by default and the RFC does not (9568 section 5.2.5, erratum 8301)."""
    if payload[3] == 0:
        return Refusal(Reason.ADDRESSES, "it names no address")
    if packet.interval_us(payload) == 0:
        return Refusal(Reason.INTERVAL, "its advert_int is 0")
    return None


def is_multicast(address: bytes) -> bool:
    """224.0.0.0/4, ff00::/8."""
    return address[0] >> 4 == 14 if len(address) == 4 else address[0] == 0xFF
