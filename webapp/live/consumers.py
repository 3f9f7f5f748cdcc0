"""DRIVER. The WebSocket of a cluster page: one snapshot, then deltas.

It sends what comes from the cluster's group (what nodes report, as ingest sends it) and from the
process's ageing task (what time alone changes, and whether the browser may still watch; see
`subscriptions`).

Channels would ask the broker for a channel before it lets a consumer answer the handshake, and a
page opened while the broker is away would get nothing. So this consumer starts without a channel
layer, and joins the cluster's group as soon as the broker is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
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
from webapp.live import subscriptions
from webapp.live.ageing import Sent
from webapp.live.services import cluster_view
from webapp.live.shape import ClusterView

log = logging.getLogger(__name__)

REJOIN_S = 1.0
"""Between two tries to join the group while the broker is away."""
JOIN_WITHIN_S = 2.0
"""A broker that swallows packets must not hold up the page; the next try comes soon."""
NOBODY = "specific.nobody"
"""A channel without a reader: sending to it asks whether the broker is there."""
TRY_AGAIN = 1011
"""RFC 6455: the server met an unexpected condition. The page opens another socket."""
BEAT = {"kind": "beat"}
"""Nothing has changed: without a word the page could not tell that from a broken connection."""
SIGN_IN_FIRST = 4401
NOT_FOUND = 4404


class ClusterConsumer(AsyncJsonWebsocketConsumer):
    """One browser that watches one cluster."""

    channel_layer_alias = ""  # no layer of its own: see above

    cluster: Cluster
    slug: str
    user_pk: int
    sent: Sent
    subscription: subscriptions.Subscription | None = None
    tasks: tuple[asyncio.Task[None], ...] = ()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Leave nothing running, however the connection ends: by an error or cancelled, too."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._leave()

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
        self.cluster, self.sent = cluster, Sent()
        channel = await self._join()
        await self._snapshot()
        session_key = self.scope["session"].session_key
        self.subscription = subscriptions.subscribe(cluster.pk, self.user_pk, session_key)
        self.tasks = (
            asyncio.create_task(self._or_close(self._follow(channel))),
            asyncio.create_task(self._or_close(self._age(self.subscription))),
        )

    async def _leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        if self.subscription is not None:
            await subscriptions.unsubscribe(self.subscription)
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _or_close(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work; if it fails, close the socket, so that the page opens another."""
        try:
            await work
        except Exception:
            log.exception("a page of %s is closed", self.slug)
            await self.close(code=TRY_AGAIN)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Ignore what the browser sends."""

    async def receive(self, *args: Any, **kwargs: Any) -> None:
        """Ignore it also if it is not JSON."""

    async def cluster_message(self, event: dict[str, Any]) -> None:
        """Send a message of the cluster's group, as ingest or a service published it."""
        self.sent.message(event["message"])
        await self.send_json(event["message"])

    async def _join(self) -> str | None:
        """A channel in the cluster's group; None while the broker is away."""
        layer: Any = get_channel_layer()
        try:
            async with asyncio.timeout(JOIN_WITHIN_S):
                await layer.send(NOBODY, {})  # first: a channel that fails leaves its queue behind
                channel: str = await layer.new_channel()
                await layer.group_add(self.cluster.channel_group, channel)
        except Exception as error:  # redis-py's errors share no base
            log.info("the channel layer is away: %s", error)
            return None
        return channel

    async def _follow(self, channel: str | None) -> None:
        """Send the group's messages; without a channel, join the group and send a snapshot."""
        while True:
            if channel is not None:
                await self._listen(channel)
            await asyncio.sleep(REJOIN_S)
            channel = await self._join()
            if channel is not None:
                await self._snapshot()  # what was sent meanwhile did not come through

    async def _listen(self, channel: str) -> None:
        """Send the channel's messages until the layer fails."""
        layer: Any = get_channel_layer()
        try:
            while True:
                await self.cluster_message(await layer.receive(channel))
        except Exception as error:  # redis-py's errors share no base
            log.info("the channel layer is away: %s", error)
        finally:
            with contextlib.suppress(Exception):  # the broker may be away: nothing to leave
                await layer.group_discard(self.cluster.channel_group, channel)

    async def _age(self, subscription: subscriptions.Subscription) -> None:
        """Send what time changed, until the browser may not watch any more."""
        while (ageing := await subscription.next()) is not None:
            due = self.sent.due(ageing)
            for message in due.messages or (BEAT,):
                await self.send_json(message)
            if due.snapshot:
                await self._snapshot()
        await self.close(code=NOT_FOUND)

    async def _snapshot(self) -> None:
        view = await self._view()
        self.sent.snapshot(view)
        await self.send_json({"kind": "snapshot", "view": view})

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


_application: Any = ClusterConsumer.as_asgi()  # Django's stubs know views only
websocket_urlpatterns = [re_path(r"^ws/c/(?P<slug>[-\w]+)/$", _application)]
