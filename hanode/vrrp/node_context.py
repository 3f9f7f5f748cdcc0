"""What all instances of a node have in common.

PURE. The router owns it; the machines read it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from hanode.vrrp.engine_settings import InstanceKey, InstanceSettings
from hanode.vrrp.events import ABSENT, LinkState, TrackerChanged
from hanode.vrrp.tracking_and_notify import TrackerKind

TrackerKey = tuple[TrackerKind, str]


class NodeContext:
    """Interfaces, trackers, unmet needs, the wall clock, and who is notified of every instance."""

    __slots__ = ("links", "maintenance", "notify_all", "trackers", "unmet", "wall_offset_us")

    def __init__(self) -> None:
        self.links: dict[str, LinkState] = {}
        """What is known of each interface, by name."""
        self.trackers: dict[TrackerKey, TrackerChanged] = {}
        """What is known; a script that has not run yet is not there."""
        self.unmet: dict[InstanceKey, str] = {}
        """What an instance cannot do without, and this node refuses: a socket, a macvlan, one of
        the kernel's switches. In words, with the reason."""
        self.wall_offset_us = 0
        """The wall clock is so far ahead of the monotonic one; signed adverts need it."""
        self.notify_all = False
        """A pipe or mail is told of every instance, whatever its own notify lines are."""
        self.maintenance: str | None = None
        """Why the node takes no part; None: it does."""

    def link_of(self, settings: InstanceSettings) -> LinkState:
        """An instance's interface, with the addresses that its adverts may come from."""
        link = self.links.get(settings.interface, ABSENT)
        if settings.source_on == settings.interface:
            return link
        return replace(link, addresses=self.links.get(settings.source_on, ABSENT).addresses)


class OwnSyncGroup(Protocol):
    """A sync group, as its members see it."""

    def may_be_master(self) -> bool:
        """Whether every member wants to be MASTER."""

    def fault_of_others(self, member: object) -> str | None:
        """The fault of another member."""
