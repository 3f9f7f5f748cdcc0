"""Document → rows. The inverse of compile up to layout: nothing that has meaning is lost.

Rows that stay keep their primary key, so that an open form still shows the same row. A row that
cannot be read is not overwritten: UnreadableRow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from hanode.conf import Config
from webapp.configs.models import Draft, Group, GroupNode, RealServer, Vip, VirtualServer
from webapp.configs.models.columns import columns_of
from webapp.configs.models.row import Row, extra_of
from webapp.configs.models.shapes import Json
from webapp.configs.rows import node_overlay
from webapp.configs.rows.node_overlay import MergedRow
from webapp.inventory.models import Cluster, Node

BATCH = 500
"""Rows that are written in one statement."""

R = TypeVar("R", bound=Row)
Lists = dict[str, list[Json]]
"""By node name, all its objects of one kind."""


def absorb(cluster: Cluster, models_by_node: dict[str, Config]) -> None:
    """Store these models (by node name) in the cluster's rows; the caller holds the transaction.

    Raises UnreadableRow.
    """
    absorb_fields(cluster, fields_by_node(models_by_node))


def fields_by_node(models_by_node: dict[str, Config]) -> dict[str, Json]:
    """The models as plain values, which come from another process cheaply."""
    return {name: node_overlay.fields_of(model) for name, model in models_by_node.items()}


def absorb_fields(cluster: Cluster, by_node: dict[str, Json]) -> None:
    """Like `absorb`, for the models' fields."""
    nodes = {node.name: node for node in cluster.nodes.all()}
    whole = {name: by_node[name] for name in nodes}
    draft, _ = Draft.objects.get_or_create(cluster=cluster)
    draft.read()
    beside = {name: _without(fields, Draft.ELSEWHERE) for name, fields in whole.items()}
    draft.extra = extra_of({}, beside, ())
    draft.save(update_fields=["extra"])
    _absorb_groups(cluster, nodes, {n: f["instances"] for n, f in whole.items()})
    _absorb_virtual_servers(cluster, {n: f["virtual_servers"] for n, f in whole.items()})


def _without(fields: Json, names: Iterable[str]) -> Json:
    return {name: value for name, value in fields.items() if name not in names}


def _merged(lists: Lists, *names: str) -> list[MergedRow[tuple[Any, ...]]]:
    def keyed(items: list[Json]) -> list[tuple[tuple[Any, ...], Json]]:
        keys = node_overlay.numbered(tuple(item[name] for name in names) for item in items)
        return list(zip(keys, items, strict=True))

    return node_overlay.merge_rows({node: keyed(items) for node, items in lists.items()})


def _by_key(rows: Iterable[R], key: Callable[[R], tuple[Any, ...]]) -> dict[Any, R]:
    """The rows by their numbered keys, each read once to see that it can be read."""
    found = list(rows)
    for row in found:
        row.read()
    return dict(zip(node_overlay.numbered(key(row) for row in found), found, strict=True))


def _values(row: type[Row], by_node: dict[str, Json], absent: Iterable[str] = ()) -> Json:
    """The values of the row's columns and of `extra`, by the columns' names."""
    said = {node: _without(fields, row.ELSEWHERE) for node, fields in by_node.items()}
    common, differences = node_overlay.split(said)
    columns = columns_of(row)
    names = [column.language_field for column in columns]
    return {
        **{c.name: node_overlay.for_column(common[c.language_field]) for c in columns},
        "extra": node_overlay.extra_beside(names, common, differences, absent),
    }


def _put(row: R, new: list[R], values: Json) -> R:
    """The row with these values: a new one is collected, an old one saved where it changed.

    Most saves change one line of a document that may have thousands of rows.
    """
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    if row._state.adding:
        new.append(row)
    elif changed:
        row.save(update_fields=changed)
    return row


def _drop(rows: dict[Any, R]) -> None:
    for row in rows.values():
        row.delete()


def _absorb_groups(cluster: Cluster, nodes: dict[str, Node], lists: Lists) -> None:
    old = _by_key(cluster.groups.all(), lambda g: (g.name,))
    for merged in _merged(lists, "name"):
        row = old.pop(merged.key, None) or Group(cluster=cluster)
        row.position = merged.position
        for name, value in _values(Group, merged.by_node).items():
            setattr(row, name, value)
        row.save()
        _absorb_members(row, nodes, merged.by_node)
        for excluded, name in ((False, "vips"), (True, "excluded")):
            _absorb_vips(row, excluded, {n: f[name] for n, f in merged.by_node.items()})
    _drop(old)


def _absorb_members(group: Group, nodes: dict[str, Node], by_node: dict[str, Json]) -> None:
    old = _by_key(group.members.all(), lambda m: (m.node_id,))
    for name, fields in by_node.items():
        pk = nodes[name].pk
        row = old.pop((pk, 0), None) or GroupNode(group=group, node=nodes[name])
        for column in columns_of(GroupNode):
            setattr(row, column.name, fields[column.language_field])
        row.extra = extra_of({}, {}, ())
        row.save()
    _drop(old)


def _absorb_vips(group: Group, excluded: bool, lists: Lists) -> None:
    old = _by_key(group.vips.filter(excluded=excluded), lambda v: (v.address,))
    new: list[Vip] = []
    lists = {node: [_as_written(item) for item in items] for node, items in lists.items()}
    for merged in _merged(lists, "address"):
        row = old.pop(merged.key, None) or Vip(group=group, excluded=excluded)
        values = _values(Vip, merged.by_node, _absent(lists, merged))
        _put(row, new, {**values, "position": merged.position})
    Vip.objects.bulk_create(new, BATCH)
    _drop(old)


def _as_written(vip: Json) -> Json:
    """With the address and its prefix together, as the row has them."""
    address = vip["ip"] if vip["prefix"] is None else f"{vip['ip']}/{vip['prefix']}"
    return {**vip, "address": address}


def _absent(lists: Lists, merged: MergedRow[Any]) -> list[str]:
    return [node for node in lists if node not in merged.by_node]


def _absorb_virtual_servers(cluster: Cluster, lists: Lists) -> None:
    rows = cluster.virtual_servers.prefetch_related("real_servers")
    old = _by_key(rows, lambda v: (v.ip, v.port, v.protocol))
    new: list[VirtualServer] = []
    inner: list[tuple[VirtualServer, Iterable[RealServer], Lists]] = []
    for merged in _merged(lists, "ip", "port", "protocol"):
        row = old.pop(merged.key, None) or VirtualServer(cluster=cluster)
        values = _values(VirtualServer, merged.by_node, _absent(lists, merged))
        _put(row, new, {**values, "position": merged.position})
        had: Iterable[RealServer] = () if row._state.adding else row.real_servers.all()
        inner.append((row, had, {n: f["real_servers"] for n, f in merged.by_node.items()}))
    _drop(old)
    VirtualServer.objects.bulk_create(new, BATCH)
    reals: list[RealServer] = []
    for row, had, by_node in inner:
        _absorb_real_servers(row, had, by_node, reals)
    RealServer.objects.bulk_create(reals, BATCH)


def _absorb_real_servers(
    server: VirtualServer, had: Iterable[RealServer], lists: Lists, new: list[RealServer]
) -> None:
    old = _by_key(had, lambda r: (r.ip, r.port))
    for merged in _merged(lists, "ip", "port"):
        row = old.pop(merged.key, None) or RealServer(virtual_server=server)
        values = _values(RealServer, merged.by_node, _absent(lists, merged))
        _put(row, new, {**values, "position": merged.position})
    _drop(old)
