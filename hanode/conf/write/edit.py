"""Edits a document in the model's terms: sets a value, adds or removes statements and addresses.

PURE. A place is a path of the blocks around it, outermost first:
`("vrrp_instance HA_Group", "priority")`; `path` gives the path of the model's objects. Without
`node` an edit is for every node that has such a block; with `node`, for that node alone: the
others go on reading the old statement. Statements that a macro made or that an included file
contains cannot be edited here; `EditRefused` says where they are. Every function returns a new
Document; each byte outside the edit stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hanode.conf.keywords import blocks
from hanode.conf.model.attributes import BlockAttribute, Part, ValueAttribute, main_spelling
from hanode.conf.model.model import (
    Config,
    GlobalDefs,
    RealServer,
    TcpCheck,
    VirtualServer,
    VrrpInstance,
)
from hanode.conf.text.lexer import CLOSE, COMMENT, OPEN, quote, tokens
from hanode.conf.text.logical import Reader
from hanode.conf.text.macros import begins_a_macro
from hanode.conf.text.tree import INCLUDES, Document
from hanode.conf.write.text_edits import Splice, appended, applied, cut, cut_for, line_of, replaced
from hanode.conf.write.views import (
    EditRefused,
    Found,
    Path,
    View,
    can_be_made,
    editable,
    spot,
    views,
    walk,
)

__all__ = [
    "EditRefused",
    "Path",
    "add",
    "add_address",
    "path",
    "remove",
    "remove_address",
    "set_value",
]

Owner = Config | GlobalDefs | VrrpInstance | VirtualServer | RealServer | TcpCheck | Part


def path(*owners: Owner | str) -> tuple[str, ...]:
    """The path to objects of the model, outermost first; the last argument may be a keyword.

    `path(instance, "priority")`, `path(server, real, "weight")`. An attribute's name counts as its
    keyword.
    """
    parts: list[str] = []
    around: type = Config
    for owner in owners:
        if isinstance(owner, str):
            parts += _keywords(around, owner)
            continue
        around = type(owner)
        if not isinstance(owner, Config):
            parts.append(_head(owner))
    return tuple(parts)


def _keywords(around: type, name: str) -> tuple[str, ...]:
    """The path of an attribute: its keyword, behind the block's if the keyword is in a block."""
    name = {"vips": "virtual_ipaddress", "excluded": "virtual_ipaddress_excluded"}.get(name, name)
    attribute = getattr(around, name, None)
    if isinstance(attribute, ValueAttribute | BlockAttribute):
        name = attribute.keyword or name
    block: str = getattr(around, "BLOCK", "")
    if block == VrrpInstance.BLOCK and name in blocks()["authentication"].keywords:
        return "authentication", name
    return (main_spelling(block, name),)


def _head(owner: Owner) -> str:
    """The words before an object's block."""
    match owner:
        case Part():
            return " ".join(owner.statement.words)
        case VrrpInstance():
            return f"vrrp_instance {quote(owner.name)}"
        case VirtualServer(group=str() as group):
            return f"virtual_server group {quote(group)}"
        case VirtualServer(fwmark=int() as mark):
            return f"virtual_server fwmark {mark}"
        case VirtualServer() | RealServer():
            port = "" if owner.port is None else f" {owner.port}"
            return f"{owner.BLOCK} {owner.ip}{port}"
        case _:
            return owner.BLOCK


def set_value(
    document: Document,
    path: Path,
    value: str,
    *,
    node: str | None = None,
    read: Reader | None = None,
) -> Document:
    """The document in which the statement at `path` has this value.

    `value` contains the words behind the keyword, as written in the file. A missing statement is
    added at the end of its block. Of several statements the one is changed that keepalived keeps.
    Raises EditRefused.
    """
    one_line(value)
    _check_path(path)
    splices: list[Splice] = []
    seen: list[tuple[View, Found]] = []
    lacking: list[tuple[View, Found]] = []
    for view in views(document, node, read):
        found = walk(view, path[:-1])
        if found.missing:
            continue
        seen.append((view, found))
        matches = found.named(path[-1])
        if not matches:
            lacking.append((view, found))
        for raw in found.kept(path[-1], matches):
            editable(document, view, raw)
            if raw.children is not None:
                raise EditRefused(f"{path[-1]} is a block: name a statement inside it")
            splices += replaced(document, raw, value, node)
    new = f"{path[-1]} {value}".rstrip()
    if not seen:
        return add(document, path[:-1], new, node=node, read=read)
    splices += _added(document, lacking, seen, (new,), node)
    return applied(document, splices)


