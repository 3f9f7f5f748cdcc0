"""Measures whether adverts stay on time while a flood of bad adverts arrives for the VRID."""

from __future__ import annotations

import itertools
import socket
import struct
import subprocess
import sys
import time
from typing import Any

from hanode.vrrp import packet
from hanode.vrrp.engine_settings import Address, InstanceSettings
from tests.bench.vrrp.two_nodes import (
    ETH_P_ALL,
    PROJECT,
    SO_RCVBUFFORCE,
    SO_TIMESTAMPNS,
    Engine,
    TwoNodes,
    configuration,
    inside,
    two_nodes,
    until,
)

RATE = 50_000
BEAT_MS = 10.0
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23

FLOODER = """
import socket, sys, time
data, rate, seconds = bytes.fromhex(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
s.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"e0")
send, to, now = s.sendto, ("224.0.0.18", 0), time.perf_counter
began = now()
sent = 0
while (past := now() - began) < seconds:
    behind = int(past * rate) - sent
    for _ in range(min(behind, 200)):
        send(data, to)
    sent += min(max(behind, 0), 200)
print(sent / seconds)
"""
"""Sends at an even rate, with the highest priority and a wrong checksum."""


def bad_advert() -> bytes:
    """An advert that would take the master's role if it were accepted."""
    other = InstanceSettings(
        "V0_1", "e0", 1, 254, (Address("10.0.1.1", 16, "e0"),), version=3, advert_int_us=10_000
    )
    source, to = packet.packed("10.0.0.2"), packet.packed("224.0.0.18")
    payload = bytearray(packet.encode(other, priority=254, source=source, destination=to))
    payload[6] ^= 0xFF
    header = packet.ipv4_header(source=source, destination=to, length=len(payload), ident=1)
    return header + bytes(payload)


def _listen() -> socket.socket:
    """Captures incoming frames with the kernel's time stamps, without the outgoing flood."""
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    made.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    made.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    made.setblocking(False)
    made.bind(("e0", ETH_P_ALL))  # frames from before the bind get their time stamp when read
    return made


def _beats(heard: socket.socket) -> list[float]:
    """The arrival times, in seconds, of the adverts in the socket."""
    times = []
    while True:
        try:
            data, ancillary, _, _ = heard.recvmsg(256, 64)
        except BlockingIOError:
            return times
        if data[12:14] == b"\x08\x00" and data[23] == packet.PROTOCOL:
            seconds, nanoseconds = struct.unpack("=qq", ancillary[0][2][:16])
            times.append(seconds + nanoseconds / 1e9)


def _late_ms(times: list[float]) -> list[float]:
    """How much longer than advert_int each interval was, sorted."""
    return sorted(abs((b - a) * 1000 - BEAT_MS) for a, b in itertools.pairwise(times))


def _flooded(at: TwoNodes, rate: int, seconds: float) -> float:
    words = [sys.executable, "-c", FLOODER, bad_advert().hex(), str(rate), str(seconds)]
    flooder = ["ip", "netns", "exec", at.space["b"], *words]
    done = subprocess.run(flooder, cwd=PROJECT, check=True, capture_output=True, text=True)
    return float(done.stdout)


def keeps_its_beat(kind: str, seconds: float = 10, rate: int = RATE) -> dict[str, Any]:
    """A master with advert_int 10 ms, first undisturbed, then under the flood."""
    text = configuration("a", cables=1, each=1, advert_int="0.01")
    with two_nodes() as at:
        engine = Engine(kind, at, "a", text)
        try:
            until(lambda: at.vips("a"), "A is master", 20)
            time.sleep(1)
            heard = inside(at.space["b"], _listen)
            time.sleep(seconds)
            quiet = _late_ms(_beats(heard))
            used, begun = engine.cpu_s(), time.monotonic()
            sent = _flooded(at, rate, seconds)
            cpu = (engine.cpu_s() - used) / (time.monotonic() - begun) * 100
            flooded = _late_ms(_beats(heard))
            heard.close()
        finally:
            engine.close()
    return {
        "bad_per_s": sent,
        "adverts": len(flooded) + 1,
        "quiet_p99_ms": quiet[int(len(quiet) * 0.99)],
        "quiet_max_ms": quiet[-1],
        "flood_p99_ms": flooded[int(len(flooded) * 0.99)],
        "flood_max_ms": flooded[-1],
        "cpu": cpu,
    }
