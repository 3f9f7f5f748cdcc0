"""How much of one stream is read, and when it is too much."""

from __future__ import annotations

import pytest

from hanode.supervision.delivery import STREAM_ENTRIES_MAX as AGENT_LEAVES
from webapp.live import limits
from webapp.live.limits import Budget, too_much
from webapp.live.streams import ENTRY_CHARS_MAX


def test_a_backlog_is_read_at_once() -> None:
    budget = Budget(0.0)
    for _ in range(50):
        assert budget.allows(0.0)
        budget.spend(200, 400_000, 0.0)
    assert not budget.allows(0.0), "and that was the whole burst"
    assert budget.allows(1.0)


def test_above_the_rate_it_waits_for_what_it_took_too_much() -> None:
    budget = Budget(0.0)
    budget.spend(int(limits.ENTRIES_BURST) + 300, 0, 0.0)
    assert not budget.allows(2.9)
    assert budget.allows(3.1)


def test_bytes_count_as_entries_do() -> None:
    budget = Budget(0.0)
    budget.spend(1, int(limits.BYTES_BURST + limits.BYTES_PER_S), 0.0)
    assert not budget.allows(0.9)
    assert budget.allows(1.1)


def test_a_flood_is_what_does_not_pause() -> None:
    budget, now_s = Budget(0.0), 0.0
    while now_s < limits.FLOOD_AFTER_S + 100 and not budget.floods(now_s):
        if budget.allows(now_s):
            budget.spend(200, 1_000, now_s)
        now_s += 0.01
    assert limits.FLOOD_AFTER_S < now_s < limits.FLOOD_AFTER_S + 20


def test_a_backlog_and_then_heartbeats_is_no_flood() -> None:
    budget = Budget(0.0)
    budget.spend(int(limits.ENTRIES_BURST) + 100, 0, 0.0)
    for second in range(1, 600):
        if budget.allows(float(second)):
            budget.spend(2, 4_000, float(second))
        assert not budget.floods(float(second)), second


@pytest.mark.parametrize(
    ("entries", "size", "connections", "why"),
    [
        (0, 0, 0, ""),
        (AGENT_LEAVES, AGENT_LEAVES * 4_000, 6, ""),
        (400, 400 * ENTRY_CHARS_MAX, 0, ""),  # what the longest statuses take in some minutes
        (limits.STREAM_ENTRIES_MAX + 1, 1, 0, "20,001 entries"),
        (500, limits.STREAM_BYTES_MAX + 1, 0, "128 MB"),
        (2, 4_000_000, 0, "2,000 kB each"),
        (0, 0, limits.CONNECTIONS_MAX + 1, "41 connections"),
    ],
)
def test_what_no_node_in_order_has(entries: int, size: int, connections: int, why: str) -> None:
    found = too_much(entries, size, connections)
    assert (why in found) if why else not found
