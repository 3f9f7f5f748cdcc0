"""A node with sealed envelopes, and one whose enrolment is replaced while it runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hanode.wire import Sealed, to_json
from tests.proc.harness import CONFIG_201, PASSWORD, WIRE_ID, Authority, Broker, Node, until
from tests.proc.test_agent import told
from webapp.inventory.content_keys import new_content_key, sealed

pytestmark = pytest.mark.needs("root", "netns", "valkey")


@pytest.fixture
def keyed(node: Node, broker: Broker, authority: Authority) -> Node:
    """Running, with a content key in its enrolment."""
    node.enrol(authority, broker.node_url())
    assert node.enrolment is not None
    node.enrolment = replace(node.enrolment, content_key=new_content_key())
    node.start()
    until(broker.statuses, what="no status reached the broker")
    return node


def for_it(node: Node, authority: Authority, revision: int) -> Sealed:
    assert node.enrolment is not None
    bundle = authority.bundle(revision, CONFIG_201)
    return sealed(bundle, node=WIRE_ID, content_key=node.enrolment.content_key)


def test_a_sealed_revision_goes_live(keyed: Node, broker: Broker, authority: Authority) -> None:
    broker.client.set(f"node.{WIRE_ID}:desired", to_json(for_it(keyed, authority, 1)))
    until(lambda: keyed.kernel_has("192.168.192.201/24"))
    until(lambda: keyed.phases(1)[-1:] == ["live"])


def test_a_revision_as_earlier_control_planes_send_it_goes_live_too(
    keyed: Node, broker: Broker, authority: Authority
) -> None:
    broker.desire(authority.bundle(1, CONFIG_201))
    until(lambda: keyed.kernel_has("192.168.192.201/24"))


def test_what_is_sealed_for_another_key_is_refused_with_that_reason(
    keyed: Node, broker: Broker, authority: Authority
) -> None:
    assert keyed.enrolment is not None
    stranger = replace(keyed.enrolment, content_key=new_content_key())
    wrong = sealed(authority.bundle(1, CONFIG_201), node=WIRE_ID, content_key=stranger.content_key)
    broker.client.set(f"node.{WIRE_ID}:desired", to_json(wrong))
    (refused,) = until(lambda: told(broker, "config", phase="refused"))
    assert "not for this node's content key" in refused.cause


def test_a_replaced_enrolment_is_said_and_read_again(
    keyed: Node, broker: Broker, authority: Authority
) -> None:
    """The engine goes on all the while, and is not started again."""
    assert keyed.enrolment is not None
    vrrp, agent = keyed.pid("vrrp"), keyed.pid("agent")
    user = f"node.{WIRE_ID}"
    execute: Any = broker.client.execute_command
    execute("ACL", "SETUSER", user, "resetpass", ">a/new%password")
    execute("CLIENT", "KILL", "USER", user)
    until(lambda: "the broker refuses this node" in " ".join(keyed.status().problems))
    said = [e for e in keyed.events() if e.subject == "broker" and e.data["phase"] == "refused"]
    assert len(said) == 1
    assert PASSWORD not in keyed.log.read_text()

    url = broker.node_url().replace(PASSWORD, "a%2Fnew%25password")
    keyed.enrolment = replace(keyed.enrolment, broker_url=url, content_key=new_content_key())
    (keyed.directory / "enrolment.json").write_text(to_json(keyed.enrolment))
    broker.client.set(f"node.{WIRE_ID}:desired", to_json(for_it(keyed, authority, 1)))
    until(lambda: keyed.kernel_has("192.168.192.201/24"), within_s=15)
    until(lambda: not keyed.status().problems)
    assert keyed.pid("vrrp") == vrrp
    assert keyed.pid("agent") != agent
    assert "a/new%password" not in keyed.log.read_text()


def test_another_nodes_enrolment_in_its_place_is_not_taken(
    keyed: Node, broker: Broker, authority: Authority
) -> None:
    assert keyed.enrolment is not None
    agent = keyed.pid("agent")
    broker.client.acl_deluser(f"node.{WIRE_ID}")
    other = replace(keyed.enrolment, node="node-x", public_key=Authority().public_key)
    (keyed.directory / "enrolment.json").write_text(to_json(other))
    until(lambda: "another node's or another control plane's" in keyed.log.read_text())
    assert keyed.pid("agent") == agent
