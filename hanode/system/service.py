"""What a service of the machine does: systemd's notifications, the background, a namespace.

SYSTEM. For the supervisor alone; no failover waits for any of it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

CLONE_NEWNET = 0x40000000
"""From sched.h; the standard library knows setns(2) from Python 3.12 on."""

NETNS_DIR = Path("/run/netns")
"""Where ip-netns(8) keeps the names of namespaces."""

CORE_PATTERN = Path("/proc/sys/kernel/core_pattern")

SENTENCE_BYTES = 65_536


def is_watched() -> bool:
    """Whether systemd listens for notifications."""
    return "NOTIFY_SOCKET" in os.environ


def notify(*lines: str) -> None:
    """Notify systemd (sd_notify(3)), where it listens. Never waits or fails."""
    name = os.environ.get("NOTIFY_SOCKET", "")
    if not name.startswith(("/", "@")):
        return
    address = "\0" + name[1:] if name.startswith("@") else name
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.setblocking(False)
        channel.sendto("\n".join(lines).encode(), address)


def notify_ready() -> None:
    """The engine runs, or runs again after a reload."""
    notify("READY=1", f"MAINPID={os.getpid()}")


def notify_reloading() -> None:
    """A reload begins; `notify_ready` ends it."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


class Background:
    """The connection of a process in the background to the one that waits in the terminal."""

    def __init__(self, channel: int | None = None) -> None:
        self._channel = channel
        """None: we are in the foreground, and nobody waits."""

    def started(self) -> None:
        """The engine has started: the terminal gets its prompt back."""
        self._tell("0\n")

    def failed(self, code: int, sentence: str) -> bool:
        """The waiting process writes the sentence and exits with that code; False: nobody waits."""
        return self._tell(f"{code}\n{sentence}")

    def _tell(self, text: str) -> bool:
        if self._channel is None:
            return False
        with contextlib.suppress(OSError):
            os.write(self._channel, text.encode(errors="replace")[:SENTENCE_BYTES])
        os.close(self._channel)
        self._channel = None
        return True


def go_into_background(*, keep_stderr: bool) -> Background:
    """Go on as a daemon; the process that was called waits until the daemon reports its start.

    Call it before there are threads, loops or children. Files stay open, locks stay held.
    """
    ours, theirs = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        os.close(theirs)
        _wait_for_start(ours, child)
    os.close(ours)
    os.setsid()
    if os.fork():  # so that we cannot get a controlling terminal again
        os._exit(0)
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1) if keep_stderr else (0, 1, 2):
        os.dup2(nothing, number)
    os.close(nothing)
    return Background(theirs)


def _wait_for_start(channel: int, child: int) -> NoReturn:
    """Exit with what the daemon reports; if it reports nothing, something has killed it."""
    os.waitpid(child, 0)
    with open(channel, "rb") as reader:
        code, _, sentence = reader.read(SENTENCE_BYTES).decode(errors="replace").partition("\n")
    if not code:
        code, sentence = "1", "hanode run: the engine ended before it had started"
    if sentence:
        sys.stderr.write(sentence + "\n")
        sys.stderr.flush()
    os._exit(int(code))


def enter_namespace(name: str) -> None:
    """Enter a network namespace of ip-netns(8). Raises OSError."""
    handle = os.open(NETNS_DIR / name, os.O_RDONLY | os.O_CLOEXEC)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(handle, CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(NETNS_DIR / name))
    finally:
        os.close(handle)


@contextlib.contextmanager
def core_pattern(pattern: str | None) -> Iterator[None]:
    """Set the kernel's name for core dumps, and restore it; None: leave it. Raises OSError."""
    if pattern is None:
        yield
        return
    before = CORE_PATTERN.read_text()
    CORE_PATTERN.write_text(pattern + "\n")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            CORE_PATTERN.write_text(before)
