"""Which of many things is due next.

PURE. A heap with lazy deletion: each key has at most one time, and setting it again forgets the
older one. Work per call grows with the logarithm of the number of keys.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Schedule(Generic[Key]):
    """Keys with the time at which each is due."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Key]] = []
        self._ticket: dict[Key, int] = {}
        self._next_ticket = 0

    def __len__(self) -> int:
        return len(self._ticket)

    def set(self, key: Key, due_us: int) -> None:
        """`key` is due at `due_us`, whatever was said before."""
        self._next_ticket += 1
        self._ticket[key] = self._next_ticket
        # The ticket breaks ties, so that keys need no order and who came first goes first.
        heapq.heappush(self._heap, (due_us, self._next_ticket, key))

    def cancel(self, key: Key) -> None:
        """`key` is not due any more; harmless when it never was."""
        self._ticket.pop(key, None)

    @property
    def deadline_us(self) -> int | None:
        """When the next key is due; None: never."""
        self._drop_stale()
        return self._heap[0][0] if self._heap else None

    def take_due(self, *, now_us: int, limit: int) -> list[Key]:
        """Keys due by now, oldest first, at most `limit`; they are no longer scheduled."""
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
    """When a new check begins: uniform in 0..warmup, so that many do not begin at once.

    `draw` gives numbers in 0 <= x < 1.
    """
    return now_us + int(draw() * warmup_us)
