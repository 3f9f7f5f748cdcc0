"""Document → rows. The inverse of compile up to layout: nothing that has meaning is lost.

Rows that stay keep their primary key, so that an open form still points at the same thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.db import models

from hanode.conf import Config
from webapp.configs.models import Draft, Group, GroupNode, RealServer, Vip, VirtualServer
from webapp.configs.rows import node_overlay
from webapp.configs.rows.node_overlay import Fields, Woven
from webapp.inventory.models import Cluster, Node

GROUP_COLUMNS = ("name", "vrid", "advert_int_us", "version", "auth_type", "auth_pass", "nopreempt")
MEMBER_COLUMNS = ("state", "priority", "interface")
VIRTUAL_COLUMNS = ("ip", "port", "protocol", "lb_algo", "lb_kind", "delay_loop_us")
REAL_COLUMNS = ("ip", "port", "weight", "check")

BATCH = 500
"""Rows that are written in one statement."""

M = TypeVar("M", bound=models.Model)


def absorb(cluster: Cluster, models_by_node: dict[str, Config]) -> None:
    """Make the cluster's rows say what these models say; the caller holds the transaction."""
    nodes = {node.name: node for node in cluster.nodes.all()}
    whole = {name: node_overlay.fields_of(models_by_node[name]) for name in nodes}
    Draft.objects.update_or_create(
        cluster=cluster,
        defaults={
            "extra": {
                "nodes": {
                    name: {
                        k: v for k, v in fields.items() if k not in ("instances", "virtual_servers")
                    }
                    for name, fields in whole.items()
                }
            }
        },
    )
    _absorb_groups(cluster, nodes, {n: f["instances"] for n, f in whole.items()})
    _absorb_virtual_servers(cluster, {n: f["virtual_servers"] for n, f in whole.items()})


def _woven(lists: dict[str, list[Fields]], *names: str) -> list[Woven[tuple[Any, ...]]]:
    def keyed(items: list[Fields]) -> list[tuple[tuple[Any, ...], Fields]]:
        keys = node_overlay.numbered(tuple(item[name] for name in names) for item in items)
        return list(zip(keys, items, strict=True))

    return node_overlay.weave({node: keyed(items) for node, items in lists.items()})


def _reuse(rows: Iterable[M], key: Callable[[M], tuple[Any, ...]]) -> dict[Any, M]:
    found = list(rows)  # in the rows' order: a thing said twice keeps its first and second row
    return dict(zip(node_overlay.numbered(key(row) for row in found), found, strict=True))


def _put(row: M, new: list[M], values: dict[str, Any]) -> M:
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


def _drop(rows: dict[Any, M]) -> None:
    for row in rows.values():
        row.delete()


def _absorb_groups(
    cluster: Cluster, nodes: dict[str, Node], lists: dict[str, list[Fields]]
) -> None:
    old = _reuse(cluster.groups.all(), lambda g: (g.name,))
    for woven in _woven(lists, "name"):
        row = old.pop(woven.key, None) or Group(cluster=cluster)
        shared = {
            node: {k: v for k, v in fields.items() if k not in (*MEMBER_COLUMNS, *INNER)}
            for node, fields in woven.by_node.items()
        }
        common, deviations = node_overlay.common_of(shared)
        row.position = woven.position
        for name in GROUP_COLUMNS:
            setattr(row, name, common[name])
        row.extra = node_overlay.extra_of(common, GROUP_COLUMNS, deviations, [])
        row.save()
        _absorb_members(row, nodes, woven.by_node)
        for excluded, name in ((False, "vips"), (True, "excluded")):
            _absorb_vips(row, excluded, {n: f[name] for n, f in woven.by_node.items()})
    _drop(old)


INNER = ("vips", "excluded")


def _absorb_members(group: Group, nodes: dict[str, Node], by_node: dict[str, Fields]) -> None:
    old = {row.node_id: row for row in group.members.all()}
    for name, fields in by_node.items():
        row = old.pop(nodes[name].pk, None) or GroupNode(group=group, node=nodes[name])
        for column in MEMBER_COLUMNS:
            setattr(row, column, fields[column])
        row.save()
    _drop(old)


def _address(fields: Fields) -> str:
    return fields["ip"] if fields["prefix"] is None else f"{fields['ip']}/{fields['prefix']}"


def _absorb_vips(group: Group, excluded: bool, lists: dict[str, list[Fields]]) -> None:
    old = _reuse(group.vips.filter(excluded=excluded), lambda v: (v.address,))
    new: list[Vip] = []
    lists = {
        node: [{**item, "address": _address(item)} for item in items]
        for node, items in lists.items()
    }
    for woven in _woven(lists, "address"):
        row = old.pop(woven.key, None) or Vip(group=group, excluded=excluded)
        common, deviations = node_overlay.common_of(woven.by_node)
        absent = [node for node in lists if node not in woven.by_node]
        named = ("ip", "prefix", "address", "dev")
        values = {name: common[name] for name in ("address", "dev")}
        extra = node_overlay.extra_of(common, named, deviations, absent)
        _put(row, new, {**values, "position": woven.position, "extra": extra})
    Vip.objects.bulk_create(new, BATCH)
    _drop(old)


def _absorb_virtual_servers(cluster: Cluster, lists: dict[str, list[Fields]]) -> None:
    rows = cluster.virtual_servers.prefetch_related("real_servers")
    old = _reuse(rows, lambda v: (v.ip, v.port, v.protocol))
    new: list[VirtualServer] = []
    inner: list[tuple[VirtualServer, Iterable[RealServer], dict[str, list[Fields]]]] = []
    for woven in _woven(lists, "ip", "port", "protocol"):
        row = old.pop(woven.key, None) or VirtualServer(cluster=cluster)
        outer = {
            node: {k: v for k, v in fields.items() if k != "real_servers"}
            for node, fields in woven.by_node.items()
        }
        common, deviations = node_overlay.common_of(outer)
        values = node_overlay.columns_of(common, VIRTUAL_COLUMNS)
        absent = [node for node in lists if node not in woven.by_node]
        extra = node_overlay.extra_of(common, VIRTUAL_COLUMNS, deviations, absent)
        _put(row, new, {**values, "position": woven.position, "extra": extra})
        had: Iterable[RealServer] = () if row._state.adding else row.real_servers.all()
        inner.append((row, had, {n: f["real_servers"] for n, f in woven.by_node.items()}))
    _drop(old)
    VirtualServer.objects.bulk_create(new, BATCH)
    reals: list[RealServer] = []
    for row, had, by_node in inner:
        _absorb_real_servers(row, had, by_node, reals)
    RealServer.objects.bulk_create(reals, BATCH)


def _absorb_real_servers(
    server: VirtualServer,
    had: Iterable[RealServer],
    lists: dict[str, list[Fields]],
    new: list[RealServer],
) -> None:
    old = _reuse(had, lambda r: (r.ip, r.port))
    for woven in _woven(lists, "ip", "port"):
        row = old.pop(woven.key, None) or RealServer(virtual_server=server)
        common, deviations = node_overlay.common_of(woven.by_node)
        values = node_overlay.columns_of(common, ("ip", "port", "weight"))
        absent = [node for node in lists if node not in woven.by_node]
        extra = node_overlay.extra_of(common, REAL_COLUMNS, deviations, absent)
        values |= {"check_json": common["check"], "extra": extra}
        _put(row, new, {**values, "position": woven.position})
    _drop(old)
