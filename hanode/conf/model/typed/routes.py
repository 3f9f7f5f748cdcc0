"""Lines of virtual_routes, static_routes, virtual_rules and static_rules.

PURE. They are those of `ip route` and `ip rule`, with some words of keepalived's own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hanode.conf.keywords.line_options import NEXTHOP, ROUTE, RULE, SPARE, TYPES
from hanode.conf.language.schema import Keyword
from hanode.conf.language.values import BadValue, Flag, Value, read_words
from hanode.conf.model.statements import Statement
from hanode.conf.model.typed.line_values import words_of
from hanode.conf.text.source import NOWHERE, Origin

KINDS = frozenset(TYPES)
FAMILIES = frozenset(("inet", "inet6"))
HOPS = frozenset(("nexthop", "or"))
OF_ENCAP = frozenset(("src", "to", "tos", "hoplimit"))
"""Words that mean something else behind encap."""


def _words(rows: tuple[Keyword, ...]) -> tuple[dict[str, str], frozenset[str]]:
    """The main spelling of each word, and those that stand alone."""
    main = {row.name: row.same_as or row.name for row in rows}
    alone = frozenset(row.name for row in rows if isinstance(row.value, Flag) and not row.same_as)
    return main, alone


ROUTE_WORDS, ROUTE_ALONE = _words(ROUTE)
ROUTE_WORDS |= {"weight": "weight", "track_group": "track_group"}
RULE_WORDS, RULE_ALONE = _words(RULE)
ACTIONS = frozenset(("nop", "blackhole", "unreachable", "prohibit", "l3mdev"))

RouteOptions = tuple[tuple[str, str], ...]


def _values(rows: Iterable[Keyword]) -> dict[str, Value]:
    return {row.name: row.value for row in rows}


VALUES_OF_ROUTE, VALUES_OF_RULE, VALUES_OF_HOP = map(_values, (ROUTE, RULE, NEXTHOP.values()))


def _value(options: RouteOptions, name: str, values: dict[str, Value]) -> Any:
    word = dict(options).get(name)
    return None if word is None else read_words(values[name], _separate(name, word))


def _separate(name: str, text: str) -> list[str]:
    """The words of an option: encap alone has several."""
    return text.split() if name == "encap" else [text]


@dataclass(frozen=True, slots=True)
class Nexthop:
    """One nexthop of a route that has several."""

    via: str | None = None
    dev: str | None = None
    options: RouteOptions = ()
    """`weight`, `encap`, `realms`; `onlink` with ""."""

    def option(self, name: str) -> str | None:
        """The word after an option; "" where it stands alone, None where it is not written."""
        return dict(self.options).get(name)

    def value(self, name: str) -> Any:
        """The value of an option by its row of the table; None where it is not written.

        Raises ValueError for a name that only the machine knows.
        """
        return _value(self.options, name, VALUES_OF_HOP)


@dataclass(frozen=True, slots=True)
class Route:
    """A route. Its words by their main spelling; words that stand alone have the value ""."""

    to: str
    """`192.0.2.0/24`, `2001:db8::/32`, `default`, `default6`."""
    kind: str = "unicast"
    family: str | None = None
    """inet or inet6, where it is written."""
    options: RouteOptions = ()
    """`via dev src table metric scope protocol tos mtu …`, and the flags."""
    locked: frozenset[str] = frozenset()
    """Metrics that are written with `lock`."""
    nexthops: tuple[Nexthop, ...] = ()
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

    def option(self, name: str) -> str | None:
        """The word after an option; "" where it stands alone, None where it is not written."""
        return dict(self.options).get(name)

    def value(self, name: str) -> Any:
        """The value of an option by its row of the table; None where it is not written.

        Of a metric that may be locked it is (False, number); `locked` has the names of those that
        are. Raises ValueError for a name that only the machine knows.
        """
        return _value(self.options, name, VALUES_OF_ROUTE)

    @property
    def via(self) -> str | None:
        """The gateway."""
        return self.option("via")

    @property
    def dev(self) -> str | None:
        """The interface."""
        return self.option("dev")

    @property
    def src(self) -> str | None:
        """The address to send from."""
        return self.option("src")

    @property
    def table(self) -> str | None:
        """The table's number or name."""
        return self.option("table")

    @property
    def metric(self) -> str | None:
        """Which of equal routes counts: the lowest."""
        return self.option("metric")

    @property
    def no_track(self) -> bool:
        """Its interface need not be up."""
        return self.option("no_track") is not None


