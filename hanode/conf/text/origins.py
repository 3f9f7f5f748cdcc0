"""Finds what wrote a value: its own words in the file, or the macro definitions that made it.

PURE. An `Origin` holds the file, place and macro of a value's statement. For a macro that place
is where it is used; this module finds where its definitions are, the outermost first.
"""

from __future__ import annotations

from dataclasses import dataclass

from hanode.conf.text.expand import expand
from hanode.conf.text.lexer import tokens
from hanode.conf.text.logical import Defined, Expanded, Logical, Reader
from hanode.conf.text.macros import REFERENCE
from hanode.conf.text.source import Origin
from hanode.conf.text.tree import Document


@dataclass(frozen=True, slots=True)
class Definition:
    """The name of a macro (`$NAME=…`) and the place of its definition."""

    name: str
    origin: Origin

    def __str__(self) -> str:
        return f"${self.name} ({self.origin.file}, line {self.origin.line})"


def word_place(origin: Origin, number: int) -> Origin:
    """The place of one word of the statement, counted from its keyword, which is word 0.

    A statement that a macro made has no words in the file: then the place is the macro's use.
    """
    if origin.macro is not None or origin.source is None:
        return origin
    head, text = origin.head_span, origin.source.text
    found = tokens(text[head[0] : head[1]])
    if not 0 <= number < len(found):
        return origin
    start, end = head[0] + found[number].start, head[0] + found[number].end
    return Origin(origin.source, start, end, end)


def made_by(
    document: Document,
    origin: Origin,
    *,
    node: str | None = None,
    read: Reader | None = None,
) -> tuple[Definition, ...]:
    """The definitions that a value came from: its own macro's, then those used inside that one.

    `node` and `read` are the arguments of the `check` that gave the value. Empty where no macro
    made the value, or where the macro has no definition (`~SEQ`, `$_PWD`).
    """
    if origin.macro is None or origin.source is None:
        return ()
    expanded = expand(document, node=node, read=read)
    start = origin.head_span[0]
    for index, line in enumerate(expanded.lines):
        if line.macro is not None and _is_at(document, origin, line, start):
            return definitions_of(expanded, index)
    return ()


def _is_at(document: Document, origin: Origin, line: Logical, start: int) -> bool:
    """Whether a line is at the origin's place.

    Offsets of a part of a text count from its own start.
    """
    if line.source.name != origin.file:
        return False
    offset = origin.source.offset if origin.source is not None else 0
    return line.start == start + offset


def definitions_of(expanded: Expanded, index: int) -> tuple[Definition, ...]:
    """The definitions that a logical line came from, the outermost first."""
    line = expanded.lines[index]
    newest: dict[str, Defined] = {}
    for one in expanded.defined:
        if one.before <= index:
            newest[one.name] = one
    found: dict[str, Definition] = {}
    waiting = [line.source.text[line.start : line.end]]
    while waiting:
        for match in REFERENCE.finditer(waiting.pop(0)):
            name = match.group(1) or match.group(3)
            defined = newest.get(name)
            if defined is None or name in found:
                continue
            place = Origin(defined.source, defined.start, defined.end, defined.end)
            found[name] = Definition(name, place)
            waiting.append(defined.value)
    return tuple(found.values())
