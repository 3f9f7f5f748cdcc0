"""From the lossless document to the logical lines that keepalived sees as one node.

PURE. In keepalived's order: comments are cut off, `include` is followed (before conditions: an
`@NodeB include x` is followed on NodeA too), `@id` lines are kept or dropped, `$NAME=` is
remembered, `~SEQ`/`~LST` repeat their line, `$NAME` is replaced at its use. Each logical line
knows the place it came from, and whether a macro made it. Files are read by the `read` that is
passed in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from hanode.conf.text.macros import (
    REFERENCE,
    REPEAT,
    MacroError,
    alternatives,
    repetition,
    substitute,
)
from hanode.conf.text.problems import Problem, Severity
from hanode.conf.text.source import Source
from hanode.conf.text.tree import (
    CONDITION,
    DEFINITION,
    INCLUDE,
    Document,
    Kind,
    Line,
    afresh,
    parse,
    pieces,
)

Reader = Callable[[str, str], "tuple[tuple[str, str], ...] | None"]
"""read(pattern, including file) -> ((name, text), …), or None where there is nothing to read."""

MAX_INCLUDE_DEPTH = 16
"""Files inside files; a file that includes itself ends here."""
MAX_TIMES = 32
"""How often what a macro made is read once more."""
NEEDS_MATCH = ("includem", "includew", "includea")
"""The forms that end keepalived where a plain name has no file."""
NEEDS_WILDCARD = ("includew", "includea")
NEEDS_BRACE = ("includeb", "includea")
_WILDCARD = re.compile(r"[*?\[]")
MAX_BYTES = 1022
"""Of one line in keepalived's buffer of 1024, with the line's end and a NUL."""
MAX_LINES = 1_000_000
"""Logical lines of one configuration, all files and repetitions together."""


@dataclass(slots=True)
class Logical:
    """A line as the block language sees it."""

    text: str
    """Without condition and comment, macros replaced."""
    source: Source
    start: int
    """Offset of the text in the source; for a macro's line: of the use."""
    end: int
    macro: str | None = None
    """Set: the text is not what stands at start:end."""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Defined:
    """Where a name got its value, and how many logical lines came before."""

    name: str
    value: str
    source: Source
    start: int
    end: int
    before: int


@dataclass(slots=True)
class Expanded:
    """The logical lines and what went wrong on the way."""

    lines: list[Logical]
    problems: list[Problem]
    definitions: dict[str, str] = field(default_factory=dict)
    defined: list[Defined] = field(default_factory=list)


def expand(
    document: Document,
    *,
    node: str | None = None,
    read: Reader | None = None,
    definitions: Mapping[str, str] | None = None,
) -> Expanded:
    """The document as the node with this config id sees it; None: as a node nobody names.

    `definitions` are those of the lines above, where the document is only a part of a file.
    """
    run = _Expansion(node, read)
    run.definitions |= definitions or {}
    run.file(document, depth=0)
    return Expanded(run.lines, run.problems, run.definitions, run.defined)


