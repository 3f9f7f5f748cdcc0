"""What the broker holds for a node, and what passes through it, only that node can read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from hanode import wire
from hanode.conf import mask_secrets
from hanode.system.sealing import unsealer
from tests.web.backend.fakenode import FakeNode
from tests.web.backend.test_push import changed as changed
from tests.web.backend.test_push import finished, heard, nodes_of, process, wait_for
from tests.web.backend.test_push import ingest as ingest
from tests.web.backend.test_push import worker as worker
from tests.web.backend.test_vault import every_cell
from webapp.accounts.models import User
from webapp.configs import services as configs
from webapp.inventory.content_keys import new_content_key, sealed
from webapp.inventory.models import Cluster, Enrolment
from webapp.inventory.services import enrol, enrolment_of, readable_in_broker, revoke, stands
from webapp.rollout import desired, services

pytestmark = [pytest.mark.needs("valkey"), pytest.mark.django_db(transaction=True)]


@pytest.fixture
def keyless_ingest(
    broker: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Ingest as the unit of contrib runs it: without the data key."""
    with ExitStack() as stack:
        with monkeypatch.context() as less:
            less.delenv("KEEPSIGHT_DATA_KEY")
            stack.enter_context(process(tmp_path / "ingest.log", "manage.py", "ingest"))
        yield
        assert "Traceback" not in (tmp_path / "ingest.log").read_text()


class Listener:
    """Everything that any client tells the broker, as its append-only file would have it."""

    def __init__(self, client: redis.Redis) -> None:
        self.heard: list[str] = []
        self._client: Any = client
        self._begun = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def _listen(self) -> None:
        with self._client.monitor() as monitor:
            self._begun.set()
            for command in monitor.listen():
                self.heard.append(str(command["command"]))
                if self._end.is_set():
                    return

    def __enter__(self) -> Listener:
        self._thread.start()
        assert self._begun.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._client.ping()
        self._thread.join(5)


def held(client: redis.Redis) -> str:
    """Every value of the broker."""
    said: list[str] = []
    for key in client.scan_iter():
        read: dict[bytes, Any] = {
            b"string": client.get,
            b"stream": client.xrange,
            b"list": lambda key: client.lrange(key, 0, -1),
            b"set": client.smembers,
            b"hash": client.hgetall,
            b"none": lambda _key: "",  # it expired meanwhile
            b"zset": lambda key: client.zrange(key, 0, -1),
        }
        kind: Any = client.type(key)
        said += [str(key), str(read[kind](key))]
    return "\n".join(said)


def test_a_push_shows_the_broker_no_secret(
    broker: redis.Redis, keyless_ingest: None, worker: None, changed: Cluster, operator: User
) -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(Listener(broker))
        a, b = (stack.enter_context(node) for node in nodes_of(changed))
        wait_for(lambda: heard(changed))
        rollout = services.push(actor=operator, cluster=changed, message="", draft_version=2)
        wait_for(lambda: finished(rollout))
        assert rollout.state == "done", rollout.reason
        assert "auth_pass secure12" in a.applied[-1][1].config
        for node in (a, b):
            assert broker.exists(f"node.{node.enrolment.node}:desired")
        said = held(broker) + "\n".join(listener.heard)
    assert "192.168.192.201" not in said.replace("192.168.192.201/24 in", "")
    assert "secure12" not in every_cell(), "nor is it in the database, after a push and its reports"
    for secret in ("secure12", "auth_pass", a.enrolment.content_key, b.enrolment.content_key):
        assert secret not in said


def test_the_same_envelope_is_the_same_bytes(changed: Cluster, editor: User) -> None:
    """Else the reconciler would write it again every few seconds, and nudge."""
    node = changed.nodes.get(name="NodeA")
    enrol(actor=None, node=node)
    revision = configs.freeze(actor=editor, cluster=changed, message="", version=2)
    bundle = desired.bundle_of(node, revision.files.get(node=node))
    row = enrolment_of(node)
    assert row is not None
    assert desired.for_node(bundle, row) == desired.for_node(bundle, row)


