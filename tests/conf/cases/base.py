"""Case, PairCase and WritingCase: a correct text, and the small change that makes a mistake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hanode.conf import Reader
from hanode.conf.check.check import DEFAULT_TARGET
from hanode.conf.rules.machine import MachineFacts

NAMELESS = MachineFacts()


@dataclass(frozen=True)
class Case:
    """One node's text: `old` in `sound` is replaced by `new`; then `code` must be at `line`."""

    code: str
    severity: str
    old: str
    new: str
    sound: str
    fix: bool = False
    """Whether the problem offers an edit that removes it."""
    line: int = 0
    """0: the first line in which the texts differ."""
    machine: MachineFacts = NAMELESS
    target: str = DEFAULT_TARGET
    sound_target: str = DEFAULT_TARGET
    read: Reader | None = None

    @property
    def text(self) -> str:
        """The text with the mistake."""
        assert self.sound.count(self.old) == 1, self.old
        return self.sound.replace(self.old, self.new)

    @property
    def expected_line(self) -> int:
        """The line where the problem must be."""
        return self.line or first_difference(self.sound, self.text)

    def __str__(self) -> str:
        return f"{self.code} {self.new.strip()[:30]!r}"


def first_difference(one: str, other: str) -> int:
    """The first line in which two texts differ."""
    pairs = zip(one.split("\n"), other.split("\n"), strict=False)
    return next(number for number, (a, b) in enumerate(pairs, 1) if a != b)


@dataclass(frozen=True)
class PairCase:
    """Two correct files; in B's, `old` is replaced by `new`, so that `at` has `code` at a line."""

    code: str
    severity: str
    old: str
    new: str
    first: str
    second: str
    fix: bool = False
    line: int = 0
    """0: the first line in which B's texts differ."""
    at: str = "B"

    @property
    def texts(self) -> dict[str, str]:
        """The files with the mistake."""
        assert self.second.count(self.old) == 1, self.old
        return {"A": self.first, "B": self.second.replace(self.old, self.new)}

    @property
    def expected_line(self) -> int:
        """The line where the problem must be."""
        return self.line or first_difference(self.second, self.texts["B"])

    def __str__(self) -> str:
        return f"{self.code} {self.new.strip()[:30]!r}"


@dataclass(frozen=True)
class WritingCase:
    """A problem that render or merge reports when it writes a text."""

    code: str
    codes_of: Callable[[str], list[str]]
    """Gives the codes that writing this text reports."""
    wrong: str
    sound: str

    def __str__(self) -> str:
        return self.code
