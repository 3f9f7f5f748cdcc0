"""Numbers each event of the node in the journal, and gives it to everybody who follows.

DRIVER. An event gets its number from the journal, wakes the control socket's followers, becomes a
sentence in the log, and may change systemd's status line, which says who is MASTER.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable

from hanode import events
from hanode.apply import Report
from hanode.system import service
from hanode.system.journal import Journal
from hanode.system.log import Log
from hanode.wire import Event, from_wire, to_wire

STATES = ("MASTER", "BACKUP", "FAULT", "INIT")

STATUS_LINE_S = 0.1
"""A person does not read faster than that."""


class EventLog:
    """One per supervisor. `wake` is called after each event."""

    def __init__(self, journal: Journal, log: Log, wake: Callable[[], None]) -> None:
        self.journal = journal
        self.log = log
        self._wake = wake
        self._states: dict[str, str] = {}
        """Instance: its state, for systemd's status line."""
        self._counts: Counter[str] = Counter()
        self._status_line: asyncio.TimerHandle | None = None

    def append(self, event: Event) -> None:
        """Number the event, keep it and log it."""
        numbered, typed = self.journal.append(event), from_wire(event)
        self._wake()
        write = self.log.warning if typed.severity in ("warning", "critical") else self.log.info
        write(f"{typed.kind} {events.sentence(typed, arrow='->')}")
        if self.journal.fault:
            self.log.error(f"event {numbered.seq} is in memory only: {self.journal.fault}")
        if isinstance(typed, events.Transition):
            self._count(typed.subject, typed.new)

    def _count(self, instance: str, state: str) -> None:
        """Update systemd's status line, not too often: thousands of instances may move at once."""
        old = self._states.get(instance)
        if old is not None:
            self._counts[old] -= 1
        self._states[instance] = state
        self._counts[state] += 1
        if service.is_watched() and self._status_line is None:
            self._status_line = asyncio.get_running_loop().call_later(
                STATUS_LINE_S, self._send_status_line
            )

    def tell_status(self) -> None:
        """Tell systemd now, in place of what it was told while we started."""
        if service.is_watched():
            self._send_status_line()

    def _send_status_line(self) -> None:
        self._status_line = None
        service.notify(f"STATUS={self.line()}")

    def line(self) -> str:
        """`VI_1 MASTER`, or with more of them `2 MASTER, 1 BACKUP`."""
        if len(self._states) == 1:
            return " ".join(*self._states.items())
        return ", ".join(
            f"{self._counts[state]} {state}" for state in STATES if self._counts[state]
        )

    def event(self, event: events.Event) -> None:
        """Something happened just now."""
        self.append(to_wire(event, wall_us=wall_us(), mono_us=now_us()))

    def node(self, subject: str, phase: str, cause: str, **data: int) -> None:
        """Something happened to a part of the node; `data` are fields of a `PartChange`."""
        self.event(events.PartChange(subject, cause, phase, **data))

    def warn(self, subject: str, cause: str) -> None:
        """Something that an operator should know."""
        self.event(events.NodeWarning(subject, cause))

    def report(self, report: Report) -> None:
        """A step in a revision's lifecycle."""
        subject = f"revision {report.revision}"
        self.event(
            events.RevisionStep(
                subject, report.cause, report.revision, report.phase, report.problems
            )
        )


def now_us() -> int:
    """Monotonic."""
    return time.monotonic_ns() // 1_000


def wall_us() -> int:
    """Since the epoch."""
    return time.time_ns() // 1_000
