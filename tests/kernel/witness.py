"""Who held an address from when to when, as both kernels tell it to a program that is not ours.

A `Witness` reads `ip -ts monitor address` in every node's namespace, from before the engines start
until after they end; `ip address` is asked besides, so that what is left at the end is no guess.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime

from tests.kernel.harness import run, until

Span = tuple[float, float]
"""From and to, in seconds of the wall clock; an infinite end is still going on."""

LINE = re.compile(
    r"\[(?P<at>[^\]]+)\] (?P<gone>Deleted )?\d+: (?P<dev>\S+) +inet6? (?P<address>\S+)"
)
MARKER = "203.0.113.253/32"
"""Put on lo and taken away again: once the monitor has told of it, it misses nothing."""


class Witness:
    """Listens to the kernels of some namespaces: {node: namespace}."""

    def __init__(self, namespaces: dict[str, str]) -> None:
        self.namespaces = namespaces
        self._told: dict[str, list[tuple[float, bool, str, str]]] = {n: [] for n in namespaces}
        """(when, whether it came, address, device)."""
        self._listeners: list[tuple[subprocess.Popen[str], threading.Thread]] = []
        for node, namespace in namespaces.items():
            listener = subprocess.Popen(
                ["ip", "-n", namespace, "-o", "-ts", "monitor", "address"],
                stdout=subprocess.PIPE,
                text=True,
            )
            thread = threading.Thread(target=self._listen, args=(node, listener), daemon=True)
            thread.start()
            self._listeners.append((listener, thread))
            until(lambda n=node, s=namespace: self._hears(n, s), f"{node} is listened to")  # type: ignore[misc]

    def _hears(self, node: str, namespace: str) -> bool:
        for verb in ("add", "del"):
            run("ip", "-n", namespace, "addr", verb, MARKER, "dev", "lo")
        time.sleep(0.02)
        return any(address == MARKER for _, _, address, _ in list(self._told[node]))

    def _listen(self, node: str, listener: subprocess.Popen[str]) -> None:
        assert listener.stdout is not None
        for line in listener.stdout:
            if (match := LINE.match(line)) is not None:
                at_s = datetime.fromisoformat(match["at"]).astimezone().timestamp()
                came = match["gone"] is None
                self._told[node].append((at_s, came, match["address"], match["dev"]))

    def held(self, node: str, address: str) -> list[Span]:
        """When that node had `ip/prefix` (or the bare address), on whatever interface."""
        spans: list[Span] = []
        on: dict[str, float] = {}
        for at_s, came, told, dev in list(self._told[node]):
            if told.partition("/")[0] != address.partition("/")[0]:
                continue
            if came:
                on.setdefault(dev, at_s)
            elif dev in on:
                spans.append((on.pop(dev), at_s))
        return sorted([*spans, *((from_s, math.inf) for from_s in on.values())])

    def both(self, address: str) -> list[Span]:
        """When two nodes had it at once."""
        one, other = (self.held(node, address) for node in self.namespaces)
        return overlaps(one, other)

    def both_s(self, address: str, *, since_s: float = 0) -> float:
        """How long at most two nodes had it at once, of what ended after `since_s`."""
        now_s = time.time()
        spans = [s for s in self.both(address) if s[1] > since_s]
        return max((min(to_s, now_s) - max(from_s, since_s) for from_s, to_s in spans), default=0)

    def holders(self, address: str) -> list[str]:
        """Which nodes have it now, asked of the kernels; they and the news must agree."""
        there = [n for n, space in self.namespaces.items() if address in addresses_of(space)]
        until(
            lambda: there == [n for n in self.namespaces if self._holds_now(n, address)],
            f"the monitors have told what the kernels say: {there}",
            1,
        )
        return there

    def _holds_now(self, node: str, address: str) -> bool:
        return any(to_s == math.inf for _, to_s in self.held(node, address))

    def close(self) -> None:
        """End the listeners."""
        for listener, thread in self._listeners:
            listener.kill()
            listener.wait(5)
            thread.join(2)


def overlaps(one: list[Span], other: list[Span]) -> list[Span]:
    """Where spans of both lists cover the same time."""
    common = [(max(a[0], b[0]), min(a[1], b[1])) for a in one for b in other]
    return sorted((from_s, to_s) for from_s, to_s in common if from_s < to_s)


def addresses_of(namespace: str) -> list[str]:
    """`ip/prefix` of every interface, as the kernel has them now."""
    links = json.loads(run("ip", "-n", namespace, "-j", "addr"))
    return [f"{a['local']}/{a['prefixlen']}" for link in links for a in link.get("addr_info", [])]


@contextlib.contextmanager
def witnessed(namespaces: dict[str, str]) -> Iterator[Witness]:
    """A Witness that leaves no process behind."""
    witness = Witness(namespaces)
    try:
        yield witness
    finally:
        witness.close()


def steady(condition: Callable[[], bool], *, for_s: float, what: str) -> None:
    """The condition holds now and for so long."""
    end_s = time.monotonic() + for_s
    while time.monotonic() < end_s:
        assert condition(), what
        time.sleep(0.02)
