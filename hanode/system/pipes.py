"""A notify FIFO: lines in order, without ever waiting for the reader.

SYSTEM. It is opened for both directions, as keepalived does it: then it opens without a reader, and
a reader that goes away is no error. What a slow reader has not read waits here, up to a limit.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections import deque

LINES_WAITING = 50_000
"""Far more than a pipe holds (some 2,500 lines); without a reader it must not eat memory."""
MODE = 0o600
"""keepalived's 0644 under its umask of 0177."""


class Fifo:
    """One notify FIFO."""

    def __init__(self, path: str, *, uid: int, gid: int) -> None:
        """Open it; make it where it is missing. Raises OSError."""
        self.path = path
        self.dropped = 0
        self._queue: deque[bytes] = deque()
        self._made = False
        with contextlib.suppress(FileExistsError):
            os.mkfifo(path, MODE)
            self._made = True
        if self._made:
            os.chown(path, uid, gid)
        flags = os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
        self._reader = os.open(path, os.O_RDWR | flags)
        if not stat.S_ISFIFO(os.fstat(self._reader).st_mode):
            os.close(self._reader)
            raise FileExistsError(17, "it exists and is no FIFO", path)
        # For this one epoll reports only that there is room again, which is what we wait for.
        self._fd = os.open(path, os.O_WRONLY | flags)

    def fileno(self) -> int:
        """For epoll: writable when there is room."""
        return self._fd

    @property
    def waiting(self) -> bool:
        """Whether lines wait for the reader."""
        return bool(self._queue)

    def write(self, line: bytes) -> None:
        """Write a line, at most PIPE_BUF bytes: the kernel takes it whole or not at all."""
        if len(self._queue) >= LINES_WAITING:
            self._queue.popleft()
            self.dropped += 1
        self._queue.append(line)
        self.flush()

    def flush(self) -> None:
        """Write what the pipe has room for."""
        while self._queue:
            try:
                os.write(self._fd, self._queue[0])
            except BlockingIOError:
                return
            self._queue.popleft()

    def close(self) -> None:
        """Close it, and remove it if we made it."""
        os.close(self._fd)
        os.close(self._reader)
        if self._made:
            with contextlib.suppress(OSError):
                os.unlink(self.path)
