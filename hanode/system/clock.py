"""The two clocks.

SYSTEM. Everything that decides is given the time; this is where it comes from.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Integer microseconds."""

    def monotonic_us(self) -> int:
        """Never jumps; for every decision."""
        ...

    def wall_us(self) -> int:
        """Since the epoch; only to tell people when something was."""
        ...


class SystemClock:
    """CLOCK_MONOTONIC (which timerfd shares) and CLOCK_REALTIME."""

    def monotonic_us(self) -> int:
        """Microseconds of CLOCK_MONOTONIC."""
        return time.monotonic_ns() // 1000

    def wall_us(self) -> int:
        """Microseconds since the epoch."""
        return time.time_ns() // 1000

    def since_boot_us(self) -> int:
        """Microseconds since the machine was started, those of its sleep among them."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
