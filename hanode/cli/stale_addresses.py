"""What a start does before the engine is imported: it removes addresses that a killed engine left.

DRIVER. `hanode.system.leftovers` knows which, and for how long the engine may go on with others.
"""

from __future__ import annotations

import argparse
import signal
import time

from hanode.system import files
from hanode.system.leftovers import Leftovers
from hanode.system.pid_files import owner_of
from hanode.system.prestart_listener import PrestartListener


class Prestart:
    """What was begun before the engine was imported."""

    def __init__(self, listener: PrestartListener | None) -> None:
        self.listener = listener
        self.lock: int | None = None
        """The lock of the state directory, where we have it."""
        self._leftovers: Leftovers | None = None
        self._alive_us: int | None = None

    def remove_stale(self, given: argparse.Namespace) -> None:
        """Remove the addresses that a killed engine of this state directory cannot go on with.

        Those with which it may go on for a while yet go when that is over, wherever we are then.
        """
        if any(owner_of(path) for path in (given.pid, given.vrrp_pid, given.checkers_pid)):
            return  # somebody runs here, and this start will be refused
        try:
            self.lock = files.lock(given.state_dir / "lock")
        except (files.InUseError, OSError):
            return  # likewise; or it is the first start
        self._leftovers = Leftovers(given.state_dir, given.namespace)
        self._alive_us = files.stamped_us(given.run_dir / "alive")
        signal.signal(signal.SIGALRM, lambda _number, _frame: self.arm())
        self.arm()

    def expire(self) -> float | None:
        """Remove what is over; in how many seconds to come back for the rest. None: never."""
        if self._leftovers is None:
            return None
        now_us = time.monotonic_ns() // 1_000
        next_us = self._leftovers.remove(alive_us=self._alive_us, now_us=now_us)
        return None if next_us is None else (next_us - now_us) / 1_000_000 + 0.001

    def removed(self) -> list[tuple[str, str]]:
        """(Interface, `ip/prefix`) of what was removed since this was asked last."""
        if self._leftovers is None:
            return []
        places, self._leftovers.removed = self._leftovers.removed, []
        return [(dev, f"{ip}/{prefix}") for dev, ip, prefix, _peer in places]

    def arm(self) -> None:
        """Do that now and whenever it is time."""
        if (after_s := self.expire()) is not None:
            signal.setitimer(signal.ITIMER_REAL, after_s)

    @staticmethod
    def disarm() -> None:
        """Stop: this process forks, or the supervisor calls `expire` from now on."""
        signal.setitimer(signal.ITIMER_REAL, 0)
