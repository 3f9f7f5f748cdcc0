"""Becomes another program that cannot outlive the one that started it.

SYSTEM. `python -m hanode.lab.launch [--session] [--death-signal TERM|KILL] [--bind SRC=DST]
[--hide DIR] -- PROGRAM ARGS…` keeps its process id, so that whoever started it may signal the
program itself. `--bind` shows a directory at a second place, in a mount namespace of its own: an
unprivileged user can then read a checkout that lies in somebody's closed home. `--hide` shows an
empty directory instead of DIR, and gives up the rights to undo that: so the web process of the
demo cannot read the signing key, although it runs as the same user as the worker.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 24, 38
_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_BIND, _MS_REC, _MS_PRIVATE, _MS_RDONLY = 0x1000, 0x4000, 0x40000, 0x1
_KEPT_CAPS = {1, 10}
"""CAP_DAC_OVERRIDE and CAP_NET_BIND_SERVICE: files of a data directory, and ports below 1024."""
_CAPS_END = 64


def command(
    program: list[str],
    *,
    session: bool = True,
    death_signal: str = "TERM",
    bind: str = "",
    hide: str = "",
) -> list[str]:
    """The command line that runs `program` through this module."""
    words = [sys.executable, "-m", "hanode.lab.launch", "--death-signal", death_signal]
    if session:
        words.append("--session")
    if bind:
        words += ["--bind", bind]
    if hide:
        words += ["--hide", hide]
    return [*words, "--", *program]


def main(argv: list[str]) -> int:
    """Prepare this process and become the program; returns only when that fails."""
    parser = argparse.ArgumentParser(prog="launch")
    parser.add_argument("--session", action="store_true")
    parser.add_argument("--death-signal", choices=("TERM", "KILL"), default="TERM")
    parser.add_argument("--bind", default="")
    parser.add_argument("--hide", default="")
    parser.add_argument("program", nargs="+")
    options = parser.parse_args(argv)
    parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    if options.hide:  # first: the kernel forgets a death signal when rights change
        _hide(libc, options.hide)
    libc.prctl(_PR_SET_PDEATHSIG, getattr(signal, f"SIG{options.death_signal}"), 0, 0, 0)
    if os.getppid() != parent:
        return 1  # the parent died before the kernel had been told to watch it
    if options.session:
        os.setsid()
    if options.bind:
        _bind(libc, *options.bind.split("=", 1))
    try:
        os.execvp(options.program[0], options.program)  # noqa: S606 - becoming it is the point
    except OSError as error:
        print(f"{options.program[0]}: {error.strerror}", file=sys.stderr)
        return 127


def _bind(libc: ctypes.CDLL, source: str, target: str) -> None:
    os.makedirs(target, mode=0o755, exist_ok=True)
    if libc.unshare(_CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None)
    if libc.mount(source.encode(), target.encode(), None, _MS_BIND | _MS_REC, None) != 0:
        raise OSError(ctypes.get_errno(), f"bind {source} to {target}")


def _hide(libc: ctypes.CDLL, directory: str) -> None:
    """An empty directory in its place, and no way back. Says so where the kernel forbids it."""
    own_user = os.geteuid() != 0
    uid, gid = os.geteuid(), os.getegid()
    if libc.unshare(_CLONE_NEWNS | (_CLONE_NEWUSER if own_user else 0)) != 0:
        why = os.strerror(ctypes.get_errno())
        print(f"{directory} cannot be hidden from this process: {why}", file=sys.stderr, flush=True)
        return
    if own_user:
        with contextlib.suppress(OSError):
            _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")
    libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None)
    if libc.mount(b"none", directory.encode(), b"tmpfs", _MS_RDONLY, b"size=4k,mode=0755") != 0:
        raise OSError(ctypes.get_errno(), f"hide {directory}")
    for capability in range(_CAPS_END):
        if capability not in _KEPT_CAPS:
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
