"""Rows → one model per node. Reads rows, writes nothing.

Every row is read once, and strictly: a field that this release does not know raises
UnreadableRow, and is never left out.
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


def compile_cluster(cluster: Cluster) -> dict[str, Config]:
    """What each node's file means, by node name in the nodes' order. Raises UnreadableRow."""
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
        config = _object(draft, Config, said) if draft and said else Config()
        made[node] = replace(
            config,
            instances=_objects(VrrpInstance, ((g.row, _instance(node, g)) for g in groups)),
            virtual_servers=_objects(VirtualServer, ((s.row, _server(node, s)) for s in servers)),
        )
    return made


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


def _objects(cls: type[T], rows: Iterable[tuple[Row, Json | None]]) -> tuple[T, ...]:
    """The node's objects in its own order."""
    here = [(row, fields) for row, fields in rows if fields is not None]
    here.sort(key=lambda each: position_of(each[1]))
    return tuple(_object(row, cls, fields) for row, fields in here)


def _object(row: Row, cls: type[T], fields: Json) -> T:
    try:
        return object_of(cls, fields)
    except wire.WireError as error:
        field, _, why = str(error).partition(": ")
        raise UnreadableRow(row.called, field, f"does not fit ({why})") from None
