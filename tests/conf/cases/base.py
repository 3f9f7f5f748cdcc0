"""What a case is: a sound text, and the small change that makes the mistake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hanode.conf import Reader
from hanode.conf.check.check import DEFAULT_TARGET
from hanode.conf.rules.machine import MachineFacts

NAMELESS = MachineFacts()


@dataclass(frozen=True)
class Case:
    """One node's text: `old` in `sound` becomes `new`, and then `code` is at `line`."""

    code: str
    severity: str
    old: str
    new: str
    sound: str
    fix: bool = False
    """Whether the problem offers an edit that removes it."""
    line: int = 0
    """0: where the texts begin to differ."""
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
        """Where the problem should be."""
        return self.line or first_difference(self.sound, self.text)

    def __str__(self) -> str:
        return f"{self.code} {self.new.strip()[:30]!r}"


def first_difference(one: str, other: str) -> int:
    """The line in which two texts begin to differ."""
    pairs = zip(one.split("\n"), other.split("\n"), strict=False)
    return next(number for number, (a, b) in enumerate(pairs, 1) if a != b)


@dataclass(frozen=True)
class PairCase:
    """Two sound files of nodes: in B's `old` becomes `new`; then `code` is at a line of `at`."""

    code: str
    severity: str
    old: str
    new: str
    first: str
    second: str
    fix: bool = False
    line: int = 0
    """0: where B's texts begin to differ."""
    at: str = "B"

    @property
    def texts(self) -> dict[str, str]:
        """The files with the mistake."""
        assert self.second.count(self.old) == 1, self.old
        return {"A": self.first, "B": self.second.replace(self.old, self.new)}

    @property
    def expected_line(self) -> int:
        """Where the problem should be."""
        return self.line or first_difference(self.second, self.texts["B"])

    def __str__(self) -> str:
        return f"{self.code} {self.new.strip()[:30]!r}"


@dataclass(frozen=True)
class WritingCase:
    """Something that is told when a text is written: by render or merge."""

    code: str
    codes_of: Callable[[str], list[str]]
    """The codes that writing this text gives."""
    wrong: str
    sound: str

    def __str__(self) -> str:
        return self.code
