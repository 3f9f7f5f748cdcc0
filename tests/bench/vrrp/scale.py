"""Measures thousands of instances: start, CPU, mass failover, reload, and maximum send rate."""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.bench.vrrp.two_nodes import Engine, Observer, TwoNodes, configuration, two_nodes, until

CABLES, EACH = 16, 255


def sent(at: TwoNodes, engine: Engine) -> int:
    """Packets that the node has sent so far on its cables."""
    lines = Path(f"/proc/{engine.vrrp}/net/dev").read_text().splitlines()[2:]
    return sum(
        int(line.split(":")[1].split()[9])
        for line in lines
        if line.split(":")[0].strip().startswith("e")
    )


def all_of_them(kind: str, window_s: float = 10) -> dict[str, Any]:
    """4,080 instances at 1 s: start, CPU and memory, reload with one changed, mass failover."""
    total = CABLES * EACH
    text = {n: configuration(n, cables=CABLES, each=EACH, advert_int="1") for n in "ab"}
    with two_nodes(CABLES) as at:
        begin = Observer(at, "a")
        a = Engine(kind, at, "a", text["a"])
        b: Engine | None = None
        try:
            until(lambda: begin.added >= total, "A is master everywhere", 120)
            found: dict[str, Any] = {"start_s": begin.added_s - a.started_s}
            begin.close()
            b = Engine(kind, at, "b", text["b"])
            time.sleep(10)
            found |= work(a, b, window_s)
            found |= reload(at, a, text["a"])
            end = Observer(at, "b")
            at_s = a.kill()
            until(lambda: end.added >= total, "B is master everywhere", 60)
            found["failover_s"] = end.added_s - at_s
            end.close()
        finally:
            a.close()
            if b is not None:
                b.close()
    return found


def work(a: Engine, b: Engine, window_s: float) -> dict[str, float]:
    """CPU in per cent of a core, and memory."""
    before, begun = (a.cpu_s(), b.cpu_s()), time.monotonic()
    time.sleep(window_s)
    after, taken = (a.cpu_s(), b.cpu_s()), time.monotonic() - begun
    return {
        "master_cpu": (after[0] - before[0]) / taken * 100,
        "backup_cpu": (after[1] - before[1]) / taken * 100,
        "master_mb": a.resident_kb() / 1000,
    }


def reload(at: TwoNodes, a: Engine, text: str) -> dict[str, int]:
    """After a change of one priority: late adverts and transitions of the other instances."""
    watch = Observer(at, "b")
    time.sleep(3)
    a.reload(text.replace("priority 150", "priority 149", 1))
    time.sleep(8)
    watch.close()
    last: dict[tuple[str, int], float] = {}
    gaps: dict[tuple[str, int], float] = defaultdict(float)
    moved = set()
    for frame in watch.frames:
        if frame.advert is None:
            continue
        dev, vrid, priority = frame.advert
        key = (dev, vrid)
        if frame.outgoing or priority == 0:
            moved.add(key)
        elif key in last:
            gaps[key] = max(gaps[key], frame.at_s - last[key])
        last[key] = frame.at_s
    changed = ("e0", 1)
    return {
        "reload_late": sum(gap > 2 for key, gap in gaps.items() if key != changed),
        "reload_moved": len(moved - {changed}),
        "reload_longest_gap_ms": round(max(gaps.values()) * 1000),
    }


def throughput(kind: str, window_s: float = 8) -> dict[str, float]:
    """1,020 instances at 10 ms: adverts sent in a second, with a backup that reads them."""
    text = {n: configuration(n, cables=4, each=EACH, advert_int="0.01") for n in "ab"}
    with two_nodes(4) as at:
        a = Engine(kind, at, "a", text["a"])
        b: Engine | None = None
        try:
            until(lambda: at.vips("a") == 4 * EACH, "A is master everywhere", 60)
            b = Engine(kind, at, "b", text["b"])
            time.sleep(6)
            before, used, begun = sent(at, a), a.cpu_s(), time.monotonic()
            time.sleep(window_s)
            after, used_after, taken = sent(at, a), a.cpu_s(), time.monotonic() - begun
            return {
                "adverts_s": (after - before) / taken,
                "cpu": (used_after - used) / taken * 100,
                "backup_holds": at.vips("b"),
            }
        finally:
            a.close()
            if b is not None:
                b.close()
