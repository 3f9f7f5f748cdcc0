"""Statement, Note, Address: what is written in a file, independent of spacing.

PURE. Frozen values. Equality compares the meaning: it ignores origins and comments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from hanode.conf.keywords.line_options import ADDRESS, TRACK
from hanode.conf.text.lexer import unquote
from hanode.conf.text.source import NOWHERE, Origin


@dataclass(frozen=True, slots=True)
class Note:
    """Comments, with their marks (`#`, `!`), and the line they belong to.

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
    """A statement as written: its words (quotes included) and, for a block, its children."""

    words: tuple[str, ...]
    children: tuple[Statement, ...] | None = None
    notes: tuple[Note, ...] = field(default=(), compare=False)
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

    @property
    def keyword(self) -> str:
        """Its first word, without quotes: that of `"quorum" 3` is quorum."""
        return unquote(self.words[0]) if self.words else ""


@dataclass(frozen=True, slots=True)
class Address:
    """One line of virtual_ipaddress or static_ipaddress."""

    WITH_VALUE: ClassVar[frozenset[str]] = frozenset(
        row.name for row in (*ADDRESS, TRACK) if row.value.least
    )
    """The options that take a value."""

    ip: str
    prefix: int | None = None
    dev: str | None = None
    options: tuple[str, ...] = ()
    """The other words of the line: `label ens33:1 scope global`."""
    notes: tuple[Note, ...] = field(default=(), compare=False)
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

    def __str__(self) -> str:
        """`192.168.192.200/24`, as written."""
        return self.ip if self.prefix is None else f"{self.ip}/{self.prefix}"

    def option(self, name: str) -> str | None:
        """The value of an option; "" if it has none, None if it is not written."""
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
        """The label that older tools show as an interface, such as `eth0:1`."""
        return self.option("label")

    @property
    def peer(self) -> str | None:
        """The address at the other end of the link."""
        return self.option("peer")

    @property
    def preferred_lft(self) -> str | None:
        """Seconds, or `forever`; with `0` the address is used for no new connections."""
        return self.option("preferred_lft")

    @property
    def track_group(self) -> str | None:
        """The track_group that follows a static address."""
        return self.option("track_group")

    @property
    def no_track(self) -> bool:
        """Whether its interface may be down."""
        return self.option("no_track") is not None

    @property
    def flags(self) -> frozenset[str]:
        """The options without value: `home`, `-nodad`, `mngtmpaddr`, `use_vmac` …"""
        found: set[str] = set()
        words = iter(self.options)
        for word in words:
            if unquote(word) in self.WITH_VALUE:
                next(words, None)
            else:
                found.add(unquote(word))
        return frozenset(found)


Places = tuple[tuple[str, Origin], ...]
"""(keyword, place) of the statements behind an object's fields."""


def find(statements: tuple[Statement, ...], keyword: str) -> Iterator[Statement]:
    """The statements that begin with that keyword."""
    return (s for s in statements if s.keyword == keyword)
