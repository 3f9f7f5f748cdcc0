"""SYSTEM. Writes a node's signed desired state to its keys, and nudges the node to read them.

The keys have the content; the nudge (a Celery task on the node's own queue, under the node's own
key prefix) only says that they changed. It expires, because a node also reads them by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis
from django.conf import settings
from kombu.exceptions import OperationalError

from hanode import wire
from webapp.celery import PREFIX, app
from webapp.common import broker
from webapp.inventory import keys

NUDGE = "node.nudge"
ADVANCE = "rollout.advance"
EXPIRES_S = 30
"""Of both messages: after this time the node and the reconciler have looked by themselves."""

GIVE_UP_SOON = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}
"""A user waits for the response; by itself kombu would try for ever."""


class BrokerAway(Exception):
    """The broker did not answer; the reconciler repeats the message when it is back."""


def desired_key(wire_id: str) -> str:
    """The key of the signed Bundle."""
    return f"node.{wire_id}:desired"


def confirmed_key(wire_id: str) -> str:
    """The key of the signed Confirmation."""
    return f"node.{wire_id}:confirmed"


def put(
    wire_id: str,
    bundle: wire.Signed | None,
    confirmation: wire.Signed | None,
    *,
    known: int | None = None,
) -> bool:
    """Set both keys (None: delete); return whether one of them changed. Raises BrokerAway.

    `known`: the highest number of the cluster's revisions. Keys that hold a higher one, which this
    control plane signed, stay as they are.
    """
    wanted = ((desired_key(wire_id), bundle), (confirmed_key(wire_id), confirmation))
    try:
        with broker.client() as client:
            return _make_equal(client, wanted, known)
    except redis.RedisError as error:
        raise BrokerAway(str(error)) from error


def held(wire_ids: Sequence[str]) -> dict[str, int]:
    """By wire id: the revision that the broker holds for the node; 0: none that can be read.

    Unverified, since it is asked where the signing key must not be. Raises BrokerAway.
    """
    if not wire_ids:
        return {}
    try:
        with broker.client() as client:
            values: Any = client.mget([desired_key(wire_id) for wire_id in wire_ids])
    except redis.RedisError as error:
        raise BrokerAway(str(error)) from error
    return {wire_id: number_of(value) for wire_id, value in zip(wire_ids, values, strict=True)}


def number_of(value: bytes | None, *, ours: bool = False) -> int:
    """The revision of the Bundle in a key; 0: it is none. `ours`: nor if another one signed it."""
    if not value:
        return 0
    try:
        envelope = wire.from_json(wire.Signed, value)
        if envelope.kind != "bundle" or (ours and not keys.is_ours(envelope)):
            return 0
        return wire.from_json(wire.Bundle, envelope.payload).revision
    except (ValueError, RecursionError):  # WireError is a ValueError
        return 0


def _make_equal(
    client: redis.Redis, wanted: tuple[tuple[str, wire.Signed | None], ...], known: int | None
) -> bool:
    actual: Any = client.mget([key for key, _ in wanted])
    same = wanted[0][1] is not None and actual[0] == wire.to_json(wanted[0][1]).encode()
    if known is not None and not same and number_of(actual[0], ours=True) > known:
        return False
    changed = False
    with client.pipeline() as pipe:
        for (key, value), before in zip(wanted, actual, strict=True):
            after = None if value is None else wire.to_json(value).encode()
            if after == before:
                continue
            changed = True
            if after is None:
                pipe.delete(key)
            else:
                pipe.set(key, after)
        pipe.execute()
    return changed


def nudge(wire_id: str, revision: int) -> None:
    """Ask the node to read its keys now. Raises BrokerAway."""
    name = f"node.{wire_id}"
    _send(NUDGE, revision, queue=name, prefix=f"{name}:")


def ask_to_advance(rollout_id: int) -> None:
    """Ask the control worker to advance a rollout now. Raises BrokerAway."""
    _send(ADVANCE, rollout_id, queue=app.conf.task_default_queue, prefix=PREFIX)


def _send(name: str, argument: int, *, queue: str, prefix: str) -> None:
    """One connection per message: messages are rare, and a pool would outlive its broker."""
    options = {**app.conf.broker_transport_options, **GIVE_UP_SOON, "global_keyprefix": prefix}
    try:
        with app.connection_for_write(url=settings.BROKER_URL, transport_options=options) as link:
            app.send_task(
                name,
                args=[argument],
                queue=queue,
                connection=link,
                expires=EXPIRES_S,
                ignore_result=True,
                retry=False,
            )
    except (OperationalError, redis.RedisError, OSError) as error:
        raise BrokerAway(str(error)) from error
