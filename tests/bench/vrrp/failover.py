"""Measures failovers, one after another: their delay beyond the protocol's formula."""

from __future__ import annotations

import random
import statistics
import time
from typing import Any

from tests.bench.vrrp.two_nodes import PRIORITY, Engine, Observer, configuration, two_nodes, until

INTERVAL_S = 0.01
SKEW_S = (256 - PRIORITY["b"]) * INTERVAL_S / 256
DOWN_S = 3 * INTERVAL_S + SKEW_S


def one(kind: str, how: str, rng: random.Random) -> float:
    """Milliseconds beyond the formula, from the last advert (kill) or from priority 0 (stop)."""
    with two_nodes() as at:
        text = {n: configuration(n, cables=1, each=1, advert_int="0.01") for n in "ab"}
        a = Engine(kind, at, "a", text["a"])
        b: Engine | None = None
        try:
            until(lambda: at.vips("a"), f"A is master with {kind}", 20)
            b = Engine(kind, at, "b", text["b"])
            _ = b.vrrp
            time.sleep(2)
            watch = Observer(at, "b")
            time.sleep(0.1 + rng.random() * 0.05)
            at_s = a.kill() if how == "kill" else a.stop()
            found = until(
                lambda: [
                    f for f in list(watch.frames) if f.outgoing and f.announces and f.at_s > at_s
                ],
                f"B announces after the {how} of {kind}",
                5,
            )[0]
            heard = [f for f in watch.frames if f.advert and not f.outgoing]
            watch.close()
        finally:
            a.close()
            if b is not None:
                b.close()
    if how == "kill":
        return (found.at_s - heard[-1].at_s - DOWN_S) * 1000
    last = next(f for f in heard if f.advert and f.advert[2] == 0)
    return (found.at_s - last.at_s - SKEW_S) * 1000


def measure(kinds: list[str], how: str, runs: int) -> dict[str, dict[str, Any]]:
    """Runs the engines in turn, so that changes in the machine's load affect them equally."""
    rng = random.Random(runs)
    late: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(runs):
        for kind in kinds:
            late[kind].append(one(kind, how, rng))
    return {
        kind: {
            "runs": runs,
            "median_ms": statistics.median(values),
            "p99_ms": sorted(values)[min(runs - 1, int(runs * 0.99))],
            "max_ms": max(values),
        }
        for kind, values in late.items()
    }
