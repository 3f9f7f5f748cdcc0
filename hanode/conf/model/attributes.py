"""Attributes that read a keyword's values from an object's statements, with their types.

PURE. The model keeps statements without a field of their own as `Statement`s, which are merged and
rendered as written. These descriptors read their values on demand:

    interval_us = KeptValue[int]()    # None where it is not written
    init_fail = Switch()              # whether it is written
    include = AllValues[str]()        # each time it is written
    url = AllBlocks(Url)              # the blocks inside
    track_script = AllLines(Tracked)  # the lines of a block that holds no keywords

An attribute is named after its keyword; the unit of a time may follow (`interval_us`). A statement
that does not fit is left out; `check` has reported it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Generic, Protocol, Self, TypeVar, overload

from hanode.conf.keywords import blocks
from hanode.conf.language.schema import Keyword
from hanode.conf.language.values import BadValue, Value, read_words
from hanode.conf.model.statements import Note, Places, Statement
from hanode.conf.text.lexer import unquote
from hanode.conf.text.source import NOWHERE, Origin

T = TypeVar("T")

UNITS = ("_us", "_ms", "_s")


class Owner(Protocol):
    """An object of the model that holds statements of its own."""

    BLOCK: ClassVar[str]

    @property
    def other(self) -> tuple[Statement, ...]: ...

    @property
    def origin(self) -> Origin: ...

    @property
    def places(self) -> Places: ...


@dataclass(frozen=True, slots=True)
class Part:
    """A block that is kept as written; attributes give its values."""

    BLOCK: ClassVar[str] = ""
    statement: Statement

    @property
    def other(self) -> tuple[Statement, ...]:
        """The statements in the block."""
        return self.statement.children or ()

    @property
    def origin(self) -> Origin:
        """The place of the block."""
        return self.statement.origin

    @property
    def places(self) -> Places:
        """Empty: every statement is in `other`, which has the places."""
        return ()

    @property
    def notes(self) -> tuple[Note, ...]:
        """The comments at the block's first and closing line."""
        return self.statement.notes


class Named(Part):
    """A block with a name behind its keyword."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The name; "" if it has none, which is an error."""
        return unquote(self.statement.words[1]) if len(self.statement.words) > 1 else ""


class ValueAttribute(Generic[T]):
    """Base class of attributes that read a keyword's value."""

    def __init__(
        self,
        keyword: str | None = None,
        *,
        kind: Value | None = None,
        parse: Callable[[Statement], T | None] | None = None,
    ) -> None:
        """`kind` replaces the table's kind of value; `parse` reads the whole statement instead.

        `parse` returns None if the statement does not fit.
        """
        self.keyword = keyword
        self.kind = kind
        self.parse = parse

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.__doc__ = f"`{self.keyword or name}` of the file."

    def each(self, owner: Owner) -> Iterator[T]:
        """The value of each statement of the keyword that fits."""
        keyword = keyword_of(owner.BLOCK, self.keyword or self.name)
        for statement in statements_of(owner, keyword):
            if self.parse is not None:
                value = self.parse(statement)
                if value is not None:
                    yield value
                continue
            words = [unquote(word) for word in statement.words[1:]]
            kind = self.kind or keyword.value
            try:
                yield read_words(kind, words)
            except BadValue:
                continue


class KeptValue(ValueAttribute[T]):
    """The value of a keyword; of several the one that keepalived keeps; None if there is none."""

    def __init__(
        self,
        keyword: str | None = None,
        *,
        kind: Value | None = None,
        parse: Callable[[Statement], T | None] | None = None,
        join: Callable[[T, T], T] | None = None,
    ) -> None:
        """`join` makes one value of an earlier and a later one, where parts of both count."""
        super().__init__(keyword, kind=kind, parse=parse)
        self.join = join

    @overload
    def __get__(self, owner: None, cls: type) -> Self: ...
    @overload
    def __get__(self, owner: Owner, cls: type) -> T | None: ...
    def __get__(self, owner: Owner | None, cls: type) -> Self | T | None:
        if owner is None:
            return self
        kept: T | None = None
        for value in self.each(owner) if owner.other else ():
            if kept is None:
                kept = value
            elif self.join is not None:
                kept = self.join(kept, value)
            elif not stays(kept, keyword_of(owner.BLOCK, self.keyword or self.name)):
                kept = value
        return kept


