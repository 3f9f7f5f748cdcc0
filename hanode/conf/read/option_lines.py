"""Reads lines that are no keywords, word by word: a route, a rule, a peer, a tracker's name.

PURE. The tables define how a line begins and which options it takes
(`keywords/line_options.py`); this module checks which options may be combined. As in keepalived,
a route or a rule is read up to its first mistake. A mild mistake is a warning: keepalived does not
report it, or the answer depends on the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hanode.conf.keywords.line_options import ACTIONS, NEXTHOP, RULE, TTL, TYPES
from hanode.conf.language.schema import Block, Keyword
from hanode.conf.language.values import BadValue, Value, family, is_ip, read_words
from hanode.conf.read.blocks import Raw, at_span
from hanode.conf.read.unknown import nearest_keyword
from hanode.conf.text.lexer import unquote
from hanode.conf.text.problems import Fix, Problem, Severity

STRICT = frozenset(("a route", "a rule", "an address or a mark", "an address of a peer"))
"""Lines that keepalived drops for an unknown word; other lines lose only the word."""
TYPED = ("goto", "nop", "blackhole", "unreachable", "prohibit")
"""Actions of a rule that may follow the word `type`."""
JUMP, PREFERENCE = (
    next(row.value for row in RULE if row.name == name) for name in ("goto", "preference")
)
ORIGINS = ("18", "0x12", "keepalived")
"""Spellings of keepalived's own protocol number (the origin of a route)."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a line: its name in the table ("" if it has none), index and value words."""

    name: str
    at: int
    words: tuple[str, ...]


@dataclass(slots=True)
class Read:
    """The options of a line and their problems."""

    options: list[Option]
    problems: list[Problem]
    broken: bool = False
    """Whether keepalived drops the line."""

    def find(self, *names: str) -> Option | None:
        """The last option with one of these names."""
        return next((o for o in reversed(self.options) if o.name in names), None)


def check(raw: Raw, table: Block) -> list[Problem]:
    """The problems of a line in a block that holds no keywords."""
    if not (table.head or table.keywords):
        return []
    found = read(raw, table)
    rule = _COMBINATION_RULES.get(table.lines or "")
    if rule is not None and not found.broken:
        found.problems += rule(raw, found)
    return found.problems


def read(raw: Raw, table: Block, first: int = 0) -> Read:
    """The options of a line from the word `first` on, with a Problem for each that is wrong."""
    words = [unquote(word) for word in raw.words]
    found = Read([], [])
    at = first
    begins = table.keywords.get(words[at]) if at < len(words) else None
    if begins is None or table.lines != "an address or a mark":
        at = _head(raw, words, at, table, found)
    known = table.keywords
    while at < len(words) and not found.broken:
        name = words[at]
        keyword = known.get(name)
        if keyword is None and table.spare is not None and known is table.keywords:
            at += _value(raw, words, at, table.spare, "", found, table)
        elif keyword is None:
            _unknown(raw, at, table, found)
            at += 1
        else:
            if name == "nexthop":
                known = NEXTHOP
            at += 1 + _option(raw, words, at, keyword, found, table)
    return found


def _head(raw: Raw, words: list[str], at: int, table: Block, found: Read) -> int:
    """Reads the words that begin the line; returns the index of the next word."""
    for what, value in table.head:
        rest = words[at:]
        if not rest or (rest[0] in table.keywords and not value.least):
            break
        try:
            value.read(rest[:1])
        except BadValue as error:
            code = "bad-address" if at == 0 and "ddress" in value.shape else "bad-value"
            _say(raw, at, code, f"{what} {error}", found, mild=error.mild)
            found.broken |= not error.mild
        at += 1
    return at


def _option(
    raw: Raw, words: list[str], at: int, keyword: Keyword, found: Read, table: Block
) -> int:
    """Reads an option's value; returns the number of its words."""
    if keyword.old:
        fix = None
        if keyword.successor and raw.line.macro is None:
            fix = Fix(f"write {keyword.successor}", *raw.spans[at], keyword.successor)
        message = f"{keyword.name} is an old word here"
        span, hint = raw.spans[at], keyword.old
        found.problems.append(
            at_span(raw.line, span, "deprecated-keyword", "warning", message, hint=hint, fix=fix)
        )
    value = keyword.value
    if len(words) - at - 1 < value.least:
        message = f"{keyword.name} needs a value: {value.shape}"
        _say(raw, at, "value-missing", message, found)
        found.broken = table.lines in STRICT
        return 0
    return _value(raw, words, at + 1, value, keyword.name, found, table)


def _value(
    raw: Raw, words: list[str], at: int, value: Value, name: str, found: Read, table: Block
) -> int:
    taken = value.taken(words[at:])
    own = words[at : at + taken]
    found.options.append(Option(name, at - bool(name), tuple(own)))
    try:
        value.read(own)
    except BadValue as error:
        if not name and error.mild:
            _say(raw, at, "bad-address", f"the destination {error}", found, mild=True)
        elif not name:
            _unknown(raw, at, table, found, f"; taken for its destination, it {error}")
        else:
            message = f"{name} {error}"
            _say(raw, at + error.index, "bad-value", message, found, mild=error.mild)
        found.broken |= not error.mild and table.lines in STRICT
    return taken


