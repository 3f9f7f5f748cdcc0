"""A node with its agent and a real broker: pushes down, events and status up."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.proc.harness import (
    CONFIG,
    CONFIG_201,
    CONFIG_BROKEN,
    Authority,
    Broker,
    Node,
    until,
)

pytestmark = pytest.mark.needs("root", "netns", "valkey")


@pytest.fixture
def enrolled(node: Node, broker: Broker, authority: Authority) -> Node:
    node.enrol(authority, broker.node_url())
    node.start()
    until(broker.statuses, what="no status reached the broker")
    return node


def test_pushed_revision_is_live_well_under_a_second_after_the_nudge(
    enrolled: Node, broker: Broker, authority: Authority
) -> None:
    until(lambda: enrolled.kernel_has("192.168.192.200/24"))
    time_of_worker_ready(enrolled)
    broker.desire(authority.bundle(1, CONFIG_201, confirm_within_s=30))
    began_us = time.time_ns() // 1000
    broker.nudge(1)
    live = until(
        lambda: [e for e in broker.events() if e.kind == "config" and e.data["phase"] == "live"]
    )
    took_ms = (live[0].wall_us - began_us) / 1000
    print(f"live {took_ms:.0f} ms after the nudge")
    assert took_ms < 300, f"live {took_ms:.0f} ms after the nudge"
    until(lambda: enrolled.kernel_has("192.168.192.201/24"), within_s=1.0)


def time_of_worker_ready(node: Node) -> None:
    """The first nudge to a starting agent waits for Celery; that is not what we measure."""
    until(lambda: "ready." in node.log.read_text(), what="the Celery worker never was ready")
