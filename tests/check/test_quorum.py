"""Quorum, and the destinations in the table."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hanode.check.checker_settings import (
    RealServerSettings,
    SorryServerSettings,
    VirtualServerSettings,
)
from hanode.check.quorum import Row, Threshold, alive_weight, holds, table, threshold


def _virtual(*weights: int, quorum: int = 1, hysteresis: int = 0) -> VirtualServerSettings:
    servers = tuple(
        RealServerSettings(f"192.0.2.{number}", 80, weight)
        for number, weight in enumerate(weights, 1)
    )
    return VirtualServerSettings(
        "192.0.2.200", 80, quorum=quorum, hysteresis=hysteresis, real_servers=servers
    )


def _up(virtual: VirtualServerSettings, *up: bool) -> dict[str, bool]:
    return {server.key: one for server, one in zip(virtual.real_servers, up, strict=True)}


def test_a_quorum_above_all_weights_is_reduced_to_them() -> None:
    assert threshold(_virtual(1, 1, quorum=5)) == Threshold(gain=2, keep=2)


def test_a_hysteresis_as_large_as_the_quorum_is_reduced() -> None:
    assert threshold(_virtual(3, 3, quorum=2, hysteresis=7)) == Threshold(gain=3, keep=1)


def test_weight_zero_is_no_quorum() -> None:
    virtual = _virtual(0, 0)
    assert not holds(virtual, _up(virtual, True, True), held=True)


def test_between_the_thresholds_it_stays_as_it_was() -> None:
    virtual = _virtual(1, 1, 1, 1, quorum=2, hysteresis=1)
    two = _up(virtual, True, True, False, False)
    assert holds(virtual, two, held=True)
    assert not holds(virtual, two, held=False)


def test_without_a_sorry_server_the_living_stay_when_the_quorum_is_lost() -> None:
    virtual = _virtual(1, 1, quorum=2)
    rows = table(virtual, _up(virtual, True, False), quorum=False)
    assert [(row.ip, row.weight) for row in rows] == [("192.0.2.1", 1)]


def test_a_destination_is_reached_as_it_says_or_as_the_virtual_server_does() -> None:
    virtual = VirtualServerSettings(
        "192.0.2.200",
        80,
        forwarding="DR",
        sorry_server=SorryServerSettings("192.0.2.9", 80, forwarding="NAT"),
        real_servers=(
            RealServerSettings("192.0.2.1", 80),
            RealServerSettings("192.0.2.2", 80, forwarding="TUN"),
        ),
    )
    up = _up(virtual, True, True)
    assert [row.forwarding for row in table(virtual, up, quorum=True)] == ["DR", "TUN"]
    assert [row.forwarding for row in table(virtual, up, quorum=False)] == ["NAT"]


def test_all_the_weight_there_is_is_enough_for_any_quorum() -> None:
    assert threshold(_virtual(1, quorum=5, hysteresis=4)) == Threshold(gain=1, keep=1)
    assert threshold(_virtual(1, 1, quorum=2, hysteresis=1)) == Threshold(gain=2, keep=1)


def test_rows_of_every_kind_are_whole() -> None:
    """Who is up, who is down and inhibited, and a sorry server that is not needed yet."""
    virtual = VirtualServerSettings(
        "192.0.2.200",
        80,
        forwarding="DR",
        sorry_server=SorryServerSettings("192.0.2.9", 81, inhibit=True),
        real_servers=(
            RealServerSettings("192.0.2.1", 82, 5),
            RealServerSettings("192.0.2.2", 83, inhibit_on_failure=True),
        ),
    )
    up = _up(virtual, True, False)
    assert table(virtual, up, quorum=True) == (
        Row("192.0.2.1", 82, 5, "DR"),
        Row("192.0.2.2", 83, 0, "DR"),
        Row("192.0.2.9", 81, 0, "DR"),
    )
    assert table(virtual, up, quorum=False) == (
        Row("192.0.2.2", 83, 0, "DR"),
        Row("192.0.2.9", 81, 1, "DR"),
    )


@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=6),
    st.integers(1, 40),
    st.integers(0, 40),
    st.booleans(),
)
def test_laws(servers: list[tuple[int, bool]], quorum: int, hysteresis: int, held: bool) -> None:
    """All servers up reach a quorum if any weight exists; no server up never does."""
    virtual = _virtual(*(weight for weight, _ in servers), quorum=quorum, hysteresis=hysteresis)
    every = dict.fromkeys((server.key for server in virtual.real_servers), True)
    none = dict.fromkeys(every, False)
    some = _up(virtual, *(up for _, up in servers))
    assert holds(virtual, every, held=held) == (alive_weight(virtual, every) > 0)
    assert not holds(virtual, none, held=held)
    limit = threshold(virtual)
    assert 1 <= limit.keep <= limit.gain
    if holds(virtual, some, held=False):
        assert holds(virtual, some, held=True), "what is enough to gain is enough to keep"
