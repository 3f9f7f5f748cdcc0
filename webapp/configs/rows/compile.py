"""Rows → one model per node. Reads rows, writes nothing.

Every row is read once, and strictly: a field that this release does not know raises
UnreadableRow, and is never left out. `read_rows` asks the database; `models_of` makes the models of
plain values, also in another process.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from hanode import wire
from hanode.conf import Config, VirtualServer, VrrpInstance
from webapp.configs import models
from webapp.configs.errors import UnreadableRow
from webapp.configs.models.row import Row, Stored
from webapp.configs.models.shapes import Json
from webapp.configs.rows.node_overlay import fields_for, in_node_order, object_of, position_of
from webapp.inventory.models import Cluster

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _GroupRead:
    row: models.Group
    stored: Stored
    members: dict[str, Stored]
    """By node name."""
    vips: list[Stored]
    excluded: list[Stored]


@dataclass(frozen=True, slots=True)
class _ServerRead:
    row: models.VirtualServer
    stored: Stored
    reals: list[Stored]


@dataclass(frozen=True, slots=True)
class NodeRows:
    """What the rows say of one node: for each object what its row is called, and its fields."""

    config: tuple[str, Json] | None
    """What no row of its own has."""
    instances: list[tuple[str, Json]]
    servers: list[tuple[str, Json]]


Rows = dict[str, NodeRows]
"""By node name, in the nodes' order."""


def compile_cluster(cluster: Cluster) -> dict[str, Config]:
    """What each node's file means, by node name in the nodes' order. Raises UnreadableRow."""
    return models_of(read_rows(cluster))


def read_rows(cluster: Cluster) -> Rows:
    """The cluster's rows as each node has them. Raises UnreadableRow."""
    draft = models.Draft.objects.filter(cluster=cluster).first()
    beside = draft.read().nodes if draft else {}
    groups = [_group_read(row) for row in cluster.groups.prefetch_related("members__node", "vips")]
    servers = [
        _ServerRead(row, row.read(), [real.read() for real in row.real_servers.all()])
        for row in cluster.virtual_servers.prefetch_related("real_servers")
    ]
    made = {}
    for node in cluster.nodes.values_list("name", flat=True):
        said = beside.get(node, {})
        made[node] = NodeRows(
            (draft.called, said) if draft and said else None,
            _here((g.row, _instance(node, g)) for g in groups),
            _here((s.row, _server(node, s)) for s in servers),
        )
    return made


def models_of(rows: Rows) -> dict[str, Config]:
    """The models that the rows mean. Raises UnreadableRow."""
    return {node: _model(said) for node, said in rows.items()}


def _model(said: NodeRows) -> Config:
    config = Config() if said.config is None else _object(said.config, Config)
    return replace(
        config,
        instances=tuple(_object(each, VrrpInstance) for each in said.instances),
        virtual_servers=tuple(_object(each, VirtualServer) for each in said.servers),
    )


def _group_read(row: models.Group) -> _GroupRead:
    vips = list(row.vips.all())
    return _GroupRead(
        row,
        row.read(),
        {member.node.name: member.read() for member in row.members.all()},
        [vip.read() for vip in vips if not vip.excluded],
        [vip.read() for vip in vips if vip.excluded],
    )


def _instance(node: str, group: _GroupRead) -> Json | None:
    member = group.members.get(node)
    fields = fields_for(node, group.stored)
    if member is None or fields is None:
        return None
    return {
        **fields,
        **member.columns,
        "vips": [_with_prefix(vip) for vip in _rows_of(node, group.vips)],
        "excluded": [_with_prefix(vip) for vip in _rows_of(node, group.excluded)],
    }


def _with_prefix(vip: Json) -> Json:
    """The language has an address's prefix apart; the row has both as they are written."""
    fields = {name: value for name, value in vip.items() if name != "address"}
    ip, slash, prefix = vip["address"].partition("/")
    return {**fields, "ip": ip, "prefix": int(prefix) if slash else None, "dev": vip["dev"] or None}


def _server(node: str, server: _ServerRead) -> Json | None:
    fields = fields_for(node, server.stored)
    return None if fields is None else {**fields, "real_servers": _rows_of(node, server.reals)}


def _rows_of(node: str, rows: Iterable[Stored]) -> list[Json]:
    return in_node_order(
        fields for stored in rows if (fields := fields_for(node, stored)) is not None
    )


def _here(rows: Iterable[tuple[Row, Json | None]]) -> list[tuple[str, Json]]:
    """The node's objects in its own order."""
    here = [(row.called, fields) for row, fields in rows if fields is not None]
    here.sort(key=lambda each: position_of(each[1]))
    return here


def _object(called: tuple[str, Json], cls: type[T]) -> T:
    name, fields = called
    try:
        return object_of(cls, fields)
    except wire.WireError as error:
        field, _, why = str(error).partition(": ")
        raise UnreadableRow(name, field, f"does not fit ({why})") from None
