"""Enters another network namespace (keepalived's net_namespace).

SYSTEM. This comes before any socket is opened: a socket stays in the namespace it was made in.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path("/run/netns")
HERE = Path("/proc/thread-self/ns/net")
CLONE_NEWNET = 0x40000000


def named(name: str | None) -> Path | None:
    """The file of the namespace that `ip netns` made; None: no name. Raises OSError."""
    if not name:
        return None
    place = FOLDER / name
    if not place.exists():
        why = f"there is no such namespace; make it first: `ip netns add {name}`"
        raise OSError(errno.ENOENT, why, f"net_namespace {name}")
    return place


def enter(name: str) -> None:
    """Move this process into the namespace that `ip netns` calls `name`.

    Raises:
        OSError: there is none, or it is not allowed.
    """
    handle = os.open(FOLDER / name, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _set(handle, FOLDER / name)
    finally:
        os.close(handle)


@contextlib.contextmanager
def inside(place: Path | None) -> Iterator[None]:
    """What is opened in this block is opened in that namespace; None: in the present one.

    Raises:
        OSError: there is none, or it is not allowed.
    """
    if place is None:
        yield
        return
    home = os.open(HERE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        there = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _set(there, place)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _set(home, HERE)
    finally:
        os.close(home)


def _set(handle: int, place: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(handle, CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(place))
