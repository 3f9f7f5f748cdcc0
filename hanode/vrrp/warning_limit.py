"""A limit on warnings: a wrong neighbour sends its advert every second.

PURE.
"""

from __future__ import annotations

from hanode.vrrp.effects import Effect, Warned
from hanode.vrrp.engine_settings import InstanceSettings

WARN_AGAIN_US = 60_000_000
"""The same warning comes at most once a minute."""


class WarningLimit:
    """When one instance has last warned of each topic."""

    def __init__(self) -> None:
        self._warned_us: dict[str, int] = {}

    def warn(self, settings: InstanceSettings, topic: str, cause: str, now_us: int) -> list[Effect]:
        """A warning, unless that topic had one within the last minute."""
        last_us = self._warned_us.get(topic)
        if last_us is not None and now_us - last_us < WARN_AGAIN_US:
            return []
        self._warned_us[topic] = now_us
        return [Warned(settings.key, settings.name, topic, cause)]
