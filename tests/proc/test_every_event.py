"""A real node's whole life: each kind of event, in the form that nodes have always sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode import events, wire
from tests.proc.every_event import every_event
from tests.wire.event_kinds import golden

pytestmark = pytest.mark.needs("root", "netns", "valkey")


def keys(told: list[wire.Event]) -> set[tuple[str, ...]]:
    """Each kind, with the names of its data in their order."""
    return {(event.kind, *event.data) for event in told}


def test_a_node_sends_every_kind_of_event_in_its_form() -> None:
    told = every_event()
    assert keys(told) == keys(golden())
    assert {event.kind for event in told} == set(events.REGISTRY)
    for event in told:
        typed = wire.from_wire(event)
        assert not isinstance(typed, events.UnknownEvent), typed
        again = wire.to_wire(typed, wall_us=event.wall_us, mono_us=event.mono_us)
        assert wire.to_json(replace(again, journal=event.journal, seq=event.seq)) == (
            wire.to_json(event)
        )
