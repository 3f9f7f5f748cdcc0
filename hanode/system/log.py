"""One log format for every process of the node, on stderr.

SYSTEM. `18:02:11.042 NodeA supervisor info: sentence`. Never syslog: whoever runs the engine
(systemd, a container, a terminal) already keeps its stderr, and `-G` asks for exactly that.
"""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TextIO


class Log:
    """Writes sentences. A full or closed stderr never stops the engine."""

    def __init__(
        self, process: str, *, node: str = "", detail: bool = False, to: TextIO | None = None
    ) -> None:
        self._prefix = f"{node} {process}".strip()
        self._detail = detail
        self._to = sys.stderr if to is None else to

    def info(self, sentence: str) -> None:
        self._write("info", sentence)

    def warning(self, sentence: str) -> None:
        self._write("warning", sentence)

    def error(self, sentence: str) -> None:
        self._write("error", sentence)

    def detail(self, sentence: str) -> None:
        """Only with -D."""
        if self._detail:
            self._write("detail", sentence)

    def _write(self, level: str, sentence: str) -> None:
        now = time.time()
        clock = time.strftime("%H:%M:%S", time.localtime(now))
        # One write per line, so that lines of several processes do not mix.
        line = f"{clock}.{int(now * 1000) % 1000:03d} {self._prefix} {level}: {sentence}\n"
        with contextlib.suppress(OSError, ValueError):
            self._to.write(line)
            self._to.flush()
