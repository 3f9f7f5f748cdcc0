"""Files that must never be half written.

SYSTEM. A file is written under another name, made durable and then renamed, so that a reader (or
the next start after a power cut) finds the old text or the new one, never a part.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from pathlib import Path


class InUseError(Exception):
    """Another process holds the lock."""


def write_atomic(path: Path, text: str, *, mode: int = 0o600, durable: bool = True) -> None:
    """Replace the file's text. Raises OSError; the old text is then still there.

    `durable`: wait until it would survive a power cut.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            if durable:
                os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    if durable:
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make a rename in it durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_text(path: Path) -> str | None:
    """The file's text; None where there is no file. Bytes that are no UTF-8 become U+FFFD."""
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return None


def lock(path: Path) -> int:
    """Lock `path` as long as this process lives; the descriptor. Raises InUseError.

    The kernel unlocks it when the process ends, however it ends; children do not inherit it.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise InUseError(str(path)) from None
    return handle


def stamp(path: Path, mono_us: int) -> None:
    """Set the file's time to a moment of the monotonic clock. In /run this costs no disk."""
    with contextlib.suppress(OSError):
        os.utime(path, ns=(mono_us * 1_000, mono_us * 1_000))


def stamped_us(path: Path) -> int | None:
    """The moment that `stamp` set; None where there is no file."""
    try:
        return path.stat().st_mtime_ns // 1_000
    except OSError:
        return None


def boot_id() -> str:
    """The kernel's random name for the time since the machine was started."""
    return (read_text(Path("/proc/sys/kernel/random/boot_id")) or "unknown").strip()
