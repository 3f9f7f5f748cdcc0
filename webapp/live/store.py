"""Stores records as rows, idempotently, and collects what is sent after the commit.

Entries may arrive twice, and an older one after a newer one: several ingests may run, and one takes
over what another did not acknowledge. Rows are unique, and no older report replaces a newer one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from hanode import events, wire
from webapp.inventory.models import Node
from webapp.live import clock
from webapp.live.models import Event, NodeStatus, Outage, Probe
from webapp.live.nodeview import delta
from webapp.live.services import probe_of, viewed
from webapp.live.streams import INTEGER_MAX, OutageReport, ProbeReport, Record, heard_at
from webapp.live.topics import Topic, touched_by

log = logging.getLogger(__name__)


@dataclass(slots=True)
class AfterCommit:
    """What the caller sends after the commit of a batch."""

    messages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """To browsers, by channel group."""
    cluster_ids: set[UUID] = field(default_factory=set)
    """Clusters whose nodes reported: their rollouts may move."""
    cursors: dict[str, str] = field(default_factory=dict)
    """By wire id: `journal seq`, up to which the node may forget its events."""

    def message(self, group: str, message: dict[str, Any]) -> None:
        """Send this to the group, once per batch."""
        messages = self.messages.setdefault(group, [])
        if message not in messages:
            messages.append(message)

    def changed(self, group: str, *topics: Topic) -> None:
        """Tell the group that these fragments of the page are out of date."""
        for topic in topics:
            self.message(group, {"kind": "changed", "topic": topic})


def store_node(
    node: Node, records: list[tuple[bytes, Record]], after: AfterCommit, now: datetime
) -> None:
    """Store one node's records of a batch; the caller holds the transaction."""
    live, _ = NodeStatus.objects.get_or_create(node=node)
    entries = [(i, r) for i, r in records if isinstance(r, wire.Event)]
    statuses = [(i, r) for i, r in records if isinstance(r, wire.NodeStatus)]
    if entries:
        _store_events(node, live, entries, _clock_of(live, statuses, now), after, now)
    if statuses:
        entry_id, status = statuses[-1]
        _store_status(node, live, status, heard_at(entry_id, now), after, now)
    if entries or statuses:
        after.cluster_ids.add(node.cluster_id)


def _store_events(
    node: Node,
    live: NodeStatus,
    entries: list[tuple[bytes, wire.Event]],
    ahead_s: float | None,
    after: AfterCommit,
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
            heard_at=(heard := heard_at(entry_id, now)),
            at=clock.happened_at(event.wall_us, heard, ahead_s),
        )
        for entry_id, event in entries
        if event.journal and event.seq > 0
    ]
    fresh = _not_yet_there(node, rows)
    if fresh:
        # A second ingest may store the same events at the same moment.
        Event.objects.bulk_create(fresh, ignore_conflicts=True)
        group = node.cluster.channel_group
        told = [row.typed for row in fresh]
        after.changed(group, *touched_by(told))
        _note_unread(node, told)
    for row in rows:
        if row.journal != live.journal:
            live.journal, live.seq = row.journal, row.seq
        live.seq = max(live.seq, row.seq)
    live.save(update_fields=["journal", "seq"])
    _note_numbers(live, *(one.revision for one in map(_typed, rows) if one is not None))
    if live.journal:
        after.cursors[node.wire_id] = f"{live.journal} {live.seq}"


def _typed(row: Event) -> events.RevisionStep | None:
    told = row.typed if row.kind == events.RevisionStep.kind else None
    return told if isinstance(told, events.RevisionStep) else None


def _note_numbers(live: NodeStatus, *numbers: int) -> None:
    """Keep the highest revision that the node spoke of."""
    highest = max((one for one in numbers if 0 <= one <= INTEGER_MAX), default=0)
    NodeStatus.objects.filter(pk=live.pk, newest_revision__lt=highest).update(
        newest_revision=highest
    )


def _clock_of(
    live: NodeStatus, statuses: list[tuple[bytes, wire.NodeStatus]], now: datetime
) -> float | None:
    """How far the node's clock is off, by its newest status; None: it is right, or unknown."""
    if not statuses:
        return live.clock_ahead_s
    entry_id, status = statuses[-1]
    return clock.off_s(status.wall_us, heard_at(entry_id, now))


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
    after: AfterCommit,
    now: datetime,
) -> None:
    try:
        old_status = wire.decode(wire.NodeStatus, live.status)
        old = viewed(node, old_status, live.heard_at, now)
    except wire.WireError:
        old, old_status = None, None
    new = viewed(node, status, heard, now)
    _note_numbers(live, status.revision, status.confirmed_revision, status.newest_revision)
    rows = NodeStatus.objects.filter(_not_newer_than(heard), pk=live.pk)
    ahead_s = clock.off_s(status.wall_us, heard)
    if not rows.update(status=wire.encode(status), heard_at=heard, clock_ahead_s=ahead_s):
        return
    group = node.cluster.channel_group
    after.message(group, {"kind": "node", "node": node.wire_id, "delta": delta(old, new)})
    if old is None or old["state"] != new["state"] or old["instances"] != new["instances"]:
        after.changed(group, "groups")
    elif old_status is None or _checks(old_status) != _checks(status):
        after.changed(group, "groups")  # the event that told it may have come before this status
    if old is None or old["revision"] != new["revision"]:
        after.changed(group, "config")


def _checks(status: wire.NodeStatus) -> tuple[object, ...]:
    """What scripts, processes and health checks found: the verdict and the servers show it."""
    return status.trackers, status.virtual_servers


def _not_newer_than(heard: datetime) -> Q:
    """Rows that a report heard then may replace: another ingest may be ahead of this one."""
    return Q(heard_at=None) | Q(heard_at__lte=heard)


def store_probe(
    probe: Probe, records: list[tuple[bytes, Record]], after: AfterCommit, now: datetime
) -> None:
    """Store one probe's records of a batch; the caller holds the transaction."""
    group, changed = probe.cluster.channel_group, False
    for entry_id, record in records:
        if isinstance(record, ProbeReport):
            changed = _store_probe_report(probe, record, heard_at(entry_id, now)) or changed
        elif isinstance(record, OutageReport):
            _store_outage(probe, record)
            after.changed(group, "outages")
            changed = True
    row = Probe.objects.filter(pk=probe.pk).first() if changed else None
    if row is not None:
        after.message(group, {"kind": "probe", "probe": probe_of(row, now)})


def _store_probe_report(probe: Probe, report: ProbeReport, heard: datetime) -> bool:
    """Store it, and say whether: it may be older than the one that the row has."""
    rows = Probe.objects.filter(_not_newer_than(heard), pk=probe.pk)
    values = {"target": report.target[:200], "state": wire.encode(report), "heard_at": heard}
    return bool(rows.update(**values))


def _store_outage(probe: Probe, report: OutageReport) -> None:
    values = {
        "to_us": report.to_us,
        "lost_ms": report.lost_ms,
        "sent": report.sent,
        "lost": report.lost,
    }
    row, created = Outage.objects.get_or_create(
        probe=probe, from_us=report.from_us, defaults=values
    )
    if not created and row.to_us is None:  # an end stays; its beginning may arrive again
        Outage.objects.filter(pk=row.pk).update(**values)
