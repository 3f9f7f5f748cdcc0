"""The cables of the simulated world: they lose, delay, reorder and are cut.

PURE. Chance is passed in: one seed always does the same.
"""

from __future__ import annotations

from collections.abc import Callable

Chance = Callable[[], float]
"""Uniform in [0, 1)."""

QUICK_US = 500
"""The longest way through a healthy network."""


class Link:
    """The network. Delays are drawn per copy, so packets may overtake each other."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self.loss = 0.0
        """Share of copies that never arrive."""
        self.delay_us_max = QUICK_US
        self.late_us_max = QUICK_US
        """The same, or what it was a moment ago: such packets may still be on their way."""
        self.parts: tuple[frozenset[str], ...] = ()
        """The sides of a partition; empty: there is none."""

    def joins(self, one: str, other: str) -> bool:
        """Whether a packet can get from one node to the other."""
        return not self.parts or any(one in part and other in part for part in self.parts)

    def copies(self, sender: str, receivers: list[str]) -> list[tuple[str, int]]:
        """Who gets a packet, and after how long."""
        arrived = []
        for receiver in receivers:
            if not self.joins(sender, receiver) or self._chance() < self.loss:
                continue
            arrived.append((receiver, 20 + int(self._chance() * self.delay_us_max)))
        return arrived
