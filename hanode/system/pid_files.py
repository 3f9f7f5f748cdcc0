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


class LockFile:
    """A file that is locked by us, wherever somebody removes it."""

    def __init__(self, path: Path) -> None:
        """Lock it. Raises files.InUseError or OSError."""
        self.path = path
        self._handle: int | None = None
        self.take()

    def take(self) -> None:
        """Have it, also where somebody has removed it since. Raises as the constructor."""
        while not self.is_ours():  # the one before us may have removed it just now
            self.close()
            self._handle = files.lock(self.path)

    def is_ours(self) -> bool:
        """Whether the file of that name is the one that we have locked."""
        return _is(self.path, self._handle)

    def close(self) -> None:
        """Give the lock back."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


class PidFile:
    """One that is ours once it is written.

    Programs wait for it, and signal whom it names as soon as it is there: so it appears with its
    number, and not before the process runs.
    """

    def __init__(self, path: Path) -> None:
        """Raises files.InUseError where another engine has it."""
        self.path = path
        self._handle: int | None = None
        self._refuse_others()

    def write(self, pid: int) -> None:
        """The process that it names from now on. Raises files.InUseError or OSError."""
        text = f"{pid}\n".encode()
        if _is(self.path, self._handle):
            assert self._handle is not None
            os.pwrite(self._handle, text, 0)
            os.ftruncate(self._handle, len(text))
            return
        self._refuse_others()
        self.close()
        # Locked before it has its name: it is never there without its lock.
        new = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        handle = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            os.write(handle, text)
            new.replace(self.path)
        except OSError:
            os.close(handle)
            raise
        self._handle = handle

    def _refuse_others(self) -> None:
        if not _is(self.path, self._handle) and owner_of(self.path) == "another engine":
            raise files.InUseError(str(self.path))

    def remove(self) -> None:
        """We end."""
        if _is(self.path, self._handle):
            with contextlib.suppress(OSError):
                self.path.unlink()
        self.close()

    def close(self) -> None:
        """Give the lock back."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _is(path: Path, handle: int | None) -> bool:
    """Whether the file of that name is the one that is open."""
    if handle is None:
        return False
    try:
        there = path.stat()
    except OSError:
        return False
    ours = os.fstat(handle)
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _text(path: Path) -> str:
    try:
        return (files.read_text(path) or "").strip()
    except OSError:
        return ""
