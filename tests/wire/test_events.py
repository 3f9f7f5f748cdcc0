"""Events: one registry, the form on the wire as it ever was, and nothing that is said gets lost."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanode import events, wire
from hanode.cli.events_page import markdown
from hanode.cli.show import MARKS, Paint, event_line
from hanode.events import (
    REGISTRY,
    AddressChange,
    GroupTransition,
    NodeWarning,
    PartChange,
    PriorityChange,
    RealServerChange,
    RevisionStep,
    Severity,
    TrackerChange,
    Transition,
    UnknownEvent,
    VirtualServerChange,
)
from tests.wire import event_kinds, messages
from tests.wire.event_kinds import GOLDEN, golden

FILES = [file for file in messages.files() if messages.class_of(file) is wire.Event]
LINES = [*GOLDEN.read_text().splitlines(), *(file.read_text().strip() for file in FILES)]


@pytest.mark.parametrize("line", LINES)
def test_what_a_node_sends_is_read_typed_and_written_byte_for_byte(line: str) -> None:
    message = wire.from_json(wire.Event, line)
    typed = wire.from_wire(message)
    assert not isinstance(typed, UnknownEvent)
    again = wire.to_wire(typed, wall_us=message.wall_us, mono_us=message.mono_us)
    assert wire.to_json(replace(again, journal=message.journal, seq=message.seq)) == line


def test_the_registry_has_every_class_under_its_kind() -> None:
    assert list(REGISTRY.values()) == list(get_args(events.Known))
    assert {*get_args(events.Event)} == {*REGISTRY.values(), UnknownEvent}
    for kind, cls in REGISTRY.items():
        assert cls.kind == kind
        assert cls.topics[0] == "events", "the timeline has every event"
        assert set(cls.topics) <= set(get_args(events.Topic))


# Every kind has everything


@dataclass(frozen=True, slots=True)
class Planted(events._Base):
    """A kind that somebody has just added and nobody reads."""

    kind = "planted"
    topics = ("events", "config")

    @property
    def severity(self) -> Severity:
        return "info"


WITH_PLANTED = {**REGISTRY, "planted": Planted}
PLANTED = {"planted": [Planted("x", "because")]}


def test_every_kind_has_a_golden_message() -> None:
    assert event_kinds.without_golden(REGISTRY) == []
    assert event_kinds.without_golden(WITH_PLANTED) == ["planted"]


def test_every_kind_has_a_producer(tmp_path: Path) -> None:
    assert event_kinds.without_producer(REGISTRY) == []
    assert event_kinds.without_producer(WITH_PLANTED) == ["planted"]
    (tmp_path / "x.py").write_text("events.Planted('x', 'y')\nNodeWarning('x', 'y')\n")
    silent = event_kinds.without_producer(WITH_PLANTED, [tmp_path / "x.py"])
    assert set(silent) == set(REGISTRY) - {"warning"}


def test_every_kind_has_words_on_the_command_line_and_in_the_log() -> None:
    said = event_kinds.samples(REGISTRY)
    assert event_kinds.without_words(said, events.sentence) == []
    assert event_kinds.without_words(PLANTED, events.sentence) == ["planted"]


def test_every_field_is_explained_on_the_page_of_events() -> None:
    page = Path(__file__).parents[2] / "docs" / "events.md"
    made = markdown()
    assert page.read_text() == made, "run: python -m hanode events --markdown > docs/events.md"
    assert "|  |" not in made, "a field has no meaning"
    for kind, cls in REGISTRY.items():
        assert f"\n## {kind}\n" in made
        for field in fields(cls):
            if field.name not in ("subject", "cause"):
                assert f"\n| `{cls.wire_names.get(field.name, field.name)}` |" in made


# How serious it is


@pytest.mark.parametrize(
    ("event", "severity"),
    [
        (Transition("VI", "", "BACKUP", "MASTER"), "ok"),
        (Transition("VI", "", "MASTER", "BACKUP"), "info"),
        (Transition("VI", "", "MASTER", "FAULT"), "critical"),
        (Transition("VI", "", "MASTER", "INIT"), "warning"),
        (Transition("VI", "", "MASTER", "ASLEEP"), "info"),
        (GroupTransition("G", "", "BACKUP", "FAULT"), "critical"),
        (GroupTransition("G", "", "BACKUP", "MASTER"), "ok"),
        (PriorityChange("VI", "", "MASTER", 80), "info"),
        (TrackerChange("script x", "", "script", False), "warning"),
        (TrackerChange("script x", "", "script", True), "ok"),
        (TrackerChange("process x", "", "process", False), "warning"),
        (TrackerChange("file x", "", "file", True, 7), "info"),
        (AddressChange("10.0.0.1/24", "", "eth0", True), "ok"),
        (AddressChange("10.0.0.1/24", "", "eth0", False), "info"),
        (RealServerChange("10.0.0.2:80", "", "10.0.0.1:80/TCP", False), "warning"),
        (RealServerChange("10.0.0.2:80", "", "10.0.0.1:80/TCP", True), "ok"),
        (VirtualServerChange("10.0.0.1:80/TCP", "", False), "critical"),
        (VirtualServerChange("10.0.0.1:80/TCP", "", True), "ok"),
        *((RevisionStep("revision 1", "", 1, phase), "info") for phase in events.STAGES),
        (RevisionStep("revision 1", "", 1, "live"), "info"),
        (RevisionStep("revision 1", "", 1, "confirmed"), "ok"),
        (RevisionStep("revision 1", "", 1, "refused"), "critical"),
        (RevisionStep("revision 1", "", 1, "reverted"), "critical"),
        *((PartChange("x", "", phase), "info") for phase in ("started", "reached", "off")),
        *((PartChange("x", "", phase), "warning") for phase in ("died", "lost", "on")),
        *((PartChange("x", "", phase), "warning") for phase in ("stopping", "stopped")),
        (NodeWarning("x", ""), "warning"),
        (UnknownEvent("new", "x", "", {}), "info"),
        (UnknownEvent("group", "x", "", {}, "from is missing"), "warning"),
    ],
)  # fmt: skip
def test_severity(event: events.Event, severity: Severity) -> None:
    assert event.severity == severity


def test_only_a_warning_leaves_the_status_as_it_was() -> None:
    assert [kind for kind, cls in REGISTRY.items() if not cls.changes_status] == ["warning"]


# What is said in words


def line(kind: str, subject: str, cause: str, /, **data: Any) -> str:
    """Of `hanode events`, without its date."""
    return event_line(wire.Event(kind, subject, cause, 0, 0, data), Paint(False))[24:]


def test_a_failed_script_is_marked_and_said_as_what_it_is() -> None:
    data: dict[str, Any] = {"kind": "script", "value": 0}
    failed = line("tracker", "script chk_http", "failed: exit code 1", up=False, **data)
    assert failed == "!  tracker        script chk_http failed: exit code 1"
    again = line("tracker", "script chk_http", "succeeded 2 times", up=True, **data)
    assert again == "   tracker        script chk_http succeeded 2 times"


@pytest.mark.parametrize(
    ("tracker", "up", "cause", "words"),
    [
        ("script", False, "not run: nobody may", "script x failed: not run: nobody may"),
        ("process", False, "0 processes run", "process x failed: 0 processes run"),
        ("process", True, "1 process runs", "process x: 1 process runs"),
        ("file", True, "the file holds 7", "file x: the file holds 7"),
    ],
)
def test_a_tracker_in_words(tracker: str, up: bool, cause: str, words: str) -> None:
    assert events.sentence(TrackerChange(f"{tracker} x", cause, tracker, up)) == words


def test_what_has_failed_is_marked_twice_and_coloured() -> None:
    fault = wire.Event("transition", "VI", "eth0 is down", 0, 0, {"from": "MASTER", "to": "FAULT"})
    assert " !! transition     VI MASTER → FAULT: eth0 is down" in event_line(fault, Paint(False))
    assert "\033[31m!! transition" in event_line(fault, Paint(True))
    assert set(MARKS) == set(get_args(Severity))


def test_words_name_what_belongs_to_what() -> None:
    down = RealServerChange("10.0.0.2:80", "refused", "10.0.0.1:80/TCP", False)
    assert events.sentence(down) == "10.0.0.2:80 down: refused (virtual server 10.0.0.1:80/TCP)"
    lost = VirtualServerChange("10.0.0.1:80/TCP", "no real server is up", False)
    assert events.sentence(lost) == "10.0.0.1:80/TCP down: no real server is up"
    sync = GroupTransition("G1", "a member is", "BACKUP", "FAULT")
    assert events.sentence(sync, arrow="->") == "G1 BACKUP -> FAULT: a member is"
    lower = PriorityChange("VI", "script x failed", "MASTER", 80, "100 - 20 = 80")
    assert events.sentence(lower) == "VI: script x failed (priority 100 - 20 = 80)"
    assert (
        events.sentence(RevisionStep("revision 3", "no", 3, "refused")) == "revision 3 refused: no"
    )


# Nodes of other releases


def test_an_unknown_kind_is_kept_and_said_plainly() -> None:
    message = wire.Event("drain", "10.0.0.2:80", "operator", 1, 2, {"percent": 5, "left": None})
    typed = wire.from_wire(message)
    assert typed == UnknownEvent("drain", "10.0.0.2:80", "operator", message.data)
    assert wire.to_wire(typed, wall_us=1, mono_us=2) == message
    assert line("drain", "10.0.0.2:80", "operator", percent=5) == (
        "   drain          10.0.0.2:80: operator (percent 5)"
    )


def test_data_that_cannot_be_read_are_kept_and_said_with_a_warning() -> None:
    message = wire.Event("real_server", "10.0.0.2:80", "refused", 1, 2, {"up": "perhaps"})
    typed = wire.from_wire(message)
    assert isinstance(typed, UnknownEvent)
    assert typed.problem == "virtual_server is missing"
    assert wire.to_wire(typed, wall_us=1, mono_us=2) == message
    assert line("real_server", "10.0.0.2:80", "refused", up="perhaps") == (
        "!  real_server    10.0.0.2:80: refused (its data cannot be read: "
        "virtual_server is missing, up perhaps)"
    )


@pytest.mark.parametrize(
    ("kind", "data", "problem"),
    [
        ("transition", {"to": "MASTER"}, "from is missing"),
        ("group", {"from": "INIT", "to": 5}, "to: expected str, got int"),
        ("tracker", {"up": True}, "kind is missing"),
        ("virtual_server", {"up": None}, "up: expected bool, got null"),
        ("config", {"revision": 1, "phase": "refused", "problems": [1]},
         "problems[0]: expected str, got int"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_data_is_said_in_their_own_names(
    kind: str, data: dict[str, Any], problem: str
) -> None:
    typed = events.read(kind, "x", "y", data)
    assert isinstance(typed, UnknownEvent)
    assert typed.problem == problem


def test_a_newer_nodes_further_fields_do_not_disturb() -> None:
    data = {"kind": "script", "up": True, "value": 0, "took_us": 5, "subject": "x", "cause": "y"}
    typed = events.read("tracker", "script chk", "succeeded", data)
    assert typed == TrackerChange("script chk", "succeeded", "script", True)


def test_fields_that_another_release_leaves_out_have_their_defaults() -> None:
    typed = events.read("transition", "VI", "start", {"from": "INIT", "to": "BACKUP"})
    assert typed == Transition("VI", "start", "INIT", "BACKUP")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(sorted({key for message in golden() for key in message.data})) | st.text()


@given(
    kind=st.sampled_from([*REGISTRY, "other", ""]),
    subject=st.text(),
    cause=st.text(),
    data=st.dictionaries(KEYS, JSON, max_size=6),
)
def test_whatever_is_said_is_read_without_loss_and_has_words(
    kind: str, subject: str, cause: str, data: dict[str, Any]
) -> None:
    typed = events.read(kind, subject, cause, data)
    assert (typed.kind, typed.subject, typed.cause) == (kind, subject, cause)
    assert subject in events.sentence(typed)
    assert typed.severity in get_args(Severity)
    if isinstance(typed, UnknownEvent):
        assert typed.data() == data
    else:
        known = {key: value for key, value in data.items() if key in typed.data()}
        assert {key: typed.data()[key] for key in known} == known
        assert events.read(kind, subject, cause, typed.data()) == typed
