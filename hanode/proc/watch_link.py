"""The vrrp process's end of the line to the watch process.

DRIVER. Trackers come in as `TrackerChanged`, notices go out; nothing waits. Without a line (a
test's process, or keepalived's `-P` of one alone) there are simply no trackers and nobody to tell.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from hanode import wire
from hanode.proc.bond import Bond
from hanode.proc.loop import Loop
from hanode.vrrp.effects import Notify
from hanode.vrrp.events import TrackerChanged
from hanode.watch.messages import News


class WatchLink:
    """What the vrrp process knows of the watch process."""

    def __init__(
        self,
        loop: Loop,
        connected: socket.socket | None,
        *,
        on_tracker: Callable[[TrackerChanged], None],
    ) -> None:
        self._loop = loop
        self._on_tracker = on_tracker
        self._bond: Bond | None = None
        if connected is not None:
            self._bond = Bond(connected, on_message=self._on_message)
            # A process that begins knows nothing of the trackers, nor what waits for the last one.
            self._bond.say({"kind": "trackers"})
            self._watch()

    def notify(self, effect: Notify) -> None:
        """Tell scripts, FIFOs and mail; soon, and not by us."""
        if self._bond is None:
            return
        notice = {
            "kind": effect.kind,
            "name": effect.name,
            "state": effect.state,
            "priority": effect.priority,
        }
        self._bond.say({"kind": "notice", "notice": notice})
        if self._bond.waiting:
            self._watch()

    def _watch(self) -> None:
        if self._bond is not None:
            self._loop.watch(self._bond.fileno(), self._on_ready, write=self._bond.waiting)

    def _on_ready(self, mask: int) -> None:
        if self._bond is not None:
            self._bond.serve(mask)
            self._watch()

    def _on_message(self, message: dict[str, Any]) -> None:
        if message.get("kind") != "tracker":
            return
        try:
            news = wire.decode(News, message.get("tracker"))
        except wire.WireError:
            return
        change = TrackerChanged(news.kind, news.name, news.up, news.value, news.cause)
        self._on_tracker(change)
