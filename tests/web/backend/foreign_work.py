"""What `test_workers` has done in other processes: they import it by its name."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path
from typing import Any

_remembered: list[str] = []


class Unsendable(Exception):
    """Made of two words, but kept as one."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(one + other)


def facts() -> dict[str, Any]:
    links = [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return {
        "pid": os.getpid(),
        "parent": os.getppid(),
        "memory": resource.getrlimit(resource.RLIMIT_AS)[0],
        "nice": os.nice(0),
        "sockets": [link for link in links if "sqlite" in link],
        "oom": int(Path("/proc/self/oom_score_adj").read_text()),
    }


def remember(word: str) -> None:
    _remembered.append(word)


def remembered() -> list[str]:
    return _remembered


def fail(name: str) -> None:
    raise KeyError(name)


def fail_unsendably() -> None:
    raise Unsendable("a", "b")


def spin() -> None:
    while True:
        pass


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def eat() -> int:
    eaten: list[bytes] = []
    while True:
        eaten.append(bytes(20_000_000))


def nest() -> int:
    return nest() + 1


def long_answer(length: int) -> bytes:
    return bytes(length)
