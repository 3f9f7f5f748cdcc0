"""Turns what the machines did into events for the supervisor and notices for the watch process.

DRIVER. Nothing here waits: both connections queue what the other side has not read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hanode import events, wire
from hanode.proc.common.json_lines import JsonLines
from hanode.proc.common.vrrp_watch_link import VrrpWatchLink
from hanode.system.clock import SystemClock
from hanode.vrrp.effects import Effect, GroupChanged, Notify, PriorityChanged, StateChanged, Warned
from hanode.vrrp.engine_settings import InstanceKey


class EventReporter:
    """`watch` is called when a connection has something to write."""

    def __init__(self, clock: SystemClock, lines: JsonLines, watch: Callable[[], None]) -> None:
        self._clock = clock
        self._lines = lines
        self._watch = watch
        self.watch_link: VrrpWatchLink | None = None
        self.since_us: dict[InstanceKey, int] = {}
        """Wall time of each instance's last transition, as in its event."""

    def report(self, effect: Effect) -> None:
        """Report one effect; one that is of no interest outside is dropped."""
        match effect:
            case StateChanged():
                self._transition(effect)
            case GroupChanged():
                old, new = effect.old.value, effect.new.value
                self.event(events.GroupTransition(effect.group, effect.cause, old, new))
            case PriorityChanged():
                self.event(
                    events.PriorityChange(
                        effect.instance,
                        effect.cause,
                        state=effect.state.value,
                        priority=effect.priority,
                        arithmetic=effect.arithmetic,
                    )
                )
            case Notify():
                if self.watch_link is not None:
                    self.watch_link.send({"kind": "notice", "notice": wire.encode(effect)})
                    self._watch()
            case Warned():
                self.warn(effect.instance, effect.cause, effect.topic)

    def _transition(self, effect: StateChanged) -> None:
        self.since_us[effect.key] = self.event(
            events.Transition(
                effect.instance,
                effect.cause,
                old=effect.old.value,
                new=effect.new.value,
                priority=effect.priority,
                arithmetic=effect.arithmetic,
                vrid=effect.key[2],
                interface=effect.key[0],
            )
        )

    def warn(self, subject: str, cause: str, topic: str = "") -> None:
        """Report what an operator should know."""
        self.event(events.NodeWarning(subject, cause, topic or None))

    def event(self, event: events.Event) -> int:
        """Report one event; its wall time."""
        message = wire.to_wire(
            event, wall_us=self._clock.wall_us(), mono_us=self._clock.monotonic_us()
        )
        self.send({"kind": "event", "event": wire.encode(message)})
        return message.wall_us

    def send(self, message: dict[str, Any]) -> None:
        """Send one message to the supervisor."""
        self.send_json(json.dumps(message, separators=(",", ":")))

    def send_json(self, text: str) -> None:
        """Send one message that is JSON already."""
        self._lines.send(text.encode())
        if self._lines.waiting:
            self._watch()
