"""The revision that each node should run: read from the rows, signed, and written to its keys.

If a node did not take a revision, it should run the one that it confirmed before, so that a node
that comes back later does not apply a revision whose rollout has failed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from hanode import wire
from webapp.configs.models import RevisionFile
from webapp.configs.services import newest_number
from webapp.inventory import keys
from webapp.inventory.content_keys import sealed
from webapp.inventory.models import Enrolment, Node
from webapp.inventory.services import enrolment_of
from webapp.live.services import status_of, view_of
from webapp.rollout import plan, transport
from webapp.rollout.held import number_in
from webapp.rollout.models import Step, StepState

log = logging.getLogger(__name__)

WANTED = (StepState.SENT, StepState.LIVE, StepState.CONFIRMED)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One node's desired revision."""

    step: Step
    file: RevisionFile
    keep: bool
    """Whether the control plane has seen the node healthy on it."""


def wanted_for(node: Node) -> Wanted | None:
    """From the newest step that is not lost; None if nothing was ever sent to the node."""
    step = (
        Step.objects.filter(node=node, state__in=WANTED)
        .select_related("rollout__revision")
        .order_by("-rollout__revision__number")
        .first()
    )
    if step is None:
        return None
    file = RevisionFile.objects.select_related("revision__cluster").get(
        revision=step.rollout.revision, node=node
    )
    return Wanted(step, file, keep=step.state != StepState.SENT)


def bundle_of(node: Node, file: RevisionFile) -> wire.Signed:
    """The signed Bundle; always the same bytes, because Ed25519 uses no randomness."""
    revision = file.revision
    bundle = wire.Bundle(
        cluster=str(revision.cluster_id),
        node=node.wire_id,
        revision=revision.number,
        config=file.text,
        created_us=int(revision.created_at.timestamp() * 1e6),
        confirm_within_s=plan.NODE_REVERTS_AFTER_S,
    )
    return keys.sign("bundle", wire.to_json(bundle))


def confirmation_of(node: Node, file: RevisionFile) -> wire.Signed:
    """The signed Confirmation: the node keeps this revision."""
    confirmation = wire.Confirmation(
        cluster=str(file.revision.cluster_id),
        node=node.wire_id,
        revision=file.revision.number,
        config_sha256=file.sha256,
    )
    return keys.sign("confirmation", wire.to_json(confirmation))


def for_node(envelope: wire.Signed | None, enrolment: Enrolment) -> transport.Envelope:
    """The envelope as the broker may hold it: readable by this node alone, where it has a key."""
    if envelope is None or not enrolment.content_key:
        return envelope
    return sealed(envelope, node=enrolment.node.wire_id, content_key=enrolment.content_key)


def send_all(nodes: Iterable[Node], now: datetime) -> None:
    """Write every node's desired state, and nudge the nodes that do not run it yet."""
    for node in nodes:
        try:
            send(node, now)
        except transport.BrokerAway as error:
            log.warning("%s will be sent its revision when the broker is back: %s", node, error)
            return


def send(node: Node, now: datetime) -> None:
    """Write one node's desired state, and nudge the node if it is behind. Raises BrokerAway.

    A node that is not heard is nudged only when its keys changed: it reads them when it is back,
    and its queue does not grow meanwhile. Keys that hold a revision which is not known here stay as
    they are: a person has to say what shall hold (`history`).
    """
    known, wanted, enrolment = newest_number(node.cluster_id), wanted_for(node), enrolment_of(node)

    def keep(held: bytes | None) -> bool:
        return number_in(held, enrolment, ours=True) > known

    if wanted is None or enrolment is None:
        transport.put(node.wire_id, None, None, keep=keep)  # nobody could read it, or may
        return
    number = wanted.file.revision.number
    confirmation = confirmation_of(node, wanted.file) if wanted.keep else None
    bundle = bundle_of(node, wanted.file)
    changed = transport.put(
        node.wire_id, for_node(bundle, enrolment), for_node(confirmation, enrolment), keep=keep
    )
    _note_told(wanted.step, now)
    status = status_of(node)
    if status is not None and status.newest_revision > known:
        return  # it would only refuse it
    behind = (
        status is None
        or status.revision < number
        or (wanted.keep and status.confirmed_revision < number)
        or (status.revision == number and status.config_sha256 != wanted.file.sha256)
    )
    if behind and (changed or view_of(node, now)["state"] == "up"):
        transport.nudge(node.wire_id, number)


def _note_told(step: Step, now: datetime) -> None:
    """The broker has what the step means, if nobody moved it meanwhile: its limits run from now."""
    same = Step.objects.filter(pk=step.pk, state=step.state, told_at=None)
    same.update(told_at=now)
