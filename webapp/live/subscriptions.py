"""DRIVER. Which browsers of this process watch which cluster, and the task that ages clusters.

One task per event loop serves all its browsers, from the first subscription to the last. Once a
second it asks the database which of them may still watch, and how their clusters stand now; the
number of queries depends neither on the browsers nor on the clusters.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from uuid import UUID

from channels.db import database_sync_to_async
from django.utils import timezone

from webapp.accounts.access import existing_sessions
from webapp.inventory.access import still_visible
from webapp.live.ageing import Ageing
from webapp.live.services import ageing_of

log = logging.getLogger(__name__)

TICK_S = 1.0


class Subscription:
    """One browser's. It is given the newest `Ageing` only: a slow browser skips the others."""

    def __init__(self, cluster_id: UUID, user_id: int, session_key: str) -> None:
        self.cluster_id, self.user_id, self.session_key = cluster_id, user_id, session_key
        self._newest: Ageing | None = None
        self._given = asyncio.Event()

    def give(self, ageing: Ageing | None) -> None:
        """How the cluster stands; None: the browser may not watch it any more."""
        self._newest = ageing
        self._given.set()

    async def next(self) -> Ageing | None:
        """Wait for what was given last."""
        await self._given.wait()
        self._given.clear()
        return self._newest


class AgeingTask:
    """The subscriptions of one event loop, and its task while there are any."""

    def __init__(self) -> None:
        self._open: set[Subscription] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, subscription: Subscription) -> None:
        """The first one starts the task, in a context of its own: it is no browser's."""
        self._open.add(subscription)
        if self._task is None:
            name, context = "ageing of clusters", contextvars.Context()
            self._task = asyncio.create_task(self._run(), name=name, context=context)

    async def remove(self, subscription: Subscription) -> bool:
        """The last one ends the task; whether it was the last."""
        self._open.discard(subscription)
        if self._open or self._task is None:
            return not self._open
        task, self._task = self._task, None
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return not self._open

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                await self._look()
            except Exception:  # the database may be away; it is asked again in a second
                log.exception("clusters could not be aged")

    async def _look(self) -> None:
        asked = set(self._open)
        allowed, ageing = await _read(asked)
        for subscription in asked & self._open:
            if subscription in allowed:
                subscription.give(ageing[subscription.cluster_id])
            else:
                self._open.discard(subscription)  # its consumer closes, and unsubscribes
                subscription.give(None)


@database_sync_to_async
def _read(asked: set[Subscription]) -> tuple[set[Subscription], dict[UUID, Ageing]]:
    """Which of them may still watch, and how their clusters stand; five queries."""
    visible = still_visible({(one.user_id, one.cluster_id) for one in asked})
    sessions = existing_sessions({one.session_key for one in asked})
    allowed = {
        one
        for one in asked
        if (one.user_id, one.cluster_id) in visible and one.session_key in sessions
    }
    return allowed, ageing_of({one.cluster_id for one in allowed}, timezone.now())


_tasks: dict[asyncio.AbstractEventLoop, AgeingTask] = {}
"""A process has one event loop; tests have one after the other."""


def subscribe(cluster_id: UUID, user_id: int, session_key: str) -> Subscription:
    """Begin to age this cluster for this browser."""
    for closed in [loop for loop in _tasks if loop.is_closed()]:
        del _tasks[closed]
    subscription = Subscription(cluster_id, user_id, session_key)
    _tasks.setdefault(asyncio.get_running_loop(), AgeingTask()).add(subscription)
    return subscription


async def unsubscribe(subscription: Subscription) -> None:
    """End the subscription; a second call does nothing."""
    loop = asyncio.get_running_loop()
    task = _tasks.get(loop)
    if task is not None and await task.remove(subscription):
        _tasks.pop(loop, None)
