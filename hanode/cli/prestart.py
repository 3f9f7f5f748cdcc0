"""`hanode run`, before anything else: remove stale addresses, and begin to listen for adverts.

DRIVER. Importing the engine and reading a long file take a while, on a busy machine seconds. An
address that an engine left when it was killed, and that another node has taken over since, must not
stay so long; and the adverts that arrive meanwhile count (`hanode.vrrp.prestart_silence`).
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import time

from hanode.cli.options import UsageError
from hanode.cli.run_options import arguments
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

    def arm(self) -> None:
        """Do that now and whenever it is time."""
        if (after_s := self.expire()) is not None:
            signal.setitimer(signal.ITIMER_REAL, after_s)

    @staticmethod
    def disarm() -> None:
        """Stop: this process forks, or the supervisor calls `expire` from now on."""
        signal.setitimer(signal.ITIMER_REAL, 0)


def main(verb: str, words: list[str]) -> int:
    """The exit code."""
    prestart = Prestart(None)
    with contextlib.suppress(UsageError):  # which `run` will say
        given = arguments(words)
        wanted = (given.config_test, given.signum) == (None, None) and not given.version
        if wanted:
            prestart.remove_stale(given)
    prestart.listener = PrestartListener.begin()
    # Importing takes a quarter of a second, in which the listener listens.
    from hanode.cli import run

    return run.main(verb, words, prestart)
