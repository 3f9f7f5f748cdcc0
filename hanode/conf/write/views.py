"""A document as each of its nodes reads it, and the statements that a path names, for `edit`.

PURE. Decides which statements a path names for which nodes, and which cannot be edited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hanode.conf.keywords import blocks, root_words, script_words
from hanode.conf.language.schema import ROOT, Block
from hanode.conf.read.blocks import Raw, build
from hanode.conf.text.expand import expand
from hanode.conf.text.lexer import tokens, unquote
from hanode.conf.text.logical import Expanded, Reader
from hanode.conf.text.macros import REFERENCE
from hanode.conf.text.origins import definitions_of
from hanode.conf.text.tree import Document

Path = Sequence[str]


class EditRefused(ValueError):
    """The edit cannot be made; the text is a sentence that says why and what to do."""


@dataclass(slots=True)
class View:
    """The statements that one node reads; `node` None: a node that no line names."""

    node: str | None
    expanded: Expanded
    statements: list[Raw]


@dataclass(slots=True)
class Found:
    """The blocks that a path leads to, for one node."""

    owner: Raw | None
    """The innermost block; None: the file."""
    table: Block
    """The keywords that are allowed in it."""
    statements: list[Raw]
    """The statements in all blocks of that path together."""
    missing: tuple[str, ...] = ()
    """The parts of the path that do not exist."""
    blocks: tuple[Raw, ...] = ()
    """All blocks of that path; the owner is the last one."""

    def holds(self, owner: Raw | None) -> bool:
        """Whether the node reads this block; `None` is the file."""
        if owner is None:
            return self.owner is None
        return any(spot(block) == spot(owner) for block in self.blocks)

    def named(self, part: str) -> list[Raw]:
        """The statements that begin with the words of `part`, in any spelling of its keyword.

        If a block has exactly these words, only it is returned. Raises EditRefused where the words
        fit blocks of different names.
        """
        wanted = [unquote(token.text) for token in tokens(part)]
        spellings = _spellings(self.table, wanted[0] if wanted else "")
        found: list[Raw] = []
        for raw in self.statements:
            words = [unquote(word) for word in raw.words]
            if not wanted or not words or words[1 : len(wanted)] != wanted[1:]:
                continue
            bare = words[0].partition("/")[0] if self.table.lines is not None else words[0]
            if words[0] in spellings or bare in spellings:
                found.append(raw)
        opened = [raw for raw in found if raw.children is not None]
        exact = [raw for raw in opened if len(raw.words) == len(wanted)]
        if exact:
            return exact
        names = {tuple(map(unquote, raw.words)) for raw in opened}
        if len(names) > 1:
            raise EditRefused(f"{part} names {len(names)} blocks: write more of its name")
        return found

    def kept(self, part: str, named: list[Raw]) -> list[Raw]:
        """Those of the statements that decide which value keepalived has."""
        keyword = self.table.keywords.get(part)
        keeps = "last" if keyword is None else keyword.keeps
        return {"first": named[:1], "last": named[-1:]}.get(keeps, named)


def spot(raw: Raw | None) -> tuple[str, int]:
    """The file and offset where a block begins: the same for all nodes that read it."""
    return ("", -1) if raw is None else (raw.line.source.name, raw.start)


def views(document: Document, node: str | None, read: Reader | None) -> list[View]:
    """The views of each node that lines name and of a node that they do not; or only of `node`."""
    if node is not None:
        nodes: tuple[str | None, ...] = (node,)
    else:
        nodes = (None, *document.node_ids())
    found = []
    for one in nodes:
        expanded = expand(document, node=one, read=read)
        statements = build(expanded.lines, root_words(), script_words()).statements
        found.append(View(one, expanded, statements))
    return found


def walk(view: View, path: Path) -> Found:
    """Follows the blocks of the path. Raises EditRefused where a part fits several blocks."""
    found = Found(None, blocks()[ROOT], view.statements)
    for number, part in enumerate(path):
        matches = [raw for raw in found.named(part) if raw.children is not None]
        if not matches:
            found.missing = tuple(path[number:])
            break
        keyword = found.table.keywords.get(unquote(matches[-1].words[0]))
        opens = keyword.opens if keyword is not None else None
        table = blocks()[opens] if opens is not None else Block("", {})
        inside = [child for raw in matches for child in raw.children or ()]
        found = Found(matches[-1], table, inside, blocks=tuple(matches))
    return found


def can_be_made(found: Found) -> bool:
    """Whether the missing blocks have no names, so that they can be added."""
    table = found.table
    for part in found.missing:
        keyword = table.keywords.get(part)
        if keyword is None or keyword.opens is None or keyword.value.least:
            return False
        table = blocks()[keyword.opens]
    return True


def _spellings(table: Block, word: str) -> set[str]:
    """The keywords that mean the same in a block."""
    keyword = table.keywords.get(word)
    if keyword is None:
        return {word}
    main = keyword.same_as or keyword.name
    return {word} | {k.name for k in table.keywords.values() if main in (k.name, k.same_as)}


def editable(document: Document, view: View, raw: Raw) -> None:
    """Raises EditRefused if the statement's words are not in the document's own text."""
    line = raw.line.source.line_of(raw.start)
    name = " ".join(raw.words[:2])
    if raw.line.source is not document.source:
        raise EditRefused(f"{name} stands in {raw.line.source.name}, line {line}: edit that file")
    if raw.line.macro is not None:
        raise EditRefused(f"{name} is made by {_macro(document, view, raw)}: edit it there")
    for word in raw.words:
        match = REFERENCE.search(word)
        if match is not None:
            name = match.group(1) or match.group(3)
            raise EditRefused(
                f"line {line} says ${name}, which nothing here defines: edit the text"
            )


def _macro(document: Document, view: View, raw: Raw) -> str:
    """The macro that made a statement, and its places: `$PRIO on line 9, defined on line 2`."""
    line = raw.line.source.line_of(raw.start)
    index = next(i for i, logical in enumerate(view.expanded.lines) if logical is raw.line)
    said = f"{raw.line.macro} on line {line}"
    for number, one in enumerate(definitions_of(view.expanded, index)):
        where = f"line {one.origin.line}"
        if one.origin.file != document.name:
            where += f" of {one.origin.file}"
        said += f", defined on {where}" if number == 0 else f" with ${one.name} of {where}"
    return said
