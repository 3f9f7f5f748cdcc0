"""A node's broker user: its own queue and keys, its own stream, nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from tests.web.backend.fakenode import FakeNode
from webapp.common import broker as common_broker
from webapp.inventory import acl
from webapp.inventory.models import Cluster, Enrolment
from webapp.inventory.services import enrol, revoke

pytestmark = [pytest.mark.needs("valkey"), pytest.mark.django_db]


@pytest.fixture
def nodes(broker: redis.Redis, cluster: Cluster) -> tuple[FakeNode, FakeNode]:
    a, b = (FakeNode(enrol(actor=None, node=row)) for row in cluster.nodes.all())
    return a, b


def test_a_node_may_what_it_needs(nodes: tuple[FakeNode, FakeNode], broker: redis.Redis) -> None:
    a, _ = nodes
    broker.execute_command("ACL", "LOG", "RESET")
    own = f"node.{a.enrolment.node}"
    keys = [f"{own}:{key}" for key in ("desired", "confirmed", "acked")]
    assert a.client.mget(keys) == [None, None, None]
    broker.lpush(f"{own}:{own}", "task")
    assert a.client.brpop(f"{own}:{own}", 1)
    a.client.xadd(f"up.{a.enrolment.node}", {"t": "event", "d": "{}"}, maxlen=5)
    assert not broker.execute_command("ACL", "LOG")


FORBIDDEN: list[tuple[str, ...]] = [
    ("GET", "node.{other}:desired"),
    ("SET", "node.{other}:desired", "x"),
    ("BRPOP", "node.{other}:node.{other}", "1"),
    ("LPUSH", "node.{other}:node.{other}", "x"),
    ("XADD", "up.{other}", "*", "t", "event", "d", "x"),
    ("XRANGE", "up.{other}", "-", "+"),
    ("XRANGE", "up.{own}", "-", "+"),
    ("LPUSH", "control:control", "x"),
    ("GET", "control:x"),
    ("PUBLISH", "live__group__x", "x"),
    ("SUBSCRIBE", "live__group__x"),
    ("PUBSUB", "CHANNELS"),
    ("KEYS", "*"),
    ("SCAN", "0"),
    ("RANDOMKEY",),
    ("DBSIZE",),
    ("FLUSHALL",),
    ("FLUSHDB",),
    ("SWAPDB", "0", "1"),
    ("ACL", "LIST"),
    ("ACL", "SETUSER", "me", "on"),
    ("CONFIG", "GET", "*"),
    ("CLIENT", "LIST"),
    ("CLIENT", "KILL", "ID", "1"),
    ("INFO",),
    ("MONITOR",),
    ("DEBUG", "SLEEP", "0"),
    ("SHUTDOWN",),
    ("EVAL", "return redis.call('GET', KEYS[1])", "1", "node.{other}:desired"),
    ("EVAL", "return redis.call('FLUSHALL')", "0"),
    ("FUNCTION", "FLUSH"),
    ("SCRIPT", "FLUSH"),
    ("COPY", "node.{other}:desired", "node.{own}:stolen"),
    ("RENAME", "node.{own}:x", "node.{other}:desired"),
    ("SORT", "node.{own}:x", "BY", "node.{other}:*", "GET", "node.{other}:*"),
    ("MIGRATE", "127.0.0.1", "1", "node.{own}:x", "0", "1"),
    # Its own keys: nothing but what the agent does with them
    ("SET", "up.{own}", "x"),
    ("SET", "up.{own}", "x", "GET"),
    ("DEL", "up.{own}"),
    ("UNLINK", "up.{own}"),
    ("EXPIRE", "up.{own}", "1"),
    ("XGROUP", "DESTROY", "up.{own}", "ingest"),
    ("XGROUP", "SETID", "up.{own}", "ingest", "$"),
    ("XGROUP", "CREATE", "up.{own}", "mine", "$", "MKSTREAM"),
    ("XREADGROUP", "GROUP", "ingest", "ingest-1", "STREAMS", "up.{own}", ">"),
    ("XACK", "up.{own}", "ingest", "1-1"),
    ("XAUTOCLAIM", "up.{own}", "ingest", "me", "0", "0"),
    ("XDEL", "up.{own}", "1-1"),
    ("XTRIM", "up.{own}", "MAXLEN", "0"),
    ("XSETID", "up.{own}", "99999999999999-0"),
    ("APPEND", "up.{own}", "x"),
    ("LPUSH", "up.{own}", "x"),
    ("RENAME", "node.{own}:x", "up.{own}"),
    ("RESTORE", "up.{own}", "0", "x"),
    ("COPY", "node.{own}:x", "up.{own}", "REPLACE"),
    ("SET", "node.{own}:desired", "x"),
    ("SET", "node.{own}:acked", "x"),
    ("DEL", "node.{own}:desired"),
    ("SET", "node.{own}:fill", "x" * 1000),
    ("SETRANGE", "node.{own}:fill", "500000000", "x"),
    ("SETBIT", "node.{own}:fill", "4000000000", "1"),
    ("APPEND", "node.{own}:fill", "x"),
    ("LPUSH", "node.{own}:node.{own}", "x"),
    ("LPUSH", "node.{own}:fill", "x"),
    ("SADD", "node.{own}:_kombu.binding.node.{own}", "x"),
    ("HSET", "node.{own}:unacked", "x", "y"),
    ("ZADD", "node.{own}:unacked_index", "1", "x"),
    ("PFADD", "node.{own}:fill", "x"),
    ("GEOADD", "node.{own}:fill", "1", "1", "x"),
    ("XADD", "node.{own}:fill", "*", "t", "x"),
    ("BRPOP", "node.{own}:desired", "1"),
    ("GET", "node.{own}:desired"),
    ("MGET", "node.{own}:desired", "node.{other}:desired"),
    ("MGET", "node.{own}:x"),
    # No command that is long, blocks others, or holds memory
    ("EVAL", "while true do end", "0"),
    ("EVAL_RO", "while true do end", "0"),
    ("EVALSHA", "0" * 40, "0"),
    ("SCRIPT", "LOAD", "return 1"),
    ("FUNCTION", "LOAD", "#!lua name=x"),
    ("FCALL", "x", "0"),
    ("SUBSCRIBE", "node.{own}:x"),
    ("PUBLISH", "node.{own}:x", "x"),
    ("SPUBLISH", "node.{own}:x", "x"),
    ("CLIENT", "PAUSE", "10000"),
    ("CLIENT", "TRACKING", "ON"),
    ("CLIENT", "NO-EVICT", "ON"),
    ("CLIENT", "UNBLOCK", "1"),
    ("WAIT", "1", "0"),
    ("MULTI",),
    ("WATCH", "node.{own}:x"),
    ("OBJECT", "HELP"),
    ("MEMORY", "USAGE", "up.{own}"),
    ("LATENCY", "RESET"),
    ("REPLICAOF", "127.0.0.1", "1"),
    ("SAVE",),
    ("BGSAVE",),
    ("BGREWRITEAOF",),
]


@pytest.mark.parametrize("command", FORBIDDEN, ids=lambda command: " ".join(command)[:50])
def test_a_node_may_nothing_else(
    nodes: tuple[FakeNode, FakeNode], broker: redis.Redis, command: tuple[str, ...]
) -> None:
    a, b = nodes
    broker.set(f"node.{b.enrolment.node}:desired", "secret")
    broker.set(f"node.{a.enrolment.node}:x", "mine")
    words = [word.format(other=b.enrolment.node, own=a.enrolment.node) for word in command]
    execute: Any = a.client.execute_command
    with pytest.raises(redis.RedisError) as refused:
        execute(*words)
    text = str(refused.value).lower()
    assert "permission" in text or "debug command not allowed" in text, text
    assert broker.get(f"node.{b.enrolment.node}:desired") == b"secret"


def test_a_stranger_with_a_wrong_password_is_refused(
    nodes: tuple[FakeNode, FakeNode],
) -> None:
    url = nodes[0].enrolment.broker_url.replace("redis+socket://", "unix://")
    user, _, rest = url.partition("://")[2].partition(":")
    wrong = redis.Redis.from_url(f"unix://{user}:wrong@{rest.partition('@')[2]}")
    with pytest.raises(redis.AuthenticationError):
        wrong.ping()


def test_only_the_hash_of_the_password_is_kept(nodes: tuple[FakeNode, FakeNode]) -> None:
    password = nodes[0].enrolment.broker_url.partition("://")[2].split(":")[1].split("@")[0]
    assert not Enrolment.objects.filter(broker_password_hash__contains=password).exists()


def test_users_are_put_back_after_the_broker_forgot_them(
    nodes: tuple[FakeNode, FakeNode], broker: redis.Redis
) -> None:
    a, _ = nodes
    name = f"node.{a.enrolment.node}"
    broker.acl_deluser(name)
    assert acl.apply_all(common_broker.client()) == 2
    assert name in broker.acl_users()
    FakeNode(a.enrolment).say_status()


def test_enrolling_again_ends_the_enrolment_before(
    nodes: tuple[FakeNode, FakeNode], cluster: Cluster
) -> None:
    old, _ = nodes
    enrol(actor=None, node=cluster.nodes.get(wire_id=old.enrolment.node))
    with pytest.raises(redis.AuthenticationError):
        FakeNode(old.enrolment).say_status()


def test_a_revoked_node_is_out_and_stays_out(
    nodes: tuple[FakeNode, FakeNode], cluster: Cluster, admin: Any
) -> None:
    a, _ = nodes
    revoke(actor=admin, node=cluster.nodes.get(wire_id=a.enrolment.node))
    acl.apply_all(common_broker.client())
    with pytest.raises(redis.AuthenticationError):
        FakeNode(a.enrolment).say_status()
