"""Two whole engines on a wire, and kill -9 for any of their processes at any moment.

Who looks on reads the adverts on the wire and asks the kernels for the address; the engines' own
words are not used. KEEPSIGHT_KILLS=100 makes it long.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import socket
import threading
import time
from collections import defaultdict

import pytest

from tests.kernel.harness import ETH_P_ALL, inside
from tests.proc.harness import Node, directory, until

pytestmark = pytest.mark.needs("root", "netns")

KILLS = int(os.environ.get("KEEPSIGHT_KILLS", "12"))
VIP = "192.168.192.200/24"
ADVERT_S = 0.1
DOWN_S = 3 * ADVERT_S + ADVERT_S * (256 - 90) / 256
SLACK_S = 0.3
"""A busy machine; an advert may be late by so much without a fault of the engine."""
REPAIR_S = 4.0
"""A killed engine is started again and has looked after its address within this time."""
IP_SOURCE, IP_PROTOCOL, VRRP_PRIORITY = slice(26, 30), 23, 36


def config(priority: int) -> str:
    return f"""\
vrrp_instance HA_Group {{
    interface ens33
    virtual_router_id 51
    version 3
    priority {priority}
    advert_int {ADVERT_S}
    virtual_ipaddress {{
        {VIP}
    }}
}}
"""


class Wire:
    """The adverts that pass at one end of the cable: source -> times of those that claim it."""

    def __init__(self, namespace: str) -> None:
        self.claims: dict[bytes, list[float]] = defaultdict(list)
        self._socket = inside(namespace, self._open)
        self._stop = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _open(self) -> socket.socket:
        listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        listener.bind(("ens33", ETH_P_ALL))
        listener.settimeout(0.2)
        return listener

    def _listen(self) -> None:
        while not self._stop:
            try:
                frame = self._socket.recv(2048)
            except TimeoutError:
                continue
            vrrp = len(frame) > VRRP_PRIORITY and frame[12:14] == b"\x08\x00"
            if vrrp and frame[IP_PROTOCOL] == 112 and frame[VRRP_PRIORITY]:
                self.claims[frame[IP_SOURCE]].append(time.monotonic())

    def close(self) -> None:
        self._stop = True
        self._thread.join()
        self._socket.close()

    def longest_two(self) -> float:
        """For how long two have claimed mastership against each other, at most."""
        turns = sorted((at, who) for who, times in self.claims.items() for at in times)
        longest = began = 0.0
        for (before, one), (now, other) in itertools.pairwise(turns):
            if one == other or now - before > ADVERT_S + SLACK_S:
                began = 0.0
                continue
            began = began or before
            longest = max(longest, now - began)
        return longest


def kill(node: Node, what: str) -> None:
    """End one process, or all; what ends the whole engine is followed by a new start."""
    assert node.process is not None
    if what == "group":
        node.kill_group()
    elif what == "supervisor":
        node.process.kill()
        node.process.wait(5)
    else:
        os.kill(node.pid(what), signal.SIGKILL)
        return
    until(lambda: _started(node), within_s=8)


def _started(node: Node) -> bool:
    # The children of a killed supervisor hold its locks until they have ended too.
    try:
        node.start()
    except AssertionError:
        return False
    return True


def test_never_two_masters_for_long_and_never_an_address_left_behind() -> None:
    chance = random.Random(os.environ.get("KEEPSIGHT_SEED", "20261122"))
    with directory() as one, directory() as two:
        a, b = Node(one, config=config(100)), Node(two, config=config(90))
        a.join(b)
        nodes = {"A": a, "B": b}
        wire = Wire(a.namespace)
        try:
            a.start()
            b.start()
            until(lambda: a.kernel_has(VIP) and not b.kernel_has(VIP))
            for number in range(KILLS):
                name = chance.choice("AB")
                what = chance.choice(("vrrp", "vrrp", "watch", "checker", "supervisor", "group"))
                kill(nodes[name], what)
                until(
                    lambda: a.kernel_has(VIP) != b.kernel_has(VIP),
                    within_s=REPAIR_S,
                    what=f"exactly one has the address after kill {number} ({what} of {name})",
                )
                time.sleep(chance.random() * 1.5)
            until(lambda: a.kernel_has(VIP) and not b.kernel_has(VIP), what="the right one")
        finally:
            wire.close()
            for name, node in nodes.items():
                print(name, node.log.read_text())
                node.destroy()
    assert len(wire.claims) == 2
    assert wire.longest_two() <= DOWN_S + SLACK_S
