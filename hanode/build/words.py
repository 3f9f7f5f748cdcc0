"""An object of the model, read by its attributes, with a memory of what was asked for.

PURE. What nobody has asked for when everything is built is what the engine does not use.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from hanode.conf import Owner, Statement, keyword_behind, main_spelling

FLAG_OFF = frozenset({"off", "no", "false", "0"})


class Words:
    """The attributes of one object; one that is not written costs nothing."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._written: dict[str, str] = {}
        """The main spelling of each keyword that is written, and how it is written."""
        for statement in owner.other:
            word = statement.keyword
            self._written.setdefault(main_spelling(owner.BLOCK, word), word)
        self._used: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._written)

    def says(self, name: str) -> bool:
        """Whether it is written; so it counts as used."""
        if not self._written:
            return False
        keyword = keyword_behind(type(self._owner), name)
        self._used.add(keyword)
        return keyword in self._written

    def any(self, name: str) -> Any:
        """The attribute's value; None where it is not written."""
        return getattr(self._owner, name) if self.says(name) else None

    def flag(self, name: str) -> bool | None:
        """A switch: None where it is not written; alone it means on."""
        if not self.says(name):
            return None
        value = getattr(self._owner, name)
        return True if value is None else bool(value)

    def number(self, name: str) -> int | None:
        """A number, or a time in microseconds."""
        return cast("int | None", self.any(name))

    def text(self, name: str) -> str | None:
        """One word."""
        return cast("str | None", self.any(name))

    def many(self, name: str) -> tuple[Any, ...]:
        """Lines, blocks, or the values of a word that may stand more than once."""
        return tuple(self.any(name) or ())

    def unused(self) -> tuple[str, ...]:
        """Keywords that nobody asked for, as they are written, in order."""
        told = self._written.items()
        return tuple(written for keyword, written in told if keyword not in self._used)


class Rest:
    """The statements of a block that have no field; remembers which of them were used."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._statements = tuple(statements)
        self._used: set[str] = set()

    def words(self, keyword: str) -> tuple[str, ...] | None:
        """The last such statement's words after the keyword, as keepalived takes the last."""
        found = None
        for statement in self._statements:
            if statement.keyword == keyword:
                self._used.add(keyword)
                found = statement.words[1:]
        return found

    def flag(self, keyword: str) -> bool | None:
        """A switch; alone it means on."""
        words = self.words(keyword)
        if words is None:
            return None
        return not words or words[0].lower() not in FLAG_OFF

    def text(self, keyword: str) -> str | None:
        """One word."""
        words = self.words(keyword)
        return words[0].strip('"') if words else None

    def number(self, keyword: str) -> int | None:
        """A whole number."""
        try:
            return int(self.text(keyword) or "")
        except ValueError:
            return None

    def time_us(self, keyword: str) -> int | None:
        """Seconds, in microseconds."""
        try:
            return round(float(self.text(keyword) or "") * 1_000_000)
        except (ValueError, OverflowError):
            return None

    def unused(self) -> tuple[str, ...]:
        """Keywords that nobody asked for, in order."""
        keywords = dict.fromkeys(s.keyword for s in self._statements)
        return tuple(keyword for keyword in keywords if keyword not in self._used)


def note(where: str, rest: Words | Rest, ignored: list[str]) -> None:
    """Name what of a block nobody used."""
    unused = rest.unused()
    if unused:
        ignored.append(f"{where}: this engine does not use {', '.join(unused)}")
