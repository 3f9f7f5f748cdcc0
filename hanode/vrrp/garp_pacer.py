"""garp_interval and gna_interval: at most one announcement on an interface in each interval.

PURE. For switches that cannot be flooded. The interfaces of a garp_group share one queue, as in
keepalived. An announcement that waits is dropped when its address is removed.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Mapping

from hanode.vrrp.effects import AnnounceAddresses, Effect, RemoveAddresses
from hanode.vrrp.engine_settings import Address, InstanceKey, InstanceSettings
from hanode.vrrp.machine import Machine

WAITING_MAX = 65_536
"""Announcements that wait on one interface: 4,096 addresses, sixteen times over."""

Queue = tuple[str, int]
"""Device or garp_group, and family."""

Entry = tuple[int, int, InstanceKey, Address]
"""Which repeat of its announcement, a number in the order of coming, whose, and what."""


class GarpPacer:
    """A queue for each interface and family that has an interval."""

    def __init__(self) -> None:
        self.active = False
        """Some instance has an interval."""
        self._waiting: dict[Queue, list[Entry]] = {}
        """Heaps: what was never announced goes before the repeats of another instance."""
        self._numbers = itertools.count()
        self._free_us: dict[Queue, int] = {}
        """When the next one may go."""
        self._interval_us: dict[Queue, int] = {}

    @property
    def deadline_us(self) -> int | None:
        """When the first of those that wait may go."""
        times = [self._free_us[queue] for queue, waiting in self._waiting.items() if waiting]
        return min(times, default=None)

    def use(self, instances: Iterable[InstanceSettings]) -> None:
        """There are new settings."""
        self.active = any(i.garp_interval_us or i.gna_interval_us for i in instances)

    def paced(
        self, effects: list[Effect], machines: Mapping[InstanceKey, Machine], now_us: int
    ) -> list[Effect]:
        """The effects, without the announcements that have to wait."""
        if not self.active:
            return effects
        now: list[Effect] = []
        for effect in effects:
            if isinstance(effect, AnnounceAddresses) and effect.key in machines:
                now += self._queue(effect, machines[effect.key].settings, now_us)
                continue
            if isinstance(effect, RemoveAddresses):
                self._forget(effect.key, effect.addresses)
            now.append(effect)
        return now

    def _queue(
        self, effect: AnnounceAddresses, settings: InstanceSettings, now_us: int
    ) -> list[Effect]:
        """Queue an announcement; the part of it that may go now."""
        free: list[Address] = []
        for repeat in range(effect.repeat):
            for address in effect.addresses:
                v4 = address.family == 4
                interval_us = settings.garp_interval_us if v4 else settings.gna_interval_us
                if not interval_us:
                    if address not in free:
                        free.append(address)
                    continue
                queue = (settings.garp_group or address.dev, address.family)
                self._interval_us[queue] = interval_us
                self._free_us.setdefault(queue, now_us)
                waiting = self._waiting.setdefault(queue, [])
                if len(waiting) < WAITING_MAX:
                    heapq.heappush(waiting, (repeat, next(self._numbers), effect.key, address))
        effects: list[Effect] = []
        if free:
            effects.append(AnnounceAddresses(effect.key, tuple(free), effect.repeat))
        return effects + self.due(now_us)

    def _forget(self, key: InstanceKey, addresses: tuple[Address, ...]) -> None:
        """The instance has these addresses no longer."""
        for queue, waiting in self._waiting.items():
            if any(owner == key for _, _, owner, _ in waiting):
                kept = [e for e in waiting if e[2] != key or e[3] not in addresses]
                heapq.heapify(kept)
                self._waiting[queue] = kept

    def due(self, now_us: int) -> list[Effect]:
        """Those that waited and may go now."""
        effects: list[Effect] = []
        for queue, waiting in self._waiting.items():
            if waiting and self._free_us[queue] <= now_us:
                _, _, key, address = heapq.heappop(waiting)
                effects.append(AnnounceAddresses(key, (address,), 1))
                self._free_us[queue] = now_us + self._interval_us[queue]
        return effects
