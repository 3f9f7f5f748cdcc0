"""What happens on a node, told once to everybody who wants to know.

DRIVER. The journal numbers an event, the control socket's followers are woken, the log has a
sentence, and systemd's status line says who is MASTER.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from hanode.apply import Report
from hanode.system import service
from hanode.system.journal import Journal
from hanode.system.log import Log
from hanode.wire import Event


class Chronicle:
    """One per supervisor. `wake` is called after each event."""

    def __init__(self, journal: Journal, log: Log, wake: Callable[[], None]) -> None:
        self.journal = journal
        self.log = log
        self._wake = wake
        self._states: dict[str, str] = {}
        """Instance: its state, for systemd's status line."""

    def append(self, event: Event) -> None:
        """Number the event, keep it and tell it."""
        numbered = self.journal.append(event)
        self._wake()
        self.log.info(sentence(event))
        if self.journal.fault:
            self.log.error(f"event {numbered.seq} is in memory only: {self.journal.fault}")
        if event.kind == "transition":
            self._states[event.subject] = str(event.data.get("to"))
            service.notify(f"STATUS={self.line()}")

    def line(self) -> str:
        """`2 MASTER, 1 BACKUP`, or the name where there is only one."""
        if len(self._states) == 1:
            return " ".join(*self._states.items())
        states = sorted(self._states.values(), key="MASTER BACKUP FAULT INIT".split().index)
        return ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))

    def event(self, kind: str, subject: str, cause: str, **data: Any) -> None:
        """Something happened just now."""
        self.append(Event(kind, subject, cause, wall_us(), now_us(), data))

    def node(self, subject: str, phase: str, cause: str, **data: Any) -> None:
        """Something happened to a part of the node."""
        self.event("node", subject, cause, phase=phase, **data)

    def warn(self, subject: str, cause: str) -> None:
        """Something that an operator should know."""
        self.event("warning", subject, cause)

    def tell(self, report: Report) -> None:
        """A step in a revision's life."""
        self.event(
            "config",
            f"revision {report.revision}",
            report.cause,
            revision=report.revision,
            phase=report.phase,
            problems=list(report.problems),
        )


def sentence(event: Event) -> str:
    """The event as a line of the log."""
    data = event.data
    move = f" {data['from']} -> {data.get('to')}" if "from" in data else ""
    phase = f" {data['phase']}" if "phase" in data else ""
    arithmetic = data.get("arithmetic")
    priority = f" (priority {arithmetic})" if arithmetic else ""
    return f"{event.kind} {event.subject}{move}{phase}: {event.cause}{priority}"


def now_us() -> int:
    """Monotonic."""
    return time.monotonic_ns() // 1_000


def wall_us() -> int:
    """Since the epoch."""
    return time.time_ns() // 1_000
