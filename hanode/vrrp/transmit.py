"""The adverts of one instance: made once where they stay the same, anew where they are signed.

PURE.
"""

from __future__ import annotations

from hanode.vrrp import packet
from hanode.vrrp.auth import AhSequence, HmacSigner, sign_ah
from hanode.vrrp.effects import SendAdvert
from hanode.vrrp.engine_settings import InstanceSettings

NO_ADVERTS: tuple[SendAdvert, ...] = ()


class Transmitter:
    """Makes the adverts for each destination."""

    __slots__ = ("_changed", "_destinations", "_priority", "_settings", "_signer", "_source",
                 "ready", "sequence", "signs")  # fmt: skip

    def __init__(self, settings: InstanceSettings) -> None:
        self.sequence = AhSequence()
        self.ready: tuple[SendAdvert, ...] = NO_ADVERTS
        """What the next interval sends; empty where each advert is signed."""
        self._signer = HmacSigner()
        self._source = b""
        self._priority = 0
        self.use(settings)

    def use(self, settings: InstanceSettings) -> None:
        """New settings; `prepare` must follow."""
        self._settings = settings
        self._changed = True
        keys = settings.hmac
        self.signs = settings.auth_type == "AH" or (
            keys is not None and keys.mode != "receive-only"
        )
        to = [peer.ip for peer in settings.unicast_peers] if settings.unicast else []
        if not settings.unicast:
            to = [settings.mcast_group]
        self._destinations = tuple(packet.packed(ip) for ip in to)

    def prepare(self, priority: int, source: bytes) -> None:
        """From now on, this priority from this address; an empty one: nothing can be sent."""
        if not self._changed and (priority, source) == (self._priority, self._source):
            return
        self._changed = False
        self._priority, self._source = priority, source
        self.ready = NO_ADVERTS if self.signs or not source else self._make(priority, 0)

    def adverts(self, *, wall_us: int) -> tuple[SendAdvert, ...]:
        """What is to be sent now."""
        if self.ready or not self._source:
            return self.ready
        return self._make(self._priority, wall_us)

    def priority_zero(self, *, wall_us: int) -> tuple[SendAdvert, ...]:
        """Adverts of priority 0: the master is leaving."""
        return self._make(0, wall_us) if self._source else NO_ADVERTS

    def _make(self, priority: int, wall_us: int) -> tuple[SendAdvert, ...]:
        settings, trailer, made = self._settings, b"", []
        for to in self._destinations:
            payload = packet.encode(
                settings, priority=priority, source=self._source, destination=to
            )
            header = b""
            if settings.auth_type == "AH":
                header, payload = sign_ah(
                    settings, payload, source=self._source, destination=to, sequence=self.sequence
                )
            elif self.signs:
                # One signature for all peers: the checksum, which differs, counts as zero in it.
                assert settings.hmac is not None
                trailer = trailer or self._signer.sign(
                    settings.hmac, payload, source=self._source, wall_us=wall_us
                )
                payload += trailer
                if settings.family == 6:
                    # As the kernel does it for keepalived: over all that follows the IPv6 header.
                    payload = packet.summed_ipv6(payload, source=self._source, destination=to)
            ttl = settings.ttl if settings.unicast else packet.TTL
            made.append(SendAdvert(settings.key, payload, self._source, to, ttl, header))
        return tuple(made)
