"""Problem and Fix: what is wrong with a configuration, where, and which edit corrects it.

PURE. A user's mistake is a value (`Problem`), never an exception; all of them are collected.
A message never holds a secret. Offsets count characters of the file's text; lines and columns
count from 1; an end is exclusive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self

Severity = Literal["error", "warning", "info"]

_RANK: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Fix:
    """An edit that removes the problem: it replaces the text from `start` to `end` by `text`."""

    label: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that a person should know about one place of one file.

    error    keepalived refuses it, or the cluster would break
    warning  keepalived runs it, but not as it is written
    info     worth knowing
    """

    code: str
    severity: Severity
    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    message: str
    hint: str | None = None
    fix: Fix | None = None
    reaches: int = 0
    """The last line that keepalived misreads for this cause; 0: nothing but its own place."""

    def __str__(self) -> str:
        """`file:line: message`, as a sentence for logs and answers."""
        return f"{self.file}:{self.line}: {self.message}"


LISTED_MAX = 10_000
"""Errors of one configuration that are kept, and as many other problems."""


class Collected(list[Problem]):
    """Problems as they are found; of very many only the first are kept, and the others counted.

    No first error is lost: errors and other problems are counted apart.
    """

    def __init__(self, problems: Iterable[Problem] = (), left_out: int = 0) -> None:
        super().__init__()
        self.left_out = left_out
        """Problems that are not kept."""
        self._room = {True: LISTED_MAX, False: LISTED_MAX}
        self.extend(problems)

    def append(self, problem: Problem) -> None:
        """Keep the problem, or count it."""
        is_error = problem.severity == "error"
        if self._room[is_error]:
            self._room[is_error] -= 1
            super().append(problem)
        else:
            self.left_out += 1

    def extend(self, problems: Iterable[Problem]) -> None:
        """Keep or count each."""
        if isinstance(problems, Collected):
            self.left_out += problems.left_out
        for problem in problems:
            self.append(problem)

    def __iadd__(self, problems: Iterable[Problem]) -> Self:  # type: ignore[misc, override] # list's takes any value
        self.extend(problems)
        return self


def too_many(name: str, left_out: int) -> Problem:
    """The problem that says how many others are not listed."""
    message = f"{left_out:,} further problems of this file are not listed; mend these first"
    return Problem("problems-many", "info", name, 1, 1, 1, 1, message)


_CAUSES = {"undefined-name": ("bad-value", "bad-address", "unknown-keyword")}
"""By code: further problems that the same mistake causes at the same place; they are left out."""


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether any problem has the severity error."""
    return any(problem.severity == "error" for problem in problems)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sorts by file, place and severity, without duplicates and problems that another causes."""
    unique = dict.fromkeys(problems)
    causes = {(p.file, p.line, p.column): _CAUSES[p.code] for p in unique if p.code in _CAUSES}
    if causes:
        places = ((p, causes.get((p.file, p.line, p.column), ())) for p in unique)
        unique = dict.fromkeys(p for p, caused in places if p.code not in caused)
    return tuple(
        sorted(unique, key=lambda p: (p.file, p.line, p.column, _RANK[p.severity], p.code))
    )


def apply_fixes(text: str, problems: Iterable[Problem], *, file: str | None = None) -> str:
    """Applies the fixes of these problems to `text`; of two fixes that overlap only the first.

    `file` limits it to the problems of that file, for texts that were checked together.
    """
    fixes = {p.fix for p in problems if p.fix is not None and file in (None, p.file)}
    parts: list[str] = []
    at = 0
    for fix in sorted(fixes, key=lambda f: (f.start, f.end, f.text)):
        if fix.start < at or fix.end > len(text):
            continue
        parts += (text[at : fix.start], fix.text)
        at = fix.end
    return "".join(parts) + text[at:]
