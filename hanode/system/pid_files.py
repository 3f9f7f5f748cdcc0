"""Pid files that one engine has at a time.

SYSTEM. A file is locked as long as its engine lives, whatever directories that uses besides, so a
second engine is refused where it would write over them; what a killed one left is not locked.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from hanode.system import files


def owner_of(path: Path) -> str | None:
    """Who lives behind a pid file, keepalived or an engine; None: nobody."""
    text = _text(path)
    if text.isdigit() and _text(Path("/proc") / text / "comm") == "keepalived":
        return "keepalived"
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return "another engine"
    except OSError:
        return None
    finally:
        os.close(handle)
    return None


class PidFile:
    """One that is ours."""

    def __init__(self, path: Path) -> None:
        """Lock it. Raises files.InUseError or OSError."""
        self.path = path
        self._handle: int | None = None
        self.take()

    def take(self) -> None:
        """Have it, also where somebody has removed it since. Raises as the constructor."""
        if self._is_ours():
            return
        self.close()
        while not self._is_ours():  # the one before us may have removed it just now
            self.close()
            self._handle = files.lock(self.path, mode=0o644)

    def write(self, pid: int) -> None:
        """The process that it names from now on. Raises OSError."""
        assert self._handle is not None
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, f"{pid}\n".encode(), 0)

    def _is_ours(self) -> bool:
        if self._handle is None:
            return False
        try:
            there = self.path.stat()
        except OSError:
            return False
        ours = os.fstat(self._handle)
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    def remove(self) -> None:
        """We end."""
        if self._is_ours():
            with contextlib.suppress(OSError):
                self.path.unlink()
        self.close()

    def close(self) -> None:
        """Give the lock back."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _text(path: Path) -> str:
    try:
        return (files.read_text(path) or "").strip()
    except OSError:
        return ""
