"""The keywords of one object of the model, and which of them were asked for.

PURE. The engine does not use what no builder has asked for in the end.
"""

from __future__ import annotations

from typing import Any, cast

from hanode.conf import Owner, keyword_behind, main_spelling


class Words:
    """Reads an object by its attributes; asking for a keyword that is not written is cheap."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._written: dict[str, str] = {}
        """By main spelling: each keyword that is written, as it is written."""
        for statement in owner.other:
            word = statement.keyword
            self._written.setdefault(main_spelling(owner.BLOCK, word), word)
        self._used: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._written)

    def says(self, name: str) -> bool:
        """Whether a keyword is written; it then counts as used."""
        if not self._written:
            return False
        keyword = keyword_behind(type(self._owner), name)
        self._used.add(keyword)
        return keyword in self._written

    def any(self, name: str) -> Any:
        """The attribute's value; None where it is not written."""
        return getattr(self._owner, name) if self.says(name) else None

    def flag(self, name: str) -> bool | None:
        """A switch: None where it is not written, or says nothing that keepalived takes."""
        return cast("bool | None", self.any(name))

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
        """The keywords that were not asked for, as they are written, in order."""
        told = self._written.items()
        return tuple(written for keyword, written in told if keyword not in self._used)


def note(where: str, words: Words, ignored: list[str]) -> None:
    """Adds a sentence that names the keywords that were not asked for."""
    unused = words.unused()
    if unused:
        ignored.append(f"{where}: this engine does not use {', '.join(unused)}")
