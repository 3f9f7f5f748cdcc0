"""The probe in a real namespace: it notices an outage and reports its length."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from hanode.lab import broker, netns, network
from hanode.lab.observer import wait_until
from hanode.lab.probe import redis_url
from hanode.lab.topology import VIP, Topology, topology

pytestmark = pytest.mark.needs("root", "netns", "valkey")


@pytest.fixture
def plan() -> Iterator[Topology]:
    made = topology(f"ksp{os.getpid()}")
    network.build(made)
    netns.ip("addr", "add", f"{VIP}/24", "dev", "ens33", namespace=made.directors[0].namespace)
    yield made
    network.remove(made)


@pytest.fixture
def entries(plan: Topology, valkey: broker.Broker) -> Iterator[Any]:
    """Runs a probe; gives a function that reads all its entries of one kind."""
    words = [sys.executable, "-m", "hanode.lab.probe", "--target", VIP, "--node", "probe-1"]
    process = subprocess.Popen(
        ["ip", "netns", "exec", plan.client.namespace, *words],
        env={**os.environ, "KEEPSIGHT_PROBE_BROKER_URL": valkey.admin_url},
    )
    client = redis.Redis.from_url(redis_url(valkey.admin_url), decode_responses=True)

    def read(kind: str) -> list[dict[str, Any]]:
        found = client.xrange("up.probe-1")
        return [json.loads(fields["d"]) for _, fields in found if fields["t"] == kind]

    yield read
    process.terminate()
    assert process.wait(5) == 0


def test_probe_reports_how_it_is(entries: Any) -> None:
    assert wait_until(lambda: any(r["up"] and r["rtt_us"] for r in entries("probe")), within_s=10)
    assert entries("probe")[-1]["target"] == VIP


def test_probe_measures_an_outage(plan: Topology, entries: Any) -> None:
    assert wait_until(lambda: any(r["rtt_us"] for r in entries("probe")), within_s=10)
    first = plan.directors[0].namespace
    cut_us = time.time_ns() // 1000
    netns.ip("link", "set", "ens33", "down", namespace=first)
    assert wait_until(lambda: any(o["to_us"] is None for o in entries("outage")), within_s=5)
    netns.ip("link", "set", "ens33", "up", namespace=first)
    mended_us = time.time_ns() // 1000
    assert wait_until(lambda: any(o["to_us"] for o in entries("outage")), within_s=10)
    outage = next(o for o in entries("outage") if o["to_us"])
    assert abs(outage["from_us"] - cut_us) < 200_000
    assert outage["to_us"] >= mended_us - 40_000
    assert outage["lost"] >= 5
