"""Restores the macros (`$NAME`) with which statements were written, for `merge`.

PURE. A statement that `$NAME` made gets the words of the file back, if replacing the names in
them gives the model's statement again. `~SEQ` and definitions of whole lines stay replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from hanode.conf.model.model import Note, Statement
from hanode.conf.text.expand import expand
from hanode.conf.text.lexer import OPEN, comment_start, tokens, unquote
from hanode.conf.text.logical import Defined, Reader
from hanode.conf.text.macros import REFERENCE, MacroError, substitute
from hanode.conf.text.source import Origin
from hanode.conf.text.tree import Document


@dataclass(frozen=True, slots=True)
class Written:
    """A node's statements with its macros, and the definitions that they need, in order."""

    statements: tuple[Statement, ...]
    definitions: tuple[Statement, ...]
    replaced: tuple[Defined, ...]
    """The definitions whose names no longer occur."""


def written(
    statements: tuple[Statement, ...], document: Document, node: str, read: Reader | None
) -> Written:
    """The statements of a node's layout as its file wrote them."""
    defined = expand(document, node=node, read=read).defined
    once = {d.name: d.value for d in defined}
    for one in defined:
        if once.get(one.name, one.value) != one.value:
            # The name's value depends on the place, which the layout does not keep.
            del once[one.name]
    lines = _Lines(once)
    kept = tuple(_statement(statement, lines) for statement in statements)
    names: set[str] = set()
    waiting = [word for statement in kept for word in _words(statement)]
    while waiting:
        for name in references(waiting.pop()):
            if name in once and name not in names:
                names.add(name)
                waiting.append(once[name])
    newest = {d.name: d for d in defined if d.name in names}
    return Written(
        kept,
        tuple(_definition(d) for d in newest.values()),
        tuple(d for d in defined if d.name not in names),
    )


def references(text: str) -> list[str]:
    """The names that a text uses, as `$NAME` or `${NAME}`."""
    return [match.group(1) or match.group(3) for match in REFERENCE.finditer(text)]


def _statement(statement: Statement, lines: _Lines) -> Statement:
    children = statement.children
    if children is not None:
        children = tuple(_statement(child, lines) for child in children)
    words = lines.original(statement) or statement.words
    return replace(statement, words=words, children=children)


Read = tuple[list[str], list[str]]
"""The words of a line's head as written, and with its macros replaced."""


class _Lines:
    """Lines of the file with macros; one may have made thousands of statements."""

    def __init__(self, definitions: dict[str, str]) -> None:
        self._definitions = definitions
        self._read: dict[str, Read | None] = {}

    def original(self, statement: Statement) -> tuple[str, ...] | None:
        """The words in the file, if replacing their macros gives the statement's words."""
        origin = statement.origin
        if origin.macro is None or origin.source is None or not origin.macro.startswith("$"):
            return None
        start, whole = origin.head_span[0], origin.source.text
        end = whole.find("\n", start)
        line = whole[start : end if end >= 0 else len(whole)]
        if line not in self._read:
            self._read[line] = self._replaced(line[: comment_start(line)].rstrip())
        found = self._read[line]
        if found is None:
            return None
        head, said = found
        same = " ".join(map(unquote, said)) == " ".join(map(unquote, statement.words))
        return tuple(head) if same or " ".join(said) == " ".join(statement.words) else None

    def _replaced(self, line: str) -> Read | None:
        """The line's words; None if they do not stand for one line of as many words."""
        head = _head(line)
        if any(name not in self._definitions for name in references(" ".join(head))):
            return None
        try:
            made = substitute(line, self._definitions)[0]
        except MacroError:
            return None
        if "\n" in made:
            return None
        said = _head(made)
        if len(tokens(made)) - len(said) != len(tokens(line)) - len(head):
            return None
        return head, said


def _head(line: str) -> list[str]:
    """The words of a line before a brace."""
    found: list[str] = []
    for token in tokens(line):
        if token.kind == OPEN:
            break
        found.append(token.text)
    return found


def _words(statement: Statement) -> Iterator[str]:
    """The words with a `$` in a statement and in all statements inside it."""
    yield from (word for word in statement.words if "$" in word)
    for child in statement.children or ():
        yield from _words(child)


def _definition(defined: Defined) -> Statement:
    """`$NAME=value` with its comment; a definition of several lines never gets here."""
    notes = tuple(Note("", (), comment) for comment in comments_of(defined))
    place = Origin(defined.source, defined.start, defined.end, defined.end)
    return Statement((f"${defined.name}={defined.value}",), None, notes, place)


def comments_of(defined: Defined) -> tuple[str, ...]:
    """The comments behind a definition's lines."""
    source = defined.source
    first = source.line_of(defined.start)
    last = first + defined.value.count("\n")
    begin = source.starts[first - 1]
    lines = [source.line_text(first)[defined.start - begin :]]
    lines += [source.line_text(number) for number in range(first + 1, last + 1)]
    return tuple(c for line in lines if (c := line[comment_start(line) :].rstrip()))
