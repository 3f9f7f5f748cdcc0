"""Text replacements for `edit`, which keep each line for the nodes that should read it.

PURE. A condition (`@NodeA`) counts for one line. So an edit for one node alone limits the line to
the others (`@^NodeA`) and adds a line for that node.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hanode.conf.read.blocks import Raw
from hanode.conf.text.tree import Document, Kind, Line, parse
from hanode.conf.write.render import INDENT
from hanode.conf.write.views import EditRefused


@dataclass(frozen=True, slots=True, order=True)
class Splice:
    """A text that replaces the span from `start` to `end`."""

    start: int
    end: int
    text: str


def applied(document: Document, splices: Iterable[Splice]) -> Document:
    """Applies all replacements; equal ones count once. Raises EditRefused where two overlap."""
    text = document.source.text
    at = len(text) + 1
    for splice in sorted(set(splices), reverse=True):
        if splice.end > at:
            raise EditRefused("this changes one line in two ways: edit the text")
        text = text[: splice.start] + splice.text + text[splice.end :]
        at = splice.start
    return parse(text, document.name, document.reading)


def line_of(document: Document, raw: Raw) -> Line:
    """The physical line on which a statement begins."""
    return document.lines[document.source.line_of(raw.start) - 1]


def replaced(document: Document, raw: Raw, value: str, node: str | None) -> Iterator[Splice]:
    """Gives the statement another value, for all nodes that read its line or for one node."""
    line, text = line_of(document, raw), document.source.text
    words = Splice(raw.spans[0][1], raw.end, f" {value}" if value else "")
    if node is None or line.condition == node:
        yield words
        return
    _alone(document, raw, line, node)
    keyword = text[raw.spans[0][0] : raw.spans[0][1]]
    indent, end = text[line.start : line.body], ending(document)
    own = f"{indent}@{node} {keyword}{words.text}"
    yield Splice(line.body, line.body, f"@^{node} ")
    if line.stop > line.end:
        yield Splice(line.stop, line.stop, own + end)
    else:
        yield Splice(line.stop, line.stop, end + own)


def cut(document: Document, raw: Raw) -> Iterator[Splice]:
    """Removes the statement or block for all nodes that read it."""
    start, end = raw.start, max(raw.end, raw.close_end)
    condition = line_of(document, raw).condition
    if raw.children is not None:
        for line in _lines(document, raw):
            other = condition is not None and line.condition != condition
            if line.kind is Kind.INCLUDE or other:
                raise EditRefused(
                    f"line {line.number} of this block is not for the same nodes: edit the text"
                )
    if condition is not None:
        start = line_of(document, raw).start
    yield Splice(*(document.source.whole_line(start, end) or (start, end)), "")


def cut_for(document: Document, raw: Raw, node: str) -> Iterator[Splice]:
    """Removes the statement or block for one node; the others go on reading it."""
    if raw.children is not None:
        _whole_lines(document, raw)
    for line in _lines(document, raw):
        if line.kind is not Kind.PLAIN and line.kind is not Kind.REPEAT:
            raise EditRefused(f"line {line.number} takes no condition: edit the text")
        if line.condition == node:
            yield Splice(line.start, line.stop, "")
        elif line.condition is None:
            if raw.children is None:
                _alone(document, raw, line, node)
            yield Splice(line.body, line.body, f"@^{node} ")
        elif line.condition.startswith("^") and line.condition != f"^{node}":
            raise EditRefused(
                f"line {line.number} is for every node but {line.condition[1:]}: edit the text"
            )


def appended(
    document: Document, owner: Raw | None, lines: Sequence[str], conditions: Sequence[str]
) -> Iterator[Splice]:
    """Adds lines at the end of a block, indented like the block, once for each condition."""
    text, end = document.source.text, ending(document)
    if owner is None:
        glue = "" if not text or text.endswith("\n") else end
        new = _indented(lines, "", conditions, end)
        yield Splice(len(text), len(text), glue + new)
        return
    at = owner.close_end - 1
    if owner.children is None or owner.close_end <= owner.end or text[at : at + 1] != "}":
        raise EditRefused(f"{' '.join(owner.words)} has no closing brace: put it right first")
    begin = text.rfind("\n", 0, at) + 1
    line = line_of(document, owner)
    closing = f"@{line.condition} " if line.condition is not None else ""
    indent = text[line.start : line.start + _space(text[line.start : line.end])]
    step = INDENT if indent or not owner.children else _step(document, owner)
    new = _indented(lines, indent + step, conditions, end)
    if text[begin:at].strip() in ("", closing.strip()):
        yield Splice(begin, begin, new)
    else:
        yield Splice(at, at, f"{end}{new}{indent}{closing}")


def ending(document: Document) -> str:
    """The line end that the document uses."""
    first = document.source.text.find("\n")
    return "\r\n" if document.source.text[max(first - 1, 0) : first] == "\r" else "\n"


def _indented(lines: Sequence[str], indent: str, conditions: Sequence[str], end: str) -> str:
    out = ""
    for condition in conditions:
        depth = 0
        for line in lines:
            depth -= line == "}"
            out += f"{indent}{INDENT * depth}{condition}{line}{end}"
            depth += line.endswith("{")
    return out


def _space(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _step(document: Document, owner: Raw) -> str:
    """The indent that a block at the margin uses: that of its last statement."""
    last = (owner.children or [owner])[-1]
    start = document.source.starts[document.source.line_of(last.start) - 1]
    before = document.source.text[start : last.start]
    return before if before and not before.strip() else INDENT


def _lines(document: Document, raw: Raw) -> Iterator[Line]:
    """The lines of a statement or block that are neither blank nor a comment."""
    first = document.source.line_of(raw.start)
    last = document.source.line_of(max(raw.end, raw.close_end, raw.start + 1) - 1)
    for line in document.lines[first - 1 : last]:
        if line.kind not in (Kind.BLANK, Kind.COMMENT):
            yield line


def _alone(document: Document, raw: Raw, line: Line, node: str) -> None:
    """Raises EditRefused if a condition would affect other words, or the line has one."""
    text = document.source.text
    if line.condition is not None:
        who = line.condition.lstrip("^")
        raise EditRefused(
            f"line {line.number} is for every node but {who}: say in the text what {node} reads"
        )
    if text[line.body : raw.start].strip() or text[raw.end : line.comment].strip():
        raise EditRefused(
            f"other words stand on line {line.number} too: give each statement its own line first"
        )


def _whole_lines(document: Document, raw: Raw) -> None:
    """Raises EditRefused if other words are on a block's first or last line."""
    if document.source.whole_line(line_of(document, raw).body, raw.close_end) is None:
        line = document.source.line_of(raw.start)
        raise EditRefused(f"the block of line {line} shares its lines with others: edit the text")
