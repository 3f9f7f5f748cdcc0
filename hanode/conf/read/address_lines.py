"""Reads address lines (`IP[/len] [option …]`), and checks the lines of blocks without keywords.

PURE. keepalived ignores an option of an address that it does not know.
"""

from __future__ import annotations

from hanode.conf.keywords import blocks
from hanode.conf.language.kinds_address import Prefixed
from hanode.conf.language.schema import Block
from hanode.conf.language.values import (
    BadValue,
    is_ip,
    read_words,
)
from hanode.conf.model.model import Address, Note
from hanode.conf.read import option_lines
from hanode.conf.read.blocks import Raw, at_span
from hanode.conf.text.lexer import unquote
from hanode.conf.text.problems import Problem, Severity
from hanode.conf.text.source import Origin


def bind_address(
    raw: Raw,
    notes: list[Note],
    place: Origin,
    problems: list[Problem],
    block: str = "virtual_ipaddress",
) -> Address | None:
    """The Address of a line, or None (with a Problem) if the line has none."""
    words = [unquote(word) for word in raw.words]
    if raw.children is not None or not words:
        message = "an address line takes no block"
        hint = "write one address on each line, without braces"
        span = raw.spans[0] if raw.spans else (raw.line.start, raw.line.end)
        problems.append(at_span(raw.line, span, "block-unexpected", "error", message, hint=hint))
        return None
    odd: list[BadValue] = []
    try:
        ip, prefix = read_words(Prefixed(), words[:1], odd)
    except BadValue as error:
        instead = "takes the longest" if is_ip(words[0].partition("/")[0]) else "skips the line"
        _bad(raw, f"{error}; keepalived {instead}", "error", problems)
        return None
    for one in odd:
        _bad(raw, f"{one}; keepalived takes {prefix}", "warning", problems)
    if len(words) == 1:
        return Address(ip, prefix, None, (), tuple(notes), place)
    found = option_lines.read(raw, blocks()[block], first=1)
    problems += found.problems
    problems += option_lines.check_address_options(raw, found)
    devices = [option for option in found.options if option.name == "dev" and any(option.words)]
    named = {at for option in devices for at in (option.at, option.at + 1)}
    options = tuple(raw.words[at] for at in range(1, len(words)) if at not in named)
    dev = devices[-1].words[0] if devices else None
    return Address(ip, prefix, dev, options, tuple(notes), place)


def _bad(raw: Raw, message: str, severity: Severity, problems: list[Problem]) -> None:
    hint = "write one address on each line, such as 192.0.2.1/24"
    problems.append(at_span(raw.line, raw.spans[0], "bad-address", severity, message, hint=hint))


def check_line(raw: Raw, table: Block, problems: list[Problem]) -> None:
    """Adds the problems of a line in a block that holds no keywords."""
    if raw.children is not None and raw.words:
        message = f"{table.name} holds lines, each {table.lines}, and no blocks"
        problems.append(at_span(raw.line, raw.spans[0], "block-unexpected", "error", message))
        return
    if table.lines == "an address":
        bind_address(raw, [], Origin(), problems, table.name)
    elif raw.words:
        problems += option_lines.check(raw, table)


def knows(option: str) -> bool:
    """Whether keepalived knows the option of a virtual address."""
    return option in blocks()["virtual_ipaddress"].keywords


def readable(words: tuple[str, ...]) -> bool:
    """Whether a line begins with an address."""
    try:
        read_words(Prefixed(), [unquote(words[0])])
    except BadValue:
        return False
    return True
