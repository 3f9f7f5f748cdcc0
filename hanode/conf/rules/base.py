"""What every rule works with: the case before it, and how it says what it found.

PURE. A message says what happens, a hint what to do; no message holds a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hanode.conf.model import Config, Origin
from hanode.conf.problems import Fix, Problem, Severity
from hanode.conf.source import Source
from hanode.conf.surroundings import UNKNOWN, Surroundings
from hanode.conf.targets import Target


@dataclass(frozen=True, slots=True)
class Case:
    """One node's configuration, whom it is for, and what is known around it."""

    config: Config
    target: Target
    around: Surroundings = UNKNOWN
    source: Source | None = None
    """The text that it was read from, for fixes; included files have none."""

    def remove(self, where: Origin, label: str) -> Fix | None:
        """The edit that takes a statement away, with its lines if nothing else is on them."""
        if not self._ours(where):
            return None
        assert self.source is not None
        whole = self.source.whole_line(where.start, where.end)
        return Fix(label, *(whole or (where.start, where.end)), "")

    def write(self, where: Origin, text: str, label: str) -> Fix | None:
        """The edit that puts something in a statement's place."""
        return Fix(label, where.start, where.end, text) if self._ours(where) else None

    def _ours(self, where: Origin) -> bool:
        written = where.end > where.start and where.macro is None
        return self.source is not None and self.source.name == where.file and written


Rule = Callable[[Case], Iterator[Problem]]


def problem(
    where: Origin,
    code: str,
    severity: Severity,
    message: str,
    hint: str | None = None,
    fix: Fix | None = None,
) -> Problem:
    """A Problem at the head of a statement."""
    line, column = max(1, where.line), max(1, where.column)
    end = max(column, where.end_column)
    if where.macro is not None:
        message = f"{message} (made by {where.macro})"
        fix = None
    return Problem(code, severity, where.file, line, column, line, end, message, hint, fix)
