"""Listens for adverts from the engine's first moment on, before its instances run.

SYSTEM. packet(7). An engine takes a while to read its file and to start its processes. Adverts that
arrive meanwhile are received here; where none did, that silence is part of the
Master_Down_Interval. The process that the operator started opens the sockets, and the vrrp process
inherits them.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hanode.system import bpf
from hanode.system.netlink import make_room

ETHERTYPES = {4: 0x0800, 6: 0x86DD}
PROTOCOL_AT = {4: 9, 6: 6}
PROTOCOL_VRRP = 112
GROUP_MACS = {4: bytes.fromhex("01005e000012"), 6: bytes.fromhex("333300000012")}
"""The MAC addresses of 224.0.0.18 and ff02::12, which are listened to."""
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_STATISTICS, PACKET_MR_MULTICAST = 263, 1, 6, 0
MEMBERSHIP = struct.Struct("=iHH8s")
STATISTICS = struct.Struct("=II")
SIOCGIFFLAGS = 0x8913
IFF_UP, IFF_LOOPBACK, IFF_RUNNING, IFF_MULTICAST = 0x1, 0x8, 0x40, 0x1000
LISTENING = IFF_UP | IFF_RUNNING | IFF_MULTICAST
INTERFACE_REQUEST = struct.Struct("16sH22x")
BUFFER_BYTES = 16 << 20
"""For two seconds of 4,080 masters with one advert a second each."""
HEAD_BYTES = 64
"""The longest IPv4 header, and what holds the VRID."""
IPV6_HEADER_BYTES = 40
ENVIRONMENT = "HANODE_PRESTART"
"""Holds the time of the start and the indexes of the interfaces; the numbers of the sockets are in
HANODE_PRESTART_4 and HANODE_PRESTART_6."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a prestart listener has heard."""

    since_us: int
    """When it began, by the monotonic clock."""
    interfaces: Mapping[str, int]
    """The interfaces that it listened on, with their indexes."""
    speakers: frozenset[tuple[str, int, int]]
    """(Interface, family, VRID) of every advert; an interface that is gone is ""."""


class PrestartListener:
    """Listens, and reports in the end which adverts came."""

    def __init__(
        self, sockets: dict[int, socket.socket], since_us: int, on: dict[str, int]
    ) -> None:
        self._sockets = sockets
        self._since_us = since_us
        self._on = on

    @classmethod
    def begin(cls) -> PrestartListener | None:
        """Listen on every interface that is up; None where that is not allowed."""
        sockets: dict[int, socket.socket] = {}
        try:
            on = _interfaces()
            for family in ETHERTYPES:
                sockets[family] = _opened(family, on)
        except OSError:
            for one in sockets.values():
                one.close()
            return None
        return cls(sockets, time.monotonic_ns() // 1000, on)

    @classmethod
    def inherited(cls) -> PrestartListener | None:
        """The one that our parent began, if we inherited it."""
        words = os.environ.get(ENVIRONMENT, "").split()
        numbers = {f: os.environ.get(f"{ENVIRONMENT}_{f}", "") for f in ETHERTYPES}
        if not words or not all(number.isdigit() for number in (*words, *numbers.values())):
            return None
        sockets = {f: socket.socket(fileno=int(number)) for f, number in numbers.items()}
        return cls(sockets, int(words[0]), _named(map(int, words[1:])))

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the child needs besides the sockets."""
        return {ENVIRONMENT: " ".join(map(str, (self._since_us, *self._on.values())))}

    @property
    def descriptors(self) -> dict[str, int]:
        """The sockets' descriptors, each under the variable that must hold its number."""
        return {f"{ENVIRONMENT}_{f}": one.detach() for f, one in self._sockets.items()}

    def end(self) -> Heard | None:
        """Stop listening; what was heard. None: packets were lost, so nothing is known."""
        speakers: set[tuple[str, int, int]] = set()
        lost = 0
        for family, one in self._sockets.items():
            while (heard := _next(one, family)) is not None:
                speakers.add(heard)
            counted = one.getsockopt(SOL_PACKET, PACKET_STATISTICS, STATISTICS.size)
            lost += STATISTICS.unpack(counted)[1]
            one.close()
        if lost:
            return None
        return Heard(self._since_us, self._on, frozenset(speakers))


def _interfaces() -> dict[str, int]:
    """Interfaces to listen on, with their indexes: up, with a carrier, not the loopback."""
    found = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ask:
        for index, name in socket.if_nameindex():
            request = INTERFACE_REQUEST.pack(name.encode(), 0)
            try:
                answer = fcntl.ioctl(ask, SIOCGIFFLAGS, request)
            except OSError:  # it is already gone
                continue
            flags = INTERFACE_REQUEST.unpack(answer)[1]
            if flags & LISTENING == LISTENING and not flags & IFF_LOOPBACK:
                found[name] = index
    return found


def _named(indexes: Iterable[int]) -> dict[str, int]:
    """These interfaces by name; those that are gone are left out."""
    there = dict(socket.if_nameindex())
    return {there[index]: index for index in indexes if index in there}


def _opened(family: int, on: dict[str, int]) -> socket.socket:
    kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
    made = socket.socket(socket.AF_PACKET, kind, socket.htons(ETHERTYPES[family]))
    try:
        bpf.attach(made, bpf.for_protocol(PROTOCOL_VRRP, at=PROTOCOL_AT[family]))
        make_room(made, BUFFER_BYTES)
        for index in on.values():
            mac = GROUP_MACS[family]
            join = MEMBERSHIP.pack(index, PACKET_MR_MULTICAST, len(mac), mac)
            made.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, join)
        while _next(made, family) is not None:
            pass  # what came before the filter was attached
    except OSError:
        made.close()
        raise
    return made


def _next(one: socket.socket, family: int) -> tuple[str, int, int] | None:
    """(Interface, family, VRID) of the next advert; what is too short for one counts as VRID 0."""
    try:
        data, where = one.recvfrom(HEAD_BYTES)
    except OSError:
        return None
    header = (data[0] & 15) * 4 if family == 4 and data else IPV6_HEADER_BYTES
    vrid = data[header + 1] if len(data) > header + 1 else 0
    return where[0], family, vrid
