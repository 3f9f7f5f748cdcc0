"""A push is done when the nodes report what was sent; what a restored backup forgot is said.

The rows, the broker and ingest are real; only the nodes are fake. A backup is the database's own.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import connection, connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hanode import wire
from tests.web.backend.fakenode import FakeNode
from webapp.accounts.models import User
from webapp.common import broker as common_broker
from webapp.configs import services as configs
from webapp.configs.models import Revision
from webapp.inventory.models import Cluster
from webapp.inventory.services import enrol
from webapp.live.ingest import Ingest
from webapp.live.services import cluster_view
from webapp.rollout import desired, plan, services, transport
from webapp.rollout.models import Rollout, Step

pytestmark = [pytest.mark.needs("valkey"), pytest.mark.django_db(transaction=True)]


class World:
    """A pair with its control plane, driven by hand."""

    def __init__(self, cluster: Cluster, editor: User, operator: User) -> None:
        self.cluster, self.editor, self.operator = cluster, editor, operator
        self.ingest = Ingest(common_broker.client())
        states = {"NodeA": "MASTER", "NodeB": "BACKUP"}
        self.a, self.b = (
            FakeNode(enrol(actor=None, node=row), state=states[row.name])
            for row in cluster.nodes.order_by("name")
        )
        self.clock_s = 0.0

    def turn(self) -> None:
        """What ingest and the worker do all the time."""
        self.clock_s += 2
        self.ingest.round(self.clock_s, block_ms=10)
        services.reconcile()

    def until(self, question: Callable[[], Any], within_s: float = 20.0) -> Any:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            self.turn()
            if answer := question():
                return answer
        raise AssertionError(f"not within {within_s} s: {self.rollouts()}")

    def rollouts(self) -> list[tuple[int, str, str]]:
        rows = Rollout.objects.filter(revision__cluster=self.cluster).order_by("pk")
        return [(row.revision.number, row.state, row.reason) for row in rows]

    def change(self, address: str) -> None:
        version = configs.draft_version(self.cluster)
        group = self.cluster.groups.get()
        configs.add_vip(actor=self.editor, group=group, version=version, address=address)

    def push(self, *, at_once: bool = False) -> Rollout:
        version = configs.draft_version(self.cluster)
        return services.push(
            actor=self.operator,
            cluster=self.cluster,
            message="",
            draft_version=version,
            at_once=at_once,
        )

    def push_and_wait(self, *, at_once: bool = False) -> Rollout:
        rollout = self.push(at_once=at_once)

        def ended() -> bool:
            rollout.refresh_from_db()
            return rollout.state in ("done", "failed")

        self.until(ended)
        return rollout

    def conditions(self) -> dict[str, list[str]]:
        view = cluster_view(self.cluster, timezone.now())
        return {n["name"]: [one["kind"] for one in n["conditions"]] for n in view["nodes"]}

    def heard(self) -> bool:
        view = cluster_view(self.cluster, timezone.now())
        return all(node["state"] == "up" for node in view["nodes"])


@pytest.fixture
def world(broker: redis.Redis, cluster: Cluster, editor: User, operator: User) -> Iterator[World]:
    if connection.vendor != "sqlite":
        pytest.skip("the backup is a file of SQLite")
    made = World(cluster, editor, operator)
    with ExitStack() as stack:
        stack.enter_context(made.a)
        stack.enter_context(made.b)
        made.until(made.heard)
        yield made


def backup(path: Path) -> None:
    connection.ensure_connection()
    with sqlite3.connect(path) as copy:
        connection.connection.backup(copy)
    copy.close()


def restore(path: Path) -> None:
    connection.ensure_connection()
    with sqlite3.connect(path) as copy:
        copy.backup(connection.connection)
    copy.close()
    connections.close_all()


def test_after_a_restored_backup_no_push_is_done_that_did_not_happen(
    world: World, tmp_path: Path, client: Client, reader: User
) -> None:
    """C1: backup at 1, push 2 and 3, restore, push again."""
    world.change("192.168.192.201/24")
    assert world.push_and_wait().state == "done"
    backup(tmp_path / "backup")
    for address in ("192.168.192.202/24", "192.168.192.203/24"):
        world.change(address)
        assert world.push_and_wait().state == "done", world.rollouts()
    assert (world.a.revision, world.b.revision) == (3, 3)
    restore(tmp_path / "backup")
    before = world.a.client.mget([f"node.{world.a.enrolment.node}:desired"])
    world.until(lambda: world.conditions() == {"NodeA": ["ahead"], "NodeB": ["ahead"]})
    assert (world.a.revision, world.b.revision) == (3, 3)
    assert world.a.client.mget([f"node.{world.a.enrolment.node}:desired"]) == before

    # It is said: on the page, in the API, on the push page, which offers a push though the draft
    # is what the database believes to be live.
    client.force_login(world.operator)
    where = reverse("cluster", args=[world.cluster.slug])
    sentence = "NodeA runs revision 3, which is not known here; the newest known is 1."
    # Before the nodes are heard again, what the broker holds for them is all that is known.
    world.until(lambda: sentence in client.get(where).content.decode())
    assert "NodeA, NodeB runs an unknown revision" in client.get(where).content.decode()
    told = client.get(f"/api/clusters/{world.cluster.slug}/status").json()
    assert [one["kind"] for one in told["nodes"][0]["conditions"]] == ["ahead"]
    page = client.get(reverse("push", args=[world.cluster.slug])).content.decode()
    assert "runs a revision 3 that is not known here" in page
    assert "Push to 2 nodes" in page

    # A person resolves it: the number is above, and done means that the nodes run this content.
    rollout = world.push_and_wait()
    assert (rollout.revision.number, rollout.state) == (4, "done"), world.rollouts()
    for node in (world.a, world.b):
        assert "192.168.192.201/24" in node.config
        assert "192.168.192.203/24" not in node.config
        assert node.confirmed == 4
    world.until(lambda: world.conditions() == {"NodeA": [], "NodeB": []})
    assert not configs.pending(world.cluster).any


def test_numbers_that_only_the_broker_remembers_are_not_given_again(
    world: World, tmp_path: Path
) -> None:
    backup(tmp_path / "backup")
    world.change("192.168.192.201/24")
    assert world.push_and_wait().revision.number == 1
    restore(tmp_path / "backup")  # and no report has come since
    world.change("192.168.192.202/24")
    rollout = world.push_and_wait()
    assert (rollout.revision.number, rollout.state) == (2, "done"), world.rollouts()
    assert "192.168.192.202/24" in world.a.config


def test_with_the_broker_empty_too_the_nodes_say_which_numbers_are_used(
    world: World, tmp_path: Path, broker: redis.Redis
) -> None:
    backup(tmp_path / "backup")
    for address in ("192.168.192.201/24", "192.168.192.202/24"):
        world.change(address)
        world.push_and_wait()
    restore(tmp_path / "backup")
    broker.delete(*broker.keys("node.*"))
    world.change("192.168.192.203/24")
    first = world.push_and_wait()
    assert (first.revision.number, first.state) == (1, "failed")
    assert "has run revision 2 already" in first.reason
    assert {node.revision for node in (world.a, world.b)} == {2}, "nothing was sent"
    second = world.push_and_wait()
    assert (second.revision.number, second.state) == (3, "done"), world.rollouts()
    assert "192.168.192.203/24" in world.b.config


def test_another_content_under_the_same_number_is_said(world: World) -> None:
    world.change("192.168.192.201/24")
    world.push_and_wait()
    world.b.run(1, "vrrp_instance of_another { }", confirmed=True)
    world.until(lambda: world.conditions()["NodeB"] == ["forked"])
    rollout = world.push_and_wait()
    assert (rollout.revision.number, rollout.state) == (2, "done")
    world.until(lambda: world.conditions()["NodeB"] == [])


def test_a_node_whose_disk_was_put_back_is_sent_it_again(world: World) -> None:
    world.change("192.168.192.201/24")
    world.push_and_wait()
    world.b.revision = world.b.confirmed = world.b.newest = 0
    world.b.config = ""
    world.until(lambda: world.b.confirmed == 1)
    world.until(lambda: world.conditions()["NodeB"] == [])


def test_no_node_can_use_up_the_numbers(world: World) -> None:
    world.b.say_status(newest_revision=2**62)
    world.turn()
    world.change("192.168.192.201/24")
    assert world.push().revision.number == 1


def test_a_confirmation_means_one_content(world: World) -> None:
    world.change("192.168.192.201/24")
    rollout = world.push_and_wait()
    payload = world.b._verified("confirmed", "confirmation")
    assert payload is not None
    said = wire.from_json(wire.Confirmation, payload)
    file = rollout.revision.files.get(node__wire_id=world.b.enrolment.node)
    assert said.config_sha256 == file.sha256


# A worker that dies between a commit and what it sends after it


class KilledError(BaseException):
    """As a signal would end it: nothing of the process runs after it."""


@pytest.mark.parametrize("at", ["sent", "live"])
def test_what_a_killed_worker_did_not_send_is_sent_before_any_limit_runs(
    world: World, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """C10: the step is committed, its message never sent; a minute later a worker runs again."""
    world.change("192.168.192.201/24")
    rollout = world.push()
    step = rollout.steps.get(node__name="NodeB")

    real = desired.send_all

    def send(nodes: Any, now: Any) -> None:
        step.refresh_from_db()
        if step.state == at:
            raise KilledError
        real(nodes, now)

    monkeypatch.setattr(desired, "send_all", send)
    with pytest.raises(KilledError):
        world.until(lambda: False)
    monkeypatch.undo()
    step.refresh_from_db()
    assert (step.state, step.told_at) == (at, None)
    long_ago = timezone.now() - timedelta(seconds=plan.ANSWER_WITHIN_S + 40)
    Step.objects.filter(pk=step.pk).update(at=long_ago)

    def ended() -> bool:
        rollout.refresh_from_db()
        return rollout.state in ("done", "failed")

    world.until(ended)
    assert rollout.state == "done", rollout.reason


def test_while_the_broker_is_away_no_limit_runs(
    world: World, settings: Any, tmp_path: Path
) -> None:
    world.change("192.168.192.201/24")
    rollout, url = world.push(), settings.BROKER_URL
    settings.BROKER_URL = f"redis+socket://{tmp_path}/nobody.sock"
    now = timezone.now()
    services.advance(rollout.pk, now=now)
    for late_s in (0, 30, 90):
        world.a.say_status()
        services.advance(rollout.pk, now=now + timedelta(seconds=late_s))
        rollout.refresh_from_db()
        assert rollout.state in ("waiting", "running"), rollout.reason
    settings.BROKER_URL = url
    assert transport.bundles([world.b.enrolment.node]) == {world.b.enrolment.node: None}


def test_all_nodes_switch_at_one_time(world: World) -> None:
    """C14: a VRID, a password … that one side alone cannot have."""
    world.change("192.168.192.201/24")
    assert world.push_and_wait(at_once=True).state == "done", world.rollouts()
    (a_at, _), (b_at, _) = world.a.applied[0], world.b.applied[0]
    assert abs(a_at - b_at) < 0.5, "far less than a backup waits for a silent master"
    assert (world.a.confirmed, world.b.confirmed) == (1, 1)


def test_if_one_node_does_not_take_it_none_is_told_to_keep_it(world: World) -> None:
    world.a.behave = "refuse"
    world.change("192.168.192.201/24")
    rollout = world.push_and_wait(at_once=True)
    assert rollout.state == "failed"
    assert "NodeB goes back to the revision of before by itself" in rollout.reason
    assert {s.node.name: s.state for s in rollout.steps.select_related("node")} == {
        "NodeA": "refused",
        "NodeB": "timed_out",
    }
    for _ in range(3):
        world.turn()
    assert world.b.confirmed == 0
    keys = [f"node.{world.b.enrolment.node}:{key}" for key in ("desired", "confirmed")]
    assert world.b.client.mget(keys) == [None, None]


def test_a_push_that_stops_half_way_says_what_it_parted(world: World) -> None:
    """C14, one after the other: B has the new password, A refuses it."""
    text = configs.document_text(world.cluster).replace("secure12", "newpass1")
    configs.save_document(actor=world.editor, cluster=world.cluster, version=1, text=text)
    world.a.behave = "refuse"
    rollout = world.push_and_wait()
    assert rollout.state == "failed"
    assert rollout.reason.endswith(
        "NodeA and NodeB now differ in auth_pass of HA_Group: they do not hear each other, and "
        "both may hold the addresses. Push again, or push what was before."
    )
    assert "newpass1" not in rollout.reason


def test_a_push_that_stops_half_way_and_parts_nothing_says_nothing_of_it(world: World) -> None:
    world.change("192.168.192.201/24")
    world.a.behave = "refuse"
    assert "hear each other" not in world.push_and_wait().reason


def test_done_is_said_when_the_address_has_moved(world: World) -> None:
    """D1: the priorities change places. Each node keeps the revision before the address moves."""
    version = configs.draft_version(world.cluster)
    text = configs.document_text(world.cluster).replace("priority 95", "priority 110")
    configs.save_document(actor=world.editor, cluster=world.cluster, version=version, text=text)
    world.push()
    status, priorities = FakeNode.status, {"NodeA": 100, "NodeB": 110}

    def with_priority(node: FakeNode, **changes: Any) -> wire.NodeStatus:
        said = status(node, **changes)
        one = said.instances[0]
        fields = {f: getattr(one, f) for f in ("name", "vrid", "interface", "state", "vips")}
        own = priorities[node.enrolment.name]
        moved = wire.InstanceStatus(
            **fields,
            since_us=one.since_us,
            cause="",
            base_priority=own,
            effective_priority=own,
        )
        return status(node, **{**changes, "instances": (moved,)})

    FakeNode.status = with_priority  # type: ignore[method-assign]
    try:
        world.until(lambda: "Waits: NodeB takes HA_Group over" in world.rollouts()[-1][2])
        assert world.rollouts()[-1][1] == "running"
        assert {step.state for step in Step.objects.all()} == {"confirmed"}
        world.b.state, world.a.state = "MASTER", "BACKUP"
        world.until(lambda: world.rollouts()[-1][1] == "done")
    finally:
        FakeNode.status = status  # type: ignore[method-assign]
    assert Revision.objects.count() == 2
