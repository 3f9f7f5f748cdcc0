"""The lossless document: every physical line of a text, classified by its kind.

PURE. `parse(t).text() == t` for any text. Macros are opaque here: a line that begins with a
condition, a definition, a repetition or an include is marked and left as it is; `expand`
interprets it. Blocks can be recognised only after that (`read/blocks`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from hanode.conf.text.lexer import CLOSE, OPEN, comment_start, each_token, tokens
from hanode.conf.text.source import Source


class Kind(Enum):
    """The kind of a physical line, without its condition."""

    BLANK = "blank"
    COMMENT = "comment"
    INCLUDE = "include"
    DEFINITION = "definition"
    CONTINUED = "continued"
    """A continuation line of a definition."""
    REPEAT = "repeat"
    PLAIN = "plain"


@dataclass(slots=True)
class Line:
    """One physical line, as offsets into the source."""

    number: int
    start: int
    end: int
    """Offset without the line's end."""
    stop: int
    """Offset with the line's end."""
    kind: Kind
    body: int
    """Where the line begins behind white space and condition."""
    comment: int
    """Where its comment begins; `end` if it has none."""
    condition: str | None = None
    """`NodeA`, or `^NodeA` for every node but NodeA."""
    simple: str | None = None
    """The line's words, if no macro can change them; equal lines share one string."""
    note: str = ""
    """The comment of a line that has `simple`."""


class Document:
    """A text as its physical lines. Immutable: an edit makes a new document."""

    __slots__ = ("_lines", "source")

    def __init__(self, source: Source) -> None:
        self.source = source
        self._lines: list[Line] | None = None

    @property
    def lines(self) -> list[Line]:
        """Every physical line; the list is kept after the first use."""
        if self._lines is None:
            self._lines = list(_lines(self.source.text))
        return self._lines

    def each(self) -> Iterator[Line]:
        """The same lines without keeping them: there are many, and a check needs each only once."""
        return _lines(self.source.text) if self._lines is None else iter(self._lines)

    @property
    def name(self) -> str:
        """The file's name, as it appears in problems."""
        return self.source.name

    def text(self) -> str:
        """The text, byte for byte as it was parsed."""
        text = self.source.text
        return "".join([text[line.start : line.stop] for line in self.lines])

    def node_ids(self) -> tuple[str, ...]:
        """The ids in the text's conditions (`@NodeA …`), in order of appearance."""
        ids = (line.condition.lstrip("^") for line in self.lines if line.condition)
        return tuple(dict.fromkeys(ids))


MAX_PIECED = 2_048
"""Longest line, in characters, that is searched for macros; keepalived's buffer has 1024 bytes."""
INCLUDES = ("include", "includer", "includem", "includew", "includeb", "includea")
"""The keywords that include other files."""

CONDITION = re.compile(r"@(\^?[^\s]+)[^\S\n]*")
DEFINITION = re.compile(r"\$[A-Za-z_]\w*=")
INCLUDE = re.compile(r"include[rmwba]?(?=\s|$)")
_REPEAT = re.compile(r"~(?:SEQx?|LST)[ \t]*\(")
_MACRO = re.compile(
    r"[^\S\n]*(?:@\^?\S|\$[A-Za-z_]\w*=|~(?:SEQx?|LST)[ \t]*\(|include[rmwba]?[^\S\n])"
)
_BEHIND_BRACE = re.compile(r"[{}]" + _MACRO.pattern)
_SPACE = " \t\r\f\v"


def parse(text: str, name: str = "keepalived.conf") -> Document:
    """The lossless document of any text."""
    return Document(Source(name, text))


def _lines(text: str) -> Iterator[Line]:
    shapes: dict[str, tuple[Kind, int, int, str | None, str | None, str]] = {}
    number = stop = 0
    continued = False
    length = len(text)
    for raw in text.split("\n"):
        number, start = number + 1, stop
        end = start + len(raw)
        stop = min(end + 1, length)
        if continued:
            line = _line(text, number, start, end, stop, continued)
        else:
            shape = shapes.get(raw)
            if shape is None:
                shape = shapes[raw] = _shape(raw)
            kind, body, comment, condition, simple, note = shape
            line = Line(
                number,
                start,
                end,
                stop,
                kind,
                start + body,
                start + comment,
                condition,
                simple,
                note,
            )
        if line.kind is Kind.DEFINITION or line.kind is Kind.CONTINUED:
            continued = text[start : line.comment].rstrip(_SPACE).endswith("\\")
        else:
            continued = False
        yield line


