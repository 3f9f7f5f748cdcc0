"""Checks a text again after a small change, as an editor does at every pause in typing.

PURE. The text is cut where a block of the root ends and the next one begins. The meaning of such
a part depends only on its own text and on the definitions above it, so the result of an unchanged
part is reused and its places are moved. The rules that look at the whole configuration run every
time. If a part cannot be checked alone (braces that do not match, includes, a block that may be
written only once and is written twice), the whole text is checked: the result always equals that
of `check`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from hanode.conf.check.check import (
    DEFAULT_NAME,
    DEFAULT_TARGET,
    MENDED,
    Checked,
    judged,
    with_causes,
)
from hanode.conf.keywords import blocks, root_words, script_words
from hanode.conf.language.releases import target as target_of
from hanode.conf.language.schema import ROOT
from hanode.conf.model.model import Config, GlobalDefs
from hanode.conf.read.bind import bind
from hanode.conf.read.blocks import build
from hanode.conf.read.in_order import looks_above
from hanode.conf.read.misread_braces import STRUCTURE, UNKNOWN
from hanode.conf.rules.machine import UNKNOWN_MACHINE, MachineFacts
from hanode.conf.text.expand import expand
from hanode.conf.text.lexer import unquote
from hanode.conf.text.logical import MAX_LINES
from hanode.conf.text.problems import Collected, Fix, Problem
from hanode.conf.text.source import NOWHERE, Source
from hanode.conf.text.tree import Document

DEFINED_MAX = 200
"""Definitions that a part may have above it: each part keeps all of them."""

Definitions = tuple[tuple[str, str], ...]


class _NotSeparable(Exception):
    """The parts cannot be checked one by one."""


@dataclass(slots=True)
class _Part:
    """A part of the text, its model and its problems, which count from the part's beginning."""

    source: Source
    lines: int
    logical: int
    model: Config
    problems: Collected
    names: tuple[str, ...]
    """Keywords of the root in it that may be written only once."""
    definitions: Definitions
    """All definitions that hold behind the part."""
    counts_lines: bool
    """Whether a message contains a line number of the file."""


class Checker:
    """Checks one text as it changes: `update` returns what `check` would, but faster.

    Places in an earlier result move with the text: use only the newest result.
    """

    def __init__(
        self,
        *,
        name: str = DEFAULT_NAME,
        node: str | None = None,
        target: str = DEFAULT_TARGET,
        machine: MachineFacts = UNKNOWN_MACHINE,
    ) -> None:
        self.name = name
        self.node = node
        self.target = target
        self.machine = machine
        self._program = target_of(target)
        self._parts: dict[tuple[str, Definitions], list[_Part]] = {}
        self._again: list[Checker] = []
        """For the text once what was pasted into it is mended."""

    def update(self, text: str) -> Checked:
        """Checks the text as it is now."""
        while len(self._again) < MENDED:
            self._again.append(self._another())
        checkers = [checker.once for checker in self._again]
        return with_causes(text, self.once, checkers)

    def _another(self) -> Checker:
        return Checker(name=self.name, node=self.node, target=self.target, machine=self.machine)

    def once(self, text: str) -> Checked:
        """The same, but with all that follows from one cause."""
        try:
            # What a \\# in a definition does is not among the definitions that a part is given.
            if "include" in text or "\\#" in text or "\\!" in text:
                raise _NotSeparable
            parts = self._read(text)
            model = _joined(parts)
        except _NotSeparable:
            return self._whole(text)
        problems = Collected(problem for part in parts for problem in _placed(part))
        if problems.left_out or any(part.problems.left_out for part in parts):
            return self._whole(text)  # which are kept depends on the order in which they are found
        document = Document(Source(self.name, text), self._program.reading)
        return judged(document, model, problems, self._program, self.machine, self.node)

    def _whole(self, text: str) -> Checked:
        document = Document(Source(self.name, text), self._program.reading)
        model, problems = bind(expand(document, node=self.node), self._program)
        return judged(document, model, problems, self._program, self.machine, self.node)

    def _read(self, text: str) -> list[_Part]:
        found: dict[tuple[str, Definitions], list[_Part]] = {}
        parts: list[_Part] = []
        definitions: Definitions = ()
        offset = lines_before = logical = 0
        for piece in cut(text):
            key = piece, definitions if "$" in piece or "~" in piece else ()
            same = found.setdefault(key, [])
            known = self._parts.get(key, ())
            part = known[len(same)] if len(same) < len(known) else None
            if part is not None and (
                not part.counts_lines or part.source.lines_before == lines_before
            ):
                part.source.offset = offset
                part.source.lines_before = lines_before
            else:
                source = Source(self.name, piece, offset, lines_before)
                part = self._part(source, definitions, last=offset + len(piece) == len(text))
            same.append(part)
            parts.append(part)
            definitions = part.definitions if "$" in piece or "~" in piece else definitions
            offset += len(piece)
            lines_before += part.lines
            logical += part.logical
        if logical > MAX_LINES:
            raise _NotSeparable
        self._parts = found
        return parts

    def _part(self, source: Source, definitions: Definitions, *, last: bool) -> _Part:
        if len(definitions) > DEFINED_MAX:
            raise _NotSeparable
        expanded = expand(
            Document(source, self._program.reading), node=self.node, definitions=dict(definitions)
        )
        raw = build(expanded.lines, root_words(), script_words())
        model, problems = bind(expanded, self._program)
        if (
            looks_above(raw.statements)
            or (raw.tail and not last)
            or any(_misread_below(source, problem) for problem in problems)
        ):
            raise _NotSeparable
        once = _once()
        words = (unquote(statement.words[0]) for statement in raw.statements if statement.words)
        return _Part(
            source,
            source.text.count("\n"),
            len(expanded.lines),
            model,
            problems,
            tuple({once[word] for word in words if word in once}),
            tuple(expanded.definitions.items()),
            any(" line " in problem.message for problem in problems),
        )


