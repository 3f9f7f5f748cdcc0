"""Typed readings of what the model keeps as Statements: scripts, trackers, groups, checks.

PURE. The statements stay what is written, merged and rendered; here is what they mean, read by the
same tables that judged them. What does not fit is left out: `check` has said so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hanode.conf.lexer import unquote
from hanode.conf.model import Config, Origin, RealServer, Statement, TcpCheck
from hanode.conf.schema import ROOT, blocks
from hanode.conf.values import BadValue, Int

CHECKERS = (
    "TCP_CHECK", "HTTP_GET", "SSL_GET", "SMTP_CHECK", "DNS_CHECK", "MISC_CHECK", "UDP_CHECK",
    "PING_CHECK", "FILE_CHECK", "BFD_CHECK",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A block: its keyword, its name (the words behind it), its values by keyword, its place.

    Times are in microseconds; a weight is (number, reversed); a synonym stands under its main word.
    """

    keyword: str
    name: str
    values: dict[str, Any]
    blocks: tuple[Statement, ...]
    """The blocks inside: `url`, `group`, `track_script` …"""
    origin: Origin

    def names(self, block: str) -> tuple[str, ...]:
        """The words of the lines of such a block, as `group { a b }` and one on a line."""
        lines = (s.children or () for s in self.blocks if s.keyword == block)
        return tuple(unquote(w) for children in lines for line in children for w in line.words)


@dataclass(frozen=True, slots=True)
class Tracked:
    """A line of a tracking block: who is tracked, and its own weight where it has one."""

    name: str
    weight: int | None
    reverse: bool
    origin: Origin


def values(statements: Iterable[Statement], block: str) -> dict[str, Any]:
    """The typed values of a block's statements by keyword; the last of equal words counts."""
    table = blocks()[block].keywords
    found: dict[str, Any] = {}
    for statement in statements:
        keyword = table.get(unquote(statement.keyword))
        if keyword is None or keyword.opens is not None or statement.children is not None:
            continue
        words = [unquote(word) for word in statement.words[1:]]
        if len(words) < keyword.value.least:
            continue
        try:
            value = keyword.value.read(words[: keyword.value.most])
        except BadValue:
            continue
        found[keyword.same_as or keyword.name] = value
    return found


def part(statement: Statement, block: str) -> Part:
    """The typed reading of a block."""
    inner = statement.children or ()
    name = " ".join(unquote(word) for word in statement.words[1:])
    opened = tuple(s for s in inner if s.children is not None)
    return Part(statement.keyword, name, values(inner, block), opened, statement.origin)


def parts(config: Config, keyword: str) -> tuple[Part, ...]:
    """The blocks of the root with that keyword or its synonyms: `parts(config, "vrrp_script")`."""
    table = blocks()[ROOT].keywords
    opens = table[keyword].opens
    return tuple(
        part(s, opens)
        for s in config.other
        if s.children is not None
        and (found := table.get(unquote(s.keyword))) is not None
        and opens is not None
        and keyword in (found.name, found.same_as)
    )


def checks(real: RealServer) -> tuple[TcpCheck | Part, ...]:
    """All checks of a real server."""
    others = tuple(
        part(s, s.keyword) for s in real.other if s.keyword in CHECKERS and s.children is not None
    )
    return (*((real.check,) if real.check else ()), *others)


def tracked(statements: Iterable[Statement], block: str) -> Iterator[Tracked]:
    """The lines of an instance's or group's `track_script`, `track_interface` …"""
    for statement in statements:
        if statement.keyword != block:
            continue
        for line in statement.children or ():
            words = [unquote(word) for word in line.words]
            if not words:
                continue
            weight = None
            if words[1:2] == ["weight"] and len(words) > 2:
                try:
                    weight = Int(-254, 254).read(words[2:])
                except BadValue:
                    weight = None
            yield Tracked(words[0], weight, "reverse" in words[3:], line.origin)
