"""One cause, one message: what a mistake makes keepalived misread elsewhere is not told again.

PURE. For a cause that a mechanical edit mends (a foreign blank, a misspelt block) the mended text
is checked as well. Problems that it no longer has come from the cause: one Problem stands for all
of them. Its `reaches` is the last line of which keepalived complains.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace

from hanode.conf.keywords import blocks, script_words
from hanode.conf.language.nearest import nearest
from hanode.conf.language.schema import ROOT
from hanode.conf.language.secrets import mask_secrets
from hanode.conf.read.misread_braces import STRUCTURE
from hanode.conf.text.lexer import CLOSE, OPEN, Reading, comment_start, tokens
from hanode.conf.text.line_checks import QUOTE_IT
from hanode.conf.text.pasted import Cause, Edit, causes
from hanode.conf.text.problems import Fix, Problem, Severity, has_errors, in_order
from hanode.conf.text.source import Source

Again = Callable[[str], Sequence[Problem]]
"""The problems of another text, checked in the same way."""
_WORD = re.compile(r"[^ \t{]*")
_LAST = re.compile(r"[^ \t{}]*\Z")
CAUSING = ("unknown-keyword", "value-missing", "comment-cuts")
CAUSES_MAX = 40
"""Problems that are looked at for what they cause; each look may read the whole text."""
MOST = 3
"""Lines that a message names."""


def pasted(text: str, reading: Reading) -> list[Cause]:
    """What people pasted into the text that is no keepalived."""
    return causes(text, reading, script_words())


def may_hide(problems: Sequence[Problem]) -> bool:
    """Whether one of the problems may be the cause of others."""
    return any(problem.code in CAUSING for problem in problems)


def merged(
    source: Source, problems: Sequence[Problem], found: list[Cause], reading: Reading, again: Again
) -> tuple[Problem, ...]:
    """The problems with one for each cause instead of all that follow from it."""
    text = source.text
    for cause in found:
        if cause.hides:
            return (_told(source, cause, problems),)
    few = [p for p in problems if p.code in CAUSING][:CAUSES_MAX]
    causes_here = found or lost_values(source, few, reading)
    if not causes_here and not any(p.code in STRUCTURE for p in problems):
        causes_here = unknown_blocks(source, few, reading)
    if not causes_here:
        return tuple(problems)
    edits = sorted({edit for cause in causes_here for edit in cause.edits})
    mended = _applied(text, edits)
    moved = _Moved(source, mended, edits)
    left = [moved.back(p) for p in again(mended) if p.file == source.name]
    elsewhere = [p for p in problems if p.file != source.name]
    kept = {(p.code, p.line) for p in left}
    gone = [p for p in problems if p.file == source.name and (p.code, p.line) not in kept]
    shared = _shared(source, causes_here, gone)
    told = [_told(source, c, own) for c, own in zip(causes_here, shared, strict=True)]
    return in_order([*left, *elsewhere, *told])


def _shared(source: Source, found: list[Cause], gone: Sequence[Problem]) -> list[list[Problem]]:
    """The problems that each cause explains: those of its lines, and what follows before others."""
    of_line = {source.line_of(at): number for number, c in enumerate(found) for at in c.at}
    first = sorted((source.line_of(cause.at[0]), number) for number, cause in enumerate(found))
    shared: list[list[Problem]] = [[] for _ in found]
    for problem in gone:
        number = of_line.get(problem.line)
        if number is None:
            number = max((e for e in first if e[0] <= problem.line), default=first[0])[1]
        shared[number].append(problem)
    return shared


def _offset(source: Source, problem: Problem) -> int:
    return source.starts[problem.line - 1] + problem.column - 1


def _told(source: Source, cause: Cause, gone: Sequence[Problem]) -> Problem:
    """The one Problem of a cause; an error if it causes one."""
    first = cause.at[0]
    line, column = source.position(first)
    severity: Severity = "error" if has_errors(gone) else "warning"
    others = list(dict.fromkeys(source.line_of(at) for at in cause.at))[1:]
    message = cause.message
    if others:
        shown = ", ".join(map(str, others[:MOST])) + (", …" if len(others) > MOST else "")
        message += f" (also on line{'s' if len(others) > 1 else ''} {shown})"
    fix = None
    if cause.label and cause.edits:
        fix = _fix(source, cause)
    end_line, end = line, column + 1
    if cause.code == "unknown-keyword":
        end = min(first + cause.edits[0][1] - cause.edits[0][0], _line_end(source, first))
        end = column + end - first
    reach = max([line, *others, *(p.line for p in gone if p.severity != "info")])
    return Problem(
        cause.code, severity, source.name, line, column, end_line, end, message, cause.hint, fix,
        reaches=reach,
    )  # fmt: skip


def _line_end(source: Source, offset: int) -> int:
    """Where the words of a line end, behind an offset."""
    line = source.text[offset : offset + 1024].partition("\n")[0].partition("{")[0]
    return offset + len(line.rstrip())


def _fix(source: Source, cause: Cause) -> Fix | None:
    """One edit that mends the line of the first place; the next check finds the next line.

    A comment of several lines is mended as a whole, unless a password stands in it.
    """
    line = source.line_of(cause.at[0])
    last = line
    if source.text.startswith("/*", cause.at[0]):
        for edit in cause.edits:
            last += source.line_of(edit[0]) == last + 1
            if "*/" in source.line_text(last):
                break
    here = [edit for edit in cause.edits if line <= source.line_of(edit[0]) <= last]
    start, end = here[0][0], here[-1][1]
    if last > line and mask_secrets(source.text[start:end]) != source.text[start:end]:
        return None
    text = _applied(source.text[:end], here)[start:]
    if cause.code in ("byte-order-mark", "semicolon-end"):
        text = ""
    return Fix(cause.label, start, end, text)


# --- another text, and back --------------------------------------------------------------------


def _applied(text: str, edits: Sequence[Edit]) -> str:
    parts: list[str] = []
    at = 0
    for start, end, new in edits:
        if start < at:
            continue
        parts += (text[at:start], new)
        at = end
    return "".join((*parts, text[at:]))


class _Moved:
    """Gives problems of the mended text the places of the text as it is written."""

    def __init__(self, source: Source, mended: str, edits: Sequence[Edit]) -> None:
        self.source = source
        self.there = Source(source.name, mended)
        self.same = all(len(new) == end - start for start, end, new in edits)
        self.starts, self.shifts = [0], [0]
        for start, end, new in edits:
            self.starts.append(start - self.shifts[-1] + len(new))
            self.shifts.append(self.shifts[-1] + (end - start) - len(new))

    def _offset(self, offset: int) -> int:
        shift = self.shifts[bisect_right(self.starts, offset) - 1]
        return min(len(self.source.text), offset + shift)

    def back(self, problem: Problem) -> Problem:
        """The problem at its place in the text as it is written."""
        if self.same:
            return problem
        column = problem.column
        if problem.line <= len(self.there.starts):
            place = self._offset(self.there.starts[problem.line - 1] + problem.column - 1)
            if self.source.line_of(place) == problem.line:
                column = self.source.position(place)[1]
        width = problem.end_column - problem.column
        fix = problem.fix
        if fix is not None:
            fix = Fix(fix.label, self._offset(fix.start), self._offset(fix.end), fix.text)
        end_column = column + width if problem.end_line == problem.line else problem.end_column
        return replace(problem, column=column, end_column=max(end_column, column), fix=fix)


# --- values that a comment begins with ---------------------------------------------------------


def lost_values(source: Source, problems: Sequence[Problem], reading: Reading) -> list[Cause]:
    """The values that a comment mark takes away, or cuts together with the `{` behind them."""
    found: dict[int, Cause] = {}
    for problem in problems:
        if problem.code not in ("value-missing", "comment-cuts") or problem.file != source.name:
            continue
        raw = source.line_text(problem.line)
        at = comment_start(raw, reading)
        word = _WORD.match(raw, at)
        last = _LAST.search(raw, 0, at)
        begin = last.start() if last is not None else at
        if word is None or len(word.group()) < 2 or problem.line in found:
            continue
        if problem.code == "value-missing":
            if begin < at or raw[:at].strip() != raw[problem.column - 1 : problem.end_column - 1]:
                continue
            keyword = raw[:at].strip()
            message = f"{word.group()[0]} begins a comment here, so {keyword} has no value"
        elif "{" in raw[word.end() :] and begin < at and not raw[:at].lstrip().startswith("$"):
            message = f"{problem.message}, and so does the {{"
        else:
            continue
        start = source.starts[problem.line - 1]
        meant = (raw[begin:at] + word.group()).replace('"', "")
        meant = meant.replace("\\#", "#").replace("\\!", "!")
        edit = (start + begin, start + word.end(), f'"{meant}"')
        found[problem.line] = Cause("comment-cuts", message, QUOTE_IT, "", [edit], [start + at])
    return list(found.values())


# --- blocks that keepalived does not know ------------------------------------------------------


def unknown_blocks(source: Source, problems: Sequence[Problem], reading: Reading) -> list[Cause]:
    """The unknown words that open a block: keepalived then reads all of its lines elsewhere."""
    found: list[Cause] = []
    for problem in problems:
        if problem.code != "unknown-keyword" or problem.file != source.name:
            continue
        if "made by" in problem.message:
            continue
        start = _offset(source, problem)
        span = _block(source.text, start, reading)
        if span is None:
            continue
        edit = _meant(source.text, start, span, problem)
        hint, label = problem.hint or "remove the block", ""
        if edit is not None:
            hint, label = f"did you mean {edit[2]}?", f"write {edit[2]}"
        message = problem.message
        if ", and takes its closing brace" not in message:
            message = f"{message.removesuffix(' it')} the block"
        edits = [edit] if edit is not None else _blanked(source.text, start, span)
        found.append(Cause(problem.code, message, hint, label, edits, [start]))
    return found


def _block(text: str, start: int, reading: Reading) -> tuple[int, int] | None:
    """Where the block of the statement at `start` begins and ends; None if it has none."""
    depth, at, opened = 0, start, -1
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end]
        line = line[: comment_start(line, reading)]
        for token in tokens(line):
            if token.kind == OPEN:
                opened = at + token.start if opened < 0 else opened
                depth += 1
            elif token.kind == CLOSE:
                depth -= 1
                if depth <= 0:
                    return (opened, at + token.end) if opened >= 0 else None
            elif opened < 0 and at > start:
                return None  # another statement
        at = end + 1
    return None


def _meant(text: str, start: int, span: tuple[int, int], problem: Problem) -> Edit | None:
    """The edit that writes the keyword that is meant, if there is a clear one."""
    if problem.fix is not None:
        return problem.fix.start, problem.fix.end, problem.fix.text
    words = tokens(text[start : span[0]].partition("\n")[0])
    opening = {k.name for k in blocks()[ROOT].keywords.values() if k.opens is not None}
    if len(words) > 1:
        joined = "_".join((words[0].text, words[1].text)).replace("-", "_")
        meant = joined if joined in opening else nearest(joined, opening)
        if meant is not None:
            return start, start + words[1].end, meant
    return None


def _blanked(text: str, start: int, span: tuple[int, int]) -> list[Edit]:
    """The edits that leave the block out and keep its lines."""
    gone = "".join(c if c == "\n" else " " for c in text[start : span[1]])
    return [(start, span[1], gone)]
