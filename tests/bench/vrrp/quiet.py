"""Measures whether a backup at 10 ms stays backup while its checker and the other core are busy."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench.vrrp.two_nodes import Engine, Observer, configuration, two_nodes, until

SERVERS = 2_400
"""With delay_loop 1, which counts from the end of a check: 2,000 checks a second and more."""


def servers() -> str:
    """Real servers on loopback, which refuse or accept at once."""
    out = [
        "virtual_server 10.250.0.1 80 {\n delay_loop 1\n lb_algo rr\n lb_kind NAT\n protocol TCP\n"
    ]
    out += [
        f" real_server 127.1.{n >> 8}.{n & 255} 8080 {{\n"
        "  TCP_CHECK {\n   connect_timeout 1\n  }\n }\n"
        for n in range(1, SERVERS + 1)
    ]
    return "".join([*out, "}\n"])


def connects(engine: Engine) -> int:
    """TCP connections that the node has started so far."""
    lines = Path(f"/proc/{engine.vrrp}/net/snmp").read_text().splitlines()
    names, values = (line.split() for line in lines if line.startswith("Tcp:"))
    return int(dict(zip(names, values, strict=True))["ActiveOpens"])


def false_failovers(kind: str, seconds: float) -> dict[str, Any]:
    """How often the backup sent adverts, and the longest gap between the master's adverts.

    keepalived runs without its checker: on a kernel without IPVS that ends the whole program.
    """
    text = {n: configuration(n, cables=1, each=1, advert_int="0.01") for n in "ab"}
    with two_nodes() as at:
        a = Engine(kind, at, "a", text["a"])
        b: Engine | None = None
        busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            until(lambda: at.vips("a"), "A is master", 20)
            checks = kind == "ours"
            b = Engine(
                kind, at, "b", text["b"] + servers() * checks, more=() if checks else ("-P",)
            )
            _ = b.vrrp
            time.sleep(5)
            begun = connects(b)
            spoke, longest, end = 0, 0.0, time.monotonic() + seconds
            watch, last = Observer(at, "b"), 0.0
            while time.monotonic() < end:
                time.sleep(1)
                frames, watch.frames = watch.frames, []
                for frame in frames:
                    if frame.advert is None:
                        continue
                    if frame.outgoing:
                        spoke += 1
                        continue
                    longest = max(longest, frame.at_s - last) if last else 0.0
                    last = frame.at_s
            made = connects(b) - begun
            watch.close()
        finally:
            os.kill(busy.pid, signal.SIGKILL)
            busy.wait()
            a.close()
            if b is not None:
                b.close()
    return {
        "seconds": seconds,
        "checks_s": made / seconds,
        "backup_spoke": spoke,
        "longest_gap_ms": longest * 1000,
    }
