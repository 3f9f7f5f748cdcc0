"""From a value back to what wrote it: its own words, or the definitions it came from.

PURE. An `Origin` says the file, the place and the macro of a value's statement. A macro's place is
where it is used; here is where its definitions stand, the outermost first.
"""

from __future__ import annotations

from dataclasses import dataclass

from hanode.conf.text.expand import Defined, Expanded, Logical, Reader, expand
from hanode.conf.text.lexer import tokens
from hanode.conf.text.macros import REFERENCE
from hanode.conf.text.source import Origin
from hanode.conf.text.tree import Document


@dataclass(frozen=True, slots=True)
class Definition:
    """`$NAME=…`, and where it stands."""

    name: str
    origin: Origin

    def __str__(self) -> str:
        return f"${self.name} ({self.origin.file}, line {self.origin.line})"


def word_place(origin: Origin, number: int) -> Origin:
    """Where a word of the statement stands, counted from its keyword, which is 0.

    What a macro made has no words in the file: the place is that of the macro's use.
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
    """The definitions that a value came from: that of its macro, then those inside that one.

    `node` and `read` are those of the `check` that gave the value. Nothing, where no definition
    made it, or where it has none (`~SEQ`, `$_PWD`).
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
    """Whether a line stands where the origin says; a part of a text counts from its own start."""
    if line.source.name != origin.file:
        return False
    offset = origin.source.offset if origin.source is not None else 0
    return line.start == start + offset


def definitions_of(expanded: Expanded, index: int) -> tuple[Definition, ...]:
    """The definitions that a logical line came from."""
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
