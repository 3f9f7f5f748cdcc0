"""A node with its agent and a real broker: pushes down, events and status up."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pytest

from hanode.system.journal import Journal
from hanode.wire import Event, Signed
from tests.proc.harness import (
    CONFIG,
    CONFIG_201,
    CONFIG_BROKEN,
    PASSWORD,
    WIRE_ID,
    Authority,
    Broker,
    Node,
    until,
)

pytestmark = pytest.mark.needs("root", "netns", "valkey")

LIVE_WITHIN_MS = 300


@pytest.fixture
def enrolled(node: Node, broker: Broker, authority: Authority) -> Node:
    """Running, MASTER, and its Celery worker consumes."""
    node.enrol(authority, broker.node_url())
    node.start()
    until(lambda: node.kernel_has("192.168.192.200/24"))
    until(lambda: "ready." in node.log.read_text(), what="the Celery worker never was ready")
    until(broker.statuses, what="no status reached the broker")
    return node


def told(broker: Broker, kind: str, **data: object) -> list[Event]:
    """The stream's events of that kind whose data has these values."""
    return [
        event
        for event in broker.events()
        if event.kind == kind and all(event.data.get(k) == v for k, v in data.items())
    ]


def push_ms(broker: Broker, authority: Authority, revision: int) -> float:
    """From the nudge to the engine's word that it runs the revision, by the node's clock."""
    config = CONFIG_201 if revision % 2 else CONFIG
    broker.desire(authority.bundle(revision, config, confirm_within_s=30))
    began_us = time.time_ns() // 1000
    broker.nudge(revision)
    live = until(lambda: told(broker, "config", phase="live", revision=revision))
    return (live[0].wall_us - began_us) / 1000


def test_pushed_revision_is_live_soon_after_the_nudge(
    enrolled: Node, broker: Broker, authority: Authority
) -> None:
    # The best of three: other tests' processes may have the machine for a moment, and a node
    # that waited for its heartbeat would be slow three times.
    took = [push_ms(broker, authority, revision) for revision in (1, 2, 3)]
    assert min(took) < LIVE_WITHIN_MS, f"live {took} ms after the nudge"
    assert enrolled.kernel_has("192.168.192.201/24")
    phases = [e.data["phase"] for e in told(broker, "config", revision=1)]
    assert phases == ["received", "verified", "checked", "staged", "live"]
    assert broker.client.execute_command("ACL LOG") == [], "it asked for more than it may"


def test_desired_revision_is_found_without_any_nudge(
    enrolled: Node, broker: Broker, authority: Authority
) -> None:
    broker.desire(authority.bundle(1, CONFIG_201))
    until(lambda: enrolled.status().revision == 1, within_s=2.0)


def test_confirmation_reaches_the_node(
    enrolled: Node, broker: Broker, authority: Authority
) -> None:
    broker.desire(authority.bundle(1, CONFIG_201, confirm_within_s=2))
    broker.nudge(1)
    until(lambda: told(broker, "config", phase="live", revision=1))
    broker.confirm(authority.confirmation(1))
    broker.nudge(1)
    until(lambda: told(broker, "config", phase="confirmed", revision=1), within_s=1.0)
    assert enrolled.status().confirmed_revision == 1


