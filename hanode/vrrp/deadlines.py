"""When the instances want to be woken: one heap for all of them.

PURE. Each machine has at most one live entry. A deadline that moves later leaves its entry where it
is, and the entry is corrected when it comes to the top: adverts move deadlines all the time.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

from hanode.vrrp.effects import Effect, State
from hanode.vrrp.machine import Machine

UNREAD_US = 3_000
"""After so long a backup whose time has come asks again whether everything was read."""


class Deadlines:
    """The heap."""

    __slots__ = ("_serial", "heap")

    def __init__(self) -> None:
        self.heap: list[tuple[int, int, Machine]] = []
        """Time, a number that orders equal times, and whose it is."""
        self._serial = itertools.count()

    def queue(self, machine: Machine) -> None:
        """The machine's deadline may have become another one."""
        due_us, queued_us = machine.deadline_us, machine.queued_us
        if due_us is None or (queued_us is not None and queued_us <= due_us):
            return
        machine.queued_us = due_us
        heapq.heappush(self.heap, (due_us, next(self._serial), machine))

    def fire(
        self, timer_fired: Callable[[Machine, int], list[Effect]], *, now_us: int, unread: bool
    ) -> list[Effect]:
        """Every deadline that has come, in order; `timer_fired` does it, where it is no advert.

        `unread`: packets have arrived that were not handed over yet. An advert may be among them,
        so only masters, which have to send, do not wait.
        """
        effects: list[Effect] = []
        heap = self.heap
        while heap and heap[0][0] <= now_us:
            queued_us, serial, machine = heap[0]
            due_us = machine.deadline_us if queued_us == machine.queued_us else None
            if due_us is None:  # removed, or with nothing to wait for, or queued anew earlier
                heapq.heappop(heap)
                if queued_us == machine.queued_us:
                    machine.queued_us = None
                continue
            if due_us <= now_us:
                if machine.state is State.MASTER:
                    effects += machine.advertise(now_us)
                elif unread:
                    machine.queued_us = now_us + UNREAD_US
                    heapq.heapreplace(heap, (machine.queued_us, serial, machine))
                    continue
                else:
                    effects += timer_fired(machine, now_us)
                due_us = machine.deadline_us
            if due_us is None:
                heapq.heappop(heap)
                machine.queued_us = None
            else:
                machine.queued_us = due_us
                heapq.heapreplace(heap, (due_us, serial, machine))
        return effects

    def next_takeover(self, *, now_us: int, within_us: int) -> Machine | None:
        """The next to fire, if it is a BACKUP that misses its master and fires so soon."""
        heap = self.heap
        while heap:
            queued_us, serial, machine = heap[0]
            if queued_us - now_us > within_us or machine.state is not State.BACKUP:
                return None
            due_us = machine.deadline_us
            if queued_us != machine.queued_us or due_us is None:
                heapq.heappop(heap)
                if queued_us == machine.queued_us:
                    machine.queued_us = None
            elif due_us > queued_us:  # an advert has moved it since it was queued
                machine.queued_us = due_us
                heapq.heapreplace(heap, (due_us, serial, machine))
            else:
                return machine if may_take_over(machine, queued_us, now_us) else None
        return None


def may_take_over(machine: Machine, queued_us: int, now_us: int) -> bool:
    """Whether it is likely to fire; not one that only waits until everything is read."""
    return (
        machine.state is State.BACKUP
        and machine.deadline_us is not None
        and machine.deadline_us >= queued_us
        and machine.misses_its_master(now_us)
    )
