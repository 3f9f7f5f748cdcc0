"""What is written, one level above its spelling: statements, comments, addresses, and places.

PURE. Frozen values. Equality is about meaning: it ignores origins and comments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from hanode.conf.keywords.line_options import ADDRESS, TRACK
from hanode.conf.text.lexer import unquote
from hanode.conf.text.source import Source


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


@dataclass(frozen=True, slots=True)
class Note:
    """Comments, with their marks (`#`, `!`), and what they stand at.

    `at` is "" for the object's own line, a keyword for that line inside it, `block/keyword` for
    a line of a block inside it, and `}` (or `block/}`) for the closing line.
    """

    at: str
    before: tuple[str, ...] = ()
    """Whole lines above it."""
    after: str = ""
    """On the same line."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Something kept as it is: words as written (quotes included) and, for a block, children."""

    words: tuple[str, ...]
    children: tuple[Statement, ...] | None = None
    notes: tuple[Note, ...] = field(default=(), compare=False)
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

    @property
    def keyword(self) -> str:
        """Its first word."""
        return self.words[0] if self.words else ""


@dataclass(frozen=True, slots=True)
class Address:
    """One line of virtual_ipaddress or static_ipaddress."""

    WITH_VALUE: ClassVar[frozenset[str]] = frozenset(
        row.name for row in (*ADDRESS, TRACK) if row.value.least
    )
    """The options that are followed by a value."""

    ip: str
    prefix: int | None = None
    dev: str | None = None
    options: tuple[str, ...] = ()
    """The line's other words: `label ens33:1 scope global`."""
    notes: tuple[Note, ...] = field(default=(), compare=False)
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

    def __str__(self) -> str:
        """`192.168.192.200/24`, as written."""
        return self.ip if self.prefix is None else f"{self.ip}/{self.prefix}"

    def option(self, name: str) -> str | None:
        """The value of an option; "" where it stands alone, None where it is not written."""
        found: str | None = None
        words = iter(self.options)
        for written in words:
            word = unquote(written)
            value = unquote(next(words, "")) if word in self.WITH_VALUE else ""
            if word == name or (word, name) == ("broadcast", "brd"):
                found = value
        return found

    @property
    def broadcast(self) -> str | None:
        """`brd`: an address, `+` or `-`."""
        return self.option("brd")

    @property
    def scope(self) -> str | None:
        """A name (`global`, `link`, `host`) or a number."""
        return self.option("scope")

    @property
    def label(self) -> str | None:
        """The name that older tools show, such as `eth0:1`."""
        return self.option("label")

    @property
    def peer(self) -> str | None:
        """The address at the other end."""
        return self.option("peer")

    @property
    def preferred_lft(self) -> str | None:
        """Seconds, or `forever`; `0`: used for nothing new."""
        return self.option("preferred_lft")

    @property
    def track_group(self) -> str | None:
        """The instances that follow a static address."""
        return self.option("track_group")

    @property
    def no_track(self) -> bool:
        """Its interface need not be up."""
        return self.option("no_track") is not None

    @property
    def flags(self) -> frozenset[str]:
        """The options that stand alone: `home`, `-nodad`, `mngtmpaddr`, `use_vmac` …"""
        found: set[str] = set()
        words = iter(self.options)
        for word in words:
            if unquote(word) in self.WITH_VALUE:
                next(words, None)
            else:
                found.add(unquote(word))
        return frozenset(found)


Places = tuple[tuple[str, Origin], ...]
"""Where the statements behind an object's fields stand, by their keyword."""


def find(statements: tuple[Statement, ...], keyword: str) -> Iterator[Statement]:
    """Those that begin with that word."""
    return (s for s in statements if s.keyword == keyword)
