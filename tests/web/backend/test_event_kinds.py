"""Every kind of event is stored, moves the right parts of the page, and has words there."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from hanode import events, wire
from hanode.events import REGISTRY, TrackerChange, UnknownEvent
from tests.wire import event_kinds
from tests.wire.test_events import PLANTED
from webapp.inventory.models import Cluster, Node
from webapp.live.event_words import event_words
from webapp.live.models import Event
from webapp.live.services import recent_events
from webapp.live.store import AfterCommit, store_node
from webapp.live.topics import TOPICS, touched_by

pytestmark = pytest.mark.django_db

PROJECT = Path(__file__).parents[3]
NOON = datetime(2025, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def node(cluster: Cluster) -> Node:
    return cluster.nodes.get(name="NodeA")


def store(node: Node, *messages: wire.Event) -> list[str]:
    """What browsers are told to read again."""
    after = AfterCommit()
    store_node(node, [(b"1-0", message) for message in messages], after, NOON)
    sent = after.messages.get(node.cluster.channel_group, [])
    return [message["topic"] for message in sent if message["kind"] == "changed"]


def not_handled(node: Node, told: dict[str, list[Any]]) -> list[str]:
    """Kinds of which the store loses a row, or moves other parts of the page than they touch."""
    bad = []
    for kind, typed in told.items():
        start = Event.objects.count()
        messages = [
            replace(wire.to_wire(event, wall_us=5, mono_us=5), journal=kind, seq=seq)
            for seq, event in enumerate(typed, 1)
        ]
        topics = store(node, *messages)
        rows = list(Event.objects.filter(journal=kind).order_by("seq"))
        same = Event.objects.count() - start == len(typed) > 0 and [r.typed for r in rows] == typed
        if not same or set(topics) != set(typed[0].topics):
            bad.append(kind)
    return bad


def test_the_store_handles_every_kind(node: Node) -> None:
    assert not_handled(node, event_kinds.samples(REGISTRY)) == []
    assert not_handled(node, PLANTED) == ["planted"]


def test_every_kind_has_words_on_the_page() -> None:
    assert event_kinds.without_words(event_kinds.samples(REGISTRY), event_words) == []
    assert event_kinds.without_words(PLANTED, event_words) == ["planted"]


def test_every_state_in_words_is_one_that_the_css_knows() -> None:
    css = (PROJECT / "static/css/components/states.css").read_text()
    known = {*re.findall(r'data-state="([^"]*)"', css), "BACKUP"}
    typed = [wire.from_wire(message) for message in event_kinds.golden()]
    assert {event_words(event)["state"] for event in typed} <= known


TONES = {
    "critical": {"bad"},
    "warning": {"warn"},
    "ok": {"ok"},
    "info": {"info", "muted"},
}
"""A severity's colours."""


def test_the_colour_of_an_event_says_how_serious_it_is() -> None:
    css = (PROJECT / "static/css/components/states.css").read_text()
    tones = {
        state: tone
        for states, tone in re.findall(r"([^{}]*)\{[^{}]*--tone: var\(--(\w+)\)", css)
        for state in re.findall(r'data-state="([^"]*)"', states)
    }
    for message in event_kinds.golden():
        event = wire.from_wire(message)
        assert tones[event_words(event)["state"]] in TONES[event.severity], event


def test_topics_are_those_of_the_registry_and_the_pages_own() -> None:
    assert (*get_args(events.Topic), "rollout", "outages", "nodes") == TOPICS
    script = (PROJECT / "static/js/live-cluster.js").read_text()
    (listed,) = re.findall(r"const TOPICS = \[(.*)\];", script)
    asked = set(TOPICS) - {"nodes"}  # a snapshot has them, and the cards take it
    assert set(re.findall(r'"(\w+)"', listed)) == asked, "asked for after a snapshot"
    assert touched_by([]) == []
    refused = events.RevisionStep("revision 1", "", 1, "refused")
    moved = events.Transition("VI", "", "BACKUP", "MASTER")
    assert touched_by([refused, events.NodeWarning("x", ""), moved]) == list(TOPICS[:3])


# Words


def words(event: events.Event) -> tuple[str, ...]:
    said = event_words(event)
    return said["state"], said["word"], said["text"], said["more"]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (events.Transition("VI", "", "BACKUP", "MASTER"), ("MASTER", "MASTER", "VI", "was BACKUP")),
        (
            events.GroupTransition("G1", "", "MASTER", "FAULT"),
            ("FAULT", "FAULT", "G1", "sync group, was MASTER"),
        ),
        (
            events.PriorityChange("VI", "", "MASTER", 80, "100 - 20 (script x) = 80"),
            ("info", "priority 80", "VI", "100 - 20 (script x) = 80"),
        ),
        (events.PriorityChange("VI", "", "MASTER", 80, "80"), ("info", "priority 80", "VI", "")),
        (TrackerChange("script x", "", "script", False), ("warning", "failed", "script x", "")),
        (TrackerChange("script x", "", "script", True), ("ok", "works", "script x", "")),
        (TrackerChange("file x", "", "file", True, 7), ("info", "value 7", "file x", "")),
        (events.AddressChange("a", "", "eth0", True), ("present", "here", "a", "on eth0")),
        (events.AddressChange("a", "", "", False), ("absent", "gone", "a", "")),
        (events.RealServerChange("r", "", "v", False), ("warning", "down", "r", "of v")),
        (events.RealServerChange("r", "", "v", True), ("up", "up", "r", "of v")),
        (events.VirtualServerChange("v", "", False), ("down", "down", "v", "no quorum")),
        (events.VirtualServerChange("v", "", True), ("up", "up", "v", "")),
        (events.RevisionStep("r", "", 1, "staged"), ("info", "staged", "r", "")),
        (events.RevisionStep("r", "", 1, "refused"), ("refused", "refused", "r", "")),
        (events.PartChange("vrrp", "", "died"), ("warning", "died", "vrrp", "")),
        (events.PartChange("vrrp", "", "started"), ("info", "started", "vrrp", "")),
        (events.NodeWarning("r", "", None, "v"), ("warning", "warning", "r", "of v")),
        (UnknownEvent("drain", "r", "", {"percent": 5}), ("info", "drain", "r", "percent 5")),
        (UnknownEvent("", "r", "", {}), ("info", "unknown", "r", "")),
        (
            UnknownEvent("address", "r", "", {}, "interface is missing"),
            ("warning", "address", "r", "its data cannot be read: interface is missing"),
        ),
    ],
)  # fmt: skip
def test_words_of(event: events.Event, said: tuple[str, ...]) -> None:
    assert words(event) == said


# Nodes of other releases


def test_an_unknown_kind_and_unreadable_data_are_rows_and_lines(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    drain = wire.Event("drain", "10.0.0.2:80", "operator", 5, 5, {"percent": 5}, "j", 1)
    broken = wire.Event("real_server", "10.0.0.2:80", "refused", 6, 5, {"up": "no"}, "j", 2)
    assert store(node, drain) == ["events"]
    assert store(node, drain, broken) == ["events", "groups"], "a real server did change"
    assert caplog.messages == ["NodeA: the data of a real_server event: virtual_server is missing"]
    later, earlier = recent_events(node.cluster)
    assert (earlier["kind"], earlier["severity"], earlier["data"]) == (
        "drain",
        "info",
        {"percent": 5},
    )
    assert (later["kind"], later["severity"], later["data"]) == (
        "real_server",
        "warning",
        {"up": "no"},
    )
