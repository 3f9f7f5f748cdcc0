"""When a process that died is started again, and how long to wait before the next try.

PURE. Both go from "at once" to "once a second": what dies or fails at its very start must not
burn the machine's time.
"""

from __future__ import annotations

RESTART_DELAYS_US = (0, 100_000, 250_000, 500_000, 1_000_000)
"""After the first death in a row, the second, and so on."""
STEADY_US = 10_000_000
"""A process that lived longer than this is started at once again."""

RETRY_DELAYS_US = (100_000, 200_000, 400_000, 800_000, 1_000_000)
"""Short: a broker that is back should hear of the node at once; it is one node's few bytes."""
WORKED_US = 2_000_000
"""What worked longer than this is tried at once again."""


class Respawn:
    """One child process."""

    def __init__(self) -> None:
        self._deaths = 0

    def died(self, *, lived_us: int) -> int:
        """How long to wait before it is started again."""
        if lived_us > STEADY_US:
            self._deaths = 0
            return 0
        self._deaths += 1
        return _delay(RESTART_DELAYS_US, self._deaths)


class Retry:
    """One piece of work that needs a peer, which may be away."""

    def __init__(self) -> None:
        self._failures = 0

    def failed(self, *, worked_us: int) -> int:
        """How long to wait before the next try; it worked for so long before it failed."""
        if worked_us > WORKED_US:
            self._failures = 0
            return 0
        self._failures += 1
        return _delay(RETRY_DELAYS_US, self._failures)


def _delay(delays_us: tuple[int, ...], times: int) -> int:
    return delays_us[min(times, len(delays_us)) - 1]
