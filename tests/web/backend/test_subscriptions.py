"""The one task that ages the clusters of all browsers: its cost, its end, and what it survives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from channels.layers import channel_layers
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.utils import timezone

from hanode import wire
from tests.web.backend.socketclient import Message, Socket, browser, until
from webapp.accounts.access import existing_sessions
from webapp.accounts.models import Role, User
from webapp.inventory.access import clusters_for, still_visible
from webapp.inventory.models import Cluster
from webapp.live import services, subscriptions
from webapp.live.ageing import Ageing
from webapp.live.models import NodeStatus

pytestmark = [pytest.mark.needs("valkey"), pytest.mark.django_db(transaction=True)]

QUERIES = 6
"""Of one look: users, clusters, sessions, nodes with statuses, conditions, the broker's row."""


@pytest.fixture(autouse=True)
def fresh_layer(broker: redis.Redis, settings: Any) -> None:
    """A layer per test: the one before belongs to an event loop that is gone."""
    channel_layers.backends.clear()
    settings.HEARTBEAT_S = 0.3


@asynccontextmanager
async def watching(*users: User, slug: str) -> AsyncIterator[list[Socket]]:
    """Browsers that have got their snapshots."""
    async with AsyncExitStack() as stack:
        sockets = []
        for user in users:
            socket = await stack.enter_async_context(browser(user, slug))
            assert await socket.connect()
            assert (await socket.message())["kind"] == "snapshot"
            sockets.append(socket)
        yield sockets


@asynccontextmanager
async def wrapped(wrapper: Callable[..., Any]) -> AsyncIterator[None]:
    """Every query of the thread that the consumers' queries run in goes through the wrapper."""

    def begin() -> None:
        connection.execute_wrappers.append(wrapper)

    def end() -> None:
        connection.execute_wrappers.remove(wrapper)

    await sync_to_async(begin)()
    try:
        yield
    finally:
        await sync_to_async(end)()


async def looks(count: int) -> list[str]:
    """The queries of so many looks of the ageing task, whoever made them."""
    seen: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return execute(sql, params, many, context)

    def done() -> int:
        return sum("live_brokerstate" in sql for sql in seen)

    async with wrapped(note):
        await holds(lambda: done() >= count)
    assert done() == count
    return seen


async def holds(what: Callable[[], Any], within_s: float = 15) -> None:
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, "did not happen in time"
        await asyncio.sleep(0.02)


def ageing_tasks() -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "ageing of clusters"]


def people(count: int) -> list[User]:
    return [User.objects.create_user(f"reader{n}", role=Role.READER) for n in range(count)]


async def test_twenty_browsers_cost_no_more_queries_than_one(
    cluster: Cluster, canonical: Cluster
) -> None:
    """What grows with them is the length of two lists of keys in the queries, and what is sent."""
    users = await sync_to_async(people)(20)
    async with watching(*users[:1], slug=cluster.slug):
        one = await looks(3)
    async with watching(*users, slug=cluster.slug):
        began = time.monotonic()
        twenty = await looks(3)
        took_s = time.monotonic() - began
        assert len(ageing_tasks()) == 1
    async with (
        watching(*users[:2], slug=cluster.slug),
        watching(*users[2:4], slug=canonical.slug),
    ):
        two_clusters = await looks(2)
    assert (len(one), len(twenty)) == (3 * QUERIES, 3 * QUERIES)
    assert len(two_clusters) == 2 * QUERIES
    assert took_s > 2 * subscriptions.TICK_S  # three looks are not more than three a second apart


async def test_the_task_lives_from_the_first_browser_to_the_last(
    cluster: Cluster, reader: User, operator: User
) -> None:
    assert ageing_tasks() == []
    async with watching(reader, slug=cluster.slug):
        [task] = ageing_tasks()
        async with watching(operator, slug=cluster.slug):
            assert ageing_tasks() == [task]
        assert ageing_tasks() == [task]
    assert ageing_tasks() == []
    assert subscriptions._tasks == {}
    async with watching(reader, slug=cluster.slug):
        assert len(ageing_tasks()) == 1
    assert ageing_tasks() == []


async def test_a_connection_that_the_server_gives_up_leaves_nothing(
    cluster: Cluster, reader: User
) -> None:
    before = asyncio.all_tasks()
    async with watching(reader, slug=cluster.slug) as [socket]:
        await socket.cut()
        assert subscriptions._tasks == {}
        left = asyncio.all_tasks() - before
        assert [t for t in left if "_do_receiving" not in repr(t)] == []  # the layer's own


def heard(cluster: Cluster, ago_s: float = 0.0) -> None:
    """Every node reported so long ago."""
    for node in cluster.nodes.all():
        status = wire.NodeStatus(node.wire_id, node.name, 1, 1, 0, 0, "", 1)
        at = timezone.now() - timedelta(seconds=ago_s)
        NodeStatus.objects.update_or_create(
            node=node, defaults={"status": wire.encode(status), "heard_at": at}
        )


def silent(message: Message) -> bool:
    return message["kind"] == "node" and message["delta"]["state"] == "unknown"