class AllValues(ValueAttribute[T]):
    """The values of a keyword that may be written more than once, in order."""

    @overload
    def __get__(self, owner: None, cls: type) -> Self: ...
    @overload
    def __get__(self, owner: Owner, cls: type) -> tuple[T, ...]: ...
    def __get__(self, owner: Owner | None, cls: type) -> Self | tuple[T, ...]:
        return self if owner is None else tuple(self.each(owner))


class Switch(ValueAttribute[bool]):
    """Whether a keyword that takes no value is written."""

    @overload
    def __get__(self, owner: None, cls: type) -> Self: ...
    @overload
    def __get__(self, owner: Owner, cls: type) -> bool: ...
    def __get__(self, owner: Owner | None, cls: type) -> Self | bool:
        return self if owner is None else bool(owner.other) and any(True for _ in self.each(owner))


class BlockAttribute(Generic[T]):
    """Base class of attributes that read the blocks of a keyword."""

    def __init__(self, make: Callable[[Statement], T], keyword: str | None = None) -> None:
        self.make = make
        self.keyword = keyword

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.__doc__ = f"`{self.keyword or name}` of the file."

    def each(self, owner: Owner) -> Iterator[Statement]:
        """The keyword's blocks."""
        return statements_of(owner, keyword_of(owner.BLOCK, self.keyword or self.name))


class AllBlocks(BlockAttribute[T]):
    """All blocks of a keyword, each as made by `make`."""

    @overload
    def __get__(self, owner: None, cls: type) -> Self: ...
    @overload
    def __get__(self, owner: Owner, cls: type) -> tuple[T, ...]: ...
    def __get__(self, owner: Owner | None, cls: type) -> Self | tuple[T, ...]:
        if owner is None:
            return self
        return tuple(self.make(statement) for statement in self.each(owner))


class KeptBlock(BlockAttribute[T]):
    """The block of a keyword; of several the one that keepalived keeps; None if there is none."""

    @overload
    def __get__(self, owner: None, cls: type) -> Self: ...
    @overload
    def __get__(self, owner: Owner, cls: type) -> T | None: ...
    def __get__(self, owner: Owner | None, cls: type) -> Self | T | None:
        if owner is None:
            return self
        found = list(self.each(owner))
        first = keeps_first(owner.BLOCK, self.keyword or self.name)
        return self.make(found[0 if first else -1]) if found else None


class OneBlock(BlockAttribute[T]):
    """The statements of all blocks of a keyword as one block; None if there is none."""

    @overload
    def __get__(self, owner: None, cls: type) -> Self: ...
    @overload
    def __get__(self, owner: Owner, cls: type) -> T | None: ...
    def __get__(self, owner: Owner | None, cls: type) -> Self | T | None:
        if owner is None:
            return self
        found = list(self.each(owner))
        if len(found) < 2:
            return self.make(found[0]) if found else None
        inner = tuple(line for block in found for line in block.children or ())
        return self.make(replace(found[0], children=inner))


class AllLines(BlockAttribute[T | None]):
    """The lines in all blocks of a keyword; `make` returns None for a line that does not fit."""

    @overload
    def __get__(self, owner: None, cls: type) -> Self: ...
    @overload
    def __get__(self, owner: Owner, cls: type) -> tuple[T, ...]: ...
    def __get__(self, owner: Owner | None, cls: type) -> Self | tuple[T, ...]:
        if owner is None:
            return self
        lines = (line for block in self.each(owner) for line in block.children or ())
        made = (self.make(line) for line in lines if line.words)
        return tuple(one for one in made if one is not None)


