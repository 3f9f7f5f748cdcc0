"""Adverts that list other addresses than ours: which of them are accepted all the same.

PURE. keepalived 2.2.7 refuses them, 2.3.3 and later only log.
"""

from __future__ import annotations

from enum import Enum

from hanode.vrrp import packet
from hanode.vrrp.engine_settings import InstanceSettings
from hanode.vrrp.events import AdvertReceived


class Verdict(Enum):
    FINE = "fine"
    TOLERATED = "tolerated"
    """Accepted, with a warning."""
    REFUSED = "refused"


class Mismatch:
    """Remembers what our master listed before a reload changed *our* list.

    A master that we follow already is not refused for that: otherwise changing a pair one node
    after the other, as every push does, would make two masters.
    """

    def __init__(self) -> None:
        self._followed: frozenset[bytes] | None = None

    def ours_changed(self, before: InstanceSettings) -> None:
        """A reload has changed our list; `before` had the old one."""
        if self._followed is None:
            self._followed = frozenset(address.packed for address in before.vips)

    def forget(self) -> None:
        """There is no master that we follow."""
        self._followed = None

    def judge(
        self, event: AdvertReceived, settings: InstanceSettings, master: bytes | None
    ) -> Verdict:
        """Whether to accept this advert."""
        if event.advert.same_addresses:
            if event.source == master:
                self._followed = None
            return Verdict.FINE
        if settings.skip_check_adv_addr and event.source == master:
            return Verdict.FINE
        known = event.source == master and frozenset(event.advert.addresses) == self._followed
        if settings.vip_mismatch == "accept" or known:
            return Verdict.TOLERATED
        return Verdict.REFUSED


def sentence(event: AdvertReceived, settings: InstanceSettings, verdict: Verdict) -> str:
    """The warning's text."""
    difference = packet.difference(event.advert.addresses, settings)
    end = "; refused" if verdict is Verdict.REFUSED else ""
    return f"the advert of {packet.text(event.source)} {difference}{end}"
