"""What keywords there are: the single source for binding, checks, rendering and help.

PURE. Here is the form of the tables; the tables themselves, and the ways to ask them, are in
`keywords/`. A block is named after its keyword, except where one word opens different blocks
(`track_file`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

from hanode.conf.language.values import Bool, Flag, Value

ROOT = "root"
ANY_WORDS = Value()
LATEST = "2.4.3"
"""The last release whose words were compared with those of the releases before it."""
NEXT = "2.4.4"
"""Stands for whatever release comes after it: nobody knows its number yet."""


@dataclass(frozen=True, slots=True)
class Keyword:
    """One word of the language in one block."""

    name: str
    value: Value = ANY_WORDS
    help: str = ""
    default: str | None = None
    opens: str | None = None
    """The block that its braces hold."""
    field: str | None = None
    """The model's field; None: kept as a Statement."""
    repeats: bool = False
    """May stand more than once in a block."""
    same_as: str | None = None
    """It is another spelling of this word."""
    since: str = ""
    """The first release that has it; "": 2.2.7 has it. See NEXT."""
    old: str = ""
    """Set: keepalived warns about it; what to do instead."""
    successor: str | None = None
    """The word that can be written in its place."""
    secret: bool = False
    engine: str = "planned"
    """What hanode does with it: runs, planned, or ignored (it is about keepalived's own processes,
    and nobody else misses it)."""
    before: tuple[str, Value] | None = None
    """A release, and what the value had to be before it."""
    off: str = ""
    """What people write to switch it off, which keepalived refuses: it is off where it is not
    written."""
    keeps: str = "last"
    """Which value keepalived 2.2.7 has where several are written: the first, the last, what both
    say together, or the value that is named here, wherever it stands. Found by running it:
    tests/conf/test_kept.py."""

    @property
    def came(self) -> str:
        """Since which release it is there, as people say it; "" where 2.2.7 has it."""
        return f"after {LATEST}" if self.since == NEXT else self.since

    def value_in(self, has: Callable[[str], bool]) -> Value:
        """What may stand after it in a program that `has` what came with some releases."""
        if self.before is None or has(self.before[0]):
            return self.value
        return self.before[1]


@dataclass(frozen=True, slots=True)
class Block:
    """What may stand between a pair of braces."""

    name: str
    keywords: dict[str, Keyword]
    """The words that begin a statement; of a block of lines, the options of a line."""
    lines: str | None = None
    """Set where the lines are no keywords: what one is ("an address", "a route")."""
    head: tuple[tuple[str, Value], ...] = ()
    """What a line begins with, before its options: one word each, with what to call it."""
    spare: Value | None = None
    """What a line's word is that is no option: a route's destination."""


class Row(TypedDict, total=False):
    """What a row of a table may say besides name, value and help."""

    default: str | None
    opens: str | None
    field: str | None
    repeats: bool
    same_as: str | None
    since: str
    old: str
    successor: str | None
    secret: bool
    engine: str
    before: tuple[str, Value] | None
    off: str
    keeps: str


def word(name: str, value: Value | None = None, help: str = "", **more: Unpack[Row]) -> Keyword:
    """A row of a table; without a value it stands alone."""
    return Keyword(name, Flag() if value is None else value, help, **more)


def switch(name: str, help: str = "", **more: Unpack[Row]) -> Keyword:
    """A row of a table with a boolean."""
    return Keyword(name, Bool(), help, **more)


def block(
    name: str,
    rows: Iterable[Keyword] = (),
    lines: str | None = None,
    head: tuple[tuple[str, Value], ...] = (),
    spare: Value | None = None,
    engine: str | None = None,
) -> Block:
    """A block of rows; a row that is `same_as` another takes over what it does not say.

    Of two rows of one name the last counts. `engine`: of all words, where rows come from another
    block.
    """
    keywords = {row.name: row for row in rows}
    if engine is not None:
        keywords = {name: replace(row, engine=engine) for name, row in keywords.items()}
    for row in list(keywords.values()):
        if row.same_as is not None and row.same_as in keywords:
            main = keywords[row.same_as]
            keywords[row.name] = replace(
                main, name=row.name, same_as=main.name, old=row.old, successor=row.successor
            )
    return Block(name, keywords, lines, head, spare)
