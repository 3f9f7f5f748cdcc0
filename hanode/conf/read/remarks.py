"""How the rules about reading in order look at blocks, and say what they find.

PURE. A remark is a warning: at a statement, or at the closing brace where keepalived looks at the
whole block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hanode.conf.keywords import blocks
from hanode.conf.language.values import BadValue
from hanode.conf.read.blocks import Raw, at_span
from hanode.conf.text.lexer import unquote
from hanode.conf.text.problems import Problem


def say(raw: Raw, code: str, message: str, index: int = 0) -> Problem:
    """A remark at one of the statement's words."""
    span = raw.spans[min(index, len(raw.spans) - 1)]
    return at_span(raw.line, span, code, "warning", message)


def at_close(raw: Raw, code: str, message: str) -> Problem:
    """A remark at the block's closing brace, where keepalived looks at the whole block."""
    return at_span(
        raw.line, (max(raw.start, raw.close_end - 1), raw.close_end), code, "warning", message
    )


def inside(raw: Raw, *words: str) -> Iterator[Raw]:
    """The statements in a block that begin with one of these words."""
    for child in raw.children or ():
        if child.keyword in words:
            yield child


def value(raw: Raw, *names: str) -> str | None:
    """The first word after the last of these keywords."""
    found = None
    for child in inside(raw, *names):
        if len(child.words) > 1:
            found = unquote(child.words[1])
    return found


def number(text: str | None) -> int | None:
    """The number of a word, if it is one."""
    return int(text) if text is not None and re.fullmatch(r"-?[0-9]{1,20}", text) else None


def name_of(raw: Raw) -> str:
    """How a block is called: by its name, or by its keyword."""
    return unquote(raw.words[1]) if len(raw.words) > 1 else raw.keyword


def takes(child: Raw, block: str) -> bool:
    """Whether keepalived takes the statement: a value that it refuses counts as not written."""
    keyword = blocks()[block].keywords.get(child.keyword)
    words = [unquote(word) for word in child.words[1:]]
    if keyword is None or len(words) < keyword.value.least or not any(words):
        return False
    try:
        keyword.value.read(words[: keyword.value.most])
    except BadValue as error:
        return error.mild
    return True


def has(raw: Raw, block: str, *names: str) -> bool:
    """Whether one of the words stands in the block, with a value that keepalived takes."""
    return any(takes(child, block) for child in inside(raw, *names))


def lacks(raw: Raw, block: str, code: str, *names: str) -> Iterator[Problem]:
    """At its closing brace, that a block lacks the word without which it is nothing."""
    if not has(raw, block, *names):
        yield at_close(raw, code, f"{name_of(raw)} names no {names[0]}; keepalived removes it")
