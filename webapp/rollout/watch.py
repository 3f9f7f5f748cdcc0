"""What nodes report, beside what the database knows: for pushes, and as conditions of nodes."""

from __future__ import annotations

import functools
import logging
from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from django.conf import settings

from hanode import wire
from webapp.common import workers
from webapp.configs import language
from webapp.configs.models import Revision, RevisionFile
from webapp.configs.services import newest_number
from webapp.inventory.models import Cluster, Node
from webapp.live import conditions
from webapp.live.models import NodeStatus
from webapp.live.nodeview import stale_at
from webapp.live.services import status_of
from webapp.rollout import desired, history, transport
from webapp.rollout.held import held
from webapp.rollout.models import OPEN_STATES, Rollout
from webapp.rollout.settle import Member, Settling, settling
from webapp.rollout.together import apart

log = logging.getLogger(__name__)

KINDS = ("ahead", "forked", "behind")


def numbers_above(cluster: Cluster) -> int:
    """The number that the cluster's next revision must be above.

    Of all that is known here, that a node ever reported, and that the broker holds for a node: the
    last two outlive a database that is restored.
    """
    nodes = list(cluster.nodes.all())
    claimed = NodeStatus.objects.filter(node__in=nodes).values_list("newest_revision", flat=True)
    try:
        in_broker = held(nodes)
    except transport.BrokerAway as error:
        log.warning("%s: numbers that the broker holds are not known now: %s", cluster, error)
        in_broker = {}
    return history.number_above(newest_number(cluster.pk), [*claimed, *in_broker.values()])


def look(nodes: Iterable[Node], now: datetime) -> None:
    """Open and close the conditions of these nodes."""
    by_id = {node.pk: node for node in nodes}
    busy = set(
        Rollout.objects.filter(state__in=OPEN_STATES).values_list("revision__cluster", flat=True)
    )
    try:
        in_broker = held(by_id.values())
    except transport.BrokerAway:
        in_broker = {}
    newest = {one: newest_number(one) for one in {node.cluster_id for node in by_id.values()}}
    texts: dict[tuple[UUID, str], str] = {}
    for node in by_id.values():
        wanted = desired.wanted_for(node)
        known = history.Known(
            newest=newest[node.cluster_id],
            files=_files(node),
            wanted=wanted.file.revision.number if wanted else None,
            under_way=node.cluster_id in busy,
        )
        found = history.condition(
            node.name, _reported(node, now), known, in_broker=in_broker.get(node.wire_id, 0)
        )
        if found is not None:
            texts[node.pk, found[0]] = found[1]
    conditions.found(KINDS, by_id, texts, now)


def _files(node: Node) -> dict[int, str]:
    """The hash of the one file that the node could run, by its number."""
    status = status_of(node)
    number = status.revision if status else 0
    rows = RevisionFile.objects.filter(node=node, revision__number=number)
    return dict(rows.values_list("revision__number", "sha256"))


def _reported(node: Node, now: datetime) -> history.Reported | None:
    status = status_of(node)
    return (
        None
        if status is None
        else history.Reported(
            revision=status.revision,
            confirmed=status.confirmed_revision,
            newest=status.newest_revision,
            sha256=status.config_sha256,
            heard=_heard(node, now),
        )
    )


def _heard(node: Node, now: datetime) -> bool:
    heard_at = node.live.heard_at
    return heard_at is not None and now < stale_at(heard_at, settings.HEARTBEAT_S)


@functools.lru_cache(maxsize=32)
def _preemption(text: str, node: str) -> dict[str, tuple[bool, float]]:
    """Asked for at every report of a node while a rollout waits, and always of the same files."""
    return workers.run(language.preemption, text, node)


def settling_of(revision: Revision, now: datetime) -> Settling:
    """What the nodes that keep this revision together still lack."""
    members: dict[str, list[Member]] = {}
    for file in revision.files.select_related("node__live"):
        status, heard = status_of(file.node), False
        if status is not None:
            heard = _heard(file.node, now)
        told = {one.name: one for one in status.instances} if status and heard else {}
        for name, (preempts, delay_s) in _preemption(file.text, file.node.name).items():
            one = told.get(name)
            member = (
                Member(file.node.name, "INIT" if heard else "unknown", 0)
                if one is None
                else Member(
                    node=file.node.name,
                    state=one.state,
                    priority=one.effective_priority,
                    preempts=preempts,
                    preempt_delay_s=delay_s,
                    missing=_missing(one),
                )
            )
            members.setdefault(name, []).append(member)
    return settling(members)


def left_apart(revision: Revision, kept: Collection[Node]) -> str:
    """What a rollout that stopped half way has parted: sentences; empty: nothing.

    `kept`: the nodes that keep the revision; the others run what they kept before.
    """
    files = {}
    for node in revision.cluster.nodes.all():
        wanted = desired.wanted_for(node)
        if node in kept:
            files[node.name] = revision.files.get(node=node).text
        elif wanted is not None:
            files[node.name] = wanted.file.text
        else:
            start = RevisionFile.objects.filter(node=node, revision__number=0).first()
            if start is not None:
                files[node.name] = start.text
    said = apart(language.models_of(files))
    return f"{said} Push again, or push what was before." if said else ""


def _missing(instance: wire.InstanceStatus) -> tuple[str, ...]:
    return tuple(vip.address for vip in instance.vips if not vip.present)