def remove(
    document: Document, path: Path, *, node: str | None = None, read: Reader | None = None
) -> Document:
    """The document without the statements or blocks at `path`. Raises EditRefused."""
    _check_path(path)
    splices: list[Splice] = []
    for view in views(document, node, read):
        found = walk(view, path[:-1])
        for raw in found.named(path[-1]) if not found.missing else ():
            editable(document, view, raw)
            splices += cut(document, raw) if node is None else cut_for(document, raw, node)
    if not splices:
        raise EditRefused(f"there is no {' / '.join(path)}")
    return applied(document, splices)


def add(
    document: Document,
    path: Path,
    *lines: str,
    node: str | None = None,
    read: Reader | None = None,
) -> Document:
    """The document with these lines at the end of the block at `path`; (): at the end of the file.

    To add a block, pass one line for its head with `{`, one for each statement and one for `}`.
    Missing blocks on the path are added if they have no name (`track_script`, `unicast_peer` …).
    Raises EditRefused.
    """
    lines = tuple(line.strip() for line in lines)
    _blocks_of(lines)
    everybody = views(document, node, read)
    places = [(view, walk(view, path)) for view in everybody]
    seen = [(view, found) for view, found in places if can_be_made(found)]
    if not seen:
        raise EditRefused(f"there is no {' / '.join(path)}")
    splices: list[Splice] = []
    for heads in {found.missing for _, found in seen}:
        group = [(view, found) for view, found in seen if found.missing == heads]
        block = (*(f"{head} {{" for head in heads), *lines, *("}" for _ in heads))
        around = path[: len(path) - len(heads)]
        readers = [(view, walk(view, around)) for view in everybody]
        splices += _added(document, group, readers, block, node)
    return applied(document, splices)


def add_address(
    document: Document,
    instance: str,
    address: str,
    *,
    block: str = "virtual_ipaddress",
    node: str | None = None,
) -> Document:
    """The document with one more address line in the instance's block. Raises EditRefused."""
    return add(document, (f"vrrp_instance {quote(instance)}", block), address, node=node)


def remove_address(
    document: Document,
    instance: str,
    address: str,
    *,
    block: str = "virtual_ipaddress",
    node: str | None = None,
) -> Document:
    """The document without that address line (`IP/len`, or only the IP). Raises EditRefused."""
    return remove(document, (f"vrrp_instance {quote(instance)}", block, address), node=node)


def _added(
    document: Document,
    lacking: list[tuple[View, Found]],
    readers: list[tuple[View, Found]],
    lines: Sequence[str],
    node: str | None,
) -> Iterator[Splice]:
    """Adds the lines to each block that lacks them, conditional if other nodes read it too."""
    owners = {spot(found.owner): found.owner for _, found in lacking}
    for place, owner in owners.items():
        who = [view for view, found in lacking if spot(found.owner) == place]
        if owner is not None:
            editable(document, who[0], owner)
        reading = [v.node for v, found in readers if not found.missing and found.holds(owner)]
        condition = None if owner is None else line_of(document, owner).condition
        prefixes = _conditions([view.node for view in who], reading, condition, node)
        yield from appended(document, owner, lines, prefixes)


def _conditions(
    who: list[str | None], all_: list[str | None], condition: str | None, node: str | None
) -> list[str]:
    """The conditions that limit a line to the nodes `who` in a block that the nodes `all_` read."""
    if node is not None:
        return [f"@{node} "]
    if who == all_:
        return [f"@{condition} " if condition is not None else ""]
    others = [name for name in all_ if name not in who]
    if condition is None and None not in who:
        return [f"@{name} " for name in who]
    if condition is None and len(others) == 1:
        return [f"@^{others[0]} "]
    raise EditRefused("only some nodes have this: edit the text, or one node after the other")


def _check_path(path: Path) -> None:
    if not path or not all(part.strip() for part in path):
        raise EditRefused("the path names no statement")


def one_line(value: str) -> None:
    """Raises EditRefused for a text that would not be a part of one statement."""
    kinds = {token.kind for token in tokens(value)}
    if "\n" in value or kinds & {OPEN, CLOSE, COMMENT} or value.count('"') % 2:
        shown = quote("text with # or {")
        raise EditRefused(f"a value is one line without braces and comments; quote it: {shown}")


def _blocks_of(lines: Sequence[str]) -> None:
    """Raises EditRefused for lines that are not whole statements and blocks."""
    depth = 0
    for line in lines:
        if line == "}":
            depth -= 1
        else:
            one_line(line.removesuffix("{"))
            depth += line.endswith("{")
            first = tokens(line)[0].text if tokens(line) else "{"
            if begins_a_macro(first) or first in INCLUDES or first == "{":
                raise EditRefused("a line begins with a word, not with a condition or a macro")
        if depth < 0:
            break
    if depth or not lines:
        raise EditRefused("give whole statements, and blocks with both their braces")
