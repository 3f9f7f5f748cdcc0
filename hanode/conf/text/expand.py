"""Expands conditions, macros and includes: gives the logical lines that one node reads.

PURE. The order is keepalived's: comments are cut off, `@id` lines are kept or dropped, `$NAME=` is
remembered, `~SEQ`/`~LST` repeat their line, `$NAME` is replaced where it is used, `include` is
followed. Each logical line knows the place it came from and the macro that made it. The caller's
`read` reads included files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from hanode.conf.text.lexer import (
    BLANK,
    CLOSE,
    OPEN,
    Reading,
    comment_start,
    quote_left_open,
    tokens,
)
from hanode.conf.text.macros import (
    REFERENCE,
    MacroError,
    alternatives,
    repeats,
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
    as_ordinary_line,
    begins_behind,
    note_of,
    parse,
    pieces,
    read_text,
    without_comment,
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
GLUED = "a backslash at the end"
"""The maker of a line in which a backslash moved from the end, or from a comment, to a word."""
OPEN_QUOTE = 'this " is not closed on its line; the rest of the line belongs to it'
HIDDEN_QUOTE = "a \\ hides the closing quote from keepalived, which says that this one has no end"
QUOTE_IT = "write a value that holds # or ! in double quotes"
MARKED = (
    "a line cannot begin with \\# or \\!: keepalived up to 2.3 takes it for a mark of its own and "
    "loses its place in the file"
)
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
    """Expands the document for the node with this config id; None: for a node that no line names.

    `definitions` holds the definitions above, where the document is only a part of a file. Nothing
    raises: mistakes are in `problems`.
    """
    run = _Expansion(node, read, document.reading)
    run.definitions |= definitions or {}
    run.file(document, depth=0)
    return Expanded(run.lines, run.problems, run.definitions, run.defined)


def nothing_left(document: Document, node: str | None, severity: Severity) -> list[Problem]:
    """The problem of a file of which the node reads no line; none if it has no conditions."""
    lines = [line for line in document.each() if line.condition]
    if node is None or not lines:
        return []
    ids = (line.condition or "" for line in lines)
    named = list(dict.fromkeys(one for one in ids if not one.startswith("^")))
    whose = f"they are for {' and '.join(named[:3])}" if named else "none is for it"
    if len(named) > 3:
        whose += " and others"
    message = f"no line of this file is left for the node {node}: {whose}"
    hint = "start it with the config id of one of them, or write lines for this node"
    at, column = document.source.position(lines[0].start)
    place = (at, column, at, column + lines[0].end - lines[0].start)
    return [Problem("nothing-left", severity, document.name, *place, message, hint)]


class _Expansion:
    def __init__(self, node: str | None, read: Reader | None, reading: Reading) -> None:
        self.node = node
        self.read = read
        self.reading = reading
        self.lines: list[Logical] = []
        self.problems: list[Problem] = []
        self.definitions: dict[str, str] = {"_PWD": ".", "_HASH": "#", "_BANG": "!"}
        if node:
            self.definitions["_INSTANCE"] = node
        self.defined: list[Defined] = []
        self.hidden: set[str] = set()
        """Names whose values the parent process of keepalived reads with a comment mark."""
        self.full = False
        self.rounds = 0

    def file(self, document: Document, depth: int) -> None:
        source, text = document.source, document.source.text
        lines = document.each()
        for line in lines:
            if line.kind is Kind.COMMENT and text.startswith("\\", line.comment):
                self.problem("comment-cuts", source, line, MARKED)
            if line.kind is Kind.BLANK or self.full:
                if line.condition is not None:
                    self.check_quote(text, source, line)
                continue
            if line.end - line.start > MAX_BYTES // 4:
                self.check_length(text, source, line)
            words = line.simple
            if words is not None and len(self.lines) < MAX_LINES:
                body = line.body
                self.lines.append(Logical(words, source, body, body + len(words), None, line.note))
                continue
            if '"' in text[line.start : line.end]:
                self.check_quote(text, source, line)
            for piece in pieces(text, line, self.reading):
                self.line(source, piece, lines, depth)

    def line(self, source: Source, line: Line, lines: Iterator[Line], depth: int) -> None:
        kind, text = line.kind, source.text
        if line.condition is not None and not self.applies(line.condition):
            self.forget_comments(source)
            if kind is Kind.DEFINITION:
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
            for piece in pieces(text, line, self.reading):
                self.line(source, piece, lines, depth)

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

    def check_quote(self, text: str, source: Source, line: Line) -> None:
        """Reports a quote that has no end where keepalived looks for comments.

        There a backslash hides a quote, and lines for other nodes and definitions count too. A
        quote that has no end for words either is reported by `read/blocks`, unless it is there.
        """
        read = text[line.start : line.comment]
        at = quote_left_open(read) if '"' in read else -1
        if at < 0:
            return
        seen = line.kind in (Kind.PLAIN, Kind.INCLUDE) and (
            line.condition is None or self.applies(line.condition)
        )
        if seen and read.count('"') % 2 and not begins_behind(read):
            return
        message = OPEN_QUOTE if read.count('"') % 2 else HIDDEN_QUOTE
        place = replace(line, body=line.start + at, comment=line.start + at + 1)
        self.problem("unclosed-quote", source, place, message)

    def applies(self, condition: str) -> bool:
        if condition.startswith("^"):
            return condition[1:] != self.node
        return condition == self.node

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
            if not text:
                return
        text, macro = self.loop_by_name(text, macro)
        if repeats(text):
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
        elif text.startswith("~"):
            # Nothing is replaced before the first brace.
            at = next((t.start for t in tokens(text) if t.kind in (OPEN, CLOSE)), len(text))
            self.finish(text[:at], source, line, depth, macro, times)
            if at < len(text):
                self.expand_text(text[at:], source, line, depth, macro, times + 1)
        elif macro is not None and DEFINITION.match(text):
            name, _, value = text[1:].partition("=")
            self.define(name, value.strip(BLANK), source, line)
        else:
            done, used = substitute(text, self.definitions)
            if not used:
                self.finish(text, source, line, depth, macro, times)
                return
            made_by = macro or f"${used[0]}"
            if self.hidden and not self.hidden.isdisjoint(used):
                self.lost_brace(text, source, line)
            for number, part in enumerate(done.split("\n")):
                # Comments are cut off once more: a value may hold $_HASH.
                part = without_comment(part, self.reading)
                again = part[:1] in ("@", "~", "$")
                if again and '"' in part and quote_left_open(part) >= 0:
                    self.problem("unclosed-quote", source, line, OPEN_QUOTE)
                if not (number or self.reading.measures_again) and part.startswith("@"):
                    self.mismeasured(part, len(text), source, line, depth, made_by, times)
                elif again:
                    self.expand_text(part, source, line, depth, made_by, times + 1)
                else:
                    self.finish(part, source, line, depth, made_by, times)

    def mismeasured(
        self, text: str, size: int, source: Source, line: Line, depth: int, macro: str, times: int
    ) -> None:
        """Reads a condition that a name made as 2.2.7 does, which moves too few characters."""
        condition = CONDITION.match(text)
        if (
            condition is None
            or not self.applies(condition.group(1))
            or condition.end() == len(text)
        ):
            return
        count = size - condition.end() + 1
        rest = len(text) - condition.end()
        if count > rest:
            self.expand_text(text, source, line, depth, macro, times + 1)
            return
        message = f"{macro} holds a condition, and keepalived 2.2.7 "
        if count < 0:
            message += "dies of it: it is longer than the line with the name"
        else:
            message += "cuts off too little of it: it reads other words than are written"
        hint = "write the condition on the line that uses the name"
        severity: Severity = "error" if count <= 0 else "warning"
        self.problem("condition-in-name", source, line, message, severity, hint)
        if count > 0:
            text = text[condition.end() :][:count] + text[count:]
            self.expand_text(text, source, line, depth, macro, times + 1)
        elif count == 0:
            self.finish(text, source, line, depth, macro, times)

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

    def finish(
        self, text: str, source: Source, line: Line, depth: int, macro: str | None, times: int
    ) -> None:
        """Emits a line without macros, or follows the include that a macro made.

        Behind a brace that a macro made, a new line begins, which may have a macro itself.
        """
        if macro is not None and (at := begins_behind(text)):
            self.finish(text[:at], source, line, depth, macro, times)
            self.expand_text(text[at:].lstrip(BLANK), source, line, depth, macro, times + 1)
        elif INCLUDE.match(text):
            self.include(source, line, depth, text, macro)
        else:
            self.emit(text, source, line, macro)

    def lost_brace(self, text: str, source: Source, line: Line) -> None:
        r"""Reports a `{` behind a name whose value holds a `\#`: a comment for the parent."""
        if "{" not in text.partition("$")[2].partition("}")[2] and not text.endswith("{"):
            return
        depth, at = 0, source.text.rfind("\n", 0, line.body) + 1
        while True:
            end = source.text.find("\n", at)
            end = len(source.text) if end < 0 else end
            raw = source.text[at:end]
            kinds = [t.kind for t in tokens(raw[: comment_start(raw, self.reading)])]
            depth += kinds.count(OPEN) - kinds.count(CLOSE)
            if depth <= 0 or end >= len(source.text):
                break
            at = end + 1
        message = (
            "the name holds a # behind a \\, and keepalived's parent process sees a comment here: "
            "it misses the {"
        )
        reaches = source.line_of(at)
        hint = "write the value in double quotes, without the \\"
        self.problem("comment-cuts", source, line, message, "warning", hint, reaches)

    def define(self, name: str, value: str, source: Source, line: Line) -> None:
        if not self.reading.escapes and source.text.startswith("\\", line.comment):
            message = f"${name} ends before the \\: a comment begins there, up to keepalived 2.3"
            self.problem("comment-cuts", source, line, message, "warning", QUOTE_IT)
            self.hidden.add(name)
        else:
            self.hidden.discard(name)
        self.definitions[name] = value
        self.defined.append(Defined(name, value, source, line.body, line.comment, len(self.lines)))

    def emit(self, text: str, source: Source, line: Line, macro: str | None = None) -> None:
        if len(self.lines) >= MAX_LINES:
            self.full = True
            message = f"the configuration grows beyond {MAX_LINES} lines; the rest is not read"
            self.problem("too-long", source, line, message)
            return
        comment = note_of(source.text, line) if line.comment < line.end else ""
        if macro is not None and self.lines and comment and self.lines[-1].macro:
            comment = "" if self.lines[-1].start == line.body else comment
        end = line.comment if not text or macro else line.body + len(text)
        self.lines.append(Logical(text, source, line.body, end, macro, comment))

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
            before, defined = len(self.lines), len(self.defined)
            document = parse(text, name, self.reading)
            self.file(document, depth + 1)
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

    def problem(
        self,
        code: str,
        source: Source,
        line: Line,
        message: str,
        severity: Severity = "error",
        hint: str | None = None,
        reaches: int = 0,
    ) -> None:
        from_line, column = source.position(line.body)
        end = max(line.body + 1, min(line.comment, line.end))
        end_column = column + (end - line.body)
        place = (from_line, column, from_line, end_column)
        self.problems.append(
            Problem(code, severity, source.name, *place, message, hint, reaches=reaches)
        )