FOREIGN: dict[str, Callable[[Authority], Signed]] = {
    "unsigned": lambda ours: Signed("bundle", ours.bundle(1, CONFIG_201).payload, ""),
    "other key": lambda ours: Authority().bundle(1, CONFIG_201),
    "other node": lambda ours: ours.bundle(1, CONFIG_201, node="node-b"),
    "other cluster": lambda ours: ours.bundle(1, CONFIG_201, cluster="somebody else's"),
    "a confirmation's payload": lambda ours: ours.confirmation(1),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_agent_passes_no_foreign_bundle_on(firm: tuple[Node, Broker, Authority], name: str) -> None:
    node, broker, authority = firm
    before = node.ask("status")["seq"]
    broker.desire(FOREIGN[name](authority))
    broker.nudge(1)
    refused = until(
        lambda: [e for e in told(broker, "config", phase="refused") if e.seq > before],
        within_s=2.0,
    )
    assert "the agent did not pass it on" in refused[0].cause
    assert node.status().revision == 0
    assert not node.kernel_has("192.168.192.201/24")


def test_garbage_in_the_desired_key_is_told_once_and_harms_nothing(
    firm: tuple[Node, Broker, Authority],
) -> None:
    node, broker, _authority = firm
    before = node.ask("status")["seq"]
    broker.client.set(f"node.{WIRE_ID}:desired", "\x00 no envelope {")

    def refusals() -> list[Event]:
        return [e for e in told(broker, "config", phase="refused") if e.seq > before]

    until(refusals, within_s=2.0)
    seen = len(broker.statuses())
    until(lambda: len(broker.statuses()) > seen + 3, what="heartbeats ended")
    assert len(refusals()) == 1
    assert node.status().revision == 0


def test_an_envelope_costs_no_whole_status(
    node: Node, broker: Broker, authority: Authority
) -> None:
    """That of a thousand instances takes a quarter of a second: one for each event is enough."""
    node.enrol(authority, broker.node_url(), heartbeat_s=60)
    node.start()
    until(broker.statuses)
    with relay(node.control) as verbs:
        sent = len(broker.statuses())
        os.kill(node.pid("agent"), signal.SIGKILL)  # the next one connects through the relay
        until(lambda: len(broker.statuses()) > sent and "subscribe" in verbs)
        settle(lambda: len(broker.statuses()))
        verbs.clear()
        sent = len(broker.statuses())
        broker.desire(authority.bundle(1, CONFIG_201, confirm_within_s=30))
        broker.nudge(1)
        until(lambda: told(broker, "config", phase="live", revision=1))
        broker.confirm(authority.confirmation(1))
        broker.nudge(1)
        until(lambda: told(broker, "config", phase="confirmed", revision=1))
        sent = settle(lambda: len(broker.statuses())) - sent
    assert verbs.count("apply") == verbs.count("confirm") == 1
    assert verbs.count("status") == sent, "every status that was asked for was sent on"
    assert verbs.count("revisions") >= 2


def settle(value: Callable[[], int]) -> int:
    """The value, once it has been the same for a while."""
    before, now = -1, value()
    while before != now:
        time.sleep(0.4)
        before, now = now, value()
    return now


@contextlib.contextmanager
def relay(path: Path, swallows: Collection[str] = ()) -> Iterator[list[str]]:
    """Stand between the control socket and whoever connects from now on; the verbs asked for.

    `swallows`: verbs that never reach the supervisor, and never get an answer.
    """
    real = path.with_suffix(".real")
    path.rename(real)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o666)
    listener.listen()
    verbs: list[str] = []

    def carry(come: socket.socket, go: socket.socket, heard: list[str]) -> None:
        with contextlib.suppress(OSError), come.makefile("rb") as lines:
            for line in lines:
                verb = str(json.loads(line).get("verb"))
                heard.append(verb)
                if verb not in swallows:
                    go.sendall(line)
        with contextlib.suppress(OSError):
            go.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                theirs, _ = listener.accept()
                ours = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                ours.connect(str(real))
                for ends in ((theirs, ours, verbs), (ours, theirs, [])):
                    threading.Thread(target=carry, args=ends, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield verbs
    finally:
        listener.close()
        path.unlink()
        real.rename(path)


def test_older_bundle_from_the_broker_is_refused(
    enrolled: Node, broker: Broker, authority: Authority
) -> None:
    assert enrolled.apply(authority.bundle(5, CONFIG_201))["ok"]
    broker.desire(authority.bundle(4, CONFIG))
    broker.nudge(4)
    refused = until(lambda: told(broker, "config", phase="refused", revision=4), within_s=2.0)
    assert "not newer than 5" in refused[0].cause
    assert enrolled.status().revision == 5


def test_config_error_in_a_bundle_is_told_with_its_problems(
    enrolled: Node, broker: Broker, authority: Authority
) -> None:
    broker.desire(authority.bundle(1, CONFIG_BROKEN))
    broker.nudge(1)
    refused = until(lambda: told(broker, "config", phase="refused", revision=1), within_s=2.0)
    assert any("4" in problem for problem in refused[0].data["problems"])
    assert enrolled.status().revision == 0
    assert enrolled.kernel_has("192.168.192.200/24")


def test_status_follows_a_transition_at_once(enrolled: Node, broker: Broker) -> None:
    os.kill(enrolled.pid("vrrp"), signal.SIGKILL)
    died = until(lambda: told(broker, "node", phase="died"))
    until(
        lambda: [s for s in broker.statuses() if s.wall_us >= died[0].wall_us],
        within_s=0.4,
        what="no status soon after the event: a heartbeat later is too late",
    )


def test_events_of_a_broken_broker_arrive_later_none_lost_none_twice(
    enrolled: Node, broker: Broker, authority: Authority
) -> None:
    received = {(e.journal, e.seq): e for e in broker.events()}
    broker.acknowledge(max(seq for _, seq in received))
    broker.stop()
    until(lambda: any("broker is away" in p for p in enrolled.status().problems))
    for revision, config in enumerate((CONFIG_201, CONFIG, CONFIG_201), start=1):
        assert enrolled.apply(authority.bundle(revision, config))["ok"]
    last = int(enrolled.ask("status")["seq"])
    broker.start(stored=max(seq for _, seq in received))
    until(lambda: any(e.seq >= last for e in broker.events()), within_s=3.0)
    arrived = [(e.journal, e.seq) for e in broker.events()]
    assert len(set(arrived)) == len(arrived), "an event came twice"
    assert not set(arrived) & set(received), "what the control plane had came again"
    everything = sorted(seq for _, seq in {*arrived, *received})
    assert everything == list(range(1, max(everything) + 1)), "an event is missing"


def test_broker_that_forgot_everything_gets_the_whole_journal(
    enrolled: Node, broker: Broker
) -> None:
    broker.stop()
    broker.start()
    until(lambda: told(broker, "node", phase="started"), within_s=3.0)
    assert min(e.seq for e in broker.events()) == 1


def test_nudges_work_again_after_the_broker_was_away(
    enrolled: Node, broker: Broker, authority: Authority
) -> None:
    broker.stop()
    until(lambda: any("broker is away" in p for p in enrolled.status().problems))
    log_before = enrolled.log.read_text().count("Connected to")
    broker.start()
    until(lambda: enrolled.log.read_text().count("Connected to") > log_before, within_s=3.0)
    until(lambda: broker.statuses())
    took = [push_ms(broker, authority, revision) for revision in (1, 2, 3)]
    assert min(took) < LIVE_WITHIN_MS, f"live {took} ms after the nudge"


def test_stopping_node_tells_its_last_events(enrolled: Node, broker: Broker) -> None:
    assert enrolled.stop() == 0
    assert told(broker, "node", phase="stopped")
    assert told(broker, "transition", to="INIT")
    last = broker.statuses()[-1]
    assert last.stopping
    assert [i.state for i in last.instances] == ["INIT"]
    assert not any(vip.present for i in last.instances for vip in i.vips)


def test_agent_has_no_rights(enrolled: Node) -> None:
    status = Path(f"/proc/{enrolled.pid('agent')}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == ["65534"] * 4
    assert fields["Groups"].strip() == ""
    assert int(fields["CapEff"], 16) == 0
    assert int(fields["CapPrm"], 16) == 0


def test_killed_agent_comes_back_and_loses_nothing(enrolled: Node, broker: Broker) -> None:
    os.kill(enrolled.pid("agent"), signal.SIGKILL)
    died = until(lambda: told(broker, "node", phase="died"))
    assert "SIGKILL" in died[0].cause
    seqs = {e.seq for e in broker.events()}
    assert seqs == set(range(1, max(seqs) + 1))


def test_broker_user_may_not_read_another_node(enrolled: Node, broker: Broker) -> None:
    import redis

    assert enrolled.enrolment is not None
    url = enrolled.enrolment.broker_url.replace("redis+socket://", "unix://")
    node = redis.Redis.from_url(url)
    for command in (
        ("GET", "node.node-b:desired"),
        ("XADD", "up.node-b", "*", "t", "event", "d", "{}"),
        ("XRANGE", f"up.{WIRE_ID}", "-", "+"),
        ("KEYS", "*"),
        ("CONFIG", "GET", "*"),
    ):
        with pytest.raises(redis.exceptions.NoPermissionError):
            node.execute_command(*command)
    node.close()


def test_wrong_password_is_told_and_the_right_one_heals_it(
    node: Node, broker: Broker, authority: Authority
) -> None:
    node.enrol(authority, broker.node_url())
    user = f"node.{WIRE_ID}"
    broker.client.execute_command("ACL", "SETUSER", user, "resetpass", ">other")
    node.start()
    until(lambda: any("refuses this node" in p for p in node.status().problems), within_s=5.0)
    agent = node.pid("agent")
    broker.client.execute_command("ACL", "SETUSER", user, f">{PASSWORD}")
    until(broker.statuses, within_s=3.0)
    assert node.pid("agent") == agent, "it waited, and did not die of it"
    until(lambda: "ready." in node.log.read_text())
    broker.desire(authority.bundle(1, CONFIG_201))
    broker.nudge(1)
    until(lambda: node.status().revision == 1, within_s=2.0)


def test_agent_that_cannot_reach_its_supervisor_says_so(
    node: Node, broker: Broker, authority: Authority
) -> None:
    node.enrol(authority, broker.node_url())
    node.directory.chmod(0o700)
    node.start()
    until(lambda: any("cannot reach its supervisor" in p for p in node.status().problems))
    node.directory.chmod(0o755)
    until(broker.statuses, within_s=3.0)
    until(lambda: not any("cannot reach" in p for p in node.status().problems))


def test_long_backlog_waits_for_receipts_and_loses_nothing(
    node: Node, broker: Broker, authority: Authority
) -> None:
    """More events than the stream may hold: it would drop the oldest."""
    (node.directory / "state").mkdir()
    journal = Journal(node.directory / "state")
    for number in range(7_000):
        journal.append(Event("warning", str(number), "made by the test", 1, 1))
    journal.close()
    node.enrol(authority, broker.node_url())
    node.start()
    stored: set[int] = set()

    def ingest() -> bool:
        stored.update(broker.take_events())
        if stored:
            broker.client.set(f"node.{WIRE_ID}:acked", f"{journal.id} {max(stored)}")
        return max(stored, default=0) >= 7_000

    until(lambda: len(broker.events()) > 1_000)
    seen = len(broker.statuses())
    until(lambda: len(broker.statuses()) > seen + 2)
    assert len(broker.events()) <= 1_000 + 200, "it did not wait"
    until(ingest, within_s=20.0)
    assert set(range(1, 7_001)) <= stored
