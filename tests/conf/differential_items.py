"""Item: a statement of a generated configuration; Generated: the configuration as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hanode.conf.language.schema import Keyword


@dataclass(slots=True)
class Item:
    """A statement, or a closing brace."""

    words: list[str]
    block: str
    keyword: Keyword | None = None
    children: list[Item] | None = None
    opening: bool = True
    closing: bool = True
    extra: list[str] = field(default_factory=list)

    def lines(self, depth: int = 0) -> Iterator[str]:
        """The lines of its text."""
        indent = "    " * depth
        head = " ".join(w for w in self.words if w)
        if self.children is None:
            yield indent + head
            return
        yield indent + head + (" {" if self.opening else "")
        for child in self.children:
            yield from child.lines(depth + 1)
        if self.closing:
            yield indent + "}"

    def walk(self) -> Iterator[Item]:
        """Itself and all items inside it."""
        yield self
        for child in self.children or ():
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Generated:
    """A configuration and the way in which it was broken ("valid": not broken)."""

    name: str
    kind: str
    text: str
