"""Bad packets over a cable: the kernel passes some, the process counts and reports them."""

from __future__ import annotations

import socket
import time

import pytest

from tests.kernel.engines import Ours
from tests.kernel.harness import INTERFACE, Wire, inside, until, wired
from tests.vrrp.faults import FAULTS, INSTANCES, PLAIN, sent

pytestmark = pytest.mark.needs("root", "netns")


def send(net: Wire, *packets: bytes) -> None:
    """Sends packets from B with their own IP headers."""

    def put() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, INTERFACE.encode())
            for data in packets:
                raw.sendto(data, (socket.inet_ntoa(data[16:20]), 0))

    inside(net.namespaces["b"], put)


def test_each_kind_of_bad_packet_is_in_the_status_of_the_process() -> None:
    with wired() as net:
        a = Ours(net, "a", *INSTANCES, log_unknown_vrids=True)
        try:
            wall_us = time.time_ns() // 1000
            for fault in FAULTS:
                send(net, *fault.make(fault.to, wall_us))
            wanted = {(fault.to.name, str(fault.reason)) for fault in FAULTS}

            def missing() -> set[tuple[str, str]]:
                told = {i["name"]: i["counters"] for i in a.status()["instances"]}
                return {(name, reason) for name, reason in wanted if told[name][reason] < 1}

            until(lambda: not missing(), "all are counted", 3)
            assert a.status()["strays"] == {"unknown_vrids": 0, "short_packets": 0}
            stray = bytearray(sent(PLAIN, wall_us))
            stray[21] = 99
            short = bytearray(sent(PLAIN, wall_us)[:21])
            short[2:4] = len(short).to_bytes(2, "big")
            send(net, bytes(stray), bytes(short))
            strays = {"unknown_vrids": 1, "short_packets": 1}
            until(lambda: a.status()["strays"] == strays, "so are those that are nobody's", 3)
        finally:
            a.close()
