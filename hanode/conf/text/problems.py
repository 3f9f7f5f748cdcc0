"""What is wrong with a configuration, where, and how to put it right.

PURE. A user's mistake is a value (`Problem`), never an exception; all of them are collected.
A message never holds a secret. Offsets count characters of the file's text; lines and columns
count from 1; an end is exclusive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]

_RANK: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Fix:
    """An edit that removes the problem: the text from `start` to `end` becomes `text`."""

    label: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that a person should know about one place of one file.

    error    keepalived refuses it, or the cluster would break
    warning  it runs, but not as written
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

    def __str__(self) -> str:
        """`file:line: message`, as a sentence for logs and answers."""
        return f"{self.file}:{self.line}: {self.message}"


_ECHOES = {"undefined-name": ("bad-value", "bad-address", "unknown-keyword")}
"""What a problem makes of the same place too: the reason says enough."""


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether one of them is of severity error."""
    return any(problem.severity == "error" for problem in problems)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Each once, by file, place and severity; without the echoes of a problem at its place."""
    unique = dict.fromkeys(problems)
    heard = {(p.file, p.line, p.column): _ECHOES[p.code] for p in unique if p.code in _ECHOES}
    if heard:
        places = ((p, heard.get((p.file, p.line, p.column), ())) for p in unique)
        unique = dict.fromkeys(p for p, echoes in places if p.code not in echoes)
    return tuple(
        sorted(unique, key=lambda p: (p.file, p.line, p.column, _RANK[p.severity], p.code))
    )


def apply_fixes(text: str, problems: Iterable[Problem], *, file: str | None = None) -> str:
    """`text` with the fixes of these problems made; of two that overlap, the first is made.

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
