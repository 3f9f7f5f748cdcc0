"""Logical lines: what one node reads of a text, each line with its place.

PURE; data only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hanode.conf.text.problems import Collected
from hanode.conf.text.source import Source

Reader = Callable[[str, str], "tuple[tuple[str, str], ...] | None"]
"""read(pattern, including file) -> ((name, text), …), or None where no file can be read."""

MAX_LINES = 1_000_000
"""Logical lines of one configuration, with all its files and repetitions."""


@dataclass(slots=True)
class Logical:
    """One line as the parser of blocks reads it."""

    text: str
    """The text without condition and comment, with macros replaced."""
    source: Source
    start: int
    """Offset of the text in the source; for a line that a macro made, of the macro's use."""
    end: int
    macro: str | None = None
    """The macro that made the line: `text` then differs from the source at start:end."""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Defined:
    """One definition `$NAME=value`: its place, and the number of logical lines before it."""

    name: str
    value: str
    source: Source
    start: int
    end: int
    before: int


@dataclass(slots=True)
class Expanded:
    """The logical lines of one node, the problems found and the definitions read."""

    lines: list[Logical]
    problems: Collected
    definitions: dict[str, str] = field(default_factory=dict)
    defined: list[Defined] = field(default_factory=list)
