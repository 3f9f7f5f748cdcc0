"""Small edits: a change in the model's terms that touches only its own bytes.

PURE. A place is named by the words of the blocks around it, outermost first:
`("vrrp_instance HA_Group", "priority")`. What a macro made, or an included file holds, cannot be
edited through here; `EditRefused` says so, with the place to go to. Every function gives a new
Document; each byte outside the edit stays as it was.
"""

from __future__ import annotations

from collections.abc import Sequence

from hanode.conf.blocks import Raw, build
from hanode.conf.expand import expand
from hanode.conf.lexer import CLOSE, COMMENT, OPEN, quote, tokens, unquote
from hanode.conf.render import INDENT
from hanode.conf.schema import root_words, script_words
from hanode.conf.tree import Document, parse

Path = Sequence[str]


class EditRefused(ValueError):
    """The edit cannot be made; the text is a sentence that says why and what to do."""


def set_value(document: Document, path: Path, value: str, *, node: str | None = None) -> Document:
    """The document in which the statement at `path` has this value.

    `value` is what stands after the keyword, as written in the file. A statement that is missing
    is added at the end of its block. Of several the last one is changed: it is the one that counts.
    Raises EditRefused.
    """
    _one_line(value)
    owner, found = _find(document, path, node)
    if not found:
        return _append(document, owner, path, f"{path[-1]} {value}".rstrip())
    raw = found[-1]
    if raw.children is not None:
        raise EditRefused(f"{path[-1]} is a block; name a statement inside it")
    start, end = raw.spans[0][1], raw.end
    return _replace(document, start, end, f" {value}" if value else "")


def remove(document: Document, path: Path, *, node: str | None = None) -> Document:
    """The document without the statement (or the whole block) at `path`. Raises EditRefused."""
    _, found = _find(document, path, node)
    if not found:
        raise EditRefused(f"there is no {' / '.join(path)}")
    return _cut(document, found[-1])


def add_address(
    document: Document,
    instance: str,
    address: str,
    *,
    block: str = "virtual_ipaddress",
    node: str | None = None,
) -> Document:
    """The document in which the instance's block has one more address line. Raises EditRefused."""
    _one_line(address)
    path = (f"vrrp_instance {instance}", block)
    owner, found = _find(document, path, node)
    if found:
        return _append(document, found[-1], path, address)
    return _append(document, owner, path, f"{block} {{", address, "}")


def remove_address(
    document: Document,
    instance: str,
    address: str,
    *,
    block: str = "virtual_ipaddress",
    node: str | None = None,
) -> Document:
    """The document without that address line (`IP/len`, or the IP alone). Raises EditRefused."""
    _, blocks = _find(document, (f"vrrp_instance {instance}", block), node)
    for raw in (child for found in blocks for child in found.children or ()):
        word = unquote(raw.words[0]) if raw.words else ""
        if address in (word, word.partition("/")[0]):
            _editable(document, raw)
            return _cut(document, raw)
    raise EditRefused(f"{instance} has no address {address} in {block}")


def _one_line(value: str) -> None:
    kinds = {token.kind for token in tokens(value)}
    if "\n" in value or kinds & {OPEN, CLOSE, COMMENT} or value.count('"') % 2:
        shown = quote("text with # or {")
        raise EditRefused(f"a value is one line without braces and comments; quote it: {shown}")


def _find(document: Document, path: Path, node: str | None) -> tuple[Raw | None, list[Raw]]:
    """The block around the statement (None: the file), and all that match the path's last part."""
    expanded = expand(document, node=node)
    statements = build(expanded.lines, root_words(), script_words()).statements
    owner: Raw | None = None
    for part in path[:-1]:
        matches = [raw for raw in statements if _is(raw, part) and raw.children is not None]
        if not matches:
            raise EditRefused(f"there is no {part}")
        owner = matches[-1]
        _editable(document, owner)
        statements = owner.children or []
    found = [raw for raw in statements if _is(raw, path[-1])]
    for raw in found:
        _editable(document, raw)
    return owner, found


def _is(raw: Raw, part: str) -> bool:
    words = [unquote(word) for word in raw.words]
    wanted = [unquote(token.text) for token in tokens(part)]
    return bool(wanted) and words[: len(wanted)] == wanted


def _editable(document: Document, raw: Raw) -> None:
    line = raw.line.source.line_of(raw.start)
    name = " ".join(raw.words[:2])
    if raw.line.source is not document.source:
        raise EditRefused(f"{name} stands in {raw.line.source.name}, line {line}: edit that file")
    if raw.line.macro is not None:
        raise EditRefused(f"{name} is made by {raw.line.macro} on line {line}: edit it there")


def _append(document: Document, owner: Raw | None, path: Path, *lines: str) -> Document:
    """New lines at the end of a block, indented like it."""
    text = document.source.text
    if owner is None:
        glue = "" if not text or text.endswith("\n") else "\n"
        return _replace(document, len(text), len(text), glue + "\n".join(lines) + "\n")
    _editable(document, owner)
    if owner.children is None or owner.close_end <= owner.end:
        raise EditRefused(f"{path[0]} has no closing brace; put it right first")
    end = owner.close_end - 1
    begin = text.rfind("\n", 0, end) + 1
    line = document.lines[document.source.line_of(owner.start) - 1]
    prefix = f"@{line.condition} " if line.condition is not None else ""
    indent = text[line.start : line.start + _space(text[line.start : line.end])]
    step = INDENT if indent or not owner.children else _step(document, owner)
    depth = 0
    out = ""
    for new in lines:
        depth -= new == "}"
        out += f"{indent}{step}{INDENT * depth}{prefix}{new}\n"
        depth += new.endswith("{")
    if not text[begin:end].strip():
        return _replace(document, begin, begin, out)
    if text[begin:end].strip() == prefix.strip():
        return _replace(document, begin, begin, out)
    return _replace(document, end, end, f"\n{out}{indent}{prefix}")


def _space(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _step(document: Document, owner: Raw) -> str:
    """How a block at the margin indents its statements: as its last one does."""
    last = (owner.children or [owner])[-1]
    start = document.source.starts[document.source.line_of(last.start) - 1]
    before = document.source.text[start : last.start]
    return before if not before.strip() else INDENT


def _cut(document: Document, raw: Raw) -> Document:
    start, end = raw.start, max(raw.end, raw.close_end)
    source = document.source
    condition = document.lines[source.line_of(start) - 1].condition
    if condition is not None and raw.children is not None:
        raise EditRefused(
            f"{' '.join(raw.words[:2])} is a block with conditions on each line: edit the text"
        )
    if condition is not None:
        start = document.lines[source.line_of(start) - 1].start
    whole = source.whole_line(start, end)
    if whole is None:
        return _replace(document, start, end, "")
    return _replace(document, *whole, "")


def _replace(document: Document, start: int, end: int, new: str) -> Document:
    text = document.source.text
    return parse(text[:start] + new + text[end:], document.name)
