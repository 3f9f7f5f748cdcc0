"""Carries out what the machines want besides adverts, in portions.

DRIVER. `hanode.kernel.portions` decides what a portion is, and its order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from hanode.kernel.portions import Portion, next_portion
from hanode.proc.vrrp.kernel_state import KernelState
from hanode.vrrp.effects import (
    AddRoutes,
    AddRules,
    AnnounceAddresses,
    BlockAddresses,
    Effect,
    RemoveRoutes,
    RemoveRules,
    UnblockAddresses,
)


class EffectQueue:
    """Effects that wait, oldest first."""

    def __init__(
        self,
        kernel_state: KernelState,
        *,
        announce: Callable[[AnnounceAddresses], None],
        report: Callable[[Effect], None],
        block: Callable[[BlockAddresses | UnblockAddresses], None],
    ) -> None:
        self._kernel_state = kernel_state
        self._announce = announce
        self._report = report
        self._block = block
        self._queue: deque[Effect] = deque()

    @property
    def waiting(self) -> bool:
        """Whether there is more to do."""
        return bool(self._queue)

    def add(self, effect: Effect) -> None:
        """Have it done soon, and after what was added before."""
        self._queue.append(effect)

    def do_some(self) -> None:
        """The next portion."""
        portion = next_portion(self._queue)
        self._remove(portion)
        self._add(portion)
        for announcement in portion.announce:
            self._announce(announcement)
        for effect in portion.report:
            self._report(effect)

    def _remove(self, portion: Portion) -> None:
        for effect in portion.remove_rules_and_routes:
            match effect:
                case RemoveRules(key, rules):
                    self._kernel_state.remove_rules(key, rules)
                case RemoveRoutes(key, routes):
                    self._kernel_state.remove_routes(key, routes)
        if portion.remove_addresses:
            self._kernel_state.remove(portion.remove_addresses)
        for unblock in portion.unblock:
            self._block(unblock)

    def _add(self, portion: Portion) -> None:
        for block in portion.block:
            self._block(block)
        if portion.add_addresses:
            self._kernel_state.add(portion.add_addresses)
        for effect in portion.add_routes_and_rules:
            match effect:
                case AddRoutes(key, routes):
                    self._kernel_state.add_routes(key, routes)
                case AddRules(key, rules):
                    self._kernel_state.add_rules(key, rules)
