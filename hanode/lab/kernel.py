"""What a namespace's kernel has and receives: addresses over netlink, adverts from the wire.

SYSTEM. Written without the engine's own netlink code, so that the acceptance test does not depend
on the part that it judges. All times are wall-clock microseconds.
"""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass

from hanode.lab import netns
from hanode.lab.topology import DEVICE

_RTM_NEWADDR, _RTM_DELADDR, _RTM_GETADDR = 20, 21, 22
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NLM_F_REQUEST, _NLM_F_DUMP = 0x1, 0x300
_RTMGRP_IPV4_IFADDR = 0x10
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_ETH_P_IP = 0x0800
_IPPROTO_VRRP = 112
_SO_TIMESTAMPNS = 35
_NLMSG = struct.Struct("=IHHII")
_IFADDRMSG = struct.Struct("=BBBBI")
_RTATTR = struct.Struct("=HH")


@dataclass(frozen=True, slots=True)
class AddressChange:
    """The kernel added or removed an address."""

    wall_us: int
    address: str
    added: bool


@dataclass(frozen=True, slots=True)
class Advert:
    """A VRRP advertisement that came in, with the kernel's receive time."""

    wall_us: int
    source: str
    vrid: int
    priority: int


class Kernel:
    """Asks the kernel of one namespace which addresses it has."""

    def __init__(self, namespace: str) -> None:
        with netns.inside(namespace):
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self._socket.bind((0, 0))
        self._socket.settimeout(2.0)
        self._seq = 0

    def addresses(self) -> frozenset[str]:
        """Every IPv4 address that the kernel has now, on any device, without its prefix."""
        self._seq += 1
        request = _IFADDRMSG.pack(socket.AF_INET, 0, 0, 0, 0)
        self._socket.send(
            _NLMSG.pack(
                _NLMSG.size + len(request),
                _RTM_GETADDR,
                _NLM_F_REQUEST | _NLM_F_DUMP,
                self._seq,
                0,
            )
            + request
        )
        found: set[str] = set()
        while True:
            for kind, body in _messages(self._socket.recv(65536)):
                if kind in (_NLMSG_DONE, _NLMSG_ERROR):
                    return frozenset(found)
                if kind == _RTM_NEWADDR and (address := _address(body)):
                    found.add(address)

    def holds(self, address: str) -> bool:
        """Whether the kernel has this address now."""
        return address in self.addresses()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class AddressListener:
    """Receives the kernel's messages about addresses that come and go in one namespace."""

    def __init__(self, namespace: str) -> None:
        with netns.inside(namespace):
            self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self.socket.bind((0, _RTMGRP_IPV4_IFADDR))
        self.socket.setblocking(False)

    def read(self) -> list[AddressChange]:
        """The changes since the last call."""
        changes: list[AddressChange] = []
        while True:
            try:
                data = self.socket.recv(65536)
            except BlockingIOError:
                return changes
            now_us = time.time_ns() // 1000
            for kind, body in _messages(data):
                if kind in (_RTM_NEWADDR, _RTM_DELADDR) and (address := _address(body)):
                    changes.append(AddressChange(now_us, address, kind == _RTM_NEWADDR))

    def close(self) -> None:
        """Stop listening."""
        self.socket.close()


class AdvertListener:
    """Receives every advert that reaches the device of one namespace."""

    def __init__(self, namespace: str, device: str = DEVICE) -> None:
        with netns.inside(namespace):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
            self.socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            self.socket.bind((device, _ETH_P_IP))
        self.socket.setblocking(False)

    def read(self) -> list[Advert]:
        """The adverts since the last call."""
        adverts: list[Advert] = []
        while True:
            try:
                data, ancillary, _, _ = self.socket.recvmsg(2048, 256)
            except BlockingIOError:
                return adverts
            if (advert := _advert(data, _receive_time_us(ancillary))) is not None:
                adverts.append(advert)

    def close(self) -> None:
        """Stop listening."""
        self.socket.close()


def _messages(data: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at + _NLMSG.size <= len(data):
        length, kind, *_ = _NLMSG.unpack_from(data, at)
        if length < _NLMSG.size:
            break
        found.append((kind, data[at + _NLMSG.size : at + length]))
        at += (length + 3) & ~3
    return found


def _address(body: bytes) -> str | None:
    family, *_ = _IFADDRMSG.unpack_from(body)
    if family != socket.AF_INET:
        return None
    at, attributes = _IFADDRMSG.size, {}
    while at + _RTATTR.size <= len(body):
        length, kind = _RTATTR.unpack_from(body, at)
        if length < _RTATTR.size:
            break
        attributes[kind] = body[at + _RTATTR.size : at + length]
        at += (length + 3) & ~3
    raw = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS)
    return socket.inet_ntoa(raw) if raw and len(raw) == 4 else None


def _receive_time_us(ancillary: list[tuple[int, int, bytes]]) -> int:
    for level, kind, value in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("=qq", value[:16])
            return int(seconds * 1_000_000 + nanoseconds // 1000)
    return time.time_ns() // 1000


def _advert(data: bytes, wall_us: int) -> Advert | None:
    if len(data) < 20 or data[9] != _IPPROTO_VRRP:
        return None
    vrrp = data[(data[0] & 0x0F) * 4 :]
    if len(vrrp) < 8:
        return None
    return Advert(wall_us, socket.inet_ntoa(data[12:16]), vrid=vrrp[1], priority=vrrp[2])
