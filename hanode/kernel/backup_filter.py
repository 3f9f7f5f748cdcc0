"""Strict instances that are not master take no frame that is sent to their virtual MAC address.

PURE. RFC 9568 section 6.4.2. The macvlan exists in every state, and a switch that has forgotten
the master floods its frames to all: without this filter a backup that forwards would forward them
too, as keepalived's does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hanode.vrrp.engine_settings import InstanceKey, VrrpSettings


@dataclass(frozen=True, slots=True)
class Filter:
    """Drop frames to the MAC address of this macvlan from now on, or let them pass again."""

    name: str
    drop: bool


IsMaster = Callable[[InstanceKey], bool]


class BackupFilter:
    """Knows which macvlans are filtered."""

    def __init__(self) -> None:
        self._names: dict[InstanceKey, str] = {}
        """The macvlans of strict instances."""
        self._dropped: set[str] = set()

    def configure(self, settings: VrrpSettings, is_master: IsMaster) -> list[Filter]:
        """Take new settings; the instances are in the states that `is_master` says."""
        self._names = {i.key: i.vmac.name for i in settings.instances if i.strict and i.vmac}
        steps = [
            step
            for name in sorted(self._dropped.difference(self._names.values()))
            for step in self._pass(name)
        ]
        for key in self._names:
            steps += self.state_changed(key, is_master)
        return steps

    def state_changed(self, key: InstanceKey, is_master: IsMaster) -> list[Filter]:
        """The instance may have become master, or ceased to be."""
        name = self._names.get(key)
        if name is None:
            return []
        if is_master(key):
            return self._pass(name)
        if name in self._dropped:
            return []
        self._dropped.add(name)
        return [Filter(name, drop=True)]

    def _pass(self, name: str) -> list[Filter]:
        if name not in self._dropped:
            return []
        self._dropped.discard(name)
        return [Filter(name, drop=False)]