def _shape(raw: str) -> tuple[Kind, int, int, str | None, str | None, str]:
    """The values that equal lines share: kind, body, comment, condition, simple, note."""
    line = _line(raw, 1, 0, len(raw), len(raw), False)
    simple, note = None, ""
    if (
        line.kind is Kind.PLAIN
        and line.condition is None
        and "$" not in raw
        and not _BEHIND_BRACE.search(raw, line.body, line.comment)
    ):
        simple = raw[line.body : line.comment].rstrip() or None
        note = raw[line.comment :].rstrip()
    return line.kind, line.body, line.comment, line.condition, simple, note


def _line(text: str, number: int, start: int, end: int, stop: int, continued: bool) -> Line:
    raw = text[start:end]
    comment = start + comment_start(raw)
    body = start + len(raw) - len(raw.lstrip(_SPACE))
    if continued:
        return Line(number, start, end, stop, Kind.CONTINUED, body, comment)
    condition = None
    if text.startswith("@", body) and (match := CONDITION.match(text, body, comment)):
        condition, body = match.group(1), match.end()
    return Line(number, start, end, stop, _kind(text, body, comment, end), body, comment, condition)


def as_ordinary_line(text: str, line: Line) -> Line:
    """A continuation line classified as if no definition preceded it."""
    return _line(text, line.number, line.start, line.end, line.stop, False)


def pieces(text: str, line: Line) -> list[Line]:
    """The line, split where a macro follows a brace.

    keepalived reads the text behind a brace as a new line. So a condition, a definition, a
    repetition or an include counts there too, up to the end of the physical line.
    """
    found = [line]
    while (
        line.end - line.start <= MAX_PIECED
        and found[-1].kind is Kind.PLAIN
        and _BEHIND_BRACE.search(text, line.body, line.comment)
    ):
        last = found[-1]
        for token in each_token(text, last.body, last.comment):
            start = token.end
            if token.kind in (OPEN, CLOSE) and _MACRO.match(text, start, last.comment):
                head = replace(last, end=start, comment=start, simple=None)
                rest = _line(text, last.number, start, last.end, last.stop, False)
                found[-1:] = [head, rest]
                break
        else:
            break
    return found


def _kind(text: str, body: int, comment: int, end: int) -> Kind:
    if body >= end:
        return Kind.BLANK
    if body >= comment:
        return Kind.COMMENT
    first = text[body]
    if first == "$" and DEFINITION.match(text, body, comment):
        return Kind.DEFINITION
    if first == "~" and _REPEAT.match(text, body, comment):
        return Kind.REPEAT
    if first == "i" and INCLUDE.match(text, body, comment):
        return Kind.INCLUDE
    return Kind.PLAIN


def indented(document: Document, unit: str = "    ") -> str:
    """The text with every line indented by the depth of its block; nothing else changes.

    Continuation lines stay as they are. Trailing white space and CRLF line ends are removed.
    """
    out: list[str] = []
    depth = 0
    text = document.source.text
    for line in document.lines:
        raw = text[line.start : line.end].rstrip(_SPACE)
        ending = "\n" if line.stop > line.end else ""
        if line.kind in (Kind.DEFINITION, Kind.CONTINUED):
            out.append((raw if line.kind is Kind.CONTINUED else raw.lstrip(_SPACE)) + ending)
            continue
        braces = [t.kind for t in tokens(text[line.body : line.comment]) if t.kind in (OPEN, CLOSE)]
        here = depth
        for brace in braces:
            depth = max(0, depth + (1 if brace == OPEN else -1))
        if braces and braces[0] == CLOSE:
            here = max(0, here - 1)
        stripped = raw.lstrip(_SPACE)
        out.append((unit * here + stripped if stripped else "") + ending)
    return "".join(out)
