"""Helpers of the rules in `in_order`: how they search blocks and build their warnings.

PURE. A warning is at a statement, or at the closing brace if keepalived checks the whole block
there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hanode.conf.keywords import blocks
from hanode.conf.language.values import accepted
from hanode.conf.read.blocks import Raw, at_span
from hanode.conf.text.lexer import unquote
from hanode.conf.text.problems import Problem


def say(raw: Raw, code: str, message: str, index: int = 0, hint: str | None = None) -> Problem:
    """A warning at one of the statement's words."""
    span = raw.spans[min(index, len(raw.spans) - 1)]
    return at_span(raw.line, span, code, "warning", message, hint=hint)


def at_close(raw: Raw, code: str, message: str, hint: str | None = None) -> Problem:
    """A warning at the block's closing brace, where keepalived checks the whole block."""
    span = (max(raw.start, raw.close_end - 1), raw.close_end)
    return at_span(raw.line, span, code, "warning", message, hint=hint)


def inside(raw: Raw, *words: str) -> Iterator[Raw]:
    """The statements in a block that begin with one of these keywords."""
    for child in raw.children or ():
        if child.keyword in words:
            yield child


def value(raw: Raw, *names: str) -> str | None:
    """The first word after the last of these keywords; None if there is none."""
    found = None
    for child in inside(raw, *names):
        if len(child.words) > 1:
            found = unquote(child.words[1])
    return found


def number(text: str | None) -> int | None:
    """The number that a word consists of; None if it is none."""
    return int(text) if text is not None and re.fullmatch(r"-?[0-9]{1,20}", text) else None


def name_of(raw: Raw) -> str:
    """The block's name, or its keyword if it has no name."""
    return unquote(raw.words[1]) if len(raw.words) > 1 else raw.keyword


def takes(child: Raw, block: str) -> bool:
    """Whether keepalived accepts the statement; a refused value counts as not written."""
    keyword = blocks()[block].keywords.get(child.keyword)
    words = [unquote(word) for word in child.words[1:]]
    return keyword is not None and any(words) and accepted(keyword.value, words)


def has(raw: Raw, block: str, *names: str) -> bool:
    """Whether the block has one of the keywords with a value that keepalived accepts."""
    return any(takes(child, block) for child in inside(raw, *names))


def lacks(raw: Raw, block: str, code: str, *names: str) -> Iterator[Problem]:
    """Reports at the closing brace that a block lacks a keyword without which it is removed."""
    if not has(raw, block, *names):
        message = f"{name_of(raw)} names no {names[0]}; keepalived removes it"
        yield at_close(raw, code, message, f"write {names[0]} in it")