async def test_every_browser_is_told_that_a_node_fell_silent(
    cluster: Cluster, reader: User, operator: User
) -> None:
    await sync_to_async(heard)(cluster, ago_s=-1.0)  # not before the pages are open
    async with watching(reader, operator, slug=cluster.slug) as sockets:
        for socket in sockets:
            await until(socket, silent)
            await until(socket, lambda m: m == {"kind": "changed", "topic": "groups"})


async def test_it_survives_a_database_that_is_away(cluster: Cluster, reader: User) -> None:
    await sync_to_async(heard)(cluster, ago_s=-3600.0)
    failed = []

    def fail(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        failed.append(sql)
        raise OperationalError("the database is away")

    async with watching(reader, slug=cluster.slug) as [socket]:
        async with wrapped(fail):
            await holds(lambda: len(failed) >= 2)
        await sync_to_async(heard)(cluster, ago_s=60.0)
        await sync_to_async(NodeStatus.objects.update)(heard_at=None)
        await until(socket, silent)


async def closes(socket: Socket, within_s: float = 5.0) -> int:
    """The code with which the server closes, whatever it sends before."""
    deadline = time.monotonic() + within_s
    while True:
        answer = await socket.output(deadline - time.monotonic())
        if answer["type"] == "websocket.close":
            return int(answer["code"])


async def test_a_cluster_that_is_deleted_meanwhile_ends_its_streams_only(
    cluster: Cluster, canonical: Cluster, reader: User
) -> None:
    async with (
        watching(reader, slug=canonical.slug) as [stays],
        watching(reader, slug=cluster.slug) as [gone],
    ):
        await sync_to_async(cluster.delete)()
        assert await closes(gone) == 4404
        await sync_to_async(heard)(canonical, ago_s=-60.0)
        await until(stays, lambda m: m["kind"] == "node")


async def test_a_right_that_one_user_loses_is_nobody_elses(
    cluster: Cluster, reader: User, operator: User
) -> None:
    async with watching(reader, operator, slug=cluster.slug) as [loses, keeps]:
        await User.objects.filter(pk=reader.pk).aupdate(role=Role.NONE)
        began = time.monotonic()
        assert await closes(loses) == 4404
        assert time.monotonic() - began < 2 * subscriptions.TICK_S + 1
        await sync_to_async(heard)(cluster, ago_s=-60.0)
        await until(keeps, lambda m: m["kind"] == "node")


async def test_signing_out_in_one_browser_ends_that_one_only(
    cluster: Cluster, reader: User
) -> None:
    async with watching(reader, reader, slug=cluster.slug) as [first, second]:
        session = await Session.objects.afirst()
        assert session is not None
        await session.adelete()
        streams = [asyncio.create_task(closes(socket)) for socket in (first, second)]
        done, open_ = await asyncio.wait(streams, timeout=4)
        assert [task.result() for task in done] == [4404]
        assert len(open_) == 1
        open_.pop().cancel()


async def test_a_slow_browser_holds_up_nobody(
    cluster: Cluster, reader: User, operator: User
) -> None:
    await sync_to_async(heard)(cluster, ago_s=-1.0)
    async with browser(reader, cluster.slug, takes=1) as slow:
        assert await slow.connect()  # and then takes nothing
        async with watching(operator, slug=cluster.slug) as [socket]:
            await until(socket, silent)
            await sync_to_async(heard)(cluster, ago_s=-1.0)
            await until(socket, lambda m: m["kind"] == "node" and m["delta"]["state"] == "up")
            await until(socket, silent)
        assert (await slow.message())["kind"] == "snapshot"
        await until(slow, silent)


async def test_of_what_a_browser_did_not_take_only_the_newest_is_kept() -> None:
    subscription = subscriptions.Subscription(Cluster().pk, 1, "")
    broker = services.BrokerView(up=True, since=None, reason="")
    for state in ("first", "second"):
        subscription.give(Ageing([], {**broker, "reason": state}))
    given = await subscription.next()
    assert given is not None
    assert given.broker["reason"] == "second"
    waits = asyncio.create_task(subscription.next())
    await asyncio.sleep(0)
    assert not waits.done()
    subscription.give(None)
    assert await waits is None


@pytest.mark.parametrize("active", [True, False])
def test_who_is_still_visible_is_who_may_load(
    cluster: Cluster, canonical: Cluster, stranger: User, reader: User, active: bool
) -> None:
    root = User.objects.create_user("root", is_superuser=True)
    User.objects.update(is_active=active)
    people = [*User.objects.all(), root]
    clusters = [cluster, canonical, Cluster()]
    pairs = {(user.pk, one.pk) for user in people for one in clusters}
    pairs.add((10_000, cluster.pk))
    expected = {(u.pk, c.pk) for u in User.objects.all() for c in clusters_for(u)}
    assert still_visible(pairs) == expected
    assert bool(expected) is active
    assert still_visible([]) == set()


def test_only_sessions_that_exist_are_found(db: None) -> None:
    Session.objects.create(session_key="a", session_data="", expire_date=timezone.now())
    assert existing_sessions(["a", "b", ""]) == {"a"}
    assert existing_sessions([]) == set()
