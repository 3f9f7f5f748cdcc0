"""What is wrong with a node and stays so until a person does something: kinds, words, rows.

Two kinds follow from a node's last status alone (`of_status`). The others are found by whoever can
see them (ingest: `flood`; rollouts: `ahead`, `forked`, `behind`) and stand in rows, opened and
closed by `found`, so that every process shows the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from hanode import wire
from webapp.inventory.models import Node
from webapp.live import clock, publish
from webapp.live.models import Condition
from webapp.live.shape import ConditionView

KINDS = {
    "ahead": "runs an unknown revision",
    "forked": "runs another revision of the same number",
    "behind": "does not run what it should",
    "deaf": "does not look for what it should run",
    "clock": "has a wrong clock",
    "flood": "sends too much",
}
"""By kind: the words for a chip, after the node's name. The first is the worst."""


def of_status(name: str, status: wire.NodeStatus, heard_at: datetime | None) -> list[ConditionView]:
    """PURE. What a node's last status shows, if that status is recent."""
    found: list[ConditionView] = []
    if status.late:
        what = ", ".join(
            f"{LATE.get(task, task)} for {seconds:.0f} s"
            for task, seconds in sorted(status.late.items())
        )
        text = (
            f"{name} reports, but its agent has not {what}. "
            f"End the agent on {name} (kill its process): it is started again."
        )
        found.append({"kind": "deaf", "text": text})
    ahead_s = clock.off_s(status.wall_us, heard_at)
    if ahead_s is not None:
        text = (
            f"{name}'s clock is {clock.told(ahead_s)}; its events stand where they were heard. "
            f"Set it, for example with chrony: signed adverts with a time need clocks that agree."
        )
        found.append({"kind": "clock", "text": text})
    return found


LATE = {
    "orders": "looked for what it should run",
    "events": "sent the events that wait",
    "nudges": "listened for nudges",
}


def stored(rows: Iterable[Condition]) -> list[ConditionView]:
    """PURE. Rows as the page has them."""
    return [{"kind": row.kind, "text": row.text} for row in rows]


def worst_first(views: Iterable[ConditionView]) -> list[ConditionView]:
    """PURE. In the order of KINDS."""
    order = list(KINDS)
    return sorted(views, key=lambda one: order.index(one["kind"]))


def found(
    kinds: Iterable[str],
    nodes: Mapping[UUID, Node],
    texts: Mapping[tuple[UUID, str], str],
    now: datetime,
) -> None:
    """Open, change and close conditions of these kinds so that these nodes have just `texts`.

    `texts`: by node and kind. A condition keeps its `since` as long as it stands; pages are told
    of what changed.
    """
    rows = Condition.objects.filter(node__in=nodes, kind__in=list(kinds))
    before = {(row.node_id, row.kind): row.text for row in rows}
    changed: set[UUID] = set()
    for (node_id, kind), text in texts.items():
        if before.get((node_id, kind)) == text:
            continue
        changed.add(node_id)
        values = {"text": text}
        Condition.objects.update_or_create(
            node_id=node_id, kind=kind, defaults=values, create_defaults={**values, "since": now}
        )
    for node_id, kind in set(before) - set(texts):
        changed.add(node_id)
        Condition.objects.filter(node_id=node_id, kind=kind).delete()
    for cluster in {nodes[node_id].cluster for node_id in changed}:
        publish.changed(cluster, "nodes", "groups")
