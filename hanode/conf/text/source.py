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
