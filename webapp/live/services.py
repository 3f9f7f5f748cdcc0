"""The state of a cluster as one typed value, for the page, the socket's snapshot and the API."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from hanode import wire
from hanode.events import PartChange, Transition
from webapp.inventory.models import Cluster, Node
from webapp.live import clock, conditions
from webapp.live.ageing import Ageing
from webapp.live.models import BrokerState, Event, NodeStatus, Outage, Probe
from webapp.live.nodeview import group_views, iso, node_view, stale_at, stamp, vip_places
from webapp.live.shape import (
    BrokerView,
    ClusterView,
    EventView,
    GroupView,
    NodeView,
    OutageView,
    ProbeView,
    TrackerView,
    VirtualServerView,
)

EVENTS_SHOWN = 50
OUTAGES_SHOWN = 10
BROKER_NOTED_EVERY_S = 1.0
"""How often ingest writes whether it reaches the broker, in seconds."""
INGEST_SILENT_S = 5 * BROKER_NOTED_EVERY_S
"""Ingest does not run if it wrote nothing for so long; a busy machine may delay it by less."""


def cluster_view(cluster: Cluster, now: datetime) -> ClusterView:
    """Everything on the cluster page at `now`."""
    rows = list(cluster.nodes.select_related("live").prefetch_related("conditions"))
    statuses = {node.name: status_of(node) for node in rows}
    nodes = [view_of(node, now) for node in rows]
    return {
        "slug": cluster.slug,
        "name": cluster.name,
        "nodes": nodes,
        "groups": _groups(cluster, nodes),
        "vips": vip_places(nodes),
        "virtual_servers": _virtual_servers(nodes, statuses),
        "trackers": _trackers(nodes, statuses),
        "events": _newest_first(silences(nodes) + recent_events(cluster)),
        "probe": probe_view(cluster, now),
        "broker": broker_view(now),
        "lab": has_lab(cluster),
    }


def _newest_first(told: list[EventView]) -> list[EventView]:
    return sorted(told, key=lambda event: event["at"], reverse=True)


def _groups(cluster: Cluster, nodes: list[NodeView]) -> list[GroupView]:
    groups = group_views(nodes)
    orphaned = [group["name"] for group in groups if not group["masters"]]
    return group_views(nodes, _left(cluster, orphaned)) if orphaned else groups


def _left(cluster: Cluster, groups: list[str]) -> dict[tuple[str, str], str | None]:
    """When each node left MASTER, by group and node; queried only for groups without a master."""
    said = Event.objects.filter(node__cluster=cluster, kind=Transition.kind, subject__in=groups)
    left: dict[tuple[str, str], str | None] = {}
    for node in cluster.nodes.all():
        for group in groups:
            last = (
                said.filter(Q(data__from="MASTER") | Q(data__to="MASTER"))
                .filter(node=node, subject=group)
                .first()
            )
            if last is not None:
                moved = last.typed
                still = isinstance(moved, Transition) and moved.new == "MASTER"
                left[group, node.name] = None if still else iso(last.wall_us)
    return left


def ageing_of(cluster_ids: Iterable[UUID], now: datetime) -> dict[UUID, Ageing]:
    """How each of these clusters stands at `now`; two queries, however many there are."""
    broker = broker_view(now)
    nodes: dict[UUID, list[NodeView]] = {pk: [] for pk in cluster_ids}
    found = Node.objects.filter(cluster__in=nodes).select_related("live")
    for node in found.prefetch_related("conditions"):
        nodes[node.cluster_id].append(view_of(node, now))
    return {pk: Ageing(views, broker) for pk, views in nodes.items()}


def status_of(node: Node) -> wire.NodeStatus | None:
    """The last status that the node sent; None if there is none or it cannot be decoded."""
    try:
        return wire.decode(wire.NodeStatus, node.live.status)
    except (NodeStatus.DoesNotExist, wire.WireError):
        return None


def view_of(node: Node, now: datetime) -> NodeView:
    """One node at `now`."""
    status = status_of(node)
    heard_at = node.live.heard_at if status else None
    return viewed(node, status, heard_at, now)


def viewed(
    node: Node, status: wire.NodeStatus | None, heard_at: datetime | None, now: datetime
) -> NodeView:
    """One node at `now`, if this is its last status."""
    known = conditions.stored(node.conditions.all())
    fresh = heard_at is not None and now < stale_at(heard_at, settings.HEARTBEAT_S)
    if status is not None and fresh:
        known += conditions.of_status(node.name, status, heard_at)
    return node_view(
        (str(node.pk), node.name, node.wire_id),
        status,
        heard_at,
        now=now,
        heartbeat_s=settings.HEARTBEAT_S,
        conditions=conditions.worst_first(known),
    )


def _virtual_servers(
    nodes: list[NodeView], statuses: dict[str, wire.NodeStatus | None]
) -> list[VirtualServerView]:
    views: dict[str, VirtualServerView] = {}
    for node in nodes:
        status = statuses[node["name"]]
        for server in status.virtual_servers if status else ():
            view = views.setdefault(
                server.key,
                {"key": server.key, "ipvs": "unknown", "up": None, "real_servers": []},
            )
            up = node["state"] == "up"
            if up:
                view["ipvs"] = _better_ipvs(view["ipvs"], node["ipvs"])
                view["up"] = bool(view["up"]) or server.up
            for real in server.real_servers:
                _add_real_server(view, node["name"], real, up)
    return list(views.values())


def _trackers(
    nodes: list[NodeView], statuses: dict[str, wire.NodeStatus | None]
) -> list[TrackerView]:
    return [
        {
            "node": node["name"],
            "kind": one.kind,
            "name": one.name,
            "up": one.up if node["state"] == "up" else None,
            "cause": one.cause if node["state"] == "up" else "not heard lately",
        }
        for node in nodes
        if (status := statuses[node["name"]]) is not None
        for one in status.trackers
    ]


def _better_ipvs(known: str, new: str) -> str:
    return known if known == "kernel" or not new else new


def _add_real_server(
    view: VirtualServerView, node: str, real: wire.RealServerStatus, up: bool
) -> None:
    row = next((r for r in view["real_servers"] if r["key"] == real.key), None)
    if row is None:
        row = {"key": real.key, "weight": real.weight, "nodes": {}}
        view["real_servers"].append(row)
    row["nodes"][node] = {
        "up": real.up if up else None,
        "cause": real.cause if up else "not heard lately",
        "since": iso(real.since_us) if up else None,
    }


def recent_events(cluster: Cluster, limit: int = EVENTS_SHOWN) -> list[EventView]:
    """Newest first."""
    rows = Event.objects.filter(node__cluster=cluster).select_related("node")[:limit]
    return [event_view(row, row.node.name) for row in rows]


def silences(nodes: Iterable[NodeView]) -> list[EventView]:
    """A row for each node that fell silent: it cannot report that itself."""
    return [
        {
            "at": node["heard_at"],
            "node_clock": None,
            "node": node["name"],
            "kind": PartChange.kind,
            "severity": "warning",
            "subject": "node",
            "cause": "nothing was heard since: the node, its agent or the way to it is gone",
            "data": {"phase": "silent"},
        }
        for node in nodes
        if node["state"] == "unknown" and node["heard_at"]
    ]


def event_view(row: Event, node_name: str) -> EventView:
    """One event."""
    return {
        "at": stamp(row.at) or "",
        "node_clock": iso(row.wall_us) if clock.off_s(row.wall_us, row.at) is not None else None,
        "node": node_name,
        "kind": row.kind,
        "severity": row.typed.severity,
        "subject": row.subject,
        "cause": row.cause,
        "data": row.data,
    }


def probe_view(cluster: Cluster, now: datetime) -> ProbeView | None:
    """The cluster's probe at `now`; None if it has none."""
    probe = Probe.objects.filter(cluster=cluster).first()
    return probe_of(probe, now) if probe else None