class _Expansion:
    def __init__(self, node: str | None, read: Reader | None) -> None:
        self.node = node
        self.read = read
        self.lines: list[Logical] = []
        self.problems: list[Problem] = []
        self.definitions: dict[str, str] = {"_PWD": ".", "_HASH": "#", "_BANG": "!"}
        if node:
            self.definitions["_INSTANCE"] = node
        self.defined: list[Defined] = []
        self.full = False
        self.rounds = 0

    def file(self, document: Document, depth: int) -> None:
        source, text = document.source, document.source.text
        lines = document.each()
        for line in lines:
            if line.kind is Kind.BLANK or self.full:
                continue
            if line.end - line.start > MAX_BYTES // 4:
                self.length(text, source, line)
            said = line.simple
            if said is not None and len(self.lines) < MAX_LINES:
                body = line.body
                self.lines.append(Logical(said, source, body, body + len(said), None, line.note))
                continue
            for piece in pieces(text, line):
                self.line(source, piece, lines, depth)

    def line(self, source: Source, line: Line, lines: Iterator[Line], depth: int) -> None:
        kind, text = line.kind, source.text
        if kind is Kind.INCLUDE:
            self.include(source, line, depth, text[line.body : line.comment].rstrip())
        elif line.condition and not self.applies(line.condition):
            self.forget_comments(source)
            if kind is Kind.DEFINITION:
                self.dropped(source, line, lines, depth)
        elif kind is Kind.DEFINITION:
            self.define(*self.definition(text, line, lines), source, line)
        elif kind is Kind.COMMENT:
            self.emit("", source, line)
        elif kind is not Kind.BLANK:
            self.plain(text[line.body : line.comment].rstrip(), source, line, depth)

    def dropped(self, source: Source, line: Line, lines: Iterator[Line], depth: int) -> None:
        """A definition for another node: the condition is for its first line only.

        keepalived takes the lines that continue it for lines of their own.
        """
        text = source.text
        while text[line.body : line.comment].rstrip().endswith("\\"):
            following = next(lines, None)
            if following is None:
                return
            for piece in pieces(text, afresh(text, following)):
                self.line(source, piece, lines, depth)
            line = following

    def forget_comments(self, source: Source) -> None:
        """The comments above a line that is dropped are about that line."""
        while self.lines and not self.lines[-1].text and self.lines[-1].source is source:
            self.lines.pop()

    def length(self, text: str, source: Source, line: Line) -> None:
        """keepalived reads a long line in pieces, each as a line of its own, even of a comment."""
        size = len(text[line.start : line.end].encode("utf-8", errors="replace"))
        if size > MAX_BYTES:
            message = (
                f"this line has {size} bytes; keepalived reads {MAX_BYTES} and takes the rest for "
                "a new line"
            )
            self.problem("line-too-long", source, line, message)

    def applies(self, condition: str) -> bool:
        if condition.startswith("^"):
            return condition[1:] != self.node
        return condition == self.node

    def definition(self, text: str, line: Line, lines: Iterator[Line]) -> tuple[str, str]:
        """The name and value; takes the continued lines from the iterator."""
        name, _, value = text[line.body : line.comment].partition("=")
        parts = [value.strip()]
        while parts[-1].endswith("\\"):
            parts[-1] = parts[-1][:-1].rstrip()
            following = next(lines, None)
            if following is None or following.kind is not Kind.CONTINUED:
                break
            parts.append(text[following.body : following.comment].strip())
        return name[1:], "\n".join(parts)

    def plain(self, body: str, source: Source, line: Line, depth: int) -> None:
        if line.kind is not Kind.REPEAT and "$" not in body:
            self.emit(body, source, line)
            return
        try:
            self.made(body, source, line, depth, None, 0)
        except MacroError as error:
            self.problem("macro", source, line, f"{error}; the line is left out")

    def made(
        self, text: str, source: Source, line: Line, depth: int, macro: str | None, times: int
    ) -> None:
        """A line's text; what a macro put there is read as a line once more, as in keepalived."""
        if times > MAX_TIMES:
            raise MacroError(f"{macro} makes lines that use it")
        if macro is not None and (condition := CONDITION.match(text)):
            if not self.applies(condition.group(1)):
                return
            text = text[condition.end() :]
        text, macro = self.loop_by_name(text, macro)
        if REPEAT.match(text):
            rounds, rest = repetition(text, self.definitions)
            self.rounds += len(rounds)
            if self.rounds > MAX_LINES:
                raise MacroError(f"the repetitions go round more than {MAX_LINES} times")
            made_by = macro or text.split("(", 1)[0].rstrip()
            for values in rounds:
                if self.full:
                    break
                self.definitions |= values
                self.made(rest, source, line, depth, made_by, times + 1)
        elif macro is not None and DEFINITION.match(text):
            name, _, value = text[1:].partition("=")
            self.define(name, value.strip(), source, line)
        else:
            done, used = substitute(text, self.definitions)
            if not used:
                self.last(text, source, line, depth, macro)
                return
            made_by = macro or f"${used[0]}"
            for part in done.split("\n"):
                if part[:1] in ("@", "~", "$"):
                    self.made(part, source, line, depth, made_by, times + 1)
                else:
                    self.last(part, source, line, depth, made_by)

    def loop_by_name(self, text: str, macro: str | None) -> tuple[str, str | None]:
        """The line with its first name replaced, where that makes a repetition of it.

        The repetition comes first then: its variables count in what it repeats.
        """
        found = REFERENCE.match(text)
        name = found.group(1) or found.group(3) if found else ""
        value = self.definitions.get(name, "")
        if found is None or not value.startswith("~") or "\n" in value:
            return text, macro
        return value + text[found.end() :], macro or f"${name}"

    def last(self, text: str, source: Source, line: Line, depth: int, macro: str | None) -> None:
        """A line in which nothing is left to replace."""
        if macro is not None and self.read is not None and INCLUDE.match(text):
            self.include(source, line, depth, text)
        else:
            self.emit(text, source, line, macro)

    def define(self, name: str, value: str, source: Source, line: Line) -> None:
        self.definitions[name] = value
        self.defined.append(Defined(name, value, source, line.body, line.comment, len(self.lines)))

    def emit(self, text: str, source: Source, line: Line, macro: str | None = None) -> None:
        if len(self.lines) >= MAX_LINES:
            self.full = True
            message = f"the configuration grows beyond {MAX_LINES} lines; the rest is not read"
            self.problem("too-long", source, line, message)
            return
        comment = source.text[line.comment : line.end].rstrip() if line.comment < line.end else ""
        if macro is not None and self.lines and comment and self.lines[-1].macro:
            comment = "" if self.lines[-1].start == line.body else comment
        end = line.comment if not text or macro else line.body + len(text)
        self.lines.append(Logical(text, source, line.body, end, macro, comment))

    def include(self, source: Source, line: Line, depth: int, body: str) -> None:
        word, *rest = body.split(maxsplit=1)
        pattern = rest[0] if rest else ""
        if self.read is None or not pattern:
            message = f"include {pattern} is not followed here; the line is kept"
            if pattern:
                self.problem("include-kept", source, line, message, "info")
            else:
                message = "include without a file name"
                self.problem("include-not-found", source, line, message, "warning")
            self.emit(body, source, line)
            return
        if depth >= MAX_INCLUDE_DEPTH:
            message = f"include {pattern}: files include each other more than {depth} deep"
            self.problem("include-depth", source, line, message)
            return
        files = self.files(word, pattern, source, line)
        if not files:
            self.emit(body, source, line)
        for name, text in files:
            self.file(parse(text, name), depth + 1)

    def files(self, word: str, pattern: str, source: Source, line: Line) -> list[tuple[str, str]]:
        """What an include stands for; a Problem where a name that must be there is not."""
        assert self.read is not None
        found: list[tuple[str, str]] = []
        missing: list[str] = []
        try:
            names = alternatives(pattern)
        except MacroError as error:
            self.problem("include-not-found", source, line, f"include {pattern}: {error}")
            return found
        for name in names:
            files = self.read(name, source.name)
            if files is not None:
                found += files
            elif not _WILDCARD.search(name) or word in NEEDS_WILDCARD:
                missing.append(name)
        if missing:
            strict = word in (NEEDS_BRACE if len(names) > 1 else NEEDS_MATCH)
            severity: Severity = "error" if strict else "warning"
            what = pattern if missing == names else missing[0]
            message = f"include {pattern}: no file can be read at {what}"
            if pattern == what:
                message = f"include {pattern}: no file can be read there"
            if '"' in pattern:
                message += "; keepalived takes quotes for a part of the name"
            self.problem("include-not-found", source, line, message, severity)
        return found

    def problem(
        self, code: str, source: Source, line: Line, message: str, severity: Severity = "error"
    ) -> None:
        from_line, column = source.position(line.body)
        end = max(line.body + 1, min(line.comment, line.end))
        end_column = column + (end - line.body)
        self.problems.append(
            Problem(code, severity, source.name, from_line, column, from_line, end_column, message)
        )
