"""The moment before a takeover.

DRIVER. Measured, a takeover that nothing has prepared sends its first advert 0.4 ms after its time:
0.1 ms until a sleeping process runs, the rest because its code and data are in no cache. So we
wake up a little earlier, have an understudy play it (`hanode.vrrp.dry_run`), make ready what its
effects need, and stay awake until the time has come, hearing whoever speaks meanwhile.
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

WARMUP_US = 2_000
"""So much earlier: a rehearsal after a long quiet takes 0.4 to 1.3 ms here, a late start 0.1 ms."""
REHEARSAL_US = 1_500
"""With less time than that there is none."""


class TakeoverWarmup:
    """Prepares the takeover that comes next, and waits for its moment."""

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
        """The first rehearsal takes 3 ms, because memory is touched for the first time: now."""
        machines = self._router.machines.values()
        if (first := next((m for m in machines if m.state is State.BACKUP), None)) is not None:
            self._prepare(first, now_us)

    def wait(self, now_us: int) -> int:
        """Where a backup's time comes soon: prepare, and wait for it. The time that it is then."""
        machine = self._router.imminent(now_us=now_us, within_us=WARMUP_US)
        due_us = None if machine is None else machine.deadline_us
        if machine is None or due_us is None:
            return now_us
        if due_us - now_us >= REHEARSAL_US:
            self._prepare(machine, now_us)
        # An advert may still come; somebody else may have become master and be due before.
        while (now_us := self._clock.monotonic_us()) < due_us:
            if not self._loop.glance() or machine.deadline_us != due_us:
                break
            if (first_us := self._router.deadline_us) is None or first_us < due_us:
                break
        return now_us

    def _prepare(self, machine: Machine, now_us: int) -> None:
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