def probe_of(probe: Probe, now: datetime) -> ProbeView:
    """One probe at `now`; unknown when it was not heard lately."""
    fresh = probe.heard_at is not None and now < stale_at(probe.heard_at, settings.HEARTBEAT_S)
    said: dict[str, Any] = probe.state
    return {
        "name": probe.name,
        "target": probe.target,
        "state": ("up" if said.get("up") else "down") if fresh else "unknown",
        "heard_at": stamp(probe.heard_at),
        "rtt_us": said.get("rtt_us") if fresh else None,
        "sent": said.get("sent", 0),
        "lost": said.get("lost", 0),
        "outages": [outage_view(row) for row in probe.outages.all()[:OUTAGES_SHOWN]],
    }


def outage_view(row: Outage) -> OutageView:
    """One outage; open ones have no end yet."""
    return {
        "since": iso(row.from_us) or "",
        "until": iso(row.to_us),
        "lost_ms": row.lost_ms,
        "sent": row.sent,
        "lost": row.lost,
    }


def broker_view(now: datetime) -> BrokerView:
    """Whether reports can arrive, as ingest last wrote it; this is readable without the broker."""
    row = BrokerState.objects.first()
    if row is None:
        return {"up": False, "since": None, "reason": "The ingest process has not started yet."}
    if now - row.checked_at > timedelta(seconds=INGEST_SILENT_S):
        reason = "The ingest process does not run; start it with manage.py ingest."
        return {"up": False, "since": stamp(row.checked_at), "reason": reason}
    reason = "" if row.up else "The message broker does not answer; nodes keep failing over."
    return {"up": row.up, "since": stamp(row.since), "reason": reason}


def has_lab(cluster: Cluster) -> bool:
    """Whether the lab's machines are this cluster's: its client's reports belong to it."""
    return bool(settings.LAB_SOCKET) and Probe.objects.filter(cluster=cluster).exists()


def ensure_probe(cluster: Cluster, name: str = "client") -> Probe:
    """The cluster's probe of that name; created if missing."""
    probe, _ = Probe.objects.get_or_create(
        cluster=cluster,
        name=name,
        defaults={"wire_id": f"probe-{cluster.slug[:30]}-{secrets.token_hex(4)}"},
    )
    return probe


def note_broker(up: bool, now: datetime) -> None:
    """Store whether ingest reaches the broker; `since` changes only when that changes."""
    row, _ = BrokerState.objects.get_or_create(
        pk=1, defaults={"up": up, "since": now, "checked_at": now}
    )
    since = row.since if row.up == up else now
    BrokerState.objects.filter(pk=row.pk).update(up=up, since=since, checked_at=now)