def _unknown(raw: Raw, at: int, table: Block, found: Read, why: str = "") -> None:
    name = unquote(raw.words[at])
    if _is_over(found, table):
        _say(raw, at, "extra-words", f"{name} is too much here; keepalived ignores it", found, True)
        return
    of = f"of {table.lines}" if table.lines != "an address or a mark" else f"in {table.name}"
    # keepalived allows only a weight behind a tracker's name.
    tracker = set(table.keywords) == {"weight"} and not found.find("weight")
    strict = table.lines in STRICT or tracker
    lost = f"; keepalived ignores {'the line' if strict else 'it'}"
    message = f"{name} is no option {of}{why or lost}"
    meant = nearest_keyword(name, table.name)
    fix = None
    if raw.line.macro is None and meant is not None:
        fix = Fix(f"write {meant}", *raw.spans[at], meant)
    elif raw.line.macro is None and not strict and at:
        fix = Fix(f"remove {name}", raw.spans[at - 1][1], raw.spans[at][1], "")
    hint = None if meant is None else f"did you mean {meant}?"
    _say(raw, at, "unknown-option", message, found, not strict, fix, hint)
    found.broken |= strict and table.lines != "an address of a peer"


def _is_over(found: Read, table: Block) -> bool:
    """Whether keepalived has stopped reading here: it accepts any words that follow."""
    if not table.keywords:
        return True
    if not found.options:
        return table.lines == "an address or a mark"
    last = found.options[-1]
    if last.name == "fwmark":
        return len(last.words) > 1
    return last.name == "weight" and last.words[-1:] == ("reverse",)


def _say(
    raw: Raw,
    at: int,
    code: str,
    message: str,
    found: Read,
    mild: bool = False,
    fix: Fix | None = None,
    hint: str | None = None,
) -> None:
    severity: Severity = "warning" if mild else "error"
    span = raw.spans[max(0, min(at, len(raw.spans) - 1))]
    found.problems.append(at_span(raw.line, span, code, severity, message, hint=hint, fix=fix))


# --- which options of one line may be combined -----------------------------------------------


def _warn(raw: Raw, at: int, code: str, message: str, hint: str | None = None) -> Problem:
    return at_span(raw.line, raw.spans[at], code, "warning", message, hint=hint)


def _wrong(raw: Raw, at: int, code: str, message: str) -> Problem:
    return at_span(raw.line, raw.spans[at], code, "error", message)


def _versions(options: list[Option]) -> Iterator[tuple[Option, int]]:
    """The IP version that each option implies."""
    for option in options:
        if option.name in ("expires", "pref"):
            yield option, 6
        elif option.name == "realms":
            yield option, 4
        elif option.name in ("inet", "inet6"):
            yield option, 6 if option.name == "inet6" else 4
        elif option.name in ("", "via", "gw", "src", "from", "to", "or", *TYPES):
            if option.words[:1] in (("inet",), ("inet6",)):
                yield option, 6 if option.words[0] == "inet6" else 4
            ip = option.words[-1].partition("/")[0] if option.words else ""
            if is_ip(ip) or ip == "default6":
                yield option, 6 if ip == "default6" else family(ip)


def _mixed(raw: Raw, found: Read) -> Iterator[Problem]:
    first: int | None = None
    for option, version in _versions(found.options):
        if first is not None and version != first:
            message = f"{' '.join((option.name, *option.words)).strip()} is for IPv{version}, but "
            yield _wrong(raw, option.at, "family-mixed", f"{message}the line is about IPv{first}")
            return
        first = version


def _route(raw: Raw, found: Read) -> Iterator[Problem]:
    mixed = list(_mixed(raw, found))
    yield from mixed
    if not any(o.name in ("", "to", *TYPES) for o in found.options):
        yield _wrong(raw, 0, "value-missing", "a route needs a destination, such as 10.0.0.0/8")
        return
    source = found.find("from")
    if source and source.words and ":" not in source.words[0] and not mixed:
        yield _wrong(raw, source.at, "family-mixed", "from is for IPv6 routes only")
        return
    if mixed:
        return
    origin, free = found.find("protocol"), found.find("no_track")
    if origin and not free and origin.words[0] not in ORIGINS:
        message = f"keepalived tracks only its own routes and takes {origin.words[0]} back"
        yield _warn(raw, origin.at, "route-untracked", message, "write no_track behind it")
    if not free and not _leaves_by(found):
        message = "keepalived cannot track a route that names no interface (dev)"
        hint = "write dev and an interface, or no_track, behind it"
        yield _warn(raw, 0, "route-untracked", message, hint)


def _leaves_by(found: Read) -> bool:
    """Whether the route itself names an interface; an interface of a nexthop does not count."""
    for option in found.options:
        if option.name == "nexthop":
            return False
        if option.name in ("dev", "oif"):
            return True
    return False


