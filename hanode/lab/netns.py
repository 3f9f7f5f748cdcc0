"""Network namespaces: makes and enters them, finds and kills their processes, deletes them.

SYSTEM. Named namespaces (`ip netns`), so that a reader of the demo can look inside with
`ip -n NAME addr`. Only the calling thread enters a namespace; a socket opened there stays there.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

RUN = Path("/run/netns")
CLONE_NEWNET = 0x40000000
_KILL_DEADLINE_S = 3.0

_libc = ctypes.CDLL(None, use_errno=True)


class NamespaceError(Exception):
    """The kernel, or this machine, refuses a namespace; one sentence."""


def ip(*words: str, namespace: str = "") -> str:
    """Run one `ip` command, inside `namespace` when given. Raises NamespaceError."""
    where = ["-n", namespace] if namespace else []
    done = subprocess.run(["ip", *where, *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NamespaceError(f"ip {' '.join(words)}: {done.stderr.strip() or 'failed'}")
    return done.stdout


def ip_batch(lines: list[str], namespace: str) -> None:
    """Run many `ip` commands in `namespace` in one process. Raises NamespaceError."""
    done = subprocess.run(
        ["ip", "-n", namespace, "-batch", "-"],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise NamespaceError(f"cannot set up {namespace}: {done.stderr.strip()}")


def create(name: str) -> None:
    """Make a namespace with its loopback up. Raises NamespaceError."""
    ip("netns", "add", name)
    ip("link", "set", "lo", "up", namespace=name)


def delete(name: str) -> None:
    """End every process in the namespace and remove it; harmless when it is not there."""
    if not exists(name):
        return
    end_processes(name)
    with contextlib.suppress(NamespaceError):
        ip("netns", "delete", name)


def exists(name: str) -> bool:
    """Whether there is a namespace of this name."""
    return (RUN / name).exists()


def named(prefix: str) -> list[str]:
    """The namespaces whose names begin with `prefix`."""
    if not RUN.is_dir():
        return []
    return sorted(path.name for path in RUN.iterdir() if path.name.startswith(prefix))


def pids(name: str) -> list[int]:
    """The processes in the namespace."""
    try:
        inode = (RUN / name).stat().st_ino
    except OSError:
        return []
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if (entry / "ns/net").stat().st_ino == inode:
                found.append(int(entry.name))
    return found


def end_processes(name: str) -> None:
    """Kill every process in the namespace, and wait until all are gone."""
    deadline = time.monotonic() + _KILL_DEADLINE_S
    while alive := [pid for pid in pids(name) if pid != os.getpid() and not _is_zombie(pid)]:
        # Children first: a parent's death makes some of them stop in order, and send priority 0.
        for pid in sorted(alive, reverse=True):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return
        time.sleep(0.01)


def _is_zombie(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


@contextlib.contextmanager
def inside(name: str) -> Iterator[None]:
    """Put the calling thread into the namespace for the length of the block."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(RUN / name)
        try:
            yield
        finally:
            if _libc.setns(home, CLONE_NEWNET) != 0:
                os._exit(70)  # a thread that cannot return to its namespace must not go on
    finally:
        os.close(home)


def _enter(path: Path) -> None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise NamespaceError(f"namespace {path.name}: {error.strerror}") from None
    try:
        if _libc.setns(fd, CLONE_NEWNET) != 0:
            raise NamespaceError(f"namespace {path.name}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(fd)


def set_sysctl(name: str, values: dict[str, str]) -> None:
    """Write settings of /proc/sys/net in the namespace; keys like `ipv4/ip_forward`."""
    with inside(name):
        for key, value in values.items():
            Path("/proc/thread-self/root/proc/sys/net", key).write_text(value)
