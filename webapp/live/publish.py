"""Tell the browsers that watch a cluster. Never raises: a browser also asks by itself."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from webapp.inventory.models import Cluster
from webapp.live.topics import HANDLER, Topic

log = logging.getLogger(__name__)


def changed(cluster: Cluster, *topics: Topic) -> None:
    """After this transaction: these parts of the cluster's page are out of date."""
    messages = [{"kind": "changed", "topic": topic} for topic in topics]
    transaction.on_commit(lambda: send(cluster.channel_group, messages))


def send(group: str, messages: Iterable[dict[str, Any]]) -> None:
    """Send messages to everybody in the group; where the broker is away they are dropped."""
    try:
        async_to_sync(_send)(group, list(messages))
    except (OSError, RuntimeError) as error:
        log.info("no browser was told: %s", error)
    except Exception as error:  # redis-py's errors share no base with OSError
        log.info("no browser was told: %s: %s", type(error).__name__, error)


async def _send(group: str, messages: list[dict[str, Any]]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    for message in messages:
        await layer.group_send(group, {"type": HANDLER, "message": message})
