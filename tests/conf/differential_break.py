"""Ways to break a correct configuration in one place."""

from __future__ import annotations

import random
from collections.abc import Callable

from hanode.conf.keywords import blocks
from hanode.conf.language.values import Timer, Value, seconds
from tests.conf.differential_items import Item

NONSENSE = (
    "-1",
    "0",
    "1x",
    "99999999999999999999",
    "abc",
    '""',
    "1.5",
    "256",
    "65536",
    "x.y",
    "300.1.1.1",
)


def out_of_range(kind: Value, chance: random.Random) -> str:
    """A value that a keyword of this kind refuses, if it refuses any."""
    low, high = getattr(kind, "low", None), getattr(kind, "high", None)
    if isinstance(low, int) and isinstance(high, int) and chance.random() < 0.7:
        return str(chance.choice([low - 1, high + 1]))
    if isinstance(kind, Timer) and chance.random() < 0.7:
        return seconds(chance.choice([kind.low_us - 1_000_000, kind.high_us + 1_000_000]))
    return chance.choice(NONSENSE)


Breaker = Callable[[list[Item], random.Random], bool]


def _all(items: list[Item]) -> list[Item]:
    return [item for top in items for item in top.walk()]


def unknown_word(items: list[Item], chance: random.Random) -> bool:
    one = chance.choice([i for i in _all(items) if i.keyword is not None])
    word = one.words[0]
    cut = chance.randrange(len(word))
    one.words[0] = chance.choice(
        [word[:cut] + word[cut + 1 :], word + "s", "frobnicate", "x" + word]
    )
    return bool(one.words[0])


def bad_value(items: list[Item], chance: random.Random) -> bool:
    able = [i for i in _all(items) if i.keyword and i.keyword.value.least and len(i.words) > 1]
    if not able:
        return False
    one = chance.choice(able)
    assert one.keyword is not None
    one.words[1] = out_of_range(one.keyword.value, chance)
    return True


def bad_line(items: list[Item], chance: random.Random) -> bool:
    """Breaks a word in a line that is no keyword: an address, a route, a rule, a name."""
    able = [i for i in _all(items) if i.keyword is None]
    if not able:
        return False
    one = chance.choice(able)
    spot = chance.randrange(len(one.words) + 1)
    one.words[spot : spot + 1] = [chance.choice((*NONSENSE, "10.0.0.1/33", "10.0.0.999/24", "dev"))]
    return True


def wrong_block(items: list[Item], chance: random.Random) -> bool:
    into = chance.choice([i for i in _all(items) if i.children is not None])
    stray = chance.choice([i for i in _all(items) if i.keyword is not None])
    if stray.children is not None and any(i is into for i in stray.walk()):
        return False
    assert into.children is not None
    into.children.insert(chance.randint(0, len(into.children)), stray)
    return True


def missing_brace(items: list[Item], chance: random.Random) -> bool:
    one = chance.choice([i for i in _all(items) if i.children is not None])
    if chance.random() < 0.6:
        one.closing = False
    else:
        one.opening = False
    return True


def wrong_arity(items: list[Item], chance: random.Random) -> bool:
    one = chance.choice([i for i in _all(items) if i.keyword is not None])
    if chance.random() < 0.5 and len(one.words) > 1:
        del one.words[-1]
    else:
        one.words.append(chance.choice(["more", "1", "more words"]))
    return True


def newer_word(items: list[Item], chance: random.Random) -> bool:
    """Adds a keyword that only later releases know."""
    able = [
        (i, k)
        for i in _all(items)
        if i.children is not None and i.keyword is not None and i.keyword.opens
        for k in blocks()[i.keyword.opens].keywords.values()
        if k.since and k.opens is None and blocks()[i.keyword.opens].lines is None
    ]
    if not able:
        return False
    into, keyword = chance.choice(able)
    assert into.children is not None
    into.children.append(Item([keyword.name, "1" if keyword.value.least else ""], "", keyword))
    return True


BREAKERS: dict[str, Breaker] = {
    "unknown word": unknown_word,
    "value out of range": bad_value,
    "line of no keyword": bad_line,
    "wrong block": wrong_block,
    "missing brace": missing_brace,
    "wrong arity": wrong_arity,
    "newer word": newer_word,
}
