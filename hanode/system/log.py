"""One log format for every process of the node, and the destinations of a log.

SYSTEM. `18:02:11.042 NodeA supervisor info: sentence` on stderr, which systemd, a container or a
terminal keeps while the engine runs in the foreground; in the background the same sentence goes to
syslog or a file. Writing never waits and never fails: a log that cannot be written must not stop
an engine.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TextIO, cast

from hanode.system import unwaiting

SYSLOG_SOCKET = "/dev/log"

SEVERITIES = {"error": 3, "warning": 4, "info": 6, "detail": 7}
"""Of syslog(3)."""

FACILITIES = {"user": 1, "daemon": 3, **{f"local{n}": 16 + n for n in range(8)}}
"""Of syslog(3), as far as keepalived's -S names them."""


class Place(Protocol):
    """A destination of sentences."""

    def write(self, level: str, moment: float, process: str, sentence: str) -> None:
        """Write one sentence; where that fails, nothing happens."""


class Stream:
    """A terminal, a pipe or a file: one write per line, so that lines of processes do not mix."""

    def __init__(self, to: TextIO | None = None, *, date: bool = False) -> None:
        """`to` None: stderr, wherever that leads when something is written."""
        self._to = to
        self._format = "%Y-%m-%d %H:%M:%S" if date else "%H:%M:%S"

    def write(self, level: str, moment: float, process: str, sentence: str) -> None:
        clock = time.strftime(self._format, time.localtime(moment))
        line = f"{clock}.{int(moment * 1000) % 1000:03d} {process} {level}: {sentence}\n"
        with contextlib.suppress(OSError, ValueError):
            to = self._to or sys.stderr
            to.write(line)
            to.flush()


class Syslog:
    """The machine's syslog, in datagrams that are dropped where it does not keep up."""

    def __init__(self, facility: str = "daemon", *, path: str = SYSLOG_SOCKET) -> None:
        self._facility = FACILITIES[facility]
        self._path = path
        self._socket: socket.socket | None = None

    def write(self, level: str, moment: float, process: str, sentence: str) -> None:
        clock = time.strftime("%b %e %H:%M:%S", time.localtime(moment))
        number = self._facility * 8 + SEVERITIES[level]
        for part in sentence.split("\n"):
            line = f"<{number}>{clock} hanode[{os.getpid()}]: {process} {level}: {part}"
            self._send(line.encode(errors="replace"))

    def _send(self, line: bytes) -> None:
        for _attempt in range(2):  # a syslog that was restarted has a new socket
            try:
                if self._socket is None:
                    self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                    self._socket.setblocking(False)
                    self._socket.connect(self._path)
                self._socket.send(line)
                return
            except BlockingIOError:
                return
            except OSError:
                if self._socket is not None:
                    self._socket.close()
                self._socket = None


def file(path: Path) -> Stream:
    """A log file, opened for appending. Raises OSError."""
    return Stream(cast("TextIO", unwaiting.file(path)), date=True)


class Log:
    """Writes the sentences of one process."""

    def __init__(
        self,
        process: str,
        *,
        node: str = "",
        detail: bool = False,
        to: TextIO | None = None,
        places: Sequence[Place] | None = None,
    ) -> None:
        self._process = f"{node} {process}".strip()
        self._detail = detail
        self._places = [Stream(to)] if places is None else list(places)

    def info(self, sentence: str) -> None:
        self._write("info", sentence)

    def warning(self, sentence: str) -> None:
        self._write("warning", sentence)

    def error(self, sentence: str) -> None:
        self._write("error", sentence)

    def detail(self, sentence: str) -> None:
        """A sentence that is written with -D only."""
        if self._detail:
            self._write("detail", sentence)

    def _write(self, level: str, sentence: str) -> None:
        moment = time.time()
        for place in self._places:
            place.write(level, moment, self._process, sentence)
