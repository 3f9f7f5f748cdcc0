"""An agent that cannot do a part of its work says so, goes on with the rest, or ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hanode.proc.agent.broker_sync import BrokerSync
from hanode.wire import Enrolment
from tests.proc.harness import (
    CONFIG_201,
    PROJECT,
    WIRE_ID,
    Authority,
    Broker,
    Node,
    alive,
    until,
)
from tests.proc.test_agent import relay, told

DESIRED, CONFIRMED, ACKED = (f"node.{WIRE_ID}:{key}" for key in ("desired", "confirmed", "acked"))

real = pytest.mark.needs("root", "netns", "valkey")


@pytest.fixture
def enrolled(node: Node, broker: Broker, authority: Authority) -> Iterator[Node]:
    node.enrol(authority, broker.node_url(), heartbeat_s=0.2)
    node.start()
    until(broker.statuses, what="no status reached the broker")
    yield node
    assert node.process is not None
    assert node.process.poll() is None


def wrong_type(broker: Broker, key: str) -> None:
    broker.client.lpush(key, "x")


KEYS: dict[str, Callable[[Broker], Any]] = {
    "desired: no UTF-8": lambda b: b.client.set(DESIRED, b"\xff\xfe\x80"),
    "desired: a list": lambda b: wrong_type(b, DESIRED),
    "desired: half a pair": lambda b: b.client.set(
        DESIRED, '{"kind":"bundle","payload":"\\ud800","signature":""}'
    ),
    "confirmed: no UTF-8": lambda b: b.client.set(CONFIRMED, b"\xc3"),
    "confirmed: deep": lambda b: b.client.set(CONFIRMED, "[" * 200_000),
    "acked: no UTF-8": lambda b: b.client.set(ACKED, b"\xff \xff"),
    "acked: digits of another script": lambda b: b.client.set(ACKED, "j ²"),
    "acked: 5,000 digits": lambda b: b.client.set(ACKED, "j " + "9" * 5_000),
    "acked: a list": lambda b: wrong_type(b, ACKED),
}


@real
@pytest.mark.parametrize("how", KEYS)
def test_no_bytes_in_a_key_make_a_node_deaf(
    enrolled: Node, broker: Broker, authority: Authority, how: str
) -> None:
    agent = enrolled.pid("agent")
    KEYS[how](broker)
    seen = len(broker.statuses())
    until(lambda: len(broker.statuses()) > seen + 3)
    if how.startswith("desired: ") and "list" not in how:
        until(lambda: told(broker, "config", phase="refused"))
    broker.client.delete(DESIRED, CONFIRMED, ACKED)
    broker.desire(authority.bundle(1, CONFIG_201))
    until(lambda: told(broker, "config", phase="live", revision=1))
    broker.confirm(authority.confirmation(1))
    until(lambda: told(broker, "config", phase="confirmed", revision=1))
    assert enrolled.pid("agent") == agent
    last = broker.statuses()[-1]
    assert last.late == {}
    assert not [one for one in last.problems if "agent" in one and "fault of its own" in one]


@real
def test_a_stream_that_is_no_stream_is_a_problem_and_not_a_broker_that_comes_and_goes(
    enrolled: Node, broker: Broker, authority: Authority
) -> None:
    broker.client.delete(f"up.{WIRE_ID}")
    broker.client.set(f"up.{WIRE_ID}", "x")
    until(lambda: any("WRONGTYPE" in one for one in enrolled.status().problems))
    broker.desire(authority.bundle(1, CONFIG_201))
    until(lambda: enrolled.status().revision == 1, what="it hears what it should run all the same")
    before = len(enrolled.events())
    broker.client.delete(f"up.{WIRE_ID}")
    until(broker.statuses)
    until(lambda: not any("WRONGTYPE" in one for one in enrolled.status().problems))
    lost = [e for e in enrolled.events() if e.kind == "node" and e.data.get("phase") == "lost"]
    assert not lost
    assert len(enrolled.events()) < before + 5


@real
def test_a_part_that_hangs_is_named_in_every_status(
    enrolled: Node, broker: Broker, authority: Authority
) -> None:
    """The engine does not answer the agent's question about revisions: nothing is pulled."""
    with relay(enrolled.control, swallows={"revisions"}):
        os.kill(enrolled.pid("agent"), signal.SIGKILL)  # the next one connects through the relay
        broker.desire(authority.bundle(1, CONFIG_201))
        late = until(lambda: [s for s in broker.statuses() if "orders" in s.late], within_s=20.0)
        assert late[0].late["orders"] >= 10.0
        until(
            lambda: any(
                "the agent has not looked for what this node should run" in one
                for one in broker.statuses()[-1].problems
            )
        )
        # What the condition's sentence advises: end it, and it is started again.
        agent = enrolled.pid("agent")
        os.kill(agent, signal.SIGTERM)
        until(lambda: not alive(agent), within_s=8.0, what="SIGTERM did not end it")
    until(lambda: told(broker, "config", phase="live", revision=1))
    until(lambda: broker.statuses()[-1].late == {})