def _rule(raw: Raw, found: Read) -> Iterator[Problem]:
    mixed = list(_mixed(raw, found))
    yield from mixed
    if mixed:
        return
    actions = [o for o in found.options if o.name in ACTIONS]
    for option, after in zip(found.options, [*found.options[1:], None], strict=True):
        if option.name == "type" and (after is None or after.name not in TYPED):
            message = f"type stands before {', '.join(TYPED[:-1])} or {TYPED[-1]} only"
            yield _wrong(raw, option.at, "bad-value", message)
            return
    place = found.find("preference", "priority", "order")
    if len(actions) > 1:
        message = f"a rule does one thing: {actions[0].name} or {actions[1].name}, not both"
        yield _wrong(raw, actions[1].at, "bad-value", message)
    elif not actions:
        message = "a rule needs table, goto, nop, blackhole, unreachable or prohibit"
        yield _wrong(raw, 0, "value-missing", message)
    elif actions[0].name == "goto" and (not place or not _above(actions[0], place)):
        message = "goto leads to a higher preference than the rule's own, which must be written"
        yield _wrong(raw, actions[0].at, "bad-value", message)
    elif actions[0].name not in ("table", "lookup", "l3mdev") and (
        only := found.find("realms", "suppress_prefixlength", "sup_pl", "suppress_ifgroup",
                           "sup_group")
    ):  # fmt: skip
        yield _wrong(raw, only.at, "bad-value", f"{only.name} counts only with a table")
    else:
        yield from _tracked_rule(raw, found, place)


def _above(jump: Option, place: Option) -> bool:
    to, own = _taken(JUMP, jump.words), _taken(PREFERENCE, place.words)
    return to is None or own is None or to > own


def _taken(value: Value, words: tuple[str, ...]) -> int | None:
    """The number that keepalived takes the words for; None: it takes none."""
    try:
        return int(read_words(value, words))
    except BadValue:
        return None


def _tracked_rule(raw: Raw, found: Read, place: Option | None) -> Iterator[Problem]:
    origin = found.find("protocol")
    if origin and not found.find("no_track") and origin.words[0] not in ORIGINS:
        message = f"keepalived tracks only its own rules and takes {origin.words[0]} back"
        yield _warn(raw, origin.at, "route-untracked", message, "write no_track behind it")
    if place is None:
        message = "this routing rule names no priority; keepalived chooses one"
        hint = "write priority and a number behind it"
        yield _warn(raw, 0, "rule-without-priority", message, hint)


def check_address_options(raw: Raw, found: Read) -> Iterator[Problem]:
    """The rules for the combination of an address's options."""
    ip, _, length = unquote(raw.words[0]).partition("/")
    version = family(ip)
    devices = [o for o in found.options if o.name == "dev"]
    if len(devices) > 1:
        message = "an address has one dev; keepalived leaves the address out"
        yield _wrong(raw, devices[1].at, "bad-value", message)
    if found.find("peer") and (broadcast := found.find("brd", "broadcast")):
        message = "an address with a peer has no broadcast address; keepalived ignores it"
        yield _warn(raw, broadcast.at, "bad-value", message)
    for option in found.options:
        if version == 6 and option.name in ("brd", "broadcast"):
            message = f"{option.name} is for IPv4; keepalived leaves the address out"
            yield _wrong(raw, option.at, "family-mixed", message)
        elif version == 6 and option.name in ("scope", "label"):
            message = f"{option.name} is for IPv4; keepalived ignores it"
            yield _warn(raw, option.at, "family-mixed", message)
        elif option.name in ("brd", "broadcast") and option.words == ("+",):
            if (int(length) if length.isdecimal() else 32) > 30:
                message = "a network with a prefix length above 30 has no broadcast address"
                yield _warn(raw, option.at, "bad-value", message)
        elif option.name == "peer" and option.words and is_ip(option.words[0]):
            if family(option.words[0]) != version:
                message = f"the peer {option.words[0]} is of the other IP version"
                yield _wrong(raw, option.at, "family-mixed", message)
            elif length:
                message = "with a peer, keepalived ignores the prefix length of the address"
                yield _warn(raw, 0, "prefix-ignored", message)


def _peer(raw: Raw, found: Read) -> Iterator[Problem]:
    if "/" in raw.words[0]:
        message = "a peer is an address without a prefix length; keepalived cuts it off"
        yield _warn(raw, 0, "prefix-ignored", message)
    least, most = (
        _taken(TTL, option.words) if (option := found.find(name)) else None
        for name in ("min_ttl", "max_ttl")
    )
    if least is not None and most is not None and least > most:
        message = "min_ttl is above max_ttl: every packet of this peer is refused"
        yield _warn(raw, 0, "bad-value", message)


_COMBINATION_RULES: dict[str, Callable[[Raw, Read], Iterator[Problem]]] = {
    "a route": _route,
    "a rule": _rule,
    "an address": check_address_options,
    "an address of a peer": _peer,
}
