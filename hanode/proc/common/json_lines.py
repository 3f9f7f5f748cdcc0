"""JSON lines over a socket that never block the process that writes them.

DRIVER. What the other side has not read waits in a bounded queue. When that is full, the oldest
lines are dropped, because a stuck supervisor must not stop a failover.
"""

from __future__ import annotations

import select
import socket
from collections import deque
from collections.abc import Callable

LINE_BYTES = 16 << 20
"""The longest request: settings of 4,080 instances take about 1 MB."""
WAITING_LINES = 10_000
"""About an hour of a flapping pair's events."""
READ_BYTES = 1 << 16


class JsonLines:
    """Both directions of one connected socket."""

    def __init__(
        self,
        connected: socket.socket,
        *,
        on_line: Callable[[bytes], None],
        on_end: Callable[[], None],
    ) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._on_line = on_line
        self._on_end = on_end
        self._read = bytearray()
        self._queue: deque[bytes] = deque()
        self._partial = b""
        self._ended = False
        self.dropped = 0

    def fileno(self) -> int:
        """For epoll."""
        return self._socket.fileno()

    @property
    def waiting(self) -> bool:
        """Whether something waits for the other side to read."""
        return bool(self._partial or self._queue) and not self._ended

    def send(self, line: bytes) -> None:
        """Send a line now, or as soon as the other side reads."""
        if len(self._queue) >= WAITING_LINES:
            self._queue.popleft()
            self.dropped += 1
        self._queue.append(line + b"\n")
        self.flush()

    def flush(self) -> None:
        """Send what the socket has room for."""
        while self.waiting:
            self._partial = self._partial or self._queue.popleft()
            try:
                sent = self._socket.send(self._partial)
            except BlockingIOError:
                return
            except OSError:
                self._queue.clear()
                self._partial = b""
                return
            self._partial = self._partial[sent:]

    def serve(self, mask: int) -> None:
        """Read and write as the mask of epoll says."""
        if mask & select.EPOLLOUT:
            self.flush()
        if not mask & ~select.EPOLLOUT or self._ended:
            return
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._read += data
        *lines, rest = self._read.split(b"\n")
        self._read = rest
        for line in lines:
            self._on_line(bytes(line))
        if not data or len(self._read) > LINE_BYTES:
            self._ended = True
            self._on_end()
