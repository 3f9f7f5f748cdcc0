"""Carries out what the machines want besides adverts, in order and in portions.

DRIVER. Thousands of instances may fail over in one moment. What they want is queued and done a
portion at a time, so that adverts and packets come in between; within a portion what is alike goes
to the kernel together: first what goes, then what comes, then the announcements, then the telling.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from hanode.proc.vrrp.kernel_state import KernelState
from hanode.vrrp.effects import (
    AddAddresses,
    AddRoutes,
    AddRules,
    AnnounceAddresses,
    BlockAddresses,
    Effect,
    RemoveAddresses,
    RemoveRoutes,
    RemoveRules,
    UnblockAddresses,
)

PORTION = 128
"""Effects done in one go: some 3 ms, a third of the shortest advert_int."""
REMOVALS = (RemoveAddresses, RemoveRoutes, RemoveRules, UnblockAddresses)
ADDITIONS = (AddAddresses, AddRoutes, AddRules, BlockAddresses)


class EffectQueue:
    """The queue, and what becomes of each effect."""

    def __init__(
        self,
        kernel_state: KernelState,
        *,
        announce: Callable[[AnnounceAddresses], None],
        tell: Callable[[Effect], None],
        block: Callable[[Effect], None],
    ) -> None:
        self._kernel_state = kernel_state
        self._announce = announce
        self._tell = tell
        self._block = block
        self._queue: deque[Effect] = deque()

    @property
    def waiting(self) -> bool:
        """Whether there is more to do."""
        return bool(self._queue)

    def want(self, effect: Effect) -> None:
        """Have it done; soon, and after what was wanted before."""
        self._queue.append(effect)

    def do_all(self) -> None:
        """Everything, however long it takes: the process ends."""
        while self._queue:
            self.do_some()

    def do_some(self) -> None:
        """The next portion."""
        removals: list[Effect] = []
        additions: list[Effect] = []
        announcements: list[AnnounceAddresses] = []
        tidings: list[Effect] = []
        for _ in range(min(PORTION, len(self._queue))):
            effect = self._queue[0]
            if isinstance(effect, REMOVALS):
                if additions:  # of the same address, perhaps: it must not be added last
                    break
                removals.append(effect)
            elif isinstance(effect, ADDITIONS):
                additions.append(effect)
            elif isinstance(effect, AnnounceAddresses):
                announcements.append(effect)
            else:
                tidings.append(effect)
            self._queue.popleft()
        self._take_out(removals)
        self._put_in(additions)
        for announcement in announcements:
            self._announce(announcement)
        for tiding in tidings:
            self._tell(tiding)

    def _take_out(self, effects: list[Effect]) -> None:
        kernel_state = self._kernel_state
        for effect in effects:
            match effect:
                case RemoveRules():
                    kernel_state.remove_rules(effect.key, effect.rules)
                case RemoveRoutes():
                    kernel_state.remove_routes(effect.key, effect.routes)
        gone = [(e.key, a) for e in effects if isinstance(e, RemoveAddresses) for a in e.addresses]
        if gone:
            kernel_state.remove(gone)
        for effect in effects:
            if isinstance(effect, UnblockAddresses):
                self._block(effect)

    def _put_in(self, effects: list[Effect]) -> None:
        kernel_state = self._kernel_state
        for effect in effects:
            if isinstance(effect, BlockAddresses):
                self._block(effect)
        come = [(e.key, a) for e in effects if isinstance(e, AddAddresses) for a in e.addresses]
        if come:
            kernel_state.add(come)
        for effect in effects:
            match effect:
                case AddRoutes():
                    kernel_state.add_routes(effect.key, effect.routes)
                case AddRules():
                    kernel_state.add_rules(effect.key, effect.rules)
