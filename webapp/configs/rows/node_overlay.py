"""How values of several nodes become rows, and rows the values of one node.

Decides only; touches no row. `webapp.configs.models.row` has the form of what a row keeps.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hanode import wire
from webapp.configs.models.row import POSITION, Stored, extra_of
from webapp.configs.models.shapes import Json
from webapp.configs.models.strict import NEVER_STORED

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


def fields_of(value: Any) -> Json:
    """A model object as plain JSON values, without the places where it was written."""
    encoded = _without_places(wire.encode(value))
    assert isinstance(encoded, dict)
    return encoded


def _without_places(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_places(v) for k, v in value.items() if k not in NEVER_STORED}
    if isinstance(value, list):
        return [_without_places(item) for item in value]
    return value


def object_of(cls: type[T], fields: Json) -> T:
    """Inverse of `fields_of`. Raises wire.WireError."""
    return wire.decode(cls, {k: v for k, v in fields.items() if k != POSITION})


@dataclass(frozen=True, slots=True)
class MergedRow(Generic[K]):
    """One row of several nodes: its key, its place, and the fields on each node that has it."""

    key: K
    position: int
    by_node: dict[str, Json]


def merge_rows(lists: Mapping[str, list[tuple[K, Json]]]) -> list[MergedRow[K]]:
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
        MergedRow(key, i, {node: values[node][key] for node in lists if key in values[node]})
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
    """Every key once. A key that is new goes behind the one before it in its list."""
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


def split(by_node: Mapping[str, Json]) -> tuple[Json, dict[str, Json]]:
    """The first node's fields, and what each other node has instead."""
    first = {k: v for k, v in next(iter(by_node.values())).items() if k != POSITION}
    differences = {
        node: {k: v for k, v in fields.items() if k not in first or first[k] != v}
        for node, fields in by_node.items()
    }
    return first, {node: fields for node, fields in differences.items() if fields}


def extra_beside(
    columns: Iterable[str], common: Json, differences: dict[str, Json], absent: Iterable[str]
) -> Json:
    """A row's `extra`: what its columns (by the language's names) do not have."""
    in_columns = {name for name in columns if not _too_large(common.get(name))}
    fields = {k: v for k, v in common.items() if k not in in_columns and v not in ([], None)}
    return extra_of(fields, differences, absent)


COLUMN_MOST = 2**63 - 1
"""The largest number of a column; the language has larger times."""


def for_column(value: Any) -> Any:
    """The value of a column; None where it is too large and `extra` has it."""
    return None if _too_large(value) else value


def _too_large(value: Any) -> bool:
    return isinstance(value, int) and value > COLUMN_MOST


def fields_for(node: str, stored: Stored) -> Json | None:
    """The row's fields on that node. None: the node does not have the row."""
    if node in stored.absent:
        return None
    return {**stored.columns, **stored.fields, **stored.nodes.get(node, {})}


def in_node_order(rows: Iterable[Json]) -> list[Json]:
    """A node's rows in its own order; `rows` come in the common one."""
    return sorted(rows, key=position_of)


def position_of(fields: Json) -> int:
    """The row's place in the node's own order; 0: the common order is right for the node."""
    place: int = fields.get(POSITION, 0)
    return place
