"""Text to a terminal, a pipe or a file that never makes its writer wait.

SYSTEM. A log that nobody reads fills its pipe, and a process that waits there obeys no signal and
sends no advert. What nobody takes is dropped and counted, and the next line that is taken says so.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import socket
import stat
import sys
from pathlib import Path

PATIENCE_MS = 50
"""So long the first write that cannot go on waits, for a reader that is only slow."""
PIECE_BYTES = 4096
"""PIPE_BUF: a pipe that can be written to takes so much at once."""
AGAIN = (errno.EAGAIN, errno.EWOULDBLOCK)


class Unwaiting(io.TextIOBase):
    """Writes to a descriptor, which it owns."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._socket: socket.socket | None = None
        if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            self._socket = socket.socket(fileno=descriptor)
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._lost = 0
        """Lines since one was taken last."""

    @classmethod
    def again(cls, descriptor: int) -> Unwaiting:
        """To what a descriptor of somebody else leads to, which stays as it is.

        O_NONBLOCK belongs to the opened file, which others may share: it is opened once more.
        """
        own = -1
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
            with contextlib.suppress(OSError):
                own = os.open(f"/proc/self/fd/{descriptor}", flags)
        return cls(own if own >= 0 else os.dup(descriptor))

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """Its descriptor."""
        return self._descriptor

    def write(self, text: str) -> int:
        """Write what is taken at once; never waits long, never fails."""
        data = text.encode(errors="backslashreplace")
        if self._lost:
            note = f"\n({self._lost} lines before this one are lost: nobody read them)\n"
            if not self._take(note.encode(), patient=False):
                self._lost += data.count(b"\n")
                return len(text)
            self._lost = 0
        if not self._take(data, patient=True):
            self._lost += max(1, data.count(b"\n"))
        return len(text)

    def _take(self, data: bytes, *, patient: bool) -> bool:
        """Whether all of it was taken, or there is nobody any more who could."""
        while data:
            try:
                if not self._poll.poll(PATIENCE_MS if patient else 0):
                    return False
                data = data[self._send(data[:PIECE_BYTES]) :]
            except OSError as error:
                return error.errno not in AGAIN
        return True

    def _send(self, piece: bytes) -> int:
        if self._socket is not None:
            return self._socket.send(piece, socket.MSG_DONTWAIT)
        return os.write(self._descriptor, piece)

    def close(self) -> None:
        """Give the descriptor back."""
        if self.closed:
            return
        super().close()
        if self._socket is not None:
            self._socket.close()
        else:
            os.close(self._descriptor)


def stderr() -> None:
    """From now on nothing that this process writes to stderr makes it wait; tracebacks neither.

    Call it again when descriptor 2 leads elsewhere.
    """
    old = sys.stderr
    with contextlib.suppress(OSError, ValueError):  # it was closed by whoever started us
        sys.stderr = Unwaiting.again(2)
    if isinstance(old, Unwaiting):
        old.close()


def file(path: Path) -> Unwaiting:
    """A file, opened for appending. Raises OSError, also for a pipe that nobody reads yet."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    return Unwaiting(os.open(path, flags, 0o666))
