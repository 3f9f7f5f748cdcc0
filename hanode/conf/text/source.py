"""A text with a name, and the way between offsets, lines and columns.

PURE. Only `\n` ends a line, as in keepalived; a `\r` before it belongs to the line's white space.
Lines and columns count from 1, offsets from 0, in characters.
"""

from __future__ import annotations

from bisect import bisect_right


class Source:
    """A file's text; never changes. Of a part, `incremental` moves `offset` and `lines_before`."""

    __slots__ = ("_starts", "lines_before", "name", "offset", "text")

    def __init__(self, name: str, text: str, offset: int = 0, lines_before: int = 0) -> None:
        self.name = name
        self.text = text
        self.offset = offset
        """Where the text begins in the file, if it is a part of it (`incremental`)."""
        self.lines_before = lines_before
        self._starts: list[int] | None = None

    @property
    def starts(self) -> list[int]:
        """The offset at which each line begins."""
        if self._starts is None:
            starts, at, find = [0], 0, self.text.find
            while (at := find("\n", at) + 1) > 0:
                starts.append(at)
            self._starts = starts
        return self._starts

    def line_of(self, offset: int) -> int:
        """The line that holds an offset."""
        return bisect_right(self.starts, offset)

    def said_line(self, offset: int) -> int:
        """The line as people count it: in the whole file, where the text is a part of one."""
        return self.lines_before + bisect_right(self.starts, offset)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset."""
        line = self.line_of(offset)
        return line, offset - self.starts[line - 1] + 1

    def line_text(self, line: int) -> str:
        """The text of a line without its ending."""
        if not 1 <= line <= len(self.starts):
            return ""
        end = self.starts[line] - 1 if line < len(self.starts) else len(self.text)
        return self.text[self.starts[line - 1] : end].rstrip("\r")

    def whole_line(self, start: int, end: int) -> tuple[int, int] | None:
        """The span of the lines that hold `start:end`, ending included, if nothing else is there.

        A comment after it counts as belonging to it.
        """
        text = self.text
        begin = text.rfind("\n", 0, start) + 1
        stop = text.find("\n", end)
        stop = len(text) if stop < 0 else stop + 1
        rest = text[end:stop].strip()
        if text[begin:start].strip() or (rest and rest[0] not in "#!"):
            return None
        return begin, stop


class Origin:
    """Where something was written: offsets into the file's text, and the macro that made it.

    Never changes. Lines and columns are counted when they are asked for: a large file has tens of
    thousands of these, and hardly any is ever looked at.
    """

    __slots__ = ("_end", "_head", "_source", "_start", "macro")

    def __init__(
        self,
        source: Source | None = None,
        start: int = 0,
        end: int = 0,
        head: int = 0,
        macro: str | None = None,
    ) -> None:
        self._source = source
        self._start = start
        self._end = end
        self._head = head
        self.macro = macro
        """`$NAME` or `~SEQ`: the place is where the macro is used; the words are not there."""

    @property
    def source(self) -> Source | None:
        """The text it stands in, which may be a part of a file; None where it stands nowhere."""
        return self._source

    @property
    def head_span(self) -> tuple[int, int]:
        """The words before the block, as offsets into the text of `source`."""
        return self._start, max(self._head, self._start)

    @property
    def file(self) -> str:
        """The file's name."""
        return self._source.name if self._source is not None else ""

    @property
    def start(self) -> int:
        """The offset at which it begins."""
        return self._start + (self._source.offset if self._source is not None else 0)

    @property
    def end(self) -> int:
        """The offset behind it, its block included."""
        return self._end + (self._source.offset if self._source is not None else 0)

    @property
    def line(self) -> int:
        """The line of its first word; 0 where it stands nowhere."""
        return self._source.said_line(self._start) if self._source is not None else 0

    @property
    def column(self) -> int:
        """The column of its first word."""
        return self._source.position(self._start)[1] if self._source is not None else 0

    @property
    def end_column(self) -> int:
        """Behind its head: the words before the block."""
        return self.column + max(self._head - self._start, 0)

    @property
    def lead(self) -> str:
        """What stands before it on its line: its indent, and a condition where it has one."""
        if self._source is None:
            return ""
        begin = self._source.text.rfind("\n", 0, self._start) + 1
        return self._source.text[begin : self._start]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Origin) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        return f"Origin({self.file}:{self.line}:{self.column})"

    def _values(self) -> tuple[object, ...]:
        return self.file, self.start, self.end, self.line, self.end_column, self.macro


NOWHERE = Origin()
