"""The machine's processes, from /proc, and the end of one as a readable descriptor.

SYSTEM. The kernel's process connector would report starts too, but is refused in containers; so
starts are found by looking, and ends, which a failover waits for, by pidfd.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from hanode.watch.watch import Seen

_READ = os.O_RDONLY | os.O_CLOEXEC


def everything(*, command_lines: bool) -> Iterator[Seen]:
    """All processes of the machine, without zombies."""
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        state = _text(f"/proc/{name}/stat", 512)
        begin, end = state.find(b"("), state.rfind(b")")
        if begin < 0 or state[end + 2 : end + 3] in (b"Z", b"X", b""):
            continue
        comm = os.fsdecode(state[begin + 1 : end])
        argv: tuple[str, ...] = ()
        if command_lines:
            line = _text(f"/proc/{name}/cmdline", 1 << 16)
            argv = tuple(os.fsdecode(word) for word in line.split(b"\0")[:-1])
        yield Seen(int(name), comm, argv)


def named(pid: int) -> str:
    """A process that shares our network, in words; "": there is no such number.

    A number may be that of another process in another container: it is believed only where it is
    a program of this network namespace.
    """
    if pid <= 0 or pid == os.getpid():
        return ""
    try:
        if os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net"):
            return ""
        os.readlink(f"/proc/{pid}/exe")  # the kernel's own threads have none
    except OSError:
        # It has ended, which is what `ip` does at once; a number beyond all pids is none.
        return f"a process that has ended (pid {pid})" if pid <= _pid_max() else ""
    name = os.fsdecode(_text(f"/proc/{pid}/comm", 64).strip())
    return f"{name} (pid {pid})" if name else ""


def _pid_max() -> int:
    return int(_text("/proc/sys/kernel/pid_max", 32).strip() or b"32768")


def _text(path: str, size: int) -> bytes:
    try:
        fd = os.open(path, _READ)
    except OSError:
        return b""
    try:
        return os.read(fd, size)
    except OSError:
        return b""
    finally:
        os.close(fd)


def end_of(pid: int) -> int | None:
    """A descriptor that becomes readable when the process ends; None: it has ended already."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None