def cut(text: str) -> Iterator[str]:
    """Cuts the text into parts; each ends with a block of the root, except perhaps the last."""
    start = 0
    for match in _boundary().finditer(text):
        yield text[start : match.end()]
        start = match.end()
    yield text[start:]


@functools.cache
def _boundary() -> re.Pattern[str]:
    words = "|".join(sorted(root_words()))
    return re.compile(rf"\n\}}[ \t\r]*\n(?=(?:[ \t\r]*(?:[#!][^\n]*)?\n){{0,99}}(?:{words})\b)")


@functools.cache
def _once() -> dict[str, str]:
    """The root keywords that may be written only once, with their main spelling.

    Several `global_defs` blocks count as one.
    """
    return {
        keyword.name: keyword.same_as or keyword.name
        for keyword in blocks()[ROOT].keywords.values()
        if not keyword.repeats or keyword.name == "global_defs"
    }


def _misread_below(source: Source, problem: Problem) -> bool:
    """Whether keepalived may misread the lines below because of the problem."""
    if problem.code in STRUCTURE:
        return True
    line = source.line_text(problem.line)
    return problem.code in UNKNOWN and ("{" in line or "$" in line)


def _joined(parts: list[_Part]) -> Config:
    """Joins the models of all parts.

    Raises _NotSeparable if a part repeats a keyword of another.
    """
    names = [name for part in parts for name in part.names]
    if len(names) != len(set(names)):
        raise _NotSeparable
    joined: dict[str, Any] = {}
    for field in fields(Config):
        values = [getattr(part.model, field.name) for part in parts]
        if isinstance(values[0], GlobalDefs):
            written = (value for value in values if value.origin is not NOWHERE)
            joined[field.name] = next(written, values[0])
        else:
            joined[field.name] = tuple(each for value in values for each in value)
    return Config(**joined)


def _placed(part: _Part) -> Iterable[Problem]:
    """The part's problems with their places in the whole text."""
    offset, lines = part.source.offset, part.source.lines_before
    for problem in part.problems:
        fix = problem.fix
        if fix is not None:
            fix = Fix(fix.label, fix.start + offset, fix.end + offset, fix.text)
        yield replace(
            problem,
            line=problem.line + lines,
            end_line=problem.end_line + lines,
            fix=fix,
            reaches=problem.reaches and problem.reaches + lines,
        )
