"""The nudge: a real Celery worker, signed in as the node's own broker user, hears it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from hanode import wire
from webapp.inventory.models import Cluster
from webapp.inventory.services import enrol
from webapp.rollout import transport

pytestmark = [pytest.mark.needs("valkey"), pytest.mark.django_db]

WORKER = """
import sys
from hanode.proc.agent.process import make_app
from hanode.wire import Enrolment, from_json
enrolment, seen = from_json(Enrolment, sys.argv[1]), sys.argv[2]

def heard():
    with open(seen, "a") as file:
        file.write("x")

app = make_app(enrolment, on_nudge=heard)
app.Worker(pool="solo", without_gossip=True, without_mingle=True, without_heartbeat=True).start()
"""
"""The agent's own Celery: what it needs of the broker is what a node's user may."""


def test_a_node_hears_its_own_nudge_and_no_other(
    cluster: Cluster, broker: redis.Redis, tmp_path: Path
) -> None:
    node, other = cluster.nodes.all()
    enrolment = enrol(actor=None, node=node)
    seen = tmp_path / "seen"
    transport.nudge(other.wire_id, 99)
    arguments = [wire.to_json(enrolment), str(seen)]
    broker.execute_command("ACL", "LOG", "RESET")
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, *arguments], stdout=log, stderr=log
        )
    try:
        transport.nudge(node.wire_id, 7)
        transport.nudge(node.wire_id, 8)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if seen.exists() and seen.read_text() == "xx":
                break
            time.sleep(0.05)
        assert seen.exists(), (tmp_path / "log").read_text()
        assert seen.read_text() == "xx"
        assert not broker.execute_command("ACL", "LOG"), "it asked for more than it may"
    finally:
        worker.kill()
        worker.wait()


def test_every_key_of_a_nudge_is_under_the_nodes_prefix(
    cluster: Cluster, broker: redis.Redis
) -> None:
    broker.flushall()
    node = cluster.nodes.first()
    assert node is not None
    transport.nudge(node.wire_id, 1)
    keys = [key.decode() for key in broker.keys("*")]
    assert keys
    assert all(key.startswith(f"node.{node.wire_id}:") for key in keys), keys


def test_a_broker_that_is_away_is_told_soon(settings: object, tmp_path: Path) -> None:
    from tests.web.conftest import point_at

    point_at(settings, f"redis+socket://{tmp_path}/nobody.sock")
    began = time.monotonic()
    with pytest.raises(transport.BrokerAway):
        transport.nudge("x", 1)
    with pytest.raises(transport.BrokerAway):
        transport.put("x", None, None)
    assert time.monotonic() - began < 5
