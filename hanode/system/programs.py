"""Scripts: finds out whether one can be run, and starts it as another user.

SYSTEM. Scripts run without a shell, in a process group of their own, so that all their children can
be ended; with keepalived's umask, and its environment without the variables that change how
programs are loaded.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import resource
import shutil
import signal
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_USER = "keepalived_script"
REMOVED = ("IFS", "LD_PRELOAD", "LD_LIBRARY_PATH")
UMASK = 0o177
"""keepalived's own: only their user can read what scripts create."""


class NotRunnable(Exception):
    """A command cannot be run; the text says why."""


@dataclass(frozen=True, slots=True)
class Program:
    """A command that can be run."""

    path: str
    argv: tuple[str, ...]
    uid: int
    gid: int


def find_user(user: str | None, group: str | None) -> tuple[int, int]:
    """The numeric ids of user and group. Raises NotRunnable."""
    try:
        if user is None:
            try:
                entry = pwd.getpwnam(DEFAULT_USER)
            except KeyError:
                return os.geteuid(), os.getegid()
        else:
            entry = pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)
    except KeyError:
        raise NotRunnable(f"there is no user {user}") from None
    if group is None:
        return entry.pw_uid, entry.pw_gid
    try:
        return entry.pw_uid, int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
    except KeyError:
        raise NotRunnable(f"there is no group {group}") from None


def find(argv: tuple[str, ...], *, uid: int, gid: int, secure: bool) -> Program:
    """Find the program as its user would. Raises NotRunnable."""
    path = argv[0] if "/" in argv[0] else shutil.which(argv[0]) or argv[0]
    try:
        real = Path(path).resolve(strict=True)
        mode = real.stat()
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or "its links go round in a circle"
        raise NotRunnable(f"{path}: {why.lower()}") from None
    if not stat.S_ISREG(mode.st_mode) or not _may_execute(mode, uid, gid):
        raise NotRunnable(f"{path} is no program that {_name(uid)} may run")
    if secure and uid == 0:
        for part in (real, *real.parents, *Path(path).absolute().parents):
            if _others_write(part):
                raise NotRunnable(
                    f"{path} would run as root, but {part} can be changed by others than root "
                    "(enable_script_security)"
                )
    if uid != os.geteuid() and os.geteuid() != 0:
        raise NotRunnable(f"{path} is to run as {_name(uid)}, which only root can start")
    return Program(path, argv, uid, gid)


def start(program: Program, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start it and do not wait. Raises OSError."""
    other = program.uid != os.geteuid() or program.gid != os.getegid()
    return subprocess.Popen(
        program.argv,
        executable=program.path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={key: value for key, value in environment.items() if key not in REMOVED},
        process_group=0,
        umask=UMASK,
        user=program.uid if other else None,
        group=program.gid if other else None,
        extra_groups=[] if other else None,
    )


def tied(program: Program) -> Program:
    """The same program, which gets SIGTERM when we die: for one that runs as long as we do.

    util-linux' setpriv asks the kernel for that, because Python cannot do so between fork and exec
    without running code there. Without setpriv the program is returned unchanged.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return program
    words = (setpriv, "--pdeathsig", "TERM", "--", program.path, *program.argv[1:])
    return Program(setpriv, words, program.uid, program.gid)


def end(process: subprocess.Popen[bytes], *, hard: bool) -> None:
    """Signal its whole process group; one that has ended already is no error."""
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL if hard else signal.SIGTERM)


def allow_many_files() -> tuple[int, int]:
    """Raise our limit, as each running script takes a descriptor; the limit before, for scripts."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    return before


def limit_files(process: subprocess.Popen[bytes], limit: tuple[int, int]) -> None:
    """Give it that limit: some programs close every descriptor that they could have, one by one."""
    with contextlib.suppress(ValueError, OSError):
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, limit)


def _may_execute(mode: os.stat_result, uid: int, gid: int) -> bool:
    if uid == 0:
        return bool(mode.st_mode & 0o111)
    if mode.st_uid == uid:
        return bool(mode.st_mode & 0o100)
    return bool(mode.st_mode & (0o010 if mode.st_gid == gid else 0o001))


def _others_write(path: Path) -> bool:
    try:
        mode = path.stat()
    except OSError:
        return True
    if mode.st_uid != 0 or (mode.st_gid != 0 and mode.st_mode & stat.S_IWGRP):
        return True
    sticky = stat.S_ISDIR(mode.st_mode) and mode.st_mode & stat.S_ISVTX
    return bool(mode.st_mode & stat.S_IWOTH) and not sticky


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
