"""Which program a configuration is for, and what it knows.

PURE.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from hanode.conf.text.lexer import SINCE_2_4, TO_2_2, TO_2_3, Reading


@dataclass(frozen=True, slots=True)
class Target:
    """`keepalived-2.2.7`, `keepalived-2.3`, `hanode`: a program and its release."""

    program: str
    release: tuple[int, ...]

    def has(self, since: str) -> bool:
        """Whether it knows what came with keepalived's release `since` ("": always known)."""
        if not since or self.program == "hanode":
            return True
        return self.release >= _numbers(since)

    @property
    def reading(self) -> Reading:
        """How it takes backslashes; our engine does as the newest release."""
        if self.has("2.4"):
            return SINCE_2_4
        return TO_2_3 if self.has("2.3.3") else TO_2_2

    def __str__(self) -> str:
        """`keepalived 2.2.7`."""
        return " ".join((self.program, ".".join(map(str, self.release)))).strip()


def target(name: str) -> Target:
    """The target of that name. Raises ValueError with a sentence."""
    if name == "hanode":
        return Target("hanode", ())
    match = re.fullmatch(r"keepalived-([0-9]{1,3}(?:\.[0-9]{1,3}){1,2})", name)
    if match is None:
        raise ValueError(f"{name} is no target; write keepalived-2.2.7, keepalived-2.3 or hanode")
    return Target("keepalived", _numbers(match.group(1)))


@functools.cache
def _numbers(release: str) -> tuple[int, ...]:
    """`2.3` is 2.3.0: what every release of that line knows."""
    found = tuple(int(part) for part in release.split("."))
    return found + (0,) * (3 - len(found))
