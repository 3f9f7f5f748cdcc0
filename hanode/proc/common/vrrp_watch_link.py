"""The link between the vrrp and the watch process: trackers one way, notices the other.

DRIVER. A pair of SOCK_SEQPACKET sockets that the supervisor makes once and both children inherit
(HANODE_LINK_FD), so that a tracker need not wait for the supervisor, which writes its journal to
disk. The supervisor keeps both ends open: a child that is started again goes on where the dead one
was, and because each message is a packet, it never begins in the middle of one.
"""

from __future__ import annotations

import json
import os
import select
import socket
from collections import deque
from collections.abc import Callable
from typing import Any

MESSAGE_BYTES = 1 << 16
WAITING_MESSAGES = 20_000
"""Two notices for each of 4,080 instances, and as many again while the other side restarts."""
MESSAGES_AT_ONCE = 64
"""Then timers get their turn."""

SO_SNDBUFFORCE = 32
ROOM_BYTES = 16 << 20
"""A short packet costs the kernel about 1 kB."""

ENVIRONMENT = "HANODE_LINK_FD"


def pair() -> tuple[socket.socket, socket.socket]:
    """Both ends, with room for the STOP notices of 4,080 instances: their sender exits at once."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        try:
            end.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, ROOM_BYTES)
        except OSError:  # not root
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM_BYTES)
    return ends


def inherited() -> socket.socket | None:
    """Our end; None: the supervisor gave us none."""
    number = os.environ.get(ENVIRONMENT, "")
    return socket.socket(fileno=int(number)) if number.isdigit() else None


class VrrpWatchLink:
    """One end. Never blocks: what the other side has not read waits; when too much waits, the
    oldest messages are dropped.
    """

    def __init__(
        self, connected: socket.socket, *, on_message: Callable[[dict[str, Any]], None]
    ) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._on_message = on_message
        self._queue: deque[bytes] = deque()
        self.dropped = 0

    def fileno(self) -> int:
        """For epoll."""
        return self._socket.fileno()

    @property
    def waiting(self) -> bool:
        """Whether something waits for the other side to read."""
        return bool(self._queue)

    def send(self, message: dict[str, Any]) -> None:
        """Send it now, or as soon as there is room."""
        if len(self._queue) >= WAITING_MESSAGES:
            self._queue.popleft()
            self.dropped += 1
        self._queue.append(json.dumps(message, separators=(",", ":")).encode())
        self.flush()

    def flush(self) -> None:
        """Send what the socket has room for."""
        while self._queue:
            try:
                self._socket.send(self._queue[0])
            except BlockingIOError:
                return
            except OSError:
                self._queue.clear()
                return
            self._queue.popleft()

    def serve(self, mask: int) -> bool:
        """Read and write as the mask of epoll says; whether there may be more to read."""
        if mask & select.EPOLLOUT:
            self.flush()
        if not mask & ~select.EPOLLOUT:
            return False
        for _ in range(MESSAGES_AT_ONCE):
            try:
                data = self._socket.recv(MESSAGE_BYTES)
            except OSError:
                return False
            if not data:
                return False
            try:
                message = json.loads(data)
            except ValueError:
                continue
            if isinstance(message, dict):
                self._on_message(message)
        return True
