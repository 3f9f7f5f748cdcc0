"""SYSTEM. Writes a node's signed desired state to its keys, and nudges the node to read them.

The keys have the content; the nudge (a Celery task on the node's own queue, under the node's own
key prefix) only says that they changed. It expires, because a node also reads them by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import redis
from django.conf import settings
from kombu.exceptions import OperationalError

from hanode import wire
from webapp.celery import PREFIX, app
from webapp.common import broker

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


Envelope = wire.Signed | wire.Sealed | None


def put(
    wire_id: str,
    bundle: Envelope,
    confirmation: Envelope,
    *,
    keep: Callable[[bytes | None], bool] = lambda _: False,
) -> bool:
    """Set both keys (None: delete); return whether one of them changed. Raises BrokerAway.

    `keep`: whether the value of the first key is one that must stay, and the second with it.
    """
    wanted = ((desired_key(wire_id), bundle), (confirmed_key(wire_id), confirmation))
    try:
        with broker.client() as client:
            return _make_equal(client, wanted, keep)
    except redis.RedisError as error:
        raise BrokerAway(str(error)) from error


def bundles(wire_ids: Sequence[str]) -> dict[str, bytes | None]:
    """By wire id: the value of the key of the Bundle. Raises BrokerAway."""
    if not wire_ids:
        return {}
    try:
        with broker.client() as client:
            values: Any = client.mget([desired_key(wire_id) for wire_id in wire_ids])
    except redis.RedisError as error:
        raise BrokerAway(str(error)) from error
    return dict(zip(wire_ids, values, strict=True))


def _make_equal(
    client: redis.Redis,
    wanted: tuple[tuple[str, Envelope], ...],
    keep: Callable[[bytes | None], bool],
) -> bool:
    actual: Any = client.mget([key for key, _ in wanted])
    same = wanted[0][1] is not None and actual[0] == wire.to_json(wanted[0][1]).encode()
    if not same and keep(actual[0]):
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
