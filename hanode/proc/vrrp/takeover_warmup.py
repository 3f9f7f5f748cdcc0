"""Prepares the takeover that comes next, and waits for its moment.

DRIVER. `hanode.vrrp.takeover_warmup` decides when, and how long.
"""

from __future__ import annotations

from hanode.proc.common.loop import Loop
from hanode.proc.vrrp.interfaces import Interfaces
from hanode.proc.vrrp.kernel_state import KernelState
from hanode.system.clock import Clock
from hanode.vrrp.dry_run import rehearse
from hanode.vrrp.effects import AddAddresses, AnnounceAddresses, SendAdvert, State
from hanode.vrrp.machine import Machine
from hanode.vrrp.router import Router
from hanode.vrrp.takeover_warmup import next_takeover, still_next


class TakeoverWarmup:
    """One for the whole process."""

    def __init__(
        self,
        router: Router,
        loop: Loop,
        clock: Clock,
        interfaces: Interfaces,
        kernel_state: KernelState,
    ) -> None:
        self._router = router
        self._loop = loop
        self._clock = clock
        self._interfaces = interfaces
        self._kernel_state = kernel_state

    def try_once(self, now_us: int) -> None:
        """Do a dry run now: the first one takes 3 ms, because it touches new memory."""
        machines = self._router.machines.values()
        if (first := next((m for m in machines if m.state is State.BACKUP), None)) is not None:
            self._prepare(first, now_us)

    def wait(self, now_us: int) -> int:
        """Where a backup's time comes soon: prepare, and wait for it. The time that it is then."""
        takeover = next_takeover(self._router, now_us=now_us)
        if takeover is None:
            return now_us
        if takeover.prepare:
            self._prepare(takeover.machine, now_us)
        while (now_us := self._clock.monotonic_us()) < takeover.due_us:
            if not self._loop.glance() or not still_next(takeover, self._router):
                break
        return now_us

    def _prepare(self, machine: Machine, now_us: int) -> None:
        """Make everything that the takeover will send, so that it is in the caches."""
        sender = self._interfaces.sockets.senders.get(machine.settings.key)
        for effect in rehearse(machine, now_us=now_us):
            match effect:
                case SendAdvert() if sender is not None:
                    sender.prepare(effect)
                case AddAddresses():
                    self._kernel_state.prepare(effect.addresses)
                case AnnounceAddresses():
                    self._interfaces.prepare(effect)
        if sender is not None:
            for advert in machine.transmitter.ready:
                sender.prepare(advert)
