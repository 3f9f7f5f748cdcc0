"""Splits one line into words, strings, braces and a comment, as keepalived does.

PURE. `#` and `!` begin a comment anywhere outside double quotes. Braces outside double quotes are
tokens of their own; single quotes protect nothing. A word may contain `${NAME}`, whose braces are
not a block's. Six characters of ASCII divide words and no others do: U+00A0 and U+3000 are parts
of a word. A NUL ends the line. Nothing raises. The tokens and the white space between them make up
the whole line. What a backslash does depends on the release: see `Reading`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

SPACE = " \t\n\v\f\r"
"""The characters that divide words, in every release and whatever the locale."""
BLANK = " \t"
"""The characters that keepalived drops at both ends of a line. A macro begins behind them only."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a release makes of the backslashes that have no other meaning."""

    escapes: bool
    """Whether `\\#` and `\\!` are characters of a word.

    Up to 2.3 the parent process takes the backslash away and hands the line to its children, which
    then see a comment.
    """
    comment_goes_on: bool
    """Whether a backslash at the end of a comment counts as the last character of its line."""
    measures_again: bool = True
    """Whether a line that a name made is measured before its condition is cut off.

    2.2.7 cuts off as much as the line was long before, which leaves words behind, or dies.
    """


TO_2_2 = Reading(escapes=False, comment_goes_on=True, measures_again=False)
TO_2_3 = Reading(escapes=False, comment_goes_on=True)
SINCE_2_4 = Reading(escapes=True, comment_goes_on=False)

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
    rf"""[\ \t\v\f\r]+
    | (?P<comment>[#!].*)
    | (?P<open>\{{)
    | (?P<close>\}})
    | (?P<string>"[^"]*"?)
    | (?P<word>(?:\\[#!]|{_REFERENCE}|[^\ \t\n\v\f\r{{}}"\#!])+)
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)

# A backslash also hides the quote behind it, outside of quotes and inside.
_QUOTED = r'"(?:[^"\\]+|\\(?:.|\Z))*(?:"|\Z)'
_COMMENT = {
    False: re.compile(rf'(?:[^#!"\\]+|\\(?![#!])(?:.|\Z)|{_QUOTED})*', re.DOTALL),
    True: re.compile(rf'(?:[^#!"\\]+|\\(?:.|\Z)|{_QUOTED})*', re.DOTALL),
}
_OPEN_QUOTE = re.compile(r'(?:[^"\\]+|\\(?:.|\Z)|"(?:[^"\\]|\\(?:.|\Z))*")*', re.DOTALL)
_LAST_BACKSLASH = re.compile(r"(?<!\\)(?:\\\\)*\\\Z")


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


def comment_start(line: str, reading: Reading = TO_2_2) -> int:
    """The offset at which the line's comment begins; the line's length if it has none.

    What follows a NUL is not read either, so it counts as a comment.
    """
    length = len(line)
    if "\0" in line:
        length = line.index("\0")
        line = line[:length]
    if "#" not in line and "!" not in line:
        return length
    match = _COMMENT[reading.escapes].match(line)
    return match.end() if match else 0


def ends_in_backslash(text: str) -> bool:
    """Whether the last character is a backslash that no other one hides."""
    return text.endswith("\\") and _LAST_BACKSLASH.search(text) is not None


def quote_left_open(text: str) -> int:
    """Where the double quote begins that keepalived reports as unterminated; -1 if none is.

    `text` has no comment. A backslash hides a quote here, though not where words are divided.
    """
    if '"' not in text:
        return -1
    match = _OPEN_QUOTE.match(text)
    end = match.end() if match else 0
    return end if end < len(text) else -1


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
