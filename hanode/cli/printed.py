"""Prints problems: the place, the line, and carets under the words that are meant.

SYSTEM: writes to a terminal or a pipe. Passwords are masked and control characters removed.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

from hanode import conf
from hanode.conf import Source

_COLOURS = {"error": "\033[1;31m", "warning": "\033[1;33m", "info": "\033[1;36m"}
_BOLD, _DIM, _PLAIN = "\033[1m", "\033[2m", "\033[0m"
LONGEST = 160
"""Characters of a line that are shown around the place."""


def print_problems(
    problems: Sequence[conf.Problem], sources: Mapping[str, Source], stream: TextIO
) -> None:
    """Each problem with its line; in colour on a terminal, unless NO_COLOR says otherwise."""
    coloured = stream.isatty() and not os.environ.get("NO_COLOR")
    bold, dim, plain = (_BOLD, _DIM, _PLAIN) if coloured else ("", "", "")
    masked: dict[str, list[str]] = {}
    for problem in problems:
        source = sources.get(problem.file)
        name = printable(source.name if source else problem.file)
        colour = _COLOURS[problem.severity] if coloured else ""
        place = f"{bold}{name}:{problem.line}:{problem.column}:{plain}"
        severity = f"{colour}{problem.severity}:{plain}"
        print(f"{place} {severity} {printable(problem.message)} [{problem.code}]", file=stream)
        if source is not None:
            if problem.file not in masked:
                # All at once: a secret's name may be defined on another line.
                whole = conf.mask_secrets(source.text, keep_length=True)
                masked[problem.file] = whole.split("\n")
            for line, carets in excerpt(masked[problem.file], problem):
                print(f"  {dim}{problem.line:>5} |{plain} {line}", file=stream)
                print(f"        {dim}|{plain} {colour}{carets}{plain}", file=stream)
        for hint in hints(problem):
            print(f"        {dim}={plain} {printable(hint)}", file=stream)


def hints(problem: conf.Problem) -> Iterator[str]:
    """The hint, and what the fix does where that adds something."""
    if problem.hint:
        yield problem.hint
    label = problem.fix.label if problem.fix else ""
    if label and label.split()[-1] not in (problem.hint or ""):
        yield label


def excerpt(lines: Sequence[str], problem: conf.Problem) -> Iterator[tuple[str, str]]:
    """The problem's first line and, below it, carets under the place: (line, marks)."""
    if not 1 <= problem.line <= len(lines):
        return
    line = printable(lines[problem.line - 1].rstrip("\r"))
    start = min(problem.column, len(line) + 1) - 1
    end = problem.end_column - 1 if problem.end_line == problem.line else len(line)
    end = max(start + 1, min(end, len(line)))
    before = after = ""
    if len(line) > LONGEST:
        # A window around the place: a terminal would wrap the line, and the carets with it.
        begin = max(0, min(start - LONGEST // 2, len(line) - LONGEST))
        before, after = "…" * (begin > 0), "…" * (begin + LONGEST < len(line))
        line = line[begin : begin + LONGEST]
        start, end = start - begin, min(end - begin, LONGEST)
    gap = " " * len(before) + "".join(blank(c) for c in line[:start])
    yield before + line + after, gap + "^" * max(1, sum(map(cells, line[start:end])))


def blank(character: str) -> str:
    """White space as wide as the character on a terminal."""
    return "\t" if character == "\t" else " " * cells(character)


def cells(character: str) -> int:
    """How many columns of a terminal a character takes."""
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def printable(text: str) -> str:
    """Without control characters."""
    return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def summary(problems: Sequence[conf.Problem], files: int) -> str:
    """`2 files: 1 error, 3 warnings`."""
    where = "1 file" if files == 1 else f"{files} files"
    counts = []
    for severity in ("error", "warning", "info"):
        number = sum(problem.severity == severity for problem in problems)
        if number:
            word = severity if number == 1 or severity == "info" else f"{severity}s"
            counts.append(f"{number} {word}")
    return f"{where}: {', '.join(counts) or 'no problems'}"