@real
def test_a_signal_to_all_processes_does_not_cut_off_the_last_events(
    enrolled: Node, broker: Broker
) -> None:
    """As `systemctl kill` does: the agent gets the signal, too."""
    assert enrolled.process is not None
    until(lambda: "ready." in enrolled.log.read_text())
    for name in ("agent", "supervisor"):
        os.kill(enrolled.pid(name), signal.SIGTERM)
    until(lambda: told(broker, "node", phase="stopped"), within_s=8.0)
    until(lambda: broker.statuses()[-1].stopping)  # it follows the event
    assert enrolled.process.wait(10) == 0
    enrolled.process = None
    enrolled.start()


ENDS = """
import asyncio, os, sys
from pathlib import Path
from hanode.proc.agent.broker_sync import BrokerSync
from hanode.wire import Enrolment

one = BrokerSync(
    Enrolment("n", "N", "c", "redis+socket://n:x@/nowhere", ""), Path("/nowhere"),
    verify=lambda _: False, send=lambda _: None,
)

async def for_ever():  # and not to be cancelled: as on Python 3.11 now and then
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue

async def ends():
    raise {end}

one._send_events = one._send_statuses = for_ever
one._pull = ends

async def attempt():
    done, _ = await asyncio.wait([asyncio.ensure_future(one.run())], timeout=5)
    os._exit(7 if done else 8)

try:
    asyncio.new_event_loop().run_until_complete(attempt())
finally:
    os._exit(7)
"""
"""In a process of its own, which ends as the agent does: with all that never would."""


@pytest.mark.parametrize("end", ["asyncio.CancelledError", "SystemExit", "KeyboardInterrupt"])
def test_a_part_that_ends_unasked_ends_all(end: str) -> None:
    script = ENDS.replace("{end}", end)
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, check=False, timeout=30)
    assert done.returncode == 7


def test_a_fault_of_a_part_is_said_and_the_part_tried_again(tmp_path: Path) -> None:
    said: list[dict[str, Any]] = []
    enrolment = Enrolment("n", "N", "c", f"redis+socket://n:x@{tmp_path}/no.sock", "")
    one = BrokerSync(enrolment, tmp_path / "c", verify=lambda _: False, send=said.append)
    tries = 0

    thrice = asyncio.Event()

    async def pull() -> None:
        nonlocal tries
        tries += 1
        if tries == 3:
            thrice.set()
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    async def attempt() -> None:
        trying = asyncio.ensure_future(one._keep_trying(pull))
        async with asyncio.timeout(10):
            await thrice.wait()
        trying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await trying

    asyncio.run(attempt())
    assert [one["kind"] for one in said] == ["problems"], "said once"
    assert "the agent could not pull for a fault of its own" in said[0]["problems"][0]
