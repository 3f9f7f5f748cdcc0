"""Tracked files: the kernel reports when one was written, replaced or removed.

SYSTEM. The directories are watched, not the files: an editor makes a new file each time. Only the
end of a write counts, so that nobody reads a file half written.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

from hanode.watch.files import TEXT_BYTES

IN_CLOSE_WRITE, IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
IN_Q_OVERFLOW, IN_IGNORED = 0x4000, 0x8000
IN_ONLYDIR = 0x1000000
WANTED = IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE
IN_NONBLOCK, IN_CLOEXEC = 0o4000, 0o2000000
_HEAD = struct.Struct("iIII")


class FileWatch:
    """inotify for a set of paths (Python has no call for it)."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd: int = self._libc.inotify_init1(IN_NONBLOCK | IN_CLOEXEC)
        self._names: dict[tuple[int, bytes], set[str]] = {}
        self._paths: frozenset[str] = frozenset()
        self.missing: frozenset[str] = frozenset()
        """Paths that cannot be watched, mostly because their directory does not exist; the driver
        tries again now and then."""

    @property
    def works(self) -> bool:
        """Whether the kernel gave us an inotify: max_user_instances limits their number."""
        return self._fd >= 0

    def fileno(self) -> int:
        """For epoll."""
        return self._fd

    def watch(self, paths: Iterable[str]) -> None:
        """Watch exactly these paths from now on."""
        if not self.works:
            self._paths = self.missing = frozenset(paths)
            return
        for number in {number for number, _name in self._names}:
            self._libc.inotify_rm_watch(self._fd, number)
        self._names.clear()
        self._paths = frozenset(paths)
        self.missing = frozenset(path for path in self._paths if not self._add(path))

    def _add(self, path: str) -> bool:
        # A symbolic link is watched where it is and where it leads.
        places = {Path(path), Path(path).resolve()}
        added = False
        for place in places:
            directory = os.fsencode(place.parent)
            number = self._libc.inotify_add_watch(self._fd, directory, WANTED | IN_ONLYDIR)
            if number >= 0:
                self._names.setdefault((number, os.fsencode(place.name)), set()).add(path)
                added = True
        return added

    def changed(self) -> set[str]:
        """The paths that were written, replaced or removed since the last call."""
        found: set[str] = set()
        anew = False
        while True:
            try:
                data = os.read(self._fd, 1 << 16)
            except BlockingIOError:
                break
            offset = 0
            while offset < len(data):
                number, mask, _cookie, length = _HEAD.unpack_from(data, offset)
                start = offset + _HEAD.size
                name = data[start : start + length].rstrip(b"\0")
                offset = start + length
                if mask & IN_Q_OVERFLOW or (mask & IN_IGNORED and self._knows(number)):
                    anew = True
                found |= self._names.get((number, name), set())
        if anew:
            self.watch(self._paths)
            return set(self._paths)
        if any(Path(path).is_symlink() for path in found):
            self.watch(self._paths)  # it may lead elsewhere now
        return found

    def _knows(self, number: int) -> bool:
        return any(known == number for known, _name in self._names)

    def close(self) -> None:
        """Give the descriptor back."""
        if self.works:
            os.close(self._fd)


def read(path: str) -> bytes | None:
    """The beginning of a tracked file; None where there is none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(fd, TEXT_BYTES)
    except OSError:
        return None
    finally:
        os.close(fd)


def init(path: str, value: int, *, overwrite: bool) -> str | None:
    """Write the initial value; why that failed, in a sentence, or None."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
    flags |= os.O_TRUNC if overwrite else os.O_EXCL
    with contextlib.suppress(FileExistsError):
        try:
            fd = os.open(path, flags, 0o600)
        except FileExistsError:
            raise
        except OSError as error:
            return f"{path} could not be made: {error.strerror}"
        try:
            os.write(fd, f"{value}\n".encode())
        finally:
            os.close(fd)
    return None