@dataclass(frozen=True, slots=True)
class Rule:
    """A routing rule. Its words by their main spelling; words that stand alone have ""."""

    options: RouteOptions = ()
    """`from to table preference fwmark iif oif …`, and the flags."""
    family: str | None = None
    action: str = "table"
    """table, goto, nop, blackhole, unreachable, prohibit or l3mdev."""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

    def option(self, name: str) -> str | None:
        """The word after an option; "" where it stands alone, None where it is not written."""
        return dict(self.options).get(name)

    def value(self, name: str) -> Any:
        """The value of an option by its row of the table; None where it is not written.

        Raises ValueError for a name that only the machine knows.
        """
        return _value(self.options, name, VALUES_OF_RULE)

    @property
    def source(self) -> str | None:
        """Whose packets: `from`."""
        return self.option("from")

    @property
    def to(self) -> str | None:
        """Packets to whom."""
        return self.option("to")

    @property
    def table(self) -> str | None:
        """The table to look in."""
        return self.option("table")

    @property
    def priority(self) -> str | None:
        """Its preference; None: the kernel chooses one."""
        return self.option("preference")

    @property
    def inverted(self) -> bool:
        """It counts for all other packets."""
        return self.option("not") is not None

    @property
    def no_track(self) -> bool:
        """Its interface need not be up."""
        return self.option("no_track") is not None


def route(line: Statement) -> Route | None:
    """`192.0.2.0/24 via 198.51.100.1 dev eth0 metric 10`."""
    words = words_of(line)
    cut = next((i for i, word in enumerate(words) if word in HOPS), len(words))
    read = _Words(words[:cut])
    to = read.options.pop("to", read.bare)
    if to is None:
        return None
    return Route(
        _destination(to),
        read.kind,
        read.family,
        tuple(read.options.items()),
        frozenset(read.locked),
        tuple(_nexthops(words[cut:])),
        line.origin,
    )


def _destination(word: str) -> str:
    try:
        return str(read_words(SPARE, [word]))
    except BadValue:
        return word


class _Words:
    """The words of a route or of one nexthop, which may stand in any order."""

    def __init__(self, words: list[str]) -> None:
        self.kind = "unicast"
        self.family: str | None = None
        self.options: dict[str, str] = {}
        self.locked: list[str] = []
        self.words = words
        self.at = 0
        self.bare: str | None = None
        """The destination, where `to` does not stand before it."""
        while self.at < len(words):
            self.read(self.next())

    def next(self) -> str:
        self.at += 1
        return self.words[self.at - 1] if self.at <= len(self.words) else ""

    def read(self, word: str) -> None:
        name = ROUTE_WORDS.get(word)
        if word in KINDS:
            self.kind = word
        elif word in FAMILIES:
            self.family = word
        elif name is None:
            kind = SPARE.kind(word) if self.at < len(self.words) else None
            if kind is not None and self.bare is None:
                self.kind, word = kind, self.next()
            self.bare = word if self.bare is None else self.bare
        elif name in ROUTE_ALONE:
            self.options[name] = ""
        elif name == "encap":
            self.options[name] = self.encap()
        else:
            value = self.next()
            if value == "lock":
                self.locked.append(name)
                value = self.next()
            if value in FAMILIES:
                self.options[f"{name}_family"] = value
                value = self.next()
            self.options[name] = value

    def encap(self) -> str:
        """What stands behind encap, up to the next word that a route knows."""
        found: list[str] = [self.next()]
        while self.at < len(self.words):
            name = ROUTE_WORDS.get(self.words[self.at], "")
            if name and name not in OF_ENCAP:
                break
            found.append(self.next())
        return " ".join(found)


def _nexthops(words: list[str]) -> list[Nexthop]:
    starts = [i for i, word in enumerate(words) if word in HOPS]
    found = []
    for start, end in itertools.pairwise([*starts, len(words)]):
        read = _Words(words[start + 1 : end])
        options = read.options
        via, dev = options.pop("via", read.bare), options.pop("dev", None)
        found.append(Nexthop(via, dev, tuple(options.items())))
    return found


def rule(line: Statement) -> Rule | None:
    """`from 192.0.2.0/24 table 100 priority 500`."""
    words = words_of(line)
    found: dict[str, str] = {}
    family, action = None, "table"
    at = 0
    while at < len(words):
        word = RULE_WORDS.get(words[at], words[at])
        at += 1
        if word in FAMILIES:
            family = word
        elif word in ACTIONS:
            action = word
        elif word in RULE_ALONE:
            found[word] = ""
        else:
            found[word] = words[at] if at < len(words) else ""
            at += 1
            action = "goto" if word == "goto" else action
    found.pop("type", None)
    return Rule(tuple(found.items()), family, action, line.origin)
