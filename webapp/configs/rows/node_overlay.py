"""How values of several nodes become rows and come back. Decides only; touches no row.

A row's columns hold what the first node says. Where another node says something else, the
row's `extra` keeps it:

    {"fields": {…what has no column: comments, unknown statements…},
     "nodes": {"NodeB": {"vrid": 52, "@position": 1}},   # what this node says differently
     "absent": ["NodeC"]}                                # the parent's nodes without this row

`@position` stands only at the rows of a node whose order cannot be read from the rows' order.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hanode import wire

POSITION = "@position"

Fields = dict[str, Any]
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


def fields_of(value: Any) -> Fields:
    """A model object as plain JSON values, without the places where it was written."""
    encoded = _without_origin(wire.encode(value))
    assert isinstance(encoded, dict)
    return encoded


def _without_origin(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_origin(v) for k, v in value.items() if k not in ("origin", "places")}
    if isinstance(value, list):
        return [_without_origin(item) for item in value]
    return value


def object_of(cls: type[T], fields: Fields) -> T:
    """Inverse of `fields_of`."""
    return wire.decode(cls, {k: v for k, v in fields.items() if k != POSITION})


@dataclass(frozen=True, slots=True)
class Woven(Generic[K]):
    """One row to be: its key, and per node that has it the fields and the place in its list."""

    key: K
    position: int
    by_node: dict[str, Fields]


def weave(lists: Mapping[str, list[tuple[K, Fields]]]) -> list[Woven[K]]:
    """Rows of the nodes' lists, in an order that fits all of them where there is one.

    Keys are unique within a list. A node whose order does not fit gets `@position` in its fields.
    """
    order = _common_order([key for key, _ in items] for items in lists.values())
    values = {node: dict(items) for node, items in lists.items()}
    for node, items in lists.items():
        if [key for key in order if key in values[node]] != [key for key, _ in items]:
            for position, (key, fields) in enumerate(items):
                values[node][key] = {**fields, POSITION: position}
    return [
        Woven(key, i, {node: values[node][key] for node in lists if key in values[node]})
        for i, key in enumerate(order)
    ]


def numbered(keys: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The keys, made unique by how often each came before: a list may say a thing twice."""
    seen: dict[tuple[Any, ...], int] = {}
    result = []
    for key in keys:
        seen[key] = seen.get(key, -1) + 1
        result.append((*key, seen[key]))
    return result


def _common_order(lists: Iterable[Sequence[K]]) -> list[K]:
    """Every key once. One that comes new stands behind the one before it in its list."""
    after: dict[K | None, K | None] = {None: None}
    """None stands for the beginning, and for the end."""
    for keys in lists:
        before: K | None = None
        for key in keys:
            if key not in after:
                after[key], after[before] = after[before], key
            before = key
    order = []
    at = after[None]
    while at is not None:
        order.append(at)
        at = after[at]
    return order


def common_of(by_node: Mapping[str, Fields]) -> tuple[Fields, dict[str, Fields]]:
    """What the first node says, and what each other node says differently."""
    first = {k: v for k, v in next(iter(by_node.values())).items() if k != POSITION}
    deviations = {
        node: {k: v for k, v in fields.items() if k not in first or first[k] != v}
        for node, fields in by_node.items()
    }
    return first, {node: fields for node, fields in deviations.items() if fields}


def extra_of(
    common: Fields, columns: Iterable[str], deviations: dict[str, Fields], absent: list[str]
) -> Fields:
    """A row's `extra`: only what is not said by its columns."""
    named = {name for name in columns if not _too_large(common.get(name))}
    extra: Fields = {}
    if fields := {k: v for k, v in common.items() if k not in named and v not in ([], None)}:
        extra["fields"] = fields
    if deviations:
        extra["nodes"] = deviations
    if absent:
        extra["absent"] = absent
    return extra


COLUMN_MOST = 2**63 - 1
"""The largest number of a column; the language knows a larger time."""


def columns_of(common: Fields, columns: Iterable[str]) -> Fields:
    """What the columns hold; a number that is too large for them is left to `extra_of`."""
    return {name: None if _too_large(common[name]) else common[name] for name in columns}


def _too_large(value: Any) -> bool:
    return isinstance(value, int) and value > COLUMN_MOST


def fields_for(node: str, columns: Fields, extra: Fields) -> Fields | None:
    """What the row says for that node; None where the node has no such row."""
    if node in extra.get("absent", ()):
        return None
    return {**columns, **extra.get("fields", {}), **extra.get("nodes", {}).get(node, {})}


def in_node_order(rows: list[Fields]) -> list[Fields]:
    """A node's rows in its own order; `rows` come in the common one."""
    return sorted(rows, key=lambda fields: fields.get(POSITION, 0))


def without_deviation(extra: Fields, names: Iterable[str]) -> Fields:
    """`extra` after a form set these fields for all nodes: what it said of them is gone."""
    gone = set(names)
    nodes = {
        node: kept
        for node, fields in extra.get("nodes", {}).items()
        if (kept := {k: v for k, v in fields.items() if k not in gone})
    }
    fields = {k: v for k, v in extra.get("fields", {}).items() if k not in gone}
    rest = {k: v for k, v in extra.items() if k not in ("nodes", "fields")}
    return {**rest, **({"fields": fields} if fields else {}), **({"nodes": nodes} if nodes else {})}
