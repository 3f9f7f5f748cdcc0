"""How long backups wait for adverts that have arrived and have not been read yet.

PURE. A Master_Down_Timer must not fire while the advert that would have moved it lies in the
socket's buffer, and a flood of packets must not delay a takeover for ever. Masters do not wait.
"""

from __future__ import annotations

WAIT_US = 100_000


class Backlog:
    """Knows since when some socket had more packets than were read in one turn."""

    def __init__(self) -> None:
        self._unread = False
        self._since_us: int | None = None

    def more(self) -> None:
        """A socket has more packets than were read in this turn."""
        self._unread = True

    def holds_backups(self, now_us: int) -> bool:
        """Whether deadlines of backups are to wait. Call it once a turn: it begins a new one."""
        unread, self._unread = self._unread, False
        if not unread:
            self._since_us = None
            return False
        if self._since_us is None:
            self._since_us = now_us
        return now_us - self._since_us <= WAIT_US
