"""At most so many in such a time.

PURE.
"""

from __future__ import annotations

from collections import deque


class RateLimit:
    """`most` in any `window_us`."""

    def __init__(self, most: int, window_us: int) -> None:
        self._window_us = window_us
        self._allowed_us: deque[int] = deque(maxlen=most)

    def allows(self, now_us: int) -> bool:
        """Whether one more is allowed now; if so, it counts."""
        allowed = self._allowed_us
        if len(allowed) == allowed.maxlen and now_us - allowed[0] < self._window_us:
            return False
        allowed.append(now_us)
        return True
