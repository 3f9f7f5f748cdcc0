"""Splits one line into words, strings, braces and a comment.

PURE. `#` and `!` begin a comment anywhere outside double quotes, unless a backslash precedes
them. Braces outside double quotes are tokens of their own; single quotes protect nothing. A word
may contain `${NAME}`, whose braces are not a block's. Nothing raises. The tokens and the white
space between them make up the whole line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

WORD = "word"
STRING = "string"
OPEN = "open"
CLOSE = "close"
COMMENT = "comment"


class Token(NamedTuple):
    """One token; `start` and `end` are offsets in the given text."""

    kind: str
    text: str
    start: int
    end: int


_REFERENCE = r"\$\{[A-Za-z_]\w*(?:[ \t][^{}\"\n]*)?\}"

_TOKEN = re.compile(
    rf"""[^\S\n]+
    | (?P<comment>[#!].*)
    | (?P<open>\{{)
    | (?P<close>\}})
    | (?P<string>"[^"]*"?)
    | (?P<word>(?:\\[#!]|{_REFERENCE}|[^\s{{}}"\#!])+)
    """,
    re.VERBOSE | re.DOTALL,
)

_COMMENT = re.compile(r'(?:[^#!"\\]+|\\[#!]?|"[^"]*(?:"|$))*')


def tokens(text: str) -> list[Token]:
    """The tokens of one line, in order, without white space."""
    return [
        Token(kind, match.group(), match.start(), match.end())
        for match in _TOKEN.finditer(text)
        if (kind := match.lastgroup) is not None
    ]


def each_token(text: str, start: int, end: int) -> Iterator[Token]:
    """The tokens between two offsets of a text, one by one."""
    for match in _TOKEN.finditer(text, start, end):
        kind = match.lastgroup
        if kind is not None:
            yield Token(kind, match.group(), match.start(), match.end())


def comment_start(line: str) -> int:
    """The offset at which the line's comment begins; the line's length if it has none."""
    if "#" not in line and "!" not in line:
        return len(line)
    match = _COMMENT.match(line)
    return match.end() if match else 0


def unquote(word: str) -> str:
    """The word without enclosing double quotes and without backslashes before comment marks."""
    if len(word) >= 2 and word[0] == word[-1] == '"':
        return word[1:-1]
    if word.startswith('"'):
        return word[1:]
    return word.replace("\\#", "#").replace("\\!", "!") if "\\" in word else word


class Unwritable(ValueError):
    """The model holds a value that keepalived.conf cannot express; the text is a sentence."""


def quote(value: str) -> str:
    """The word from which `unquote` gives the value back; quoted only if the value needs it.

    Raises Unwritable for a value with a line break or a double quote. No value that was read from a
    file has one.
    """
    if "\n" in value or '"' in value:
        raise Unwritable("a value can hold neither a line break nor a double quote")
    if value and not re.search(r'[\s{}"#!\\$]', value):
        return value
    return f'"{value}"'
