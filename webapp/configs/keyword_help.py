"""Help for keywords, for the editor and the forms; all of it comes from the language's tables."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterator
from typing import Any

from hanode.conf import RETIRED, Block, Bool, Flag, Keyword, Method, Value, blocks, place_name

ENGINE = {
    "runs": "Our node engine does it.",
    "planned": "Our node engine does not do it yet; keepalived does.",
    "ignored": "Our node engine ignores it.",
}
NAMED_BY = {
    "track_script": "vrrp_script",
    "track_process": "vrrp_track_process",
    "track_file": "track_file",
    "track_bfd": "bfd_instance",
    "group": "vrrp_instance",
}
"""Blocks whose lines begin with a name, and the keyword that defines such a name."""


def options(value: Value) -> tuple[str, ...]:
    """The words that this value may be; (): it is no choice of words."""
    if isinstance(value, Bool):
        return ("on", "off")
    if isinstance(value, Method):
        return ("NAT", "DR", "TUN")
    own = tuple(str(each) for each in getattr(value, "options", ()))
    inner = tuple(word for each in _inner(value) for word in options(each))
    return tuple(dict.fromkeys(own + inner))


def _inner(value: Value) -> Iterator[Value]:
    for field in dataclasses.fields(value):
        each = getattr(value, field.name)
        if isinstance(each, Value):
            yield each


def keyword(block: str, name: str) -> Keyword:
    """A keyword of the tables. Raises KeyError."""
    return blocks()[block].keywords[name]


def shape(keyword: Keyword) -> str:
    """The form of the keyword's value, as a phrase; "": the keyword takes none."""
    return "" if isinstance(keyword.value, Flag) else keyword.value.shape


def hint(block: str, name: str) -> str:
    """The help under a field of a form: purpose, allowed values, default, support in our engine."""
    word = keyword(block, name)
    parts = [word.help]
    if shape(word) and not options(word.value):
        parts.append(f"{shape(word)[:1].upper()}{shape(word)[1:]}.")
    if word.default is not None:
        parts.append(f"Not written: {word.default}.")
    if word.engine != "runs":
        parts.append(ENGINE[word.engine])
    return " ".join(filter(None, parts))


def _keyword(keyword: Keyword) -> dict[str, Any]:
    said: dict[str, Any] = {
        "help": keyword.help,
        "value": shape(keyword),
        "options": options(keyword.value),
        "default": keyword.default,
        "since": keyword.came,
        "before": [keyword.before[0], keyword.before[1].shape] if keyword.before else None,
        "old": keyword.old,
        "same": keyword.same_as,
        "opens": keyword.opens,
        "engine": ENGINE[keyword.engine],
    }
    return {name: value for name, value in said.items() if value}


def _block(block: Block) -> dict[str, Any]:
    words = {name: _keyword(keyword) for name, keyword in block.keywords.items()}
    said: dict[str, Any] = {"place": place_name(block.name), "words": words}
    if block.lines is not None:
        said["lines"] = block.lines
    if block.name in NAMED_BY:
        said["named"] = NAMED_BY[block.name]
    return said


@functools.cache
def as_json() -> str:
    """Every keyword of every block as JSON, for the editor's help and completion."""
    said = {
        "blocks": {name: _block(block) for name, block in blocks().items()},
        "retired": {word: f"{why}; keepalived ignores the line." for word, why in RETIRED.items()},
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


@functools.cache
def edition() -> str:
    """A hash of the keywords. Their address contains it, so that a browser may keep them."""
    return hashlib.sha256(as_json().encode()).hexdigest()[:12]
