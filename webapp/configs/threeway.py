"""Two changes of one text, put together line by line. Decides only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hanode import conf


@dataclass(frozen=True, slots=True)
class Clash:
    """Lines that both changed, each in another way."""

    line: int
    """Of the merged text, from 1."""
    mine: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Together:
    """The text with both changes. Where both changed the same lines it has `mine`."""

    text: str
    clashes: tuple[Clash, ...]


def together(base: str, mine: str, theirs: str) -> Together:
    """The change from `base` to `theirs` made in `mine`."""
    lines: list[str] = []
    clashes: list[Clash] = []
    for was, one, other in _parts(base.split("\n"), mine.split("\n"), theirs.split("\n")):
        if one not in (was, other) and other != was:
            clashes.append(Clash(len(lines) + 1, "\n".join(one), "\n".join(other)))
        lines += other if one == was else one
    return Together("\n".join(lines), tuple(clashes))


Part = tuple[list[str], list[str], list[str]]


def _parts(base: list[str], mine: list[str], theirs: list[str]) -> Iterator[Part]:
    """The texts in parts that belong together; every other part is a line that all have."""
    for was, one, other in spans(base, mine, theirs):
        yield base[was], mine[one], theirs[other]


def spans(
    base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]
) -> Iterator[tuple[slice, slice, slice]]:
    """Where the parts are; every other one is a line that all three have."""
    budget = conf.Budget()
    in_mine = dict(conf.aligned(base, mine, budget))
    in_theirs = dict(conf.aligned(base, theirs, budget))
    i = j = k = 0
    for at in range(len(base)):
        if at in in_mine and at in in_theirs:
            one, other = in_mine[at], in_theirs[at]
            yield slice(i, at), slice(j, one), slice(k, other)
            yield slice(at, at + 1), slice(one, one + 1), slice(other, other + 1)
            i, j, k = at + 1, one + 1, other + 1
    yield slice(i, len(base)), slice(j, len(mine)), slice(k, len(theirs))
