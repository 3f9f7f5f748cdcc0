"""Expands conditions, macros and includes: gives the logical lines that one node reads.

PURE. The order is keepalived's: comments are cut off, `include` is followed (before conditions:
NodeA follows `@NodeB include x` too), `@id` lines are kept or dropped, `$NAME=` is remembered,
`~SEQ`/`~LST` repeat their line, `$NAME` is replaced where it is used. Each logical line knows the
place it came from and the macro that made it. The caller's `read` reads included files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from hanode.conf.text.macros import (
    REFERENCE,
    REPEAT,
    MacroError,
    alternatives,
    repetition,
    substitute,
)
from hanode.conf.text.problems import Collected, Problem, Severity
from hanode.conf.text.source import Source
from hanode.conf.text.tree import (
    CONDITION,
    DEFINITION,
    INCLUDE,
    Document,
    Kind,
    Line,
    as_ordinary_line,
    parse,
    pieces,
)

Reader = Callable[[str, str], "tuple[tuple[str, str], ...] | None"]
"""read(pattern, including file) -> ((name, text), …), or None where no file can be read."""

MAX_INCLUDE_DEPTH = 16
"""Includes inside includes. The limit also ends a file that includes itself."""
MAX_TIMES = 32
"""How often the text that a macro made is expanded again."""
NEEDS_MATCH = ("includem", "includew", "includea")
"""With these words keepalived exits if a plain name matches no file."""
NEEDS_WILDCARD = ("includew", "includea")
NEEDS_BRACE = ("includeb", "includea")
_WILDCARD = re.compile(r"[*?\[]")
MAX_BYTES = 1022
"""Bytes of a line that fit in keepalived's buffer of 1024, beside the line's end and a NUL."""
MAX_LINES = 1_000_000
"""Logical lines of one configuration, with all its files and repetitions."""
MAX_MADE = 32_000_000
"""Characters that all macros of one configuration may make, on the way to their lines too."""
MAX_FILES = 4_096
"""Files that one configuration may include, each as often as it is included."""
READ_OF_LINE = 16_384
"""Characters of a line that are read. A longer line is an error already (`MAX_BYTES`)."""


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


def expand(
    document: Document,
    *,
    node: str | None = None,
    read: Reader | None = None,
    definitions: Mapping[str, str] | None = None,
) -> Expanded:
    """Expands the document for the node with this config id; None: for a node that no line names.

    `definitions` holds the definitions above, where the document is only a part of a file. Nothing
    raises: mistakes are in `problems`.
    """
    run = _Expansion(node, read)
    run.definitions |= definitions or {}
    run.file(document, depth=0)
    return Expanded(run.lines, run.problems, run.definitions, run.defined)


def shortened(line: Line) -> Line:
    """The line, or as much of it as is read."""
    end = line.start + READ_OF_LINE
    if line.end <= end:
        return line
    body, comment = min(line.body, end), min(line.comment, end)
    return replace(line, end=end, body=body, comment=comment, simple=None)


class _Expansion:
    def __init__(self, node: str | None, read: Reader | None) -> None:
        self.node = node
        self.read = read
        self.lines: list[Logical] = []
        self.problems = Collected()
        self.definitions: dict[str, str] = {"_PWD": ".", "_HASH": "#", "_BANG": "!"}
        if node:
            self.definitions["_INSTANCE"] = node
        self.defined: list[Defined] = []
        self.full = False
        self.rounds = 0
        self.made = 0
        self.files = 0

    def file(self, document: Document, depth: int) -> None:
        source, text = document.source, document.source.text
        lines = document.each()
        for line in lines:
            if self.full:
                return
            if line.kind is Kind.BLANK:
                continue
            if line.end - line.start > MAX_BYTES // 4:
                self.check_length(text, source, line)
                line = shortened(line)
            words = line.simple
            if words is not None and len(self.lines) < MAX_LINES:
                body = line.body
                self.lines.append(Logical(words, source, body, body + len(words), None, line.note))
                continue
            for piece in pieces(text, line):
                self.line(source, piece, lines, depth)

    def line(self, source: Source, line: Line, lines: Iterator[Line], depth: int) -> None:
        kind, text = line.kind, source.text
        if kind is Kind.INCLUDE:
            self.include(source, line, depth, text[line.body : line.comment].rstrip())
        elif self.is_of_another(line):
            self.forget_comments(source)
            if kind is Kind.DEFINITION:
                self.skip_definition(source, line, lines, depth)
        elif kind is Kind.DEFINITION:
            self.define(*self.definition(text, line, lines), source, line)
        elif kind is Kind.COMMENT:
            self.emit("", source, line)
        elif kind is not Kind.BLANK:
            self.plain(text[line.body : line.comment].rstrip(), source, line, depth)

    def skip_definition(
        self, source: Source, line: Line, lines: Iterator[Line], depth: int
    ) -> None:
        """Reads on after a definition for another node: the condition covers its first line only.

        keepalived reads the continuation lines as lines of their own.
        """
        text = source.text
        while text[line.body : line.comment].rstrip().endswith("\\"):
            following = next(lines, None)
            if following is None:
                return
            *before, last = pieces(text, as_ordinary_line(text, following))
            for piece in before:
                self.line(source, piece, lines, depth)
            if last.kind is Kind.DEFINITION and self.is_of_another(last):
                self.forget_comments(source)  # such a line again: no deeper for each
            else:
                self.line(source, last, lines, depth)
            line = following

    def forget_comments(self, source: Source) -> None:
        """Drops the comments above a line that is dropped: they are about that line."""
        while self.lines and not self.lines[-1].text and self.lines[-1].source is source:
            self.lines.pop()

    def check_length(self, text: str, source: Source, line: Line) -> None:
        """Reports a line that is too long: keepalived reads the rest of it as a new line."""
        size = len(text[line.start : line.end].encode("utf-8", errors="replace"))
        if size > MAX_BYTES:
            message = (
                f"this line has {size} bytes; keepalived reads {MAX_BYTES} and takes the rest for "
                "a new line"
            )
            self.problem("line-too-long", source, line, message)

    def is_of_another(self, line: Line) -> bool:
        """Whether its condition leaves the line out for this node."""
        return line.condition is not None and not self.applies(line.condition)

    def applies(self, condition: str) -> bool:
        if condition.startswith("^"):
            return condition[1:] != self.node
        return condition == self.node

    def definition(self, text: str, line: Line, lines: Iterator[Line]) -> tuple[str, str]:
        """The name and the value; takes the continuation lines from the iterator."""
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
            self.expand_text(body, source, line, depth, None, 0)
        except MacroError as error:
            self.problem("macro", source, line, f"{error}; the line is left out")

    def expand_text(
        self, text: str, source: Source, line: Line, depth: int, macro: str | None, times: int
    ) -> None:
        """Expands a line. A line that a macro made is expanded again, as keepalived does."""
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
                self.expand_text(rest, source, line, depth, made_by, times + 1)
        elif macro is not None and DEFINITION.match(text):
            name, _, value = text[1:].partition("=")
            self.define(name, value.strip(), source, line)
        else:
            done, used = substitute(text, self.definitions)
            self.made += len(done)
            if self.made > MAX_MADE:
                self.stop(source, line, f"macros make more than {MAX_MADE} characters")
                return
            if not used:
                self.finish(text, source, line, depth, macro)
                return
            made_by = macro or f"${used[0]}"
            for part in done.split("\n"):
                if part[:1] in ("@", "~", "$"):
                    self.expand_text(part, source, line, depth, made_by, times + 1)
                else:
                    self.finish(part, source, line, depth, made_by)

    def loop_by_name(self, text: str, macro: str | None) -> tuple[str, str | None]:
        """Replaces the line's first name if its value is a repetition (`~SEQ`, `~LST`).

        The repetition must come first: its variables are used in the text that it repeats.
        """
        found = REFERENCE.match(text)
        name = found.group(1) or found.group(3) if found else ""
        value = self.definitions.get(name, "")
        if found is None or not value.startswith("~") or "\n" in value:
            return text, macro
        return value + text[found.end() :], macro or f"${name}"

    def finish(self, text: str, source: Source, line: Line, depth: int, macro: str | None) -> None:
        """Emits a line without macros, or follows the include that a macro made."""
        if macro is not None and self.read is not None and INCLUDE.match(text):
            self.include(source, line, depth, text)
        else:
            self.emit(text, source, line, macro)

    def define(self, name: str, value: str, source: Source, line: Line) -> None:
        self.definitions[name] = value
        self.defined.append(Defined(name, value, source, line.body, line.comment, len(self.lines)))

    def emit(self, text: str, source: Source, line: Line, macro: str | None = None) -> None:
        if len(self.lines) >= MAX_LINES:
            self.stop(source, line, f"the configuration grows beyond {MAX_LINES} lines")
            return
        comment = source.text[line.comment : line.end].rstrip() if line.comment < line.end else ""
        if macro is not None and self.lines and comment and self.lines[-1].macro:
            comment = "" if self.lines[-1].start == line.body else comment
        end = line.comment if not text or macro else line.body + len(text)
        self.lines.append(Logical(text, source, line.body, end, macro, comment))

    def stop(self, source: Source, line: Line, why: str) -> None:
        """Reports that a limit is reached, once, and reads no further."""
        if not self.full:
            self.full = True
            self.problem("too-long", source, line, f"{why}; the rest is not read")

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
        files = self.included(word, pattern, source, line)
        if not files:
            self.emit(body, source, line)
        for name, text in files:
            self.files += 1
            if self.files > MAX_FILES:
                self.stop(source, line, f"more than {MAX_FILES} files are included")
            if self.full:
                return
            self.file(parse(text, name), depth + 1)

    def included(
        self, word: str, pattern: str, source: Source, line: Line
    ) -> list[tuple[str, str]]:
        """The files that an include names, as (name, text). Adds a Problem for a missing file."""
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
