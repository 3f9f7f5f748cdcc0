"""Witness: which node held an address, and from when to when, as the kernels report it.

A `Witness` listens to every node's kernel from before the engines start until after they end. It
has a parser of its own and room for more messages than any test causes. It also asks
`ip address`, and the two must agree.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import math
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

from tests.kernel.harness import inside, run, until

Span = tuple[float, float]
"""From and to, in seconds of the wall clock; the end is infinite while it goes on."""

RTM_NEWADDR, RTM_DELADDR = 20, 21
GROUPS = 0x10 | 0x100
"""Addresses of both families."""
SO_RCVBUFFORCE = 33
ROOM_BYTES = 1 << 26
IFA_ADDRESS, IFA_LOCAL = 1, 2
News = tuple[float, bool, str, int]
"""The time, whether it was added, `ip/prefix`, and the interface's index."""


class Witness:
    """Listens to the kernels of some namespaces: {node: namespace}."""

    def __init__(self, namespaces: dict[str, str]) -> None:
        self.namespaces = namespaces
        self._told: dict[str, list[News]] = {node: [] for node in namespaces}
        self._end = threading.Event()
        self._turn = threading.Lock()
        self._ears = {node: inside(space, _listening) for node, space in namespaces.items()}
        self._threads = [
            threading.Thread(target=self._listen, args=(node,), daemon=True) for node in namespaces
        ]
        for thread in self._threads:
            thread.start()

    def _listen(self, node: str) -> None:
        poll = select.poll()
        poll.register(self._ears[node], select.POLLIN)
        while not self._end.is_set():
            poll.poll(100)
            self._hear(node)

    def _hear(self, node: str) -> None:
        """Reads all messages, also those that the thread has not read yet."""
        with self._turn, contextlib.suppress(BlockingIOError):
            while not self._end.is_set():
                data = self._ears[node].recv(1 << 16)
                self._told[node] += _news(data, time.time())

    def held(self, node: str, address: str) -> list[Span]:
        """When that node had `ip/prefix` (or the bare address), on any interface."""
        spans: list[Span] = []
        on: dict[int, float] = {}
        self._hear(node)
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
        """The longest time that two nodes had it at once, of those that ended after `since_s`."""
        now_s = time.time()
        spans = [s for s in self.both(address) if s[1] > since_s]
        return max((min(to_s, now_s) - max(from_s, since_s) for from_s, to_s in spans), default=0)

    def holders(self, address: str) -> list[str]:
        """The nodes that have it now, asked of the kernels; answers and messages must agree."""
        until(lambda: self._asked(address) == self._heard(address), "news and kernels agree", 1)
        return self._asked(address)

    def _asked(self, address: str) -> list[str]:
        return [n for n, space in self.namespaces.items() if address in addresses_of(space)]

    def _heard(self, address: str) -> list[str]:
        return [node for node in self.namespaces if self._holds_now(node, address)]

    def _holds_now(self, node: str, address: str) -> bool:
        return any(to_s == math.inf for _, to_s in self.held(node, address))

    def close(self) -> None:
        """Stops listening; the recorded messages can still be used."""
        for node in self.namespaces:
            self._hear(node)
        self._end.set()
        for thread in self._threads:
            thread.join(2)
        for ear in self._ears.values():
            ear.close()


def _listening() -> socket.socket:
    ear = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    ear.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM_BYTES)
    ear.bind((0, GROUPS))
    ear.setblocking(False)
    return ear


def _news(data: bytes, at_s: float) -> Iterator[News]:
    while len(data) >= 16:
        length, kind = struct.unpack_from("=IH", data)
        if kind in (RTM_NEWADDR, RTM_DELADDR):
            _, prefix, _, _, index = struct.unpack_from("=BBBBI", data, 16)
            found = dict(_attributes(data[24:length]))
            raw = found.get(IFA_LOCAL) or found[IFA_ADDRESS]
            yield at_s, kind == RTM_NEWADDR, f"{ipaddress.ip_address(raw)}/{prefix}", index
        data = data[(length + 3) & ~3 :]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        yield kind, data[4:length]
        data = data[(length + 3) & ~3 :]


def overlaps(one: list[Span], other: list[Span]) -> list[Span]:
    """The times that spans of both lists have in common."""
    common = [(max(a[0], b[0]), min(a[1], b[1])) for a in one for b in other]
    return sorted((from_s, to_s) for from_s, to_s in common if from_s < to_s)


def addresses_of(namespace: str) -> list[str]:
    """`ip/prefix` of every interface, as the kernel has them now."""
    links = json.loads(run("ip", "-n", namespace, "-j", "addr"))
    return [f"{a['local']}/{a['prefixlen']}" for link in links for a in link.get("addr_info", [])]


@contextlib.contextmanager
def witnessed(namespaces: dict[str, str]) -> Iterator[Witness]:
    """A Witness whose processes are ended afterwards."""
    witness = Witness(namespaces)
    try:
        yield witness
    finally:
        witness.close()


def steady(condition: Callable[[], bool], *, for_s: float, what: str) -> None:
    """The condition is true now and stays so for `for_s` seconds."""
    end_s = time.monotonic() + for_s
    while time.monotonic() < end_s:
        assert condition(), what
        time.sleep(0.02)
