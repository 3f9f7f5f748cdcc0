"""The broker fails: nodes go on, pages say so, a push waits, and afterwards nothing is missing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanode.lab import control
from hanode.lab.acceptance import SKEW_MS
from hanode.lab.demo import NODES, OWN_FILES
from hanode.lab.observer import Observer, wait_until
from hanode.lab.person import Person
from hanode.lab.runs import Run
from hanode.lab.session import Session
from hanode.lab.stack import free_port
from hanode.lab.topology import VIP, topology

pytestmark = [pytest.mark.needs("root", "netns", "valkey"), pytest.mark.timeout(240)]


@pytest.fixture
def session() -> Iterator[Session]:
    run = Run()
    made = Session(
        run=run,
        data_dir=run.directory / "data",
        host="127.0.0.1",
        port=free_port("127.0.0.1", 18300),
        cluster="Demo",
        nodes={name: OWN_FILES / f"{name}.conf" for name in NODES},
        lab=True,
    )
    try:
        made.start()
        yield made
    finally:
        made.stop()
        run.remove()


@pytest.fixture
def observer(session: Session) -> Iterator[Observer]:
    made = Observer(topology(session.run.tag))
    yield made
    made.close()


def test_failover_push_and_news_survive_a_broker_that_is_away(
    session: Session, observer: Observer
) -> None:
    assert wait_until(lambda: observer.holders(VIP) == ("NodeA",), within_s=15)
    person = session.sign_in()
    _change_the_document(person)

    session.stack.stop_broker()
    assert wait_until(lambda: "broker" in _text(person, "/c/demo/live/broker/"), within_s=10)

    control.ask(str(session.stack.lab_socket), "stop", "NodeA")
    stopped_us = control.ask(str(session.stack.lab_socket), "state")["last"]["NodeA"]["wall_us"]
    assert wait_until(lambda: observer.holders(VIP) == ("NodeB",), within_s=5)
    taken_us = observer.taken_us("NodeB", VIP, after_us=stopped_us)
    assert taken_us is not None
    assert (taken_us - stopped_us) / 1000 <= SKEW_MS + 100
    assert wait_until(
        lambda: "unknown since" in _text(person, "/c/demo/live/nodes/"), within_s=15
    ), "a node that nobody can hear must not stay green"
    answer = session.push(person)
    assert answer.status == 200
    assert "waiting" in answer.text
    control.ask(str(session.stack.lab_socket), "start", "NodeA")
    assert wait_until(lambda: observer.holders(VIP) == ("NodeA",), within_s=20)
    assert {session.revision(name) for name in NODES} == {1}

    session.stack.start_broker()
    assert wait_until(lambda: all(session.revision(name) == 2 for name in NODES), within_s=40), (
        "the push that waited did not start by itself"
    )
    assert wait_until(lambda: _missing(session) == [], within_s=20), _missing(session)[:5]


def _change_the_document(person: Person) -> None:
    path = "/c/demo/config/text/"
    page = person.get(path)
    form = page.form(action=path, having="text")
    assert "priority 95" in form.fields["text"]
    person.submit(page, form, text=form.fields["text"].replace("priority 95", "priority 94"))


def _text(person: Person, path: str) -> str:
    return person.get(path).text


def _missing(session: Session) -> list[tuple[str, int]]:
    """Events in the nodes' journals that the control plane does not have."""
    rows = sqlite3.connect(session.stack.data_dir / "keepsight.sqlite3")
    known = set(rows.execute("SELECT replace(journal, '-', ''), seq FROM live_event"))
    rows.close()
    missing = []
    for name in NODES:
        for event in _journal(session.stack.data_dir / "nodes" / name):
            if event not in known:
                missing.append(event)
    return missing


def _journal(state_dir: Path) -> list[tuple[str, int]]:
    events = []
    for file in sorted(state_dir.glob("events*.jsonl*")):
        for line in file.read_text().splitlines():
            event = json.loads(line)
            events.append((str(event["journal"]).replace("-", ""), int(event["seq"])))
    assert events, f"no journal in {state_dir}"
    return events
