"""Source and Origin: a text with a name, and the conversion of offsets to lines and columns.

PURE. Only `\n` ends a line, as in keepalived; a `\r` before it is white space of the line. Lines
and columns count from 1, offsets from 0, in characters.
"""

from __future__ import annotations

from bisect import bisect_right

LONGEST_LOOKED_AT = 4_096
"""Characters around a place that are looked at for it; a line may have many places."""


class Source:
    """A file's text, or a part of it.

    Only `incremental` changes it: `offset` and `lines_before`.
    """

    __slots__ = ("_starts", "lines_before", "name", "offset", "text")

    def __init__(self, name: str, text: str, offset: int = 0, lines_before: int = 0) -> None:
        self.name = name
        self.text = text
        self.offset = offset
        """Where the text begins in the file, if it is only a part of it (`incremental`)."""
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
        """The line of this text that contains an offset."""
        return bisect_right(self.starts, offset)

    def file_line(self, offset: int) -> int:
        """The line of the whole file that contains an offset of this text."""
        return self.lines_before + bisect_right(self.starts, offset)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, in this text."""
        line = self.line_of(offset)
        return line, offset - self.starts[line - 1] + 1

    def line_text(self, line: int) -> str:
        """The text of a line without its line end; "" where there is no such line."""
        if not 1 <= line <= len(self.starts):
            return ""
        end = self.starts[line] - 1 if line < len(self.starts) else len(self.text)
        return self.text[self.starts[line - 1] : end].rstrip("\r")

    def whole_line(self, start: int, end: int) -> tuple[int, int] | None:
        """The span of the lines that contain `start:end`, line ends included.

        None if those lines contain other words. A comment behind the span counts as a part of it.
        """
        text = self.text
        begin = self.starts[self.line_of(start) - 1]
        last = self.line_of(end)
        stop = self.starts[last] if last < len(self.starts) else len(text)
        if start - begin + stop - end > LONGEST_LOOKED_AT:
            return None
        rest = text[end:stop].strip()
        if text[begin:start].strip() or (rest and rest[0] not in "#!"):
            return None
        return begin, stop


class Origin:
    """Where something is written: offsets into the file's text, and the macro that made it.

    Immutable. Lines and columns are computed on demand: a large file has tens of thousands of
    origins, and hardly any is ever looked at.
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
        """`$NAME` or `~SEQ`. The place then is where the macro is used; the words are not there."""

    @property
    def source(self) -> Source | None:
        """The text that contains it, which may be a part of a file; None for NOWHERE."""
        return self._source

    @property
    def head_span(self) -> tuple[int, int]:
        """The words before the block, as offsets into the text of `source`."""
        return self._start, max(self._head, self._start)

    @property
    def file(self) -> str:
        """The name of the file; "" for NOWHERE."""
        return self._source.name if self._source is not None else ""

    @property
    def start(self) -> int:
        """Offset in the file at which it begins."""
        return self._start + (self._source.offset if self._source is not None else 0)

    @property
    def end(self) -> int:
        """Offset in the file behind it, its block included."""
        return self._end + (self._source.offset if self._source is not None else 0)

    @property
    def line(self) -> int:
        """The line of its first word; 0 for NOWHERE."""
        return self._source.file_line(self._start) if self._source is not None else 0

    @property
    def column(self) -> int:
        """The column of its first word; 0 for NOWHERE."""
        return self._source.position(self._start)[1] if self._source is not None else 0

    @property
    def end_column(self) -> int:
        """The column behind its head, which is the words before the block."""
        return self.column + max(self._head - self._start, 0)

    @property
    def lead(self) -> str:
        """The text before it on its line: the indent, and a condition if there is one."""
        if self._source is None:
            return ""
        begin = self._source.starts[self._source.line_of(self._start) - 1]
        return self._source.text[max(begin, self._start - LONGEST_LOOKED_AT) : self._start]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Origin) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        return f"Origin({self.file}:{self.line}:{self.column})"

    def _values(self) -> tuple[object, ...]:
        return self.file, self.start, self.end, self.line, self.end_column, self.macro


NOWHERE = Origin()
