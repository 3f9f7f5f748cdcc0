"""Messages to the browsers that watch a cluster. Nothing here raises: a lost message does no harm,
because the page also fetches by itself."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterable
from typing import Any

from channels.layers import get_channel_layer
from django.db import transaction

from webapp.inventory.models import Cluster
from webapp.live.topics import HANDLER, Topic

log = logging.getLogger(__name__)

_this_thread = threading.local()
"""One event loop per thread that publishes: the layer has one connection per loop, so a new loop
for every message would open a new connection for every message."""


def changed(cluster: Cluster, *topics: Topic) -> None:
    """After the commit, tell browsers that these parts of the cluster's page are out of date."""
    messages = [{"kind": "changed", "topic": topic} for topic in topics]
    transaction.on_commit(lambda: send(cluster.channel_group, messages))


def send(group: str, messages: Iterable[dict[str, Any]]) -> None:
    """Send messages to all browsers of the group; they are dropped if the broker is away."""
    if not hasattr(_this_thread, "runner"):
        _this_thread.runner = asyncio.Runner()
    try:
        _this_thread.runner.run(_send(group, list(messages)))
    except Exception as error:  # redis-py's and the system's errors share no base class
        log.info("no browser was told: %s: %s", type(error).__name__, error)


async def _send(group: str, messages: list[dict[str, Any]]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    for message in messages:
        await layer.group_send(group, {"type": HANDLER, "message": message})
