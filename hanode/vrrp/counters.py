"""What an instance has counted and warned about.

PURE.
"""

from __future__ import annotations

from hanode.vrrp.effects import Effect, Warned
from hanode.vrrp.packet import Reason
from hanode.vrrp.settings import InstanceSettings

OWN_ADDRESS = "own_address_rcvd"
"""As MASTER: adverts that came from our own address, by a loop or from who has it too."""

COUNTERS = (
    "advert_rcvd",
    "advert_sent",
    "become_master",
    "release_master",
    "pri_zero_rcvd",
    "pri_zero_sent",
    OWN_ADDRESS,
    *Reason,
)
"""keepalived's names, where it has one (its JSON dump's `stats`)."""

WARN_AGAIN_US = 60_000_000
"""The same warning at most once a minute: a wrong neighbour sends its advert every second."""


class Account:
    """Counters, and a limit on warnings."""

    def __init__(self) -> None:
        self.counters: dict[str, int] = dict.fromkeys(COUNTERS, 0)
        self._warned_us: dict[str, int] = {}

    def count(self, *names: str) -> None:
        """One more of each."""
        for name in names:
            self.counters[name] += 1

    def warn(self, settings: InstanceSettings, topic: str, cause: str, now_us: int) -> list[Effect]:
        """A warning, unless that topic had one within the last minute."""
        last_us = self._warned_us.get(topic)
        if last_us is not None and now_us - last_us < WARN_AGAIN_US:
            return []
        self._warned_us[topic] = now_us
        return [Warned(settings.key, settings.name, topic, cause)]
