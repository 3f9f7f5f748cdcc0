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

from hanode.conf.text.lexer import (
    BLANK,
    CLOSE,
    OPEN,
    SPACE,
    TO_2_2,
    Reading,
    comment_start,
    each_token,
    ends_in_backslash,
    tokens,
)
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
    backslash: bool = False
    """Whether its comment ends in a backslash that counts as the line's last character."""


class Document:
    """A text as its physical lines. Immutable: an edit makes a new document."""

    __slots__ = ("_lines", "reading", "source")

    def __init__(self, source: Source, reading: Reading = TO_2_2) -> None:
        self.source = source
        self.reading = reading
        """How the release that reads the text takes its backslashes."""
        self._lines: list[Line] | None = None

    @property
    def lines(self) -> list[Line]:
        """Every physical line; the list is kept after the first use."""
        if self._lines is None:
            self._lines = list(_lines(self.source.text, self.reading))
        return self._lines

    def each(self) -> Iterator[Line]:
        """The same lines without keeping them: there are many, and a check needs each only once."""
        return _lines(self.source.text, self.reading) if self._lines is None else iter(self._lines)

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

CONDITION = re.compile(r"@(\^?[^ \t]*)(?:[ \t]+|\Z)")
"""A condition with the blanks behind it. A line that has nothing more is dropped."""
DEFINITION = re.compile(r"\$[A-Za-z_]\w*=", re.ASCII)
INCLUDE = re.compile(r"include[rmwba]?(?=[ \t\n\v\f\r]|\Z)")
_REPEAT = re.compile(r"~(?:SEQ|LST)")
_MACRO = re.compile(
    rf"[ \t]*(?:@|{DEFINITION.pattern}|{_REPEAT.pattern}|{INCLUDE.pattern})", re.ASCII
)
_NO_BRACE = re.compile(r'(?:[^{}"]|"[^"]*(?:"|\Z))*')
_BEHIND_BRACE = re.compile(r"[{}]" + _MACRO.pattern, re.ASCII)


_Shape = tuple[Kind, int, int, str | None, str | None, str, bool]


def parse(text: str, name: str = "keepalived.conf", reading: Reading = TO_2_2) -> Document:
    """The lossless document of any text."""
    return Document(Source(name, text), reading)


def _lines(text: str, reading: Reading) -> Iterator[Line]:
    shapes: dict[str, _Shape] = {}
    number = stop = 0
    continued = False
    length = len(text)
    for raw in text.split("\n"):
        number, start = number + 1, stop
        end = start + len(raw)
        stop = min(end + 1, length)
        if continued:
            line = _line(text, number, start, end, stop, continued, reading)
        else:
            shape = shapes.get(raw)
            if shape is None:
                shape = shapes[raw] = _shape(raw, reading)
            kind, body, comment, condition, simple, note, backslash = shape
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
                backslash,
            )
        if line.kind is Kind.DEFINITION or line.kind is Kind.CONTINUED:
            continued = read_text(text, line).endswith("\\")
        else:
            continued = False
        yield line


def _shape(raw: str, reading: Reading) -> _Shape:
    """The values that equal lines share: all but their places."""
    line = _line(raw, 1, 0, len(raw), len(raw), False, reading)
    simple, note = None, ""
    if (
        line.kind is Kind.PLAIN
        and line.condition is None
        and "$" not in raw
        and "\\" not in raw
        and not _BEHIND_BRACE.search(raw, line.body, line.comment)
    ):
        simple = read_text(raw, line) or None
        note = note_of(raw, line)
    return line.kind, line.body, line.comment, line.condition, simple, note, line.backslash


def _line(
    text: str, number: int, start: int, end: int, stop: int, continued: bool, reading: Reading
) -> Line:
    raw = text[start:end].partition("\0")[0].rstrip("\r")
    comment = start + comment_start(raw, reading)
    body = start + len(raw) - len(raw.lstrip(BLANK))
    backslash = reading.comment_goes_on and comment < start + len(raw) and ends_in_backslash(raw)
    if continued:
        kind, condition = Kind.CONTINUED, None
    else:
        condition = None
        if text.startswith("@", body) and (match := CONDITION.match(text, body, comment)):
            condition, body = match.group(1), match.end()
            if text[body:comment].rstrip(BLANK) == "\\" or (body >= comment and backslash):
                body = comment = end  # the backslash moves to the condition, which has no more
        kind = _kind(text, body, comment, start + len(raw))
    return Line(number, start, end, stop, kind, body, comment, condition, backslash=backslash)


def read_text(text: str, line: Line) -> str:
    """What keepalived reads of a line behind its condition: no comment, no blanks at its end.

    A backslash at the end of the line moves to the last word, even from the end of a comment.
    """
    return _trimmed(text[line.body : line.comment], line.backslash)


def without_comment(text: str, reading: Reading) -> str:
    """The same for a line that a macro made."""
    comment = comment_start(text, reading)
    goes_on = reading.comment_goes_on and comment < len(text) and ends_in_backslash(text)
    return _trimmed(text[:comment].lstrip(BLANK), goes_on)


def _trimmed(text: str, backslash: bool) -> str:
    read = text.rstrip(BLANK)
    if read.endswith("\r"):  # the copy for the children ends where a \r did
        read = read.rstrip("\r").rstrip(BLANK)
    if backslash:
        return read + "\\"
    if read.endswith((" \\", "\t\\")):
        return read[:-1].rstrip(BLANK) + "\\"
    return read


def note_of(text: str, line: Line) -> str:
    """The line's comment; "" if it has none, or if what follows is only behind a NUL.

    Without the backslashes around it, which some releases take for more than a comment.
    """
    note = text[line.comment : line.end].strip("\\" + SPACE)
    return note if note.startswith(("#", "!")) else ""


def as_ordinary_line(text: str, line: Line, reading: Reading) -> Line:
    """A continuation line classified as if no definition preceded it."""
    return _line(text, line.number, line.start, line.end, line.stop, False, reading)


def pieces(text: str, line: Line, reading: Reading) -> list[Line]:
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
                head = replace(last, end=start, comment=start, simple=None, backslash=False)
                rest = _line(text, last.number, start, last.end, last.stop, False, reading)
                found[-1:] = [head, rest]
                break
        else:
            break
    return found


def begins_behind(text: str) -> int:
    """The offset behind the first brace that a macro follows; 0 if there is none.

    keepalived reads what stands there as a new line.
    """
    if not _BEHIND_BRACE.search(text):
        return 0
    at = -1
    while (at := first_brace(text, at + 1)) < len(text):
        if _MACRO.match(text, at + 1):
            return at + 1
    return 0


def first_brace(text: str, start: int = 0) -> int:
    """The offset of the first brace outside quotes, of a name's too; the length if none is."""
    match = _NO_BRACE.match(text, start)
    return match.end() if match else len(text)


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
        raw = text[line.start : line.end].rstrip(BLANK + "\r")
        ending = "\n" if line.stop > line.end else ""
        if line.kind in (Kind.DEFINITION, Kind.CONTINUED):
            out.append((raw if line.kind is Kind.CONTINUED else raw.lstrip(BLANK)) + ending)
            continue
        braces = [t.kind for t in tokens(text[line.body : line.comment]) if t.kind in (OPEN, CLOSE)]
        here = depth
        for brace in braces:
            depth = max(0, depth + (1 if brace == OPEN else -1))
        if braces and braces[0] == CLOSE:
            here = max(0, here - 1)
        stripped = raw.lstrip(BLANK)
        out.append((unit * here + stripped if stripped else "") + ending)
    return "".join(out)
