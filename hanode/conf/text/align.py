"""Aligns two lists: which items of one are which of the other, each list's order kept.

PURE. The longest common subsequence, found with a table where the lists are short. Its cost is the
product of their lengths, so what is longer is first cut at the items that stand once in both; and
where all tables together would cost too much, the rest is aligned at such items alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

Pairs = list[tuple[int, int]]

MAX_TABLE = 4_000_000
"""Cells of one table."""
MAX_CELLS = 12_000_000
"""Cells of all tables that one `Budget` pays for: about two seconds."""
MAX_LEVELS = 6
"""How often a part is cut again at what stands once in it."""


@dataclass(slots=True)
class Budget:
    """The cells that are left for one piece of work."""

    cells: int = MAX_CELLS


def aligned(a: Sequence[Hashable], b: Sequence[Hashable], budget: Budget) -> Pairs:
    """The indices of equal items, in order."""
    return _aligned(a, b, budget, MAX_LEVELS)


def _aligned(a: Sequence[Hashable], b: Sequence[Hashable], budget: Budget, levels: int) -> Pairs:
    start, end_a, end_b = 0, len(a), len(b)
    while start < min(end_a, end_b) and a[start] == b[start]:
        start += 1
    while end_a > start and end_b > start and a[end_a - 1] == b[end_b - 1]:
        end_a, end_b = end_a - 1, end_b - 1
    head = [(i, i) for i in range(start)]
    tail = [(end_a + k, end_b + k) for k in range(len(a) - end_a)]
    middle = _middle(a[start:end_a], b[start:end_b], budget, levels)
    return head + [(i + start, j + start) for i, j in middle] + tail


def _middle(a: Sequence[Hashable], b: Sequence[Hashable], budget: Budget, levels: int) -> Pairs:
    cells = len(a) * len(b)
    if not cells:
        return []
    if cells <= min(MAX_TABLE, budget.cells):
        budget.cells -= cells
        return _longest(a, b)
    found: Pairs = []
    i = j = 0
    for at, other in [*_anchors(a, b), (len(a), len(b))]:
        if levels:
            part = _aligned(a[i:at], b[j:other], budget, levels - 1)
            found += ((i + x, j + y) for x, y in part)
        if at < len(a):
            found.append((at, other))
        i, j = at + 1, other + 1
    return found


def _anchors(a: Sequence[Hashable], b: Sequence[Hashable]) -> Pairs:
    """The items that stand once in each list, as many as are in the same order in both."""
    once = {item for item, count in Counter(a).items() if count == 1}
    in_b = {item: at for item, at in zip(b, range(len(b)), strict=True) if item in once}
    once = {item for item, count in Counter(b).items() if count == 1 and item in once}
    common = [(i, in_b[item]) for i, item in enumerate(a) if item in once]
    return _rising(common)


def _rising(pairs: Pairs) -> Pairs:
    """The longest run of pairs whose second numbers rise, as patience sorting finds it."""
    tops: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for at, (_, value) in enumerate(pairs):
        pile = bisect_left(tops, value)
        before.append(last[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [value]
        last[pile : pile + 1] = [at]
    found: Pairs = []
    at = last[-1] if last else -1
    while at >= 0:
        found.append(pairs[at])
        at = before[at]
    return found[::-1]


def _longest(a: Sequence[Hashable], b: Sequence[Hashable]) -> Pairs:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        row, below = table[i], table[i + 1]
        for j in range(len(b) - 1, -1, -1):
            row[j] = below[j + 1] + 1 if a[i] == b[j] else max(below[j], row[j + 1])
    pairs, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif table[i + 1][j] >= table[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs
