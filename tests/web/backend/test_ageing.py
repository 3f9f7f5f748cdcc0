"""What time alone changes, and what a browser is sent of it. No clock: the transcript says when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hanode import wire
from webapp.live.ageing import Ageing, Due, Message, Sent
from webapp.live.nodeview import delta, node_view
from webapp.live.shape import BrokerView, NodeView

NOON = datetime(2025, 11, 22, 12, 0, tzinfo=UTC)
HEARTBEAT_S = 1.0

TRANSCRIPT = """
# Two nodes are heard; a browser opens the page and gets a snapshot.
0.0 heard A
0.0 heard B
0.5 snapshot
0.5 tick
nothing
# Heartbeats come through the cluster's group: time has nothing to add.
1.0 heard A
1.0 heard B
1.5 tick
nothing
# B falls silent. Two heartbeats may be lost, the third makes it unknown, and that is sent once.
2.0 heard A
3.0 heard A
3.9 tick
nothing
4.0 tick
node B unknown
changed groups
4.9 tick
nothing
# A falls silent too.
6.0 tick
node A unknown
changed groups
# B is back: its delta says so, and the tick does not say it again.
7.0 heard B
7.1 tick
nothing
# The broker goes away. The nodes fall silent with it; they are named first.
8.0 broker down: it does not answer
8.1 tick
broker down
8.2 tick
nothing
10.0 tick
node B unknown
changed groups
# Another reason is said, the same one is not said again.
11.0 broker down: ingest does not run
11.1 tick
broker down
11.2 tick
nothing
# It is back: what was sent meanwhile is lost, so a snapshot follows.
12.0 broker up
12.1 tick
broker up
snapshot
12.2 tick
nothing
# Ingest stored a report whose message never came through: the tick brings it.
13.0 stored A
13.1 tick
node A up
changed groups
# A view that was made before the last delta was sent comes too late, and is not sent.
13.2 look
16.5 heard A
16.6 tick
nothing
17.0 heard B
17.0 hand over what was seen at 13.2, with A unknown
nothing
# Two at once are two nodes and one fragment.
25.0 tick
node A unknown
node B unknown
changed groups
"""


class Page:
    """The rows as they are, and one browser's page."""

    def __init__(self) -> None:
        self.heard: dict[str, datetime] = {}
        self.broker: BrokerView = {"up": True, "since": None, "reason": ""}
        self.sent = Sent()
        self.now = NOON

    def views(self) -> list[NodeView]:
        return [self.view(name, self.now) for name in ("A", "B")]

    def view(self, name: str, now: datetime) -> NodeView:
        status = wire.NodeStatus(name, name, 1, 1, 0, 0, "", 1)
        return node_view(
            (name, name, name), status, self.heard.get(name), now=now, heartbeat_s=HEARTBEAT_S
        )

    def snapshot(self) -> None:
        view: Any = {"nodes": self.views(), "broker": self.broker}
        self.sent.snapshot(view)

    def hear(self, name: str, *, send: bool) -> None:
        """ingest stores a report, and sends the browser what changed."""
        old = self.view(name, self.now)
        self.heard[name] = self.now
        if send:
            new = delta(old, self.view(name, self.now))
            self.sent.message({"kind": "node", "node": name, "delta": new})

    def tick(self, nodes: list[NodeView] | None = None) -> list[str]:
        due = self.sent.due(Ageing(self.views() if nodes is None else nodes, self.broker))
        lines = [in_words(message) for message in due.messages]
        if due.snapshot:
            self.snapshot()
            lines.append("snapshot")
        return lines or ["nothing"]

    def command(self, line: str) -> list[str]:
        at, verb, *rest = line.split()
        self.now = NOON + timedelta(seconds=float(at))
        if verb in ("heard", "stored"):
            self.hear(rest[0], send=verb == "heard")
        elif verb == "broker":
            up, _, reason = line.split(maxsplit=2)[2].partition(": ")
            self.broker = {"up": up == "up", "since": None, "reason": reason}
        elif verb == "snapshot":
            self.snapshot()
        elif verb == "tick":
            return self.tick()
        elif verb == "look":
            seen = self.view("A", self.now)
            self.late: NodeView = {**seen, "state": "unknown"}
        else:
            return self.tick([self.late, self.view("B", self.now)])
        return []


def in_words(message: Message) -> str:
    match message["kind"]:
        case "node":
            assert message["delta"]["wire_id"] == message["node"]
            return f"node {message['node']} {message['delta']['state']}"
        case "changed":
            return f"changed {message['topic']}"
        case _:
            return f"broker {'up' if message['broker']['up'] else 'down'}"


def test_time_changes_what_the_transcript_says() -> None:
    page, happened = Page(), [""]
    for line in TRANSCRIPT.strip("\n").split("\n"):
        if line.startswith("#"):
            happened.append(line)
        elif line[0].isdigit():
            happened += [line, *page.command(line)]
    assert "\n".join(happened) + "\n" == TRANSCRIPT


def up(name: str = "A", heard: str | None = "2025-11-22T12:00:00.000+00:00", **more: Any) -> Any:
    return {"wire_id": name, "state": "up", "heard_at": heard, **more}


BROKER: BrokerView = {"up": True, "since": "1", "reason": ""}


def sent(*nodes: Any) -> Sent:
    page = Sent()
    view: Any = {"nodes": list(nodes), "broker": BROKER}
    page.snapshot(view)
    return page


def test_another_since_alone_is_nothing_to_send() -> None:
    assert sent(up()).due(Ageing([up()], {**BROKER, "since": "2"})) == Due([], snapshot=False)


def test_a_browser_that_was_sent_nothing_is_sent_everything() -> None:
    due = Sent().due(Ageing([up()], BROKER))
    assert [m["kind"] for m in due.messages] == ["node", "changed", "broker"]
    assert due.snapshot


@pytest.mark.parametrize(
    ("message", "state"),
    [
        ({"kind": "node", "node": "A", "delta": {"state": "unknown"}}, "unknown"),
        ({"kind": "node", "node": "A", "delta": {"heard_at": None}}, "up"),
        ({"kind": "probe", "node": "A", "delta": {"state": "unknown"}}, "up"),
        ({"kind": "changed", "topic": "groups"}, "up"),
        ({}, "up"),
    ],
)
def test_only_a_nodes_state_counts_as_sent(message: dict[str, Any], state: str) -> None:
    page = sent(up())
    page.message(message)
    assert page.nodes["A"][0] == state


def test_a_node_whose_row_is_gone_is_unknown_at_once() -> None:
    """It was never heard, so nothing about it is older than what was sent."""
    never = up(heard=None) | {"state": "unknown"}
    assert sent(up()).due(Ageing([never], BROKER)).messages[0]["kind"] == "node"


def test_a_report_of_the_same_moment_is_not_older() -> None:
    unknown = up() | {"state": "unknown"}
    assert sent(up()).due(Ageing([unknown], BROKER)).messages[0]["delta"] == unknown


def test_a_node_that_was_never_heard_may_be_heard() -> None:
    page = sent(up(heard=None) | {"state": "unknown"})
    assert page.due(Ageing([up()], BROKER)).messages[0]["delta"]["state"] == "up"
