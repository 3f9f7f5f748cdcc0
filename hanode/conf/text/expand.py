"""Expands conditions, macros and includes: gives the logical lines that one node reads.

PURE. The order is keepalived's: comments are cut off, `@id` lines are kept or dropped, `$NAME=` is
remembered, `~SEQ`/`~LST` repeat their line, `$NAME` is replaced where it is used, `include` is
followed. Each logical line knows the place it came from and the macro that made it. The caller's
`read` reads included files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from hanode.conf.text.lexer import BLANK
from hanode.conf.text.line_checks import MARKED, MAX_BYTES, nothing_left
from hanode.conf.text.logical import MAX_LINES, Expanded, Logical, Reader
from hanode.conf.text.macro_lines import MacroLines
from hanode.conf.text.macros import MacroError, alternatives
from hanode.conf.text.problems import Severity
from hanode.conf.text.source import Source
from hanode.conf.text.tree import (
    INCLUDE,
    Document,
    Kind,
    Line,
    as_ordinary_line,
    parse,
    pieces,
    read_text,
)

MAX_INCLUDE_DEPTH = 16
"""Includes inside includes. The limit also ends a file that includes itself."""
NEEDS_MATCH = ("includem", "includew", "includea")
"""With these words keepalived exits if a plain name matches no file."""
NEEDS_WILDCARD = ("includew", "includea")
NEEDS_BRACE = ("includeb", "includea")
_WILDCARD = re.compile(r"[*?\[]")
MAX_FILES = 4_096
"""Files that one configuration may include, each as often as it is included."""
READ_OF_LINE = 16_384
"""Characters of a line that are read. A longer line is an error already (`MAX_BYTES`)."""
GLUED = "a backslash at the end"
"""The maker of a line in which a backslash moved from the end, or from a comment, to a word."""


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
    run = _Expansion(node, read, document.reading)
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


class _Expansion(MacroLines):
    """Reads files, line by line."""

    included = 0
    skipping = False
    """Whether the lines behind a definition for another node are read."""

    def file(self, document: Document, depth: int) -> None:
        source, text = document.source, document.source.text
        lines = document.each()
        for line in lines:
            if self.full:
                return
            if line.kind is Kind.COMMENT and text.startswith("\\", line.comment):
                self.problem("comment-cuts", source, line, MARKED)
            if line.kind is Kind.BLANK:
                if line.condition is not None:
                    self.check_quote(text, source, line)
                continue
            if line.end - line.start > MAX_BYTES // 4:
                self.check_length(text, source, line)
                line = shortened(line)
            words = line.simple
            if words is not None and len(self.lines) < MAX_LINES:
                body = line.body
                self.lines.append(Logical(words, source, body, body + len(words), None, line.note))
                continue
            if '"' in text[line.start : line.end]:
                self.check_quote(text, source, line)
            self.physical(source, line, lines, depth)

    def physical(self, source: Source, line: Line, lines: Iterator[Line], depth: int) -> None:
        """Reads a line of the file; behind a condition for other nodes nothing of it is read."""
        for piece in pieces(source.text, line, self.reading):
            self.line(source, piece, lines, depth)
            if piece.condition is not None and not self.applies(piece.condition):
                return

    def line(self, source: Source, line: Line, lines: Iterator[Line], depth: int) -> None:
        kind, text = line.kind, source.text
        if line.condition is not None and not self.applies(line.condition):
            self.forget_comments(source)
            if kind is Kind.DEFINITION and not self.skipping:
                self.skip_definition(source, line, lines, depth)
        elif kind is Kind.DEFINITION:
            self.define(*self.definition(source, line, lines), source, line)
        elif kind is Kind.COMMENT and not line.backslash:
            self.emit("", source, line)
        elif kind is not Kind.BLANK:
            self.plain(read_text(text, line), source, line, depth)

    def skip_definition(
        self, source: Source, line: Line, lines: Iterator[Line], depth: int
    ) -> None:
        """Reads on after a definition for another node: the condition covers its first line only.

        keepalived reads the continuation lines as lines of their own.
        """
        text = source.text
        while read_text(text, line).endswith("\\"):
            following = next(lines, None)
            if following is None:
                return
            line = as_ordinary_line(text, following, self.reading)
            self.check_quote(text, source, line)
            self.skipping = True  # another such line is read here, too, and no deeper for each
            self.physical(source, line, lines, depth)
            self.skipping = False

    def forget_comments(self, source: Source) -> None:
        """Drops the comments above a line that is dropped: they are about that line."""
        while self.lines and not self.lines[-1].text and self.lines[-1].source is source:
            self.lines.pop()

    def definition(self, source: Source, line: Line, lines: Iterator[Line]) -> tuple[str, str]:
        """The name and the value; takes the continuation lines from the iterator.

        A value that goes on has a line break, at its end if nothing follows.
        """
        text = source.text
        name, _, value = read_text(text, line).partition("=")
        parts = [value.lstrip(BLANK)]
        while parts[-1].endswith("\\"):
            parts[-1] = parts[-1][:-1].rstrip(BLANK)
            following = next(lines, None)
            if following is None or following.kind is not Kind.CONTINUED:
                parts.append("")
                break
            self.check_quote(text, source, following)
            parts.append(read_text(text, following))
        if len(parts) == 1:
            return name[1:], parts[0]
        said = [part for part in parts if part]
        return name[1:], "\n".join(said) + ("\n" if len(said) == 1 else "")

    def plain(self, body: str, source: Source, line: Line, depth: int) -> None:
        if line.kind is Kind.INCLUDE and "$" not in body:
            self.include(source, line, depth, body)
            return
        if line.kind is not Kind.REPEAT and "$" not in body:
            glued = line.backslash or body != source.text[line.body : line.body + len(body)]
            self.emit(body, source, line, GLUED if glued else None)
            return
        try:
            self.expand_text(body, source, line, depth, None, 0)
        except MacroError as error:
            self.problem("macro", source, line, f"{error}; the line is left out")

    def include(
        self, source: Source, line: Line, depth: int, body: str, macro: str | None = None
    ) -> None:
        found = INCLUDE.match(body)
        word = found.group() if found else body
        pattern = body[len(word) + 1 :].lstrip(BLANK)
        if self.read is None or not pattern:
            message = f"include {pattern} is not followed here; the line is kept"
            if pattern:
                self.problem("include-kept", source, line, message, "info")
            else:
                message = "include without a file name"
                self.problem("include-not-found", source, line, message, "warning")
            self.emit(body, source, line, macro)
            return
        if depth >= MAX_INCLUDE_DEPTH:
            message = f"include {pattern}: files include each other more than {depth} deep"
            self.problem("include-depth", source, line, message)
            return
        files = self.files(word, pattern, source, line)
        if not files:
            self.emit(body, source, line, macro)
        own = source.text.rfind("\n", 0, line.body) + 1
        if (
            files
            and not self.reading.escapes
            and (macro is not None or source.text[own : line.body].strip(BLANK))
        ):
            message = (
                f"include {pattern}: keepalived up to 2.3 reads the file twice, because the "
                "include does not begin its line"
            )
            self.problem("include-twice", source, line, message, "warning")
        for name, text in files:
            self.included += 1
            if self.included > MAX_FILES:
                self.stop(source, line, f"more than {MAX_FILES} files are included")
            if self.full:
                return
            before, defined = len(self.lines), len(self.defined)
            document = parse(text, name, self.reading)
            skipping, self.skipping = self.skipping, False
            self.file(document, depth + 1)
            self.skipping = skipping
            if not any(one.text for one in self.lines[before:]) and len(self.defined) == defined:
                self.problems += nothing_left(document, self.node, "info")

    def files(self, word: str, pattern: str, source: Source, line: Line) -> list[tuple[str, str]]:
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
            elif _WILDCARD.search(name) and word not in NEEDS_WILDCARD:
                message = f"include {name}: no file fits, so nothing is included"
                self.problem("include-empty", source, line, message, "info")
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
