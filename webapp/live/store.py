"""Records → rows, idempotently, and what to tell whom once they are committed."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from hanode import events, wire
from webapp.inventory.models import Node
from webapp.live.models import Event, NodeStatus, Outage, Probe
from webapp.live.nodeview import delta, node_view
from webapp.live.services import probe_of
from webapp.live.streams import OutageSaid, ProbeSaid, Record, heard_at
from webapp.live.topics import Topic, touched_by

log = logging.getLogger(__name__)


@dataclass(slots=True)
class News:
    """What the rest of the house hears about a batch, after its commit."""

    messages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By channel group."""
    cluster_ids: set[UUID] = field(default_factory=set)
    cursors: dict[str, str] = field(default_factory=dict)
    """By wire id: `journal seq`, up to which the node may forget."""

    def say(self, group: str, message: dict[str, Any]) -> None:
        """Once per batch and group."""
        messages = self.messages.setdefault(group, [])
        if message not in messages:
            messages.append(message)

    def changed(self, group: str, *topics: Topic) -> None:
        """These fragments are out of date."""
        for topic in topics:
            self.say(group, {"kind": "changed", "topic": topic})


def store_node(node: Node, records: list[tuple[bytes, Record]], news: News, now: datetime) -> None:
    """One node's records of a batch; the caller holds the transaction."""
    live, _ = NodeStatus.objects.get_or_create(node=node)
    entries = [(i, r) for i, r in records if isinstance(r, wire.Event)]
    statuses = [(i, r) for i, r in records if isinstance(r, wire.NodeStatus)]
    if entries:
        _store_events(node, live, entries, news, now)
    if statuses:
        entry_id, status = statuses[-1]
        _store_status(node, live, status, heard_at(entry_id, now), news, now)
    if entries or statuses:
        news.cluster_ids.add(node.cluster_id)


def _store_events(
    node: Node,
    live: NodeStatus,
    entries: list[tuple[bytes, wire.Event]],
    news: News,
    now: datetime,
) -> None:
    rows = [
        Event(
            node=node,
            journal=event.journal[:64],
            seq=event.seq,
            wall_us=event.wall_us,
            kind=event.kind[:30],
            subject=event.subject[:200],
            cause=event.cause,
            data=event.data,
            heard_at=heard_at(entry_id, now),
        )
        for entry_id, event in entries
        if event.journal and event.seq > 0
    ]
    fresh = _not_yet_there(node, rows)
    if fresh:
        Event.objects.bulk_create(fresh, ignore_conflicts=True)  # a second ingest may be as fast
        group = node.cluster.channel_group
        told = [row.typed for row in fresh]
        news.changed(group, *touched_by(told))
        _note_unread(node, told)
    for row in rows:
        if row.journal != live.journal:
            live.journal, live.seq = row.journal, row.seq
        live.seq = max(live.seq, row.seq)
    live.save(update_fields=["journal", "seq"])
    if live.journal:
        news.cursors[node.wire_id] = f"{live.journal} {live.seq}"


def _note_unread(node: Node, told: list[events.Event]) -> None:
    """The page shows such an event as it came; whoever runs the control plane should know, too."""
    for event in told:
        if isinstance(event, events.UnknownEvent) and event.problem:
            log.warning("%s: the data of a %s event: %s", node.name, event.kind, event.problem)


def _not_yet_there(node: Node, rows: list[Event]) -> list[Event]:
    known = set(
        node.events.filter(
            journal__in={row.journal for row in rows}, seq__in=[row.seq for row in rows]
        ).values_list("journal", "seq")
    )
    return [row for row in rows if (row.journal, row.seq) not in known]


def _store_status(
    node: Node,
    live: NodeStatus,
    status: wire.NodeStatus,
    heard: datetime,
    news: News,
    now: datetime,
) -> None:
    if live.heard_at is not None and live.heard_at > heard:
        return  # a second ingest was ahead of this one
    identity = (str(node.pk), node.name, node.wire_id)
    try:
        old_status = wire.decode(wire.NodeStatus, live.status)
        old = node_view(
            identity, old_status, live.heard_at, now=now, heartbeat_s=settings.HEARTBEAT_S
        )
    except wire.WireError:
        old = None
    new = node_view(identity, status, heard, now=now, heartbeat_s=settings.HEARTBEAT_S)
    live.status, live.heard_at = wire.encode(status), heard
    live.save(update_fields=["status", "heard_at"])
    group = node.cluster.channel_group
    news.say(group, {"kind": "node", "node": node.wire_id, "delta": delta(old, new)})
    if old is None or old["state"] != new["state"] or old["instances"] != new["instances"]:
        news.changed(group, "groups")
    if old is None or old["revision"] != new["revision"]:
        news.changed(group, "config")


def store_probe(
    probe: Probe, records: list[tuple[bytes, Record]], news: News, now: datetime
) -> None:
    """One probe's records of a batch; the caller holds the transaction."""
    group = probe.cluster.channel_group
    for entry_id, record in records:
        if isinstance(record, ProbeSaid):
            probe.target, probe.heard_at = record.target[:200], heard_at(entry_id, now)
            probe.state = wire.encode(record)
        elif isinstance(record, OutageSaid):
            _store_outage(probe, record)
            news.changed(group, "outages")
    probe.save(update_fields=["target", "heard_at", "state"])
    news.say(group, {"kind": "probe", "probe": probe_of(probe, now)})


def _store_outage(probe: Probe, said: OutageSaid) -> None:
    row, created = Outage.objects.get_or_create(
        probe=probe,
        from_us=said.from_us,
        defaults={
            "to_us": said.to_us,
            "lost_ms": said.lost_ms,
            "sent": said.sent,
            "lost": said.lost,
        },
    )
    if not created and row.to_us is None:  # an end stays; its beginning may arrive again
        row.to_us, row.lost_ms = said.to_us, said.lost_ms
        row.sent, row.lost = said.sent, said.lost
        row.save()
