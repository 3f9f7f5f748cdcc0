"""SYSTEM. Which revision the broker holds for a node: it may outlive a restored database."""

from __future__ import annotations

from collections.abc import Iterable

from hanode import wire
from webapp.inventory import keys
from webapp.inventory.content_keys import opened
from webapp.inventory.models import Enrolment, Node
from webapp.rollout import transport


def held(nodes: Iterable[Node]) -> dict[str, int]:
    """By wire id: the revision that the broker holds for the node; 0: none that can be read.

    The signature is not verified, since it is asked where the signing key must not be. Raises
    BrokerAway.
    """
    wire_ids = [node.wire_id for node in nodes]
    enrolments = Enrolment.objects.filter(node__wire_id__in=wire_ids).select_related("node")
    by_node = {one.node.wire_id: one for one in enrolments}
    values = transport.bundles(wire_ids)
    return {wire_id: number_in(values[wire_id], by_node.get(wire_id)) for wire_id in wire_ids}


def number_in(value: bytes | None, enrolment: Enrolment | None, *, ours: bool = False) -> int:
    """The revision of the Bundle in a key; 0: it is none. `ours`: nor if another one signed it."""
    if not value or enrolment is None:
        return 0
    try:
        node, content_key = enrolment.node.wire_id, enrolment.content_key
        envelope = opened(value, "bundle", node=node, content_key=content_key)
        if envelope.kind != "bundle" or (ours and not keys.is_ours(envelope)):
            return 0
        return wire.from_json(wire.Bundle, envelope.payload).revision
    except (ValueError, RecursionError):  # WireError is a ValueError
        return 0
