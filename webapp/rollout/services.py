"""The push: freeze a revision, advance its steps, and keep the nodes' keys up to date.

The rows say what every node should run, so `advance` and `reconcile` may run at any time, twice, or
after a crash between commit and send.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from hanode.events import RevisionStep
from webapp.accounts import access
from webapp.accounts.models import User
from webapp.accounts.services import audit
from webapp.configs.models import Draft, RevisionFile
from webapp.configs.services import freeze, pending
from webapp.inventory.models import Cluster, Node
from webapp.live import publish
from webapp.live.models import Event
from webapp.live.nodeview import stale_at
from webapp.live.services import status_of
from webapp.rollout import desired, looks, plan, transport, watch
from webapp.rollout.errors import RolloutBusy
from webapp.rollout.models import OPEN_STATES, Rollout, RolloutState, Step, StepState
from webapp.rollout.settle import SETTLED

log = logging.getLogger(__name__)


def push(
    *, actor: User, cluster: Cluster, message: str, draft_version: int, at_once: bool = False
) -> Rollout:
    """Freeze the draft and start its rollout: node by node, or `at_once` on all of them.

    If the broker is away, the rollout waits (its reason says so) and starts when the broker is
    back. Raises StaleDraft, ConfigRefused, NothingToPush, RolloutBusy, PolicyForbids,
    PermissionDenied.
    """
    access.require(actor, "operate")
    # Before the transaction: a check may take long.
    what = pending(cluster, draft_version)
    looks.refuse([(file.node, file.new_text) for file in what.files], timezone.now())
    with transaction.atomic():
        Draft.objects.select_for_update().get_or_create(cluster=cluster)  # one push at a time
        busy = open_rollout(cluster)
        if busy is not None:
            raise RolloutBusy(busy.revision.number)
        revision = freeze(
            actor=actor,
            cluster=cluster,
            message=message,
            version=draft_version,
            what=what,
            above=watch.numbers_above(cluster),
        )
        now = timezone.now()
        rollout = Rollout.objects.create(
            revision=revision,
            started_by=actor,
            started_at=now,
            at_once=at_once,
            reason="Waits for the control worker to pick it up.",
        )
        for file in revision.files.select_related("node"):
            Step.objects.create(
                rollout=rollout, node=file.node, position=file.node.position, at=now
            )
        target = f"{cluster.slug}: revision {revision.number}"
        audit(actor, "push", target, message=message, at_once=at_once)
        publish.changed(cluster, "rollout")
        transaction.on_commit(lambda: _ask_to_advance(rollout.pk))
    return rollout


def open_rollout(cluster: Cluster) -> Rollout | None:
    """The rollout that is under way, if any."""
    return (
        Rollout.objects.filter(revision__cluster=cluster, state__in=OPEN_STATES)
        .select_related("revision")
        .first()
    )


def advance(rollout_id: int, *, now: datetime | None = None) -> bool:
    """Make every move that is due; return whether a step moved. A finished rollout has none."""
    _tell_again(rollout_id, now or timezone.now())
    moved = False
    while _advance_once(rollout_id, now or timezone.now()):
        moved = True
    return moved


def _tell_again(rollout_id: int, now: datetime) -> None:
    """Send what a worker committed and did not send, before anything is decided on the silence."""
    untold = Node.objects.filter(
        steps__rollout=rollout_id,
        steps__rollout__state__in=OPEN_STATES,
        steps__state__in=[StepState.SENT, StepState.LIVE],
        steps__told_at=None,
    )
    desired.send_all(untold.select_related("live", "cluster"), now)


def _advance_once(rollout_id: int, now: datetime) -> bool:
    with transaction.atomic():
        rollout = (
            Rollout.objects.select_for_update(of=("self",))
            .select_related("revision__cluster")
            .filter(pk=rollout_id, state__in=OPEN_STATES)
            .first()
        )
        if rollout is None:
            return False
        decision = _decide(rollout, now)
        changed = _write(rollout, decision, now)
        if changed:
            cluster = rollout.revision.cluster
            publish.changed(cluster, "rollout")
            if decision.state in ("done", "failed"):
                publish.changed(cluster, "config")
            touched = list(cluster.nodes.filter(name__in=[m.node for m in decision.marks]))
            transaction.on_commit(lambda: desired.send_all(touched, now))
    return bool(decision.marks)


def _decide(rollout: Rollout, now: datetime) -> plan.Decision:
    number = rollout.revision.number
    rows = list(rollout.steps.select_related("node__live"))
    files = dict(rollout.revision.files.values_list("node", "sha256"))
    steps = tuple(
        plan.StepNow(
            node=row.node.name,
            position=row.position,
            state=row.state,
            age_s=(now - (row.told_at or row.at)).total_seconds(),
            faults_before=tuple(row.faults_before),
            sha256=files[row.node_id],
            told=row.told_at is not None,
        )
        for row in rows
    )
    nodes = {row.node.name: _node_now(row, number, now) for row in rows}
    age_s = (now - max([rollout.started_at, *(row.at for row in rows)])).total_seconds()
    everywhere = all(row.state == StepState.CONFIRMED for row in rows)
    settling = watch.settling_of(rollout.revision, now) if everywhere else SETTLED
    return plan.decide(
        number, steps, nodes, age_s=age_s, at_once=rollout.at_once, settling=settling
    )


def _node_now(step: Step, number: int, now: datetime) -> plan.NodeNow:
    node = step.node
    status = status_of(node)
    if status is None or node.live.heard_at is None:
        return plan.NodeNow(heard=False)
    ended = _ended(step, number)
    states = [(instance.name, instance.state) for instance in status.instances]
    return plan.NodeNow(
        heard=now < stale_at(node.live.heard_at, settings.HEARTBEAT_S),
        revision=status.revision,
        confirmed_revision=status.confirmed_revision,
        master_of=tuple(name for name, state in states if state == "MASTER"),
        faults=tuple(name for name, state in states if state == "FAULT"),
        unsettled=tuple(name for name, state in states if state not in ("MASTER", "BACKUP")),
        stopping=status.stopping,
        ended=ended.phase if ended else "",
        ended_because=_sentence(node, ended) if ended else "",
        sha256=status.config_sha256,
        newest_revision=max(status.newest_revision, status.revision),
    )


def _ended(step: Step, number: int) -> RevisionStep | None:
    """The node's own word that it refused this revision or went back from it.

    If the node could not open the envelope, it does not know the revision's number and reports 0:
    then an event after the sending is meant.
    """
    which = Q(data__revision=number)
    if step.sent_at is not None:
        which |= Q(data__revision=0, data__phase=StepState.REFUSED, heard_at__gte=step.sent_at)
    rows = (
        Event.objects.filter(which, node=step.node, kind=RevisionStep.kind)
        .filter(data__phase__in=[StepState.REFUSED, StepState.REVERTED])
        .order_by("heard_at")
    )
    return next((told for row in rows if isinstance(told := row.typed, RevisionStep)), None)


def _sentence(node: Node, event: RevisionStep) -> str:
    verb = "refused the revision" if event.phase == "refused" else "went back"
    return f"{node.name} {verb}: {event.cause or 'it did not say why'}"


def _write(rollout: Rollout, decision: plan.Decision, now: datetime) -> bool:
    """Write the decision where the rows are as they were read; return whether a row changed."""
    changed = False
    for mark in decision.marks:
        values: dict[str, object] = {"state": mark.new, "detail": mark.detail, "at": now}
        values["told_at"] = None
        if mark.new == StepState.SENT:
            values["sent_at"] = now
            values["faults_before"] = list(decision.faults_before.get(mark.node, ()))
        rows = rollout.steps.filter(node__name=mark.node, state=mark.old).update(**values)
        changed = changed or rows == 1
        if mark.new == StepState.CONFIRMED:
            RevisionFile.objects.filter(
                revision=rollout.revision, node__name=mark.node, live_at=None
            ).update(live_at=now)
    if decision.state == RolloutState.FAILED:
        decision = replace(decision, reason=f"{decision.reason} {_parted(rollout)}".strip())
    if (rollout.state, rollout.reason) != (decision.state, decision.reason):
        finished = now if decision.state in ("done", "failed") else None
        Rollout.objects.filter(pk=rollout.pk, state=rollout.state).update(
            state=decision.state, reason=decision.reason, finished_at=finished
        )
        changed = True
    if changed and decision.state in ("done", "failed"):
        number = rollout.revision.number
        target = f"{rollout.revision.cluster.slug}: revision {number}"
        audit(None, f"rollout {decision.state}", target, reason=decision.reason)
    return changed


def _parted(rollout: Rollout) -> str:
    """What it means that some nodes have the revision and others do not; empty: nothing."""
    steps = list(rollout.steps.select_related("node"))
    kept = [step.node for step in steps if step.state == StepState.CONFIRMED]
    if not kept or len(kept) == len(steps):
        return ""
    return watch.left_apart(rollout.revision, kept)


def advance_clusters(cluster_ids: set[UUID]) -> None:
    """Advance the rollouts of clusters whose nodes reported."""
    rollouts = Rollout.objects.filter(revision__cluster_id__in=cluster_ids, state__in=OPEN_STATES)
    for pk in rollouts.values_list("pk", flat=True):
        _ask_to_advance(pk)


def reconcile() -> None:
    """Every few seconds: advance rollouts, write again the keys that the broker lost, and compare
    what nodes report with what is known of them."""
    for pk in Rollout.objects.filter(state__in=OPEN_STATES).values_list("pk", flat=True):
        advance(pk)
    nodes = list(Node.objects.select_related("live", "cluster"))
    desired.send_all(nodes, timezone.now())
    watch.look(nodes, timezone.now())


def _ask_to_advance(rollout_id: int) -> None:
    try:
        transport.ask_to_advance(rollout_id)
    except transport.BrokerAway as error:
        Rollout.objects.filter(pk=rollout_id, state=RolloutState.WAITING).update(
            reason="The message broker is away; the push starts by itself when it is back."
        )
        log.warning("rollout %s starts when the broker is back: %s", rollout_id, error)
