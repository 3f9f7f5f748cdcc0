"""Rows → one model per node → the cluster's document. Reads rows, writes nothing."""

from __future__ import annotations

from typing import Any

from hanode.conf import Config
from webapp.configs.models import Draft, Group, VirtualServer
from webapp.configs.rows import node_overlay
from webapp.configs.rows.absorb import GROUP_COLUMNS, MEMBER_COLUMNS, VIRTUAL_COLUMNS
from webapp.configs.rows.node_overlay import Fields, fields_for, in_node_order
from webapp.inventory.models import Cluster


def compile_cluster(cluster: Cluster) -> dict[str, Config]:
    """What each node's file means, by node name in the nodes' order."""
    names = list(cluster.nodes.values_list("name", flat=True))
    draft = Draft.objects.filter(cluster=cluster).first()
    groups = list(cluster.groups.prefetch_related("members__node", "vips"))
    servers = list(cluster.virtual_servers.prefetch_related("real_servers"))
    return {name: _config(name, draft, groups, servers) for name in names}


def _config(
    node: str, draft: Draft | None, groups: list[Group], servers: list[VirtualServer]
) -> Config:
    whole: Fields = dict(draft.extra.get("nodes", {}).get(node, {})) if draft else {}
    whole["instances"] = in_node_order([f for g in groups if (f := _instance(node, g))])
    whole["virtual_servers"] = in_node_order([f for s in servers if (f := _virtual(node, s))])
    return node_overlay.object_of(Config, whole)


def _columns(row: Any, names: tuple[str, ...]) -> Fields:
    return {name: getattr(row, name) for name in names}


def _instance(node: str, group: Group) -> Fields | None:
    member = next((m for m in group.members.all() if m.node.name == node), None)
    if member is None:
        return None
    fields = fields_for(node, _columns(group, GROUP_COLUMNS), group.extra)
    assert fields is not None
    fields |= _columns(member, MEMBER_COLUMNS)
    for name, excluded in (("vips", False), ("excluded", True)):
        rows = [vip for vip in group.vips.all() if vip.excluded == excluded]
        fields[name] = in_node_order(
            [f for v in rows if (f := _vip(node, v.address, v.dev, v.extra)) is not None]
        )
    return fields


def _vip(node: str, address: str, dev: str | None, extra: Fields) -> Fields | None:
    ip, slash, prefix = address.partition("/")
    columns: Fields = {"ip": ip, "prefix": int(prefix) if slash else None, "dev": dev or None}
    return fields_for(node, columns, extra)


def _virtual(node: str, server: VirtualServer) -> Fields | None:
    fields = fields_for(node, _columns(server, VIRTUAL_COLUMNS), server.extra)
    if fields is None:
        return None
    reals = [
        fields_for(
            node,
            {"ip": r.ip, "port": r.port, "weight": r.weight, "check": r.check_json},
            r.extra,
        )
        for r in server.real_servers.all()
    ]
    fields["real_servers"] = in_node_order([real for real in reals if real is not None])
    return fields
