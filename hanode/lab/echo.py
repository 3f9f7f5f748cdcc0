"""ICMP echoes as bytes, and whether an address answers from a namespace.

SYSTEM. Used by the probe for its stream of echoes and by the acceptance test for single ones.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import time

from hanode.lab import netns

_REQUEST, _REPLY = 8, 0


def echo_request(identity: int, seq: int) -> bytes:
    """An ICMP echo request (RFC 792) with a correct checksum."""
    body = struct.pack("!HH", identity, seq) + b"keepsight lab probe"
    total = _ones_sum(struct.pack("!BBH", _REQUEST, 0, 0) + body)
    return struct.pack("!BBH", _REQUEST, 0, ~total & 0xFFFF) + body


def echo_reply(data: bytes, identity: int) -> int | None:
    """The sequence number, when the IP packet `data` answers an echo of `identity`."""
    icmp = data[(data[0] & 0x0F) * 4 :] if data else b""
    if len(icmp) < 8:
        return None
    kind, _, _, theirs, seq = struct.unpack_from("!BBHHH", icmp)
    return int(seq) if kind == _REPLY and theirs == identity else None


def answered_us(namespace: str, address: str, *, within_s: float) -> int | None:
    """Ask until the address answers; the wall-clock moment of the answer, None when never."""
    with netns.inside(namespace):
        line = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    identity = (os.getpid() ^ 0x5A5A) & 0xFFFF
    deadline = time.monotonic() + within_s
    seq = 0
    with line:
        line.setblocking(False)
        while time.monotonic() < deadline:
            seq = (seq + 1) & 0xFFFF
            try:
                line.sendto(echo_request(identity, seq), (address, 0))
            except OSError:
                time.sleep(0.005)
            if select.select([line], [], [], 0.010)[0]:
                data, (source, _) = line.recvfrom(2048)
                if source == address and echo_reply(data, identity) is not None:
                    return time.time_ns() // 1000
    return None


def _ones_sum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total
