"""DRIVER. The WebSocket of a cluster page: one snapshot, then deltas.

Authorised at subscribe and again every second, so that a lost right ends the stream. The same
tick tells what nobody sends: that a node fell silent, that the broker is away.

Channels would ask the broker for a channel before it lets a consumer answer the handshake, and a
page opened while the broker is away would get nothing. So this one begins without a layer, and
joins the cluster's group as soon as there is one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import get_channel_layer
from django.http import Http404
from django.urls import re_path
from django.utils import timezone

from webapp.accounts.models import User
from webapp.inventory.access import cluster_for
from webapp.inventory.models import Cluster
from webapp.live.services import broker_view, cluster_view, view_of
from webapp.live.shape import BrokerView, ClusterView, NodeView

log = logging.getLogger(__name__)

TICK_S = 1.0
JOIN_WITHIN_S = 2.0
"""A broker that swallows packets must not hold up the page; the next tick tries again."""
NOBODY = "specific.nobody"
"""A channel without a reader: sending to it asks whether the broker is there."""
SIGN_IN_FIRST = 4401
NOT_FOUND = 4404


@dataclass(slots=True)
class Seen:
    """What this browser was told that only time changes."""

    nodes: dict[str, str] = field(default_factory=dict)
    broker: BrokerView | None = None


class ClusterConsumer(AsyncJsonWebsocketConsumer):
    """One browser that watches one cluster."""

    channel_layer_alias = ""  # none of its own: see above

    cluster: Cluster
    slug: str
    user_pk: int
    seen: Seen
    ticker: asyncio.Task[None] | None = None
    listener: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Accept, then close again with a code that the page understands, or begin."""
        await self.accept()
        user = self.scope.get("user")
        if not isinstance(user, User):
            await self.close(code=SIGN_IN_FIRST)
            return
        self.user_pk, self.slug = user.pk, self.scope["url_route"]["kwargs"]["slug"]
        cluster = await self._authorised()
        if cluster is None:
            await self.close(code=NOT_FOUND)
            return
        self.cluster, self.seen = cluster, Seen()
        channel = await self._join()
        await self._snapshot()
        self._listen_to(channel)
        self.ticker = asyncio.create_task(self._tick())

    async def disconnect(self, code: int) -> None:
        """Leave nothing running."""
        for task in (self.ticker, self.listener):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Browsers have nothing to say here."""

    async def receive(self, *args: Any, **kwargs: Any) -> None:
        """Nor anything that is no JSON."""

    async def cluster_message(self, event: dict[str, Any]) -> None:
        """A message of the cluster's group, as ingest or a service sent it."""
        message = event["message"]
        if message.get("kind") == "node" and "state" in message["delta"]:
            self.seen.nodes[message["node"]] = message["delta"]["state"]
        await self.send_json(message)

    async def _join(self) -> str | None:
        """A channel in the cluster's group; None while the broker is away."""
        layer: Any = get_channel_layer()
        try:
            async with asyncio.timeout(JOIN_WITHIN_S):
                await layer.send(NOBODY, {})  # first: a channel that fails leaves its queue behind
                channel: str = await layer.new_channel()
                await layer.group_add(self.cluster.channel_group, channel)
        except Exception as error:  # redis-py's errors share no base; the tick tries again
            log.info("the channel layer is away: %s", error)
            return None
        return channel

    def _listen_to(self, channel: str | None) -> None:
        if channel is not None:
            self.listener = asyncio.create_task(self._listen(channel))

    async def _listen(self, channel: str) -> None:
        layer: Any = get_channel_layer()
        try:
            while True:
                await self.cluster_message(await layer.receive(channel))
        finally:
            with contextlib.suppress(Exception):  # the broker may be away: nothing to leave
                await layer.group_discard(self.cluster.channel_group, channel)

    async def _snapshot(self) -> None:
        view = await self._view()
        self.seen.nodes = {node["wire_id"]: node["state"] for node in view["nodes"]}
        self.seen.broker = view["broker"]
        await self.send_json({"kind": "snapshot", "view": view})

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if await self._authorised() is None:
                await self.close(code=NOT_FOUND)
                return
            if self.listener is None or self.listener.done():
                channel = await self._join()
                if channel is not None:
                    await self._snapshot()
                self._listen_to(channel)
            await self._tell_what_time_changed()

    async def _tell_what_time_changed(self) -> None:
        nodes, broker = await self._ageing()
        changed = [n for n in nodes if self.seen.nodes.get(n["wire_id"]) != n["state"]]
        for node in changed:
            self.seen.nodes[node["wire_id"]] = node["state"]
            await self.send_json({"kind": "node", "node": node["wire_id"], "delta": node})
        if changed:
            await self.send_json({"kind": "changed", "topic": "groups"})
        was = self.seen.broker
        if was is None or (was["up"], was["reason"]) != (broker["up"], broker["reason"]):
            self.seen.broker = broker
            await self.send_json({"kind": "broker", "broker": broker})
            if broker["up"]:
                await self._snapshot()  # what was said meanwhile did not come through

    @database_sync_to_async
    def _authorised(self) -> Cluster | None:
        user = User.objects.filter(pk=self.user_pk, is_active=True).first()
        session = self.scope["session"]
        if user is None or not session.exists(session.session_key or ""):  # signed out elsewhere
            return None
        with contextlib.suppress(Http404):
            return cluster_for(user, self.slug)
        return None

    @database_sync_to_async
    def _view(self) -> ClusterView:
        return cluster_view(self.cluster, timezone.now())

    @database_sync_to_async
    def _ageing(self) -> tuple[list[NodeView], BrokerView]:
        now = timezone.now()
        nodes = [view_of(node, now) for node in self.cluster.nodes.select_related("live")]
        return nodes, broker_view(now)


_application: Any = ClusterConsumer.as_asgi()  # Django's stubs know views only
websocket_urlpatterns = [re_path(r"^ws/c/(?P<slug>[-\w]+)/$", _application)]
