"""Whether every task of the agent still does its work, so that no heartbeat hides a deaf node.

PURE. Statuses go on being sent when another task of the agent hangs: so each of them says how late
the others are. The caller passes the time in, in microseconds.
"""

from __future__ import annotations

from typing import Literal

LATE_AFTER_US = 10_000_000
"""More than a broker's longest pause and three heartbeats of the default."""

Task = Literal["orders", "events", "nudges"]

SENTENCES: dict[Task, str] = {
    "orders": "the agent has not looked for what this node should run for {0:.0f} s",
    "events": "the agent has sent no event for {0:.0f} s, though some wait",
    "nudges": "the agent has not listened for nudges for {0:.0f} s; pushes wait for a heartbeat",
}


class Liveness:
    """When each task last came round."""

    def __init__(self, heartbeat_us: int, now_us: int) -> None:
        """A task that never comes round is late from now on."""
        self._late_after_us = max(LATE_AFTER_US, 3 * heartbeat_us)
        self._came_us: dict[Task, int] = dict.fromkeys(SENTENCES, now_us)
        self._sent = -1

    def came(self, task: Task, now_us: int) -> None:
        """The task has done a round of its work."""
        self._came_us[task] = now_us

    def events(self, *, newest: int, sent: int, held_back: bool, now_us: int) -> None:
        """The journal's newest event, and the last that was sent.

        `held_back`: the control plane has not stored enough of what was sent; more may not be sent.
        """
        if sent != self._sent or sent >= newest or held_back:
            self._sent = sent
            self.came("events", now_us)

    def late(self, now_us: int) -> dict[str, float]:
        """By task that is late: since when it did nothing, in seconds."""
        since = {task: now_us - came_us for task, came_us in self._came_us.items()}
        return {task: us / 1e6 for task, us in since.items() if us > self._late_after_us}

    def sentences(self, now_us: int) -> list[str]:
        """The same for people."""
        late = self.late(now_us)
        return [text.format(late[task]) for task, text in SENTENCES.items() if task in late]
