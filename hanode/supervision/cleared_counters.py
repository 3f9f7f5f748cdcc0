"""Counters since an operator cleared them.

PURE. The vrrp process counts from its start; clearing remembers where each counter stood.
"""

from __future__ import annotations

from collections.abc import Iterable

from hanode.wire import InstanceStatus

Counters = dict[str, dict[str, int]]
"""By instance, by name."""


class ClearedCounters:
    """Where each counter stood when it was cleared."""

    def __init__(self) -> None:
        self._cleared: Counters = {}

    def clear(self, instances: Iterable[InstanceStatus]) -> None:
        """Count from here on."""
        self._cleared = {one.name: dict(one.counters) for one in instances}

    def since(self, instances: Iterable[InstanceStatus]) -> Counters:
        """The counters since then. Those of a process that was started again began at 0."""
        counted: Counters = {}
        for one in instances:
            before = self._cleared.get(one.name, {})
            if any(one.counters.get(name, 0) < count for name, count in before.items()):
                before = self._cleared[one.name] = {}
            counted[one.name] = {n: count - before.get(n, 0) for n, count in one.counters.items()}
        return counted
