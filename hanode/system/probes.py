"""Non-blocking connections for health checks, on an epoll of their own.

SYSTEM. Opens, writes to and closes connections, and reports what happened on them; it counts no
time. The driver's own loop watches the epoll's file descriptor, which is readable while there is
something to report. Sockets are registered once and edge-triggered, so a check costs no system call
beyond socket, connect, epoll_ctl, getsockopt and close.
"""

from __future__ import annotations

import errno
import select
import socket
from typing import Protocol

from hanode.check.events import Connected, Event, Failed, Received, Unable

EVENTS_PER_POLL = 512
"""Events read at once; more wait in the kernel until other work had its turn."""
CHUNK_BYTES = 16_384
CHUNKS_PER_EVENT = 16
"""A real server that sends without end must not occupy the process."""

OUR_OWN_TROUBLE = {
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOBUFS,
    errno.ENOMEM,
    errno.EADDRNOTAVAIL,
    errno.EAFNOSUPPORT,
}
"""Errors of this host, not of the real server: no descriptors, no ports, no IPv6."""


class Prober(Protocol):
    """What the checker process needs; tests/fakes has an implementation without a network."""

    def fileno(self) -> int:
        """Readable while `poll` has something to report."""

    def connect(self, probe: int, ip: str, port: int) -> Event | None:
        """Open a connection; what is known of it at once, or None."""

    def send(self, probe: int, data: bytes) -> Event | None:
        """Send; what the socket does not take now is sent later."""

    def hang_up(self, probe: int) -> None:
        """Close; nothing more is reported of this probe. Harmless when it is closed already."""

    def poll(self) -> list[Event]:
        """What has happened since the last call; never waits."""

    def close(self) -> None:
        """End all connections."""


class _Probe:
    __slots__ = ("connected", "number", "socket", "unsent")

    def __init__(self, number: int, connection: socket.socket) -> None:
        self.number = number
        self.socket = connection
        self.connected = False
        self.unsent = b""


class EpollProbes:
    """Prober on real sockets."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._by_number: dict[int, _Probe] = {}
        self._by_fd: dict[int, _Probe] = {}

    def fileno(self) -> int:
        return self._epoll.fileno()

    def __len__(self) -> int:
        return len(self._by_number)

    def connect(self, probe: int, ip: str, port: int) -> Event | None:
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        try:
            connection = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        except OSError as error:
            return Unable(probe, _name(error.errno))
        code = connection.connect_ex((ip, port))
        if code not in (0, errno.EINPROGRESS):
            connection.close()
            return failure(probe, code)
        item = _Probe(probe, connection)
        self._by_number[probe] = self._by_fd[connection.fileno()] = item
        # A connection that is established already is reported by the first poll, like all others.
        self._epoll.register(connection, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
        return None

    def send(self, probe: int, data: bytes) -> Event | None:
        item = self._by_number[probe]
        item.unsent += data
        return self._flush(item)

    def hang_up(self, probe: int) -> None:
        item = self._by_number.pop(probe, None)
        if item is not None:
            del self._by_fd[item.socket.fileno()]
            # Closing also removes it from the epoll: no other descriptor refers to the same file.
            item.socket.close()

    def poll(self) -> list[Event]:
        events: list[Event] = []
        for fd, mask in self._epoll.poll(0, EVENTS_PER_POLL):
            item = self._by_fd.get(fd)
            if item is not None:
                events += self._look(item, mask)
        return events

    def close(self) -> None:
        for probe in list(self._by_number):
            self.hang_up(probe)
        self._epoll.close()

    def _look(self, item: _Probe, mask: int) -> list[Event]:
        events: list[Event] = []
        if not item.connected:
            code = item.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                self.hang_up(item.number)
                return [failure(item.number, code)]
            if not mask & select.EPOLLOUT:
                return []
            item.connected = True
            events.append(Connected(item.number))
        elif mask & select.EPOLLOUT and item.unsent:
            failed = self._flush(item)
            if failed is not None:
                return [failed]
        if mask & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
            events += self._receive(item)
        return events

    def _flush(self, item: _Probe) -> Event | None:
        try:
            sent = item.socket.send(item.unsent)
        except BlockingIOError:
            return None
        except OSError as error:
            self.hang_up(item.number)
            return failure(item.number, error.errno)
        item.unsent = item.unsent[sent:]
        return None

    def _receive(self, item: _Probe) -> list[Event]:
        events: list[Event] = []
        for _ in range(CHUNKS_PER_EVENT):
            try:
                data = item.socket.recv(CHUNK_BYTES)
            except BlockingIOError:
                return events
            except OSError as error:
                self.hang_up(item.number)
                return [*events, failure(item.number, error.errno)]
            events.append(Received(item.number, data))
            if not data:
                return events
        # More may wait, and an edge comes only once: read again in the next poll.
        self._epoll.modify(item.socket, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
        return events


def failure(probe: int, code: int | None) -> Event:
    """The event of an errno: a failure of the real server, or of this host."""
    if code in OUR_OWN_TROUBLE:
        return Unable(probe, _name(code))
    return Failed(probe, _name(code))


def _name(code: int | None) -> str:
    return errno.errorcode.get(code or 0, f"error {code}")
