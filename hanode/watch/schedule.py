"""When the watch process looks through the machine's processes, and how long its end takes.

PURE. Processes that end are reported by the kernel; those that begin are found by looking. At the
end, notify scripts and mail of the last transitions get a moment; what was started and is not
wanted any more gets SIGTERM and, later, SIGKILL.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

LOOK_EVERY_US = 1_000_000
"""A look through /proc costs some 20 us for each process of the machine."""
STOP_WITHIN_US = 1_000_000
"""keepalived's wait for its scripts at the end."""
STOP_POLL_US = 20_000
"""How often, at the end, it is seen whether scripts and mail are done."""
KILL_AFTER_US = 2_000_000
"""From SIGTERM to SIGKILL for a script that is not wanted any more."""


class Schedule:
    """What the process does by the clock, besides its trackers."""

    def __init__(self) -> None:
        self._look_us: int | None = None
        self._stop_us: int | None = None
        self._poll_us = 0

    @property
    def deadline_us(self) -> int | None:
        """When `look_due`, or at the end `stopped`, must be called next."""
        if self._stop_us is not None:
            return min(self._poll_us, self._stop_us)
        return self._look_us

    @property
    def stopping(self) -> bool:
        """Whether the end has begun: then nothing is looked at any more."""
        return self._stop_us is not None

    def looked(self, now_us: int, *, again: bool) -> None:
        """The machine was looked at; `again`: there is something that a later look may find."""
        self._look_us = now_us + LOOK_EVERY_US if again else None

    def look_due(self, now_us: int) -> bool:
        """Whether to look now; then call `looked`."""
        return not self.stopping and self._look_us is not None and now_us >= self._look_us

    def stop(self, now_us: int) -> bool:
        """The end begins; False: it had begun already."""
        if self.stopping:
            return False
        self._poll_us, self._stop_us = now_us, now_us + STOP_WITHIN_US
        return True

    def stopped(self, now_us: int, *, busy: bool) -> bool:
        """Whether to exit now; `busy`: scripts or mail are not done yet."""
        if self._stop_us is None:
            return False
        self._poll_us = now_us + STOP_POLL_US
        return now_us >= self._stop_us or not busy


Key = TypeVar("Key", bound=Hashable)


class Endings(Generic[Key]):
    """Programs that got SIGTERM, and get SIGKILL if that was not enough."""

    def __init__(self) -> None:
        self._kill_us: dict[Key, int] = {}

    @property
    def deadline_us(self) -> int | None:
        """When `due` must be called next."""
        return min(self._kill_us.values(), default=None)

    def terminated(self, key: Key, now_us: int) -> None:
        """It got SIGTERM now."""
        self._kill_us[key] = now_us + KILL_AFTER_US

    def ended(self, key: Key) -> None:
        """It has ended."""
        self._kill_us.pop(key, None)

    def due(self, now_us: int) -> list[Key]:
        """Those that must get SIGKILL now; each is named once."""
        found = [key for key, at_us in self._kill_us.items() if now_us >= at_us]
        for key in found:
            del self._kill_us[key]
        return found
