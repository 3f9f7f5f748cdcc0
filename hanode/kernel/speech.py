"""Which instances can speak: whether the kernel takes their adverts, and has their source.

PURE. A master whose adverts do not leave is a second master, so that its instance is in FAULT until
they leave again. That is asked with a packet which no router takes: an advert of
virtual_router_id 0 to the same places, of the same length, through the same rules of a firewall.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from hanode.kernel.needs import RETRY_US
from hanode.vrrp.effects import SendAdvert
from hanode.vrrp.engine_settings import InstanceKey, InstanceSettings, VrrpSettings
from hanode.vrrp.kernel_objects import pack
from hanode.vrrp.packet import AH_BYTES

IN_A_ROW = 3
"""So many adverts that nobody gets, and the others elect a master."""
RELAPSE_US = 60_000_000
"""Who cannot speak again so soon after it could waits twice as long as before."""
LONGEST_US = 60_000_000
VRID_AT = 1
NOBODY = b"\0"


def question(effect: SendAdvert) -> SendAdvert:
    """What may leave exactly where this advert may, and what no router takes."""
    at = VRID_AT + (AH_BYTES if effect.ip_header else 0)
    return replace(effect, payload=effect.payload[:at] + NOBODY + effect.payload[at + 1 :])


@dataclass(slots=True)
class _Silence:
    """An instance whose adverts are refused."""

    sent: int
    """The number of its last advert that was refused."""
    in_a_row: int = 1
    refused: dict[bytes, SendAdvert] = field(default_factory=dict)
    """By destination: what that number's adverts were."""
    warned: bool = False
    reason: str = ""
    """Why it cannot speak; "": that is not certain yet."""
    next_us: int = 0
    """When it is asked again."""
    wait_us: int = RETRY_US
    until_us: int | None = None
    """When it could speak again; None: it has not been silent yet, or is."""


class Speech:
    """Counts adverts that the kernel refuses, and remembers who cannot speak."""

    def __init__(self) -> None:
        self._silences: dict[InstanceKey, _Silence] = {}

    def refused(
        self, one: InstanceSettings, effect: SendAdvert, reason: str, *, sent: int, now_us: int
    ) -> tuple[bool, bool]:
        """An advert of a master was refused, the one of that number in its count.

        Returns whether to warn of it, and whether the instance is silent from now on.
        """
        silence = self._silences.setdefault(one.key, _Silence(sent, 0))
        if silence.reason:
            return False, False
        if sent != silence.sent or not silence.in_a_row:
            if sent != silence.sent + 1 or not self._all_refused(silence, one):
                silence.in_a_row, silence.warned = 0, False
            silence.sent = sent
            silence.in_a_row += 1
            silence.refused = {}
        silence.refused[effect.destination] = effect
        warn, silence.warned = not silence.warned, True
        if silence.in_a_row < IN_A_ROW or not self._all_refused(silence, one):
            return warn, False
        relapsed = silence.until_us is not None and now_us - silence.until_us < RELAPSE_US
        silence.wait_us = min(LONGEST_US, silence.wait_us * 2) if relapsed else RETRY_US
        silence.reason = f"its adverts cannot be sent: {reason}"
        silence.next_us = now_us + silence.wait_us
        return False, True

    @staticmethod
    def _all_refused(silence: _Silence, one: InstanceSettings) -> bool:
        """A peer that cannot be reached is no reason while another one can."""
        return _destinations(one) <= silence.refused.keys()

    def lacking(self) -> dict[InstanceKey, str]:
        """The instances that cannot speak, each with the reason."""
        return {key: one.reason for key, one in self._silences.items() if one.reason}

    def to_ask(self, *, now_us: int) -> dict[InstanceKey, tuple[SendAdvert, ...]]:
        """Who is to be asked now, and what it could not send."""
        return {
            key: tuple(one.refused.values())
            for key, one in self._silences.items()
            if one.reason and one.next_us <= now_us
        }

    def answered(self, key: InstanceKey, reason: str | None, *, now_us: int) -> None:
        """What came of it: None: it can speak again."""
        one = self._silences[key]
        if reason is None:
            one.reason, one.in_a_row, one.warned, one.until_us = "", 0, False, now_us
            return
        one.reason = f"its adverts cannot be sent: {reason}"
        one.next_us = now_us + one.wait_us

    def use(self, settings: VrrpSettings) -> None:
        """Forget instances that the settings do not have, or that speak to others now."""
        to = {one.key: _destinations(one) for one in settings.instances}
        self._silences = {
            key: one
            for key, one in self._silences.items()
            if not to.get(key, frozenset()).isdisjoint(one.refused)
        }


def _destinations(one: InstanceSettings) -> frozenset[bytes]:
    to = [peer.ip for peer in one.unicast_peers] if one.unicast else [one.mcast_group]
    return frozenset(map(pack, to))


def without_source(
    settings: VrrpSettings, there: Callable[[], Collection[bytes]]
) -> dict[InstanceKey, str]:
    """The instances whose unicast_src_ip this machine has not, each with the reason.

    Their peers answer to that address: without it they hear nobody, and a second master appears.
    `there` gives the packed addresses of all interfaces. What the engine adds by itself counts as
    there: static addresses, the instance's own, and that of an ipvlan.
    """
    asked = [one for one in settings.instances if _needs_source(one)]
    if not asked:
        return {}
    have = {*there(), *(address.packed for address in settings.static_addresses)}
    return {
        one.key: f"this machine has not the address {one.mcast_src_ip} (unicast_src_ip)"
        for one in asked
        if pack(str(one.mcast_src_ip)) not in have
    }


def _needs_source(one: InstanceSettings) -> bool:
    """Not where the machine of the instance looks after it: track_src_ip, or no interface."""
    source = one.mcast_src_ip
    if not one.unicast or source is None or one.track_src_ip or one.roams:
        return False
    own = one.ipvlan.address if one.ipvlan is not None else None
    return pack(source) not in {a.packed for a in (*one.addresses, *((own,) if own else ()))}
