"""Words, strings, braces and comments of one line.

PURE. `#` and `!` begin a comment anywhere outside double quotes unless a backslash stands before
them; braces outside double quotes are tokens of their own; single quotes protect nothing. A word
may hold `${NAME}`, whose braces are not the block's. Nothing raises, and the tokens with the
white space between them are the whole line.
"""

from __future__ import annotations

import re
from typing import NamedTuple

WORD = "word"
STRING = "string"
OPEN = "open"
CLOSE = "close"
COMMENT = "comment"


class Token(NamedTuple):
    """A piece of a line; offsets count from the beginning of the given text."""

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
    """The tokens of one line."""
    return [
        Token(kind, match.group(), match.start(), match.end())
        for match in _TOKEN.finditer(text)
        if (kind := match.lastgroup) is not None
    ]


def comment_start(line: str) -> int:
    """Where the line's comment begins; its length where it has none."""
    if "#" not in line and "!" not in line:
        return len(line)
    match = _COMMENT.match(line)
    return match.end() if match else 0


def unquote(word: str) -> str:
    """The word without double quotes around it and without the escapes of comment marks."""
    if len(word) >= 2 and word[0] == word[-1] == '"':
        return word[1:-1]
    if word.startswith('"'):
        return word[1:]
    return word.replace("\\#", "#").replace("\\!", "!") if "\\" in word else word


class Unwritable(ValueError):
    """A model holds what the language cannot say; the text is a sentence."""


def quote(value: str) -> str:
    """A word of which `unquote` gives the value back, in quotes only where it needs them.

    Raises Unwritable: a value can hold neither a line's end nor a double quote, and nothing that
    comes out of a file does.
    """
    if "\n" in value or '"' in value:
        raise Unwritable("a value can hold neither a line break nor a double quote")
    if value and not re.search(r'[\s{}"#!\\$]', value):
        return value
    return f'"{value}"'