class AllWords(BlockAttribute[str]):
    """The words of all lines in the blocks of a keyword; a line may contain several."""

    def __init__(self, keyword: str) -> None:
        super().__init__(lambda statement: statement.keyword, keyword)

    def placed(self, owner: Owner) -> tuple[tuple[str, Origin], ...]:
        """Each word with the place of its line."""
        found = list(self.each(owner))
        if keeps_first(owner.BLOCK, self.keyword or self.name):
            found = found[:1]
        lines = (line for block in found for line in block.children or ())
        return tuple((unquote(word), line.origin) for line in lines for word in line.words)

    @overload
    def __get__(self, owner: None, cls: type) -> Self: ...
    @overload
    def __get__(self, owner: Owner, cls: type) -> tuple[str, ...]: ...
    def __get__(self, owner: Owner | None, cls: type) -> Self | tuple[str, ...]:
        return self if owner is None else tuple(word for word, _ in self.placed(owner))


def stays(earlier: object, keyword: Keyword) -> bool:
    """Whether keepalived keeps a value when it is written again, as the keyword's row says."""
    return keyword.keeps in ("first", "on" if earlier is True else earlier)


def keeps_first(block: str, name: str) -> bool:
    """Whether keepalived keeps the first of several values."""
    keyword = blocks()[block].keywords.get(main_spelling(block, name))
    return keyword is not None and keyword.keeps == "first"


@functools.cache
def keyword_of(block: str, name: str) -> Keyword:
    """The keyword that an attribute or another spelling means. Raises KeyError if there is none."""
    table = blocks()[block].keywords
    stem = next((name.removesuffix(unit) for unit in UNITS if name.endswith(unit)), name)
    for candidate in (name, name.replace("_", "-"), stem):
        found = table.get(candidate)
        if found is not None:
            return table[found.same_as or found.name]
    by_field = next((k for k in table.values() if k.field == name and k.same_as is None), None)
    if by_field is None:
        raise KeyError(f"{name} is no keyword of {block}")
    return by_field


def main_spelling(block: str, name: str) -> str:
    """The keyword that a name means in a block; the name itself if it means none."""
    try:
        return keyword_of(block, name).name
    except KeyError:
        return name


@functools.cache
def keyword_behind(owner: type[Owner], name: str) -> str:
    """The main spelling of the keyword that an attribute of a class reads, or of `name` itself."""
    attribute = getattr(owner, name, None)
    if isinstance(attribute, ValueAttribute | BlockAttribute) and attribute.keyword:
        name = attribute.keyword
    return main_spelling(owner.BLOCK, name)


def statements_of(owner: Owner, keyword: Keyword) -> Iterator[Statement]:
    """An object's statements of a keyword in any spelling, if they have its form (block or not)."""
    table = blocks()[owner.BLOCK].keywords
    for statement in owner.other:
        found = table.get(statement.keyword)
        if (
            found is not None
            and keyword.name in (found.name, found.same_as)
            and (found.opens is None) == (statement.children is None)
        ):
            yield statement


def places_of(owner: Owner, name: str) -> Iterator[Origin]:
    """The places of a keyword's statements, in order."""
    main = keyword_behind(type(owner), name)
    yield from (where for said, where in owner.places if said == main)
    keyword = blocks()[owner.BLOCK].keywords.get(main)
    if keyword is not None:
        yield from (s.origin for s in statements_of(owner, keyword))


def written(owner: Owner, name: str) -> bool:
    """Whether a keyword is written, with any value; `name` is the keyword or the attribute."""
    return any(True for _ in places_of(owner, name))


def place(owner: Owner, name: str) -> Origin:
    """The place where a value is written; the object's own place if it is not written.

    `name` is the keyword or the attribute: `advert_int` or `advert_int_us`.
    """
    where = NOWHERE
    for found in places_of(owner, name):
        if where is not NOWHERE and keeps_first(owner.BLOCK, keyword_behind(type(owner), name)):
            break
        where = found
    return owner.origin if where is NOWHERE else where
