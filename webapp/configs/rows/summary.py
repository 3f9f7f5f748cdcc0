"""A short summary of a document for a page: its groups, its servers, and keywords without a form.

Decides only. Nothing of a document is dropped: keywords without a form stay in the text, and the
page names them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from hanode.conf import Config, RealServer, Statement, VirtualServer, VrrpInstance

REALS_SHOWN = 12
WORD_CHARS = 80
ROWS_SHOWN = 200
"""Rows of each kind on a page; it gives the number of the others."""


@dataclass(frozen=True, slots=True)
class Member:
    """A group on one node."""

    node: str
    state: str | None
    priority: int | None
    interface: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A vrrp_instance on all nodes that have it."""

    name: str
    vrid: int
    vips: tuple[str, ...]
    more_vips: int
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class ServerRow:
    """A virtual_server on all nodes that have it."""

    name: str
    reals: tuple[str, ...]
    more_reals: int
    nodes: tuple[str, ...]
    has_form: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """Keywords of one part of the document that no form shows. No nodes: all nodes have them."""

    where: str
    words: tuple[str, ...]
    nodes: tuple[str, ...]


def groups(models: Mapping[str, Config]) -> tuple[GroupRow, ...]:
    """The groups, in the order in which they first appear."""
    found: dict[str, list[tuple[str, VrrpInstance]]] = {}
    for node, model in models.items():
        for one in model.instances:
            found.setdefault(one.name, []).append((node, one))
    return tuple(_group(name, on) for name, on in found.items())


def _group(name: str, on: list[tuple[str, VrrpInstance]]) -> GroupRow:
    first = on[0][1]
    vips = tuple(dict.fromkeys(str(vip) for _, one in on for vip in (*one.vips, *one.excluded)))
    members = tuple(Member(node, i.state, i.priority, i.interface) for node, i in on)
    more = max(0, len(vips) - REALS_SHOWN)
    return GroupRow(name, first.vrid, vips[:REALS_SHOWN], more, members)


def servers(models: Mapping[str, Config]) -> tuple[ServerRow, ...]:
    """The virtual servers, also those named by fwmark or group."""
    found: dict[str, list[tuple[str, VirtualServer]]] = {}
    for node, model in models.items():
        for one in model.services:
            found.setdefault(one.key, []).append((node, one))
    return tuple(_server(name, on, len(models)) for name, on in found.items())


def _server(name: str, on: list[tuple[str, VirtualServer]], nodes: int) -> ServerRow:
    reals = tuple(dict.fromkeys(real.key for _, one in on for real in one.real_servers))
    names = tuple(dict.fromkeys(node for node, _ in on))
    return ServerRow(
        name,
        reals[:REALS_SHOWN],
        max(0, len(reals) - REALS_SHOWN),
        () if len(names) == nodes else names,
        has_form=bool(on[0][1].ip),
    )


def kept(models: Mapping[str, Config]) -> tuple[Kept, ...]:
    """All keywords that no form shows, by the part of the document."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for node, model in models.items():
        for where, words in _without_form(model):
            if words:
                found.setdefault((where, words), []).append(node)
    return tuple(
        Kept(where, words, () if len(nodes) == len(models) else tuple(nodes))
        for (where, words), nodes in found.items()
    )


def _without_form(model: Config) -> Iterator[tuple[str, tuple[str, ...]]]:
    written = [name for name in ("router_id", "vrrp_version") if getattr(model.globals, name)]
    yield "global_defs", (*written, *_words(model.globals.other))
    named = (short(f"virtual_server {server.key}") for server in model.named_servers)
    yield "the file", (*dict.fromkeys(named), *_words(model.other))
    for one in model.instances:
        yield f"vrrp_instance {one.name}", _words(one.other)
    for server in model.virtual_servers:
        yield f"virtual_server {server.key}", _words(server.other)
        yield from _reals(server)


def _reals(server: VirtualServer) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The real servers; those with the same keywords are one entry."""
    alike: dict[tuple[str, ...], list[RealServer]] = {}
    for real in server.real_servers:
        inner = _words(real.check.other) if real.check else ()
        more = ("TCP_CHECK",) if real.further_checks else ()
        words = (*_words(real.other), *more, *(f"TCP_CHECK {word}" for word in inner))
        alike.setdefault(words, []).append(real)
    for words, reals in alike.items():
        one = f"real_server {reals[0].key}"
        yield one if len(reals) == 1 else f"{len(reals)} real servers of {server.key}", words


def _words(statements: Iterable[Statement]) -> tuple[str, ...]:
    """The keywords; a block's with its name."""
    said = (
        " ".join(each.words[:2])
        if each.children is not None or each.keyword.startswith("include")
        else each.keyword
        for each in statements
    )
    return tuple(dict.fromkeys(short(each) for each in said))


def short(words: str) -> str:
    """The text, cut to what fits into a line of a page."""
    return words if len(words) <= WORD_CHARS else f"{words[:WORD_CHARS]}…"
