"""Messages survive encoding as JSON, and bad messages are refused in one sentence."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanode import wire

ADDRESS = wire.VipStatus("192.168.192.200/24", "ens33", True)
STATUS = wire.NodeStatus(
    node="nodea-1",
    name="NodeA",
    wall_us=1,
    mono_us=2,
    revision=3,
    confirmed_revision=3,
    config_sha256="00",
    started_us=0,
    instances=(
        wire.InstanceStatus(
            "HA_Group", 51, "ens33", "MASTER", 5, "start", 100, 100, vips=(ADDRESS,)
        ),
    ),
    virtual_servers=(
        wire.VirtualServerStatus(
            "192.168.192.200:80/TCP",
            up=True,
            in_kernel=None,
            real_servers=(wire.RealServerStatus("192.168.192.112:80", None, 1, 0),),
        ),
    ),
    addresses=(wire.KernelAddress("ens33", "192.168.192.100/24"),),
)


def test_a_status_survives_the_way_over_json() -> None:
    assert wire.from_json(wire.NodeStatus, wire.to_json(STATUS)) == STATUS


@given(
    st.builds(
        wire.Event,
        kind=st.text(),
        subject=st.text(),
        cause=st.text(),
        wall_us=st.integers(),
        mono_us=st.integers(),
        data=st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()),
        journal=st.text(),
        seq=st.integers(),
    )
)
def test_any_event_survives_the_way_over_json(event: wire.Event) -> None:
    assert wire.from_json(wire.Event, wire.to_json(event)) == event


def test_unknown_fields_of_a_newer_peer_are_ignored() -> None:
    raw = {**wire.encode(STATUS), "colour": "green"}
    assert wire.decode(wire.NodeStatus, raw) == STATUS


def test_a_confirmation_is_signed_over_other_bytes_than_a_bundle() -> None:
    bundle = wire.Signed("bundle", "{}", "")
    confirmation = wire.Signed("confirmation", "{}", "")
    assert bundle.signed_bytes() != confirmation.signed_bytes()


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ([], "Confirmation: expected an object, got list"),
        ({"cluster": "c", "node": "n"}, "Confirmation: revision is missing"),
        ({"cluster": 1, "node": "n", "revision": 1}, "Confirmation.cluster: expected str, got int"),
        (
            {"cluster": "c", "node": "n", "revision": True},
            "Confirmation.revision: expected int, got bool",
        ),
        (
            {"cluster": "c", "node": None, "revision": 1},
            "Confirmation.node: expected str, got null",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(raw: Any, sentence: str) -> None:
    with pytest.raises(wire.WireError, match="^" + sentence.replace(".", r"\.") + "$"):
        wire.decode(wire.Confirmation, raw)


@given(st.binary() | st.text())
def test_no_bytes_raise_anything_but_a_wire_error(text: str | bytes) -> None:
    try:
        wire.from_json(wire.NodeStatus, text)
    except wire.WireError:
        return
    raise AssertionError("nothing random is a status")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.sampled_from(sorted(wire.encode(STATUS))), JSON)
def test_a_field_of_another_form_never_raises_anything_but_a_wire_error(
    name: str, value: Any
) -> None:
    raw = {**wire.encode(STATUS), name: value}
    try:
        back = wire.from_json(wire.NodeStatus, json.dumps(raw))
    except wire.WireError:
        return
    assert getattr(back, name) == getattr(wire.decode(wire.NodeStatus, raw), name)


def quickest(*works: Callable[[], object]) -> list[float]:
    """Each one's quickest run; in turn, so that another program's work slows all of them."""
    spans: list[list[float]] = [[] for _ in works]
    for _ in range(9):
        for span, work in zip(spans, works, strict=True):
            began = time.perf_counter()
            work()
            span.append(time.perf_counter() - began)
    return [min(span) for span in spans]


def test_a_status_of_thousands_costs_little_more_than_its_json() -> None:
    """It is sent at every heartbeat, and delays the engine's other work."""
    (one,) = STATUS.instances
    counters = dict.fromkeys(map(str, range(14)), 7)
    many = replace(STATUS, instances=(replace(one, counters=counters),) * 2_000)
    raw = wire.encode(many)
    text = json.dumps(raw)
    assert wire.decode(wire.NodeStatus, raw) == many
    reading, ours = quickest(lambda: json.loads(text), lambda: wire.decode(wire.NodeStatus, raw))
    assert ours < 5 * reading
    writing, ours = quickest(lambda: json.dumps(raw), lambda: wire.encode(many))
    assert ours < 1.8 * writing


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        (("instances", 0, "vips", 0, "present"), "yes", "expected bool, got str"),
        (("instances", 0, "vips", 0, "present"), 1, "expected bool, got int"),
        (("instances", 0, "counters"), {"x": 1.5}, "expected int, got float"),
        (("instances", 0, "master"), 4, "expected str, got int"),
        (("virtual_servers", 0, "real_servers"), [7], "expected an object, got int"),
        (("addresses",), {}, "expected a list, got dict"),
    ],
)
def test_the_place_of_what_does_not_fit_is_told(
    place: tuple[str | int, ...], value: object, sentence: str
) -> None:
    raw = wire.encode(STATUS)
    inner = raw
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    path = "".join(f".{step}" if isinstance(step, str) else f"[{step}]" for step in place)
    deeper = {"counters": ".x", "real_servers": "[0]"}.get(str(place[-1]), "")
    with pytest.raises(wire.WireError) as refused:
        wire.decode(wire.NodeStatus, raw)
    assert str(refused.value) == f"NodeStatus{path}{deeper}: {sentence}"
