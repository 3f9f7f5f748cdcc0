"""Finds the word that a typing mistake most likely meant.

PURE. Also among many words, and for many mistakes: a text may have thousands of both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

SHORTEST, LONGEST = 3, 40
"""Characters of a word for which another is looked for."""
SHORT = 6
"""A shorter word may differ by one character only, others by two."""
MANY = 1_000
"""Among more words than this none is looked for."""


def nearest(wrong: str, candidates: Iterable[str]) -> str | None:
    """The candidate that a typing mistake most likely meant, if there is a clear one."""
    if not SHORTEST <= len(wrong) <= LONGEST:
        return None
    limit = _limit(wrong)
    best = [
        (distance, candidate)
        for candidate in candidates
        if abs(len(candidate) - len(wrong)) <= limit
        and (distance := _distance(wrong, candidate, limit)) <= limit
    ]
    best.sort()
    if not best or (len(best) > 1 and best[0][0] == best[1][0]):
        return None
    return best[0][1]


class Nearby:
    """Words among which the nearest one is looked for again and again.

    Two words that differ by two characters are equal once at most two are taken out of each. So the
    candidates are kept by what is left of them, and only those that can be near are compared.
    """

    def __init__(self, candidates: Collection[str]) -> None:
        self._candidates = candidates
        self._by_rest: dict[str, list[str]] | None = None

    def nearest(self, wrong: str) -> str | None:
        """The same as `nearest` of these candidates; None if they are too many."""
        if not SHORTEST <= len(wrong) <= LONGEST or len(self._candidates) > MANY:
            return None
        if self._by_rest is None:
            self._by_rest = {}
            for word in self._candidates:
                if len(word) <= LONGEST + 2:
                    for rest in _rests(word, 2):
                        self._by_rest.setdefault(rest, []).append(word)
        found: dict[str, None] = {}
        for rest in _rests(wrong, _limit(wrong)):
            found |= dict.fromkeys(self._by_rest.get(rest, ()))
        return nearest(wrong, found)


def _limit(wrong: str) -> int:
    return 1 if len(wrong) < SHORT else 2


def _rests(word: str, most: int) -> set[str]:
    """The word, and what is left of it without one character, or without `most`."""
    rests = newest = {word}
    for _ in range(most):
        newest = {rest[:at] + rest[at + 1 :] for rest in newest for at in range(len(rest))}
        rests = rests | newest
    return rests


def _distance(a: str, b: str, limit: int) -> int:
    """Edit distance with swaps of neighbours; anything above `limit` may be given as limit + 1."""
    older: list[int] = []
    previous = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        current = [i]
        for j, y in enumerate(b, 1):
            cost = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, older[j - 2] + 1)
            current.append(cost)
        if min(current) > limit:
            return limit + 1
        older, previous = previous, current
    return previous[-1]
