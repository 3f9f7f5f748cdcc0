"""Schedule: a timer queue that says which key is due next.

PURE. A heap with lazy deletion: each key has at most one time, and setting a new one replaces the
old. The cost of a call grows with the logarithm of the number of keys.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Schedule(Generic[Key]):
    """Keys, each with the time at which it is due."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Key]] = []
        self._ticket: dict[Key, int] = {}
        self._next_ticket = 0

    def __len__(self) -> int:
        return len(self._ticket)

    def set(self, key: Key, due_us: int) -> None:
        """Makes `key` due at `due_us`, instead of any earlier time."""
        self._next_ticket += 1
        self._ticket[key] = self._next_ticket
        # The ticket breaks ties: keys need no order, and the first one set is the first one due.
        heapq.heappush(self._heap, (due_us, self._next_ticket, key))

    def cancel(self, key: Key) -> None:
        """Removes `key`, if it is scheduled."""
        self._ticket.pop(key, None)

    @property
    def deadline_us(self) -> int | None:
        """The time at which the next key is due; None: nothing is scheduled."""
        self._drop_stale()
        return self._heap[0][0] if self._heap else None

    def take_due(self, *, now_us: int, limit: int) -> list[Key]:
        """Removes and returns the keys that are due, oldest first, at most `limit`."""
        due: list[Key] = []
        while len(due) < limit:
            self._drop_stale()
            if not self._heap or self._heap[0][0] > now_us:
                break
            key = heapq.heappop(self._heap)[2]
            del self._ticket[key]
            due.append(key)
        return due

    def _drop_stale(self) -> None:
        while self._heap and self._ticket.get(self._heap[0][2]) != self._heap[0][1]:
            heapq.heappop(self._heap)


def first_check_us(warmup_us: int, draw: Callable[[], float], *, now_us: int) -> int:
    """The start of a new check: uniform in 0..warmup, so that many checks do not start at once.

    `draw` returns numbers in 0 <= x < 1.
    """
    return now_us + int(draw() * warmup_us)
