"""What one node does to the broker and to ingest does not keep the others from being heard.

Each attack is carried out with the rights that a node's user has, or, where those do not let it,
with the administrator's, since the same state may come about in other ways.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hanode import wire
from hanode.lab import broker as lab_broker
from hanode.lab.broker import LIMITS
from tests.lab.conftest import start_valkey
from tests.web.backend.fakenode import FakeNode
from tests.web.conftest import point_at
from webapp.accounts.models import User
from webapp.common import broker as common_broker
from webapp.inventory.models import Cluster, Enrolment
from webapp.inventory.services import enrol
from webapp.live import limits
from webapp.live.guard import USERS_EVERY_S
from webapp.live.ingest import Ingest
from webapp.live.models import Condition, Event
from webapp.live.services import cluster_view

pytestmark = [pytest.mark.needs("valkey"), pytest.mark.django_db]

MEMORY = 96_000_000


class World:
    """Two nodes and ingest; the second node is the bad one."""

    def __init__(self, cluster: Cluster, broker: redis.Redis) -> None:
        self.cluster, self.broker = cluster, broker
        self.good, self.bad = (
            FakeNode(enrol(actor=None, node=row)) for row in cluster.nodes.order_by("name")
        )
        self.stream = f"up.{self.bad.enrolment.node}"
        self.user = f"node.{self.bad.enrolment.node}"
        self.ingest = Ingest(common_broker.client())
        self.now_s = itertools.count(step=2.0)
        self.turn()

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self.ingest.round(next(self.now_s), block_ms=1)

    def is_heard(self, node: FakeNode, within: int = 6) -> bool:
        """Whether an event of the node becomes a row within so many rounds."""
        subject = f"heard {next(COUNT)}"
        try:
            node.say_event("warning", subject)
        except redis.RedisError:
            self.turn(within)
            return False
        for _ in range(within):
            self.turn()
            if Event.objects.filter(subject=subject).exists():
                return True
        return False

    def conditions(self) -> list[str]:
        return list(Condition.objects.values_list("kind", flat=True))


COUNT = itertools.count()


@pytest.fixture
def world(cluster: Cluster, broker: redis.Redis) -> Iterator[World]:
    """The broker has the limits of the one that we start; less memory, to be full sooner."""
    wanted = {**LIMITS, "maxmemory": str(MEMORY)}
    before: dict[str, Any] = {}
    for name in wanted:
        before.update(broker.config_get(name))  # type: ignore[arg-type]
    for name, value in wanted.items():
        broker.config_set(name, value)
    try:
        yield World(cluster, broker)
    finally:
        broker.flushall()
        for name, value in before.items():
            broker.config_set(name, value)


BROKEN: dict[str, Callable[[World], Any]] = {
    "a string": lambda w: (w.broker.delete(w.stream), w.broker.set(w.stream, "x")),
    "a list": lambda w: (w.broker.delete(w.stream), w.broker.lpush(w.stream, "x")),
    "no key": lambda w: w.broker.delete(w.stream),
    "no group": lambda w: w.broker.xgroup_destroy(w.stream, "ingest"),
    "another string": lambda w: w.broker.rename(_string(w), w.stream),
    "everything gone": lambda w: w.broker.flushdb(),
    "a group that is ahead": lambda w: w.broker.xgroup_setid(w.stream, "ingest", "$"),
}


def _string(world: World) -> str:
    world.broker.set("elsewhere", "x")
    return "elsewhere"


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_stream_harms_no_other_and_is_repaired(world: World, how: str) -> None:
    BROKEN[how](world)
    assert world.is_heard(world.good)
    assert world.is_heard(world.bad)
    assert world.is_heard(world.good)


def test_streams_of_all_that_are_broken_at_once_are_repaired(world: World) -> None:
    for node in (world.good, world.bad):
        stream = f"up.{node.enrolment.node}"
        world.broker.delete(stream)
        world.broker.set(stream, "x")
    world.turn()
    assert world.is_heard(world.good)
    assert world.is_heard(world.bad)


@pytest.mark.parametrize("entry_id", ["99999999999999-0", f"{2**64 - 1}-{2**64 - 1}"])
def test_an_id_of_the_future_does_not_end_the_stream(world: World, entry_id: str) -> None:
    world.bad.client.xadd(world.stream, {"t": "x"}, id=entry_id)
    world.turn(2)
    assert world.is_heard(world.bad)
    assert world.is_heard(world.good)


def fill(world: World, size: int, entries: int) -> None:
    with contextlib.suppress(redis.RedisError):
        for _ in range(entries):
            world.bad.client.xadd(world.stream, {"t": "event", "d": "x" * size})
        pytest.fail("all of it went in")
    assert world.broker.ping()


@pytest.mark.parametrize(("size", "entries"), [(15_000_000, 20), (1_000_000, 150)])
def test_a_full_broker_is_emptied_and_the_node_put_out(
    world: World, size: int, entries: int
) -> None:
    fill(world, size, entries)
    assert world.broker.info("memory")["used_memory"] < 1.5 * MEMORY
    world.turn(2)
    assert world.is_heard(world.good), world.conditions()
    assert world.conditions() == ["flood"]
    assert world.user not in world.broker.acl_users()
    assert not world.is_heard(world.bad)
    view = cluster_view(world.cluster, timezone.now())
    told = {node["name"]: node["conditions"] for node in view["nodes"]}
    assert told["NodeA"] == []
    assert "NodeB sends too much" in told["NodeB"][0]["text"]


def test_a_node_that_was_put_out_comes_in_again(world: World) -> None:
    fill(world, 1_000_000, 150)
    world.turn(2)
    assert world.conditions() == ["flood"]
    long_ago = timezone.now() - timedelta(seconds=limits.SUSPENDED_S + 1)
    Condition.objects.update(since=long_ago)
    world.turn(2)
    assert world.conditions() == []
    assert world.is_heard(FakeNode(world.bad.enrolment))


def test_one_value_is_never_longer_than_a_bundle_needs(world: World) -> None:
    with pytest.raises(redis.RedisError):
        world.bad.client.xadd(world.stream, {"t": "event", "d": "x" * 17_000_000})
    assert world.is_heard(world.good)


def test_a_stream_that_nobody_shortens_is_emptied(world: World) -> None:
    pipe = world.bad.client.pipeline(transaction=False)
    for _ in range(limits.STREAM_ENTRIES_MAX + 1_000):
        pipe.xadd(world.stream, {"t": "x"})
    pipe.execute()
    assert world.is_heard(world.good)
    world.turn(2)
    assert world.conditions() == ["flood"]


def test_too_many_connections_are_closed(world: World) -> None:
    url = world.bad.enrolment.broker_url.replace("redis+socket://", "unix://")
    many = [redis.Redis.from_url(url) for _ in range(limits.CONNECTIONS_MAX + 5)]
    try:
        for one in many:
            one.ping()
        world.turn(int(USERS_EVERY_S))
        assert world.conditions() == ["flood"]
        users = [one["user"] for one in world.broker.client_list()]
        assert world.user not in users
    finally:
        for one in many:
            one.close()
    assert world.is_heard(world.good)


def test_an_agents_own_connections_are_few(world: World) -> None:
    world.turn(10)
    assert world.conditions() == []


HOSTILE = [
    '{"late": {"orders": 1e999}}',
    '{"late": {"<script>": 9e99}}',
    '{"wall_us": 9223372036854775807, "started_us": 0}',
    '{"revision": 9223372036854775807, "newest_revision": 9223372036854775807}',
    '{"name": "' + "N" * 100_000 + '"}',
    '{"problems": ["\\u0000\\ud800<b>"]}',
    '{"instances": [{"name": "", "vrid": -5, "interface": "", "state": "LORD", "since_us": 1'
    + "0" * 300
    + ', "cause": "", "base_priority": 1, "effective_priority": 1}]}',
    '{"instances": [{"name": "\\ud800", "vrid": 1, "interface": "", "state": "MASTER", '
    '"since_us": -9223372036854775808, "cause": "", "base_priority": 1, "effective_priority": 1}]}',
]


@pytest.mark.parametrize("status", HOSTILE, ids=lambda text: text[:40])
def test_nothing_in_a_status_breaks_ingest_or_a_page(
    world: World, client: Client, reader: User, status: str
) -> None:
    said = wire.encode(world.bad.status())
    text = json.dumps(said)[:-1] + ", " + status[1:]  # the last of two fields counts
    for _ in range(2):
        world.bad.client.xadd(world.stream, {"t": "status", "d": text})
        world.turn()
    assert world.is_heard(world.good)
    assert world.is_heard(world.bad)
    client.force_login(reader)
    assert client.get(reverse("cluster", args=[world.cluster.slug])).status_code == 200
    answer = client.get(f"/api/clusters/{world.cluster.slug}/status")
    assert answer.status_code == 200
    json.loads(answer.content, parse_constant=lambda text: pytest.fail(text))


# Users that the broker loses without closing a connection


LOSSES: dict[str, Callable[[World], Any]] = {
    "deleted": lambda w: w.broker.acl_deluser(w.user),
    "switched off": lambda w: w.broker.execute_command("ACL", "SETUSER", w.user, "off"),
    "another password": lambda w: w.broker.execute_command(
        "ACL", "SETUSER", w.user, "resetpass", ">other"
    ),
    "no rights": lambda w: w.broker.execute_command("ACL", "SETUSER", w.user, "-@all"),
    "no keys": lambda w: w.broker.execute_command("ACL", "SETUSER", w.user, "resetkeys"),
    "more rights": lambda w: w.broker.execute_command("ACL", "SETUSER", w.user, "+@all", "~*"),
}


@pytest.mark.parametrize("how", LOSSES)
def test_a_user_that_the_broker_lost_is_put_right(world: World, how: str) -> None:
    """C9: as after ACL LOAD, which no connection of ours notices."""
    world.turn(int(USERS_EVERY_S))
    LOSSES[how](world)
    world.turn(int(USERS_EVERY_S))
    fresh = FakeNode(world.bad.enrolment)
    assert world.is_heard(fresh)
    with pytest.raises(redis.exceptions.NoPermissionError):
        fresh.client.set("anything", "x")
    assert world.is_heard(world.good)


def test_users_come_back_after_a_real_acl_load(
    cluster: Cluster, settings: Any, tmp_path: Path
) -> None:
    """The broker that we start, with its file of users, in which no node is: nobody saved them."""
    (tmp_path / "run").mkdir()
    made = lab_broker.prepare(tmp_path / "run", tmp_path / "data")
    process = start_valkey(made)
    try:
        point_at(settings, made.admin_url)
        settings.NODE_BROKER_URL = made.node_url
        admin = common_broker.client()
        world = World(cluster, admin)
        world.turn(int(USERS_EVERY_S))
        assert world.is_heard(world.good)
        admin.execute_command("ACL", "LOAD")
        assert world.user not in admin.acl_users()
        world.turn(int(USERS_EVERY_S))
        assert world.is_heard(world.good)
        assert world.is_heard(world.bad)
        admin.close()
    finally:
        process.terminate()
        process.wait(10)


def test_nothing_is_written_to_users_that_are_right(world: World) -> None:
    world.turn(int(USERS_EVERY_S))
    before = world.broker.info("commandstats").get("cmdstat_acl|setuser", {}).get("calls", 0)
    world.turn(20)
    after = world.broker.info("commandstats").get("cmdstat_acl|setuser", {}).get("calls", 0)
    assert after == before


def test_a_revoked_user_that_comes_back_is_deleted_again(world: World) -> None:
    Enrolment.objects.filter(node__wire_id=world.bad.enrolment.node).update(
        revoked_at=timezone.now()
    )
    world.turn(int(USERS_EVERY_S))
    assert world.user not in world.broker.acl_users()