def test_only_its_node_and_only_its_key_open_it(cluster: Cluster) -> None:
    envelope = wire.Signed("bundle", "{}", "signature")
    key = new_content_key()
    one = sealed(envelope, node="node-a", content_key=key)
    me = wire.Enrolment("node-a", "NodeA", "c", "redis://x", "key", content_key=key)
    assert wire.from_json(wire.Signed, unsealer(me)("bundle", one.payload)) == envelope
    for who, kind in (
        (me, "confirmation"),
        (replace(me, node="node-b"), "bundle"),
        (replace(me, content_key=new_content_key()), "bundle"),
    ):
        with pytest.raises(wire.WireError, match="not for this node's content key"):
            unsealer(who)(kind, one.payload)
    with pytest.raises(wire.WireError, match="enrol the node again"):
        unsealer(replace(me, content_key=""))("bundle", one.payload)


@pytest.mark.parametrize("text", ["x", "AAAA", "c2hvcnQ="])
def test_an_enrolment_with_no_key_in_its_key_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="its content_key"):
        unsealer(wire.Enrolment("a", "A", "c", "redis://x", "key", content_key=text))


def test_a_node_that_was_enrolled_before_is_still_pushed_to_and_named(
    broker: redis.Redis, ingest: None, worker: None, changed: Cluster, operator: User
) -> None:
    """It has no content key: its envelopes are signed as before, and the page says so."""
    with ExitStack() as stack:
        nodes = nodes_of(changed)
        Enrolment.objects.filter(node__name="NodeB").update(content_key=None)
        nodes[1].enrolment = replace(nodes[1].enrolment, content_key="")
        for node in nodes:
            stack.enter_context(node)
        wait_for(lambda: heard(changed))
        rollout = services.push(actor=operator, cluster=changed, message="", draft_version=2)
        wait_for(lambda: finished(rollout))
        assert rollout.state == "done", rollout.reason
    assert [node.name for node in readable_in_broker(changed.nodes.all())] == ["NodeB"]
    from tests.web.pages.conftest import signed_in

    page = signed_in(operator).get(f"/c/{changed.slug}/push/").content.decode()
    assert f"keepsight enrol {changed.slug} NodeB" in page
    assert "NodeA was enrolled" not in page


def test_nothing_is_held_for_a_node_that_may_not_read_it(
    broker: redis.Redis, changed: Cluster, admin: User, editor: User
) -> None:
    from django.utils import timezone

    node = changed.nodes.get(name="NodeA")
    enrol(actor=None, node=node)
    key = f"node.{node.wire_id}:desired"
    rollout = services.push(actor=admin, cluster=changed, message="", draft_version=2)
    rollout.steps.filter(node=node).update(state="confirmed")
    desired.send(node, timezone.now())
    assert broker.exists(key)
    revoke(actor=admin, node=node)
    desired.send(node, timezone.now())
    assert not broker.exists(key)


def test_a_new_enrolment_ends_the_connections_of_the_one_before(
    broker: redis.Redis, cluster: Cluster
) -> None:
    node = cluster.nodes.get(name="NodeA")
    one, other = FakeNode(enrol(actor=None, node=node)), cluster.nodes.get(name="NodeB")
    beside = FakeNode(enrol(actor=None, node=other))
    one.say_status()
    beside.say_status()

    def connections() -> set[str]:
        name = f"node.{other.wire_id}"
        return {one["id"] for one in broker.client_list() if one["user"] == name}

    held = connections()
    two = FakeNode(enrol(actor=None, node=node))
    two.say_status()
    with pytest.raises(redis.ConnectionError, match="invalid username-password"):
        one.say_status()
    assert connections() == held != set(), "other nodes go on"


def test_an_enrolment_stands_until_something_in_it_changes(
    broker: redis.Redis, cluster: Cluster, admin: User, settings: Any
) -> None:
    node = cluster.nodes.get(name="NodeA")
    first = enrol(actor=None, node=node)
    assert stands(node, first)
    assert not stands(cluster.nodes.get(name="NodeB"), first)
    assert not stands(node, replace(first, content_key=new_content_key()))
    assert not stands(node, replace(first, heartbeat_s=9.0))
    second = enrol(actor=None, node=node)
    assert not stands(node, first)
    settings.NODE_BROKER_URL = "redis://elsewhere:6379/0"
    assert not stands(node, second)
    settings.NODE_BROKER_URL = settings.BROKER_URL
    revoke(actor=admin, node=node)
    assert not stands(node, second)


def test_masks_are_only_for_pages(cluster: Cluster) -> None:
    """What is sealed for a node is the file itself, never a masked one."""
    file = cluster.revisions.get(number=0).files.first()
    assert file is not None
    bundle = wire.from_json(wire.Bundle, desired.bundle_of(file.node, file).payload)
    assert bundle.config == file.text != mask_secrets(file.text)
