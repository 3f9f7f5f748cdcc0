"""Becomes another program that cannot outlive the one that started it.

SYSTEM. `python -m hanode.lab.launch [--session] [--death-signal TERM|KILL] [--bind SRC=DST] --
PROGRAM ARGS…` keeps its process id, so that whoever started it may signal the program itself.
`--bind` shows a directory at a second place, in a mount namespace of its own: an unprivileged
user can then read a checkout that lies in somebody's closed home.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_CLONE_NEWNS = 0x00020000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000


def command(
    program: list[str], *, session: bool = True, death_signal: str = "TERM", bind: str = ""
) -> list[str]:
    """The command line that runs `program` through this module."""
    words = [sys.executable, "-m", "hanode.lab.launch", "--death-signal", death_signal]
    if session:
        words.append("--session")
    if bind:
        words += ["--bind", bind]
    return [*words, "--", *program]


def main(argv: list[str]) -> int:
    """Prepare this process and become the program; returns only when that fails."""
    parser = argparse.ArgumentParser(prog="launch")
    parser.add_argument("--session", action="store_true")
    parser.add_argument("--death-signal", choices=("TERM", "KILL"), default="TERM")
    parser.add_argument("--bind", default="")
    parser.add_argument("program", nargs="+")
    options = parser.parse_args(argv)
    parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
