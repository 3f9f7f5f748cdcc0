"""Lines that are no keywords: addresses, peers, names.

PURE. An address line is `IP[/len] [option …]`; keepalived ignores an option that it does not know.
"""

from __future__ import annotations

from hanode.conf.blocks import Raw, at_span
from hanode.conf.lexer import unquote
from hanode.conf.model import Address, Note, Origin
from hanode.conf.problems import Fix, Problem
from hanode.conf.schema import Block
from hanode.conf.values import BadValue, read_prefixed

WITH_VALUE = frozenset(
    ("brd", "broadcast", "dev", "scope", "label", "peer", "preferred_lft", "track_group")
)
ALONE = frozenset(
    ("home", "-nodad", "mngtmpaddr", "noprefixroute", "autojoin", "no_track", "use_vmac")
)


def bind_address(
    raw: Raw, notes: list[Note], place: Origin, problems: list[Problem]
) -> Address | None:
    """The address of a line, or None where it has none."""
    words = [unquote(word) for word in raw.words]
    if raw.children is not None or not words:
        message = "an address line takes no block; write one address on each line"
        span = raw.spans[0] if raw.spans else (raw.line.start, raw.line.end)
        problems.append(at_span(raw.line, span, "block-unexpected", "error", message))
        return None
    try:
        ip, prefix = read_prefixed(words[0])
    except BadValue as error:
        message = f"{error}; keepalived skips the line"
        hint = "write one address on each line, such as 192.0.2.1/24"
        problems.append(at_span(raw.line, raw.spans[0], "bad-address", "error", message, hint=hint))
        return None
    dev = None
    options: list[str] = []
    at = 1
    while at < len(words):
        name = words[at]
        size = 2 if name in WITH_VALUE else 1
        if name == "dev" and at + 1 < len(words):
            dev = words[at + 1]
        else:
            options += raw.words[at : at + size]
        check_option(raw, at, problems)
        at += size
    return Address(ip, prefix, dev, tuple(options), tuple(notes), place)


def check_option(raw: Raw, at: int, problems: list[Problem]) -> None:
    """A Problem where the word at this place is no option of an address, or lacks its value."""
    name = unquote(raw.words[at])
    if name in ALONE:
        return
    if name in WITH_VALUE:
        if at + 1 >= len(raw.words):
            message = f"{name} needs a value"
            problems.append(at_span(raw.line, raw.spans[at], "value-missing", "error", message))
        return
    message = f"{name} is no option of an address; keepalived ignores it"
    fix = None
    if raw.line.macro is None:
        fix = Fix(f"remove {name}", raw.spans[at - 1][1], raw.spans[at][1], "")
    problems.append(at_span(raw.line, raw.spans[at], "unknown-option", "warning", message, fix=fix))


def check_line(raw: Raw, table: Block, problems: list[Problem]) -> None:
    """Problems of a line in a block that holds no keywords."""
    if raw.children is not None and raw.words:
        message = f"{table.name} holds lines, each {table.lines}, and no blocks"
        problems.append(at_span(raw.line, raw.spans[0], "block-unexpected", "error", message))
        return
    if table.lines == "an address":
        bind_address(raw, [], Origin(), problems)
    elif table.lines == "an address of a peer" and raw.words:
        try:
            _, prefix = read_prefixed(unquote(raw.words[0]))
        except BadValue as error:
            message = f"{error}; keepalived skips this peer"
            problems.append(at_span(raw.line, raw.spans[0], "bad-address", "error", message))
            return
        if prefix is not None:
            message = "a peer is an address without a prefix length"
            problems.append(at_span(raw.line, raw.spans[0], "bad-address", "error", message))


def knows(option: str) -> bool:
    """Whether keepalived knows the option."""
    return option in WITH_VALUE or option in ALONE


def readable(words: tuple[str, ...]) -> bool:
    """Whether a line begins with an address."""
    try:
        read_prefixed(unquote(words[0]))
    except BadValue:
        return False
    return True
