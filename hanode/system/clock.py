"""The two clocks.

SYSTEM. The drivers read them and pass the time to whatever decides.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Integer microseconds."""

    def monotonic_us(self) -> int:
        """Never jumps; all decisions use it."""
        ...

    def wall_us(self) -> int:
        """Since the epoch; only to show people when something happened."""
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
        """Microseconds since the machine was started, including the time it was suspended."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
