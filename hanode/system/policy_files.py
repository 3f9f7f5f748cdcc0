"""The node's policy: its files, read anew when they change, and the facts that it is judged with.

SYSTEM. The files must belong to root (or to whom we run as) and be read and written by nobody else,
and no directory above them may be open to others; otherwise the policy is none, and its `fault`
says why: no push is taken then.
"""

from __future__ import annotations

import contextlib
import functools
import grp
import os
import pwd
import shutil
import stat
from dataclasses import replace
from pathlib import Path

from hanode.policy import Facts, PolicyError, from_toml
from hanode.policy.judge import DEFAULT_USER
from hanode.wire import NodePolicy

BYTES_MAX = 1024 * 1024
"""Of one file: a thousand times what a policy needs."""

USERS = Path("/etc/passwd")

Signature = tuple[tuple[str, int, int, int], ...]


class PolicyFiles:
    """The policy of `path` and of `policy.d/*.toml` beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: tuple[Signature, NodePolicy] | None = None

    @property
    def drop_ins(self) -> Path:
        """The directory of further files: `policy.d` of `policy.toml`."""
        return self.path.with_suffix(".d")

    def policy(self) -> NodePolicy:
        """What the files say now; never raises. Without any file the defaults hold."""
        signature = self._signature()
        if self._known is None or self._known[0] != signature:
            self._known = signature, self._read()
        return self._known[1]

    def _read(self) -> NodePolicy:
        user = DEFAULT_USER if user_id(DEFAULT_USER) is not None else "root"
        try:
            texts = [(str(path), trusted_text(path)) for path in self._files()]
            return replace(from_toml(texts), script_user=user)
        except PolicyError as error:
            return NodePolicy(fault=str(error))
        except OSError as error:
            return NodePolicy(fault=f"{error.filename} cannot be read: {error.strerror}")

    def _files(self) -> list[Path]:
        main = [self.path] if os.path.lexists(self.path) else []
        if not os.path.lexists(self.drop_ins):
            return main
        more = sorted(one for one in self.drop_ins.iterdir() if one.suffix == ".toml")
        return [*main, *more]

    def _signature(self) -> Signature:
        """Changes whenever a file does, a directory above it, or this machine's users."""
        found = []
        with contextlib.suppress(OSError):
            for path in (*self.path.parents, self.drop_ins, USERS, *self._files()):
                with contextlib.suppress(OSError):
                    now = path.lstat()
                    found.append((str(path), now.st_ctime_ns, now.st_ino, now.st_mode))
        return tuple(found)


def trusted_text(path: Path) -> str:
    """The text of a file that root alone can read and change. Raises PolicyError and OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    with os.fdopen(handle, "rb") as file:
        now = os.fstat(handle)
        if not stat.S_ISREG(now.st_mode):
            raise PolicyError(f"{path} is no file")
        if now.st_uid not in (0, os.geteuid()):
            raise PolicyError(f"{path} belongs to {_user(now.st_uid)}; chown root {path}")
        if now.st_mode & 0o077:
            verb = "change" if now.st_mode & 0o022 else "read"
            raise PolicyError(f"others than root can {verb} {path}; chmod 600 {path}")
        part = open_part(os.path.realpath(path), 0)
        if part is not None:
            raise PolicyError(
                f"others than root can change {part}, where {path.name} is; chmod go-w {part}"
            )
        data = file.read(BYTES_MAX + 1)
    if len(data) > BYTES_MAX:
        raise PolicyError(f"{path} is larger than {BYTES_MAX >> 20} MiB; that is no policy")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise PolicyError(f"{path} is no UTF-8 text") from None


def facts() -> Facts:
    """What this machine knows of its users and files now; what was asked once stays as it was."""
    return Facts(
        uid=functools.cache(user_id),
        gid=functools.cache(_group_id),
        own_group=functools.cache(_own_group),
        program=functools.cache(shutil.which),
        real=functools.cache(os.path.realpath),
        open_part=functools.cache(open_part),
    )


def user_id(name: str) -> int | None:
    """The number, as `hanode.system.programs` finds it; None: there is no such user."""
    try:
        return int(name) if name.isdigit() else pwd.getpwnam(name).pw_uid
    except (KeyError, ValueError):
        return None


def _group_id(name: str) -> int | None:
    try:
        return int(name) if name.isdigit() else grp.getgrnam(name).gr_gid
    except (KeyError, ValueError):
        return None


def _own_group(uid: int) -> int | None:
    try:
        return pwd.getpwuid(uid).pw_gid
    except (KeyError, OverflowError):
        return None


def open_part(path: str, uid: int) -> str | None:
    """The part of a path that others than root and this user can change; None: there is none.

    A directory with the sticky bit is not open: what others put there stays theirs, and what is
    there already cannot be replaced.
    """
    ours = {0, uid, os.geteuid()}
    for part in (Path(path), *Path(path).parents):
        try:
            now = part.stat()
        except OSError:
            continue
        directory = stat.S_ISDIR(now.st_mode)
        sticky = directory and now.st_mode & stat.S_ISVTX
        writers = stat.S_IWOTH | (stat.S_IWGRP if now.st_gid != 0 else 0)
        if now.st_uid not in ours or (now.st_mode & writers and not sticky):
            return str(part)
    return None


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
