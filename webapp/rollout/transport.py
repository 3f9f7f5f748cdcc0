"""SYSTEM. What goes to a node: the signed desired state under its key, and a nudge to look.

The key is the message; the nudge (a Celery task on the node's own queue, under the node's own
key prefix) only says "look now" and expires, because a node also looks by itself.
"""

from __future__ import annotations

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
"""Both only say "look now"; later, somebody has looked anyway."""

GIVE_UP_SOON = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}
"""A person waits for the answer; kombu alone would try for ever."""


class BrokerAway(Exception):
    """Nothing was sent; the reconciler makes up for it when the broker is back."""


def desired_key(wire_id: str) -> str:
    """Signed Bundle."""
    return f"node.{wire_id}:desired"


def confirmed_key(wire_id: str) -> str:
    """Signed Confirmation."""
    return f"node.{wire_id}:confirmed"


def put(wire_id: str, bundle: wire.Signed | None, confirmation: wire.Signed | None) -> bool:
    """Make both keys be this (None: absent); whether one had to change. Raises BrokerAway."""
    wanted = ((desired_key(wire_id), bundle), (confirmed_key(wire_id), confirmation))
    try:
        with broker.client() as client:
            return _make_equal(client, wanted)
    except redis.RedisError as error:
        raise BrokerAway(str(error)) from error


def _make_equal(client: redis.Redis, wanted: tuple[tuple[str, wire.Signed | None], ...]) -> bool:
    actual: Any = client.mget([key for key, _ in wanted])
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
    """Ask the node to look at its keys now. Raises BrokerAway."""
    name = f"node.{wire_id}"
    _send(NUDGE, revision, queue=name, prefix=f"{name}:")


def ask_to_advance(rollout_id: int) -> None:
    """Ask the control worker to move a rollout now. Raises BrokerAway."""
    _send(ADVANCE, rollout_id, queue=app.conf.task_default_queue, prefix=PREFIX)


def _send(name: str, argument: int, *, queue: str, prefix: str) -> None:
    """One connection per message: they are rare, and no pool outlives a broker."""
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
