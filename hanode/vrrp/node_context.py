"""What all instances of a node have in common.

PURE. The router owns it; the machines read it.
"""

from __future__ import annotations

from typing import Protocol

from hanode.vrrp.events import TrackerChanged
from hanode.vrrp.tracking_and_notify import TrackerKind

TrackerKey = tuple[TrackerKind, str]


class NodeContext:
    """Trackers, the wall clock, and whether anybody listens to notifications."""

    __slots__ = ("maintenance", "tell_all", "trackers", "wall_offset_us")

    def __init__(self) -> None:
        self.trackers: dict[TrackerKey, TrackerChanged] = {}
        """What is known; a script that has not run yet is not there."""
        self.wall_offset_us = 0
        """The wall clock is so far ahead of the monotonic one; signed adverts need it."""
        self.tell_all = False
        """There is a pipe or mail that hears of every instance."""
        self.maintenance: str | None = None
        """Why the node takes no part; None: it does."""


class OwnSyncGroup(Protocol):
    """A sync group, as its members see it."""

    def may_be_master(self) -> bool:
        """Whether every member wants to be MASTER."""

    def fault_beside(self, member: object) -> str | None:
        """The fault of another member."""
