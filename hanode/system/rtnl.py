"""Interfaces and addresses of the kernel, over rtnetlink.

SYSTEM. The messages are packed by hand: this is the vrrp process's path, importing pyroute2 takes
0.3 s at every start and brings asyncio with it (tests/kernel checks the result with pyroute2).
Two sockets: one asks and commands, the other only listens, so that nothing said meanwhile is lost.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hanode.vrrp.settings import Address

NETLINK_ROUTE = 0
RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR = 0x1, 0x10, 0x100
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 0x1, 0x4, 0x300
NLM_F_REPLACE, NLM_F_CREATE = 0x100, 0x400
NLMSG_ERROR, NLMSG_DONE = 2, 3
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
IFLA_ADDRESS, IFLA_IFNAME = 1, 3
IFA_ADDRESS, IFA_LOCAL, IFA_LABEL, IFA_BROADCAST, IFA_PROTO = 1, 2, 3, 4, 11
IFA_F_NODAD = 0x02
IFF_UP, IFF_RUNNING = 0x1, 0x40
PROTO_KEEPALIVED = 18
"""Marks the address as a virtual one for `ip address show` (kernels from 5.18 on)."""
BUFFER_BYTES = 1 << 20
BATCH = 64
"""Messages in one send: their acknowledgements must fit the socket's buffer."""


@dataclass(frozen=True, slots=True)
class Link:
    """One interface."""

    index: int
    name: str
    up: bool
    """IFF_UP and IFF_RUNNING: administratively up, and with a carrier."""
    mac: bytes


@dataclass(frozen=True, slots=True)
class Change:
    """What `Monitor.drain` found."""

    links: frozenset[str]
    """Names of interfaces that changed, or whose addresses did."""
    removed: frozenset[tuple[str, str]]
    """(device, `ip/prefix`) that were removed and are not there now."""


NOTHING = Change(frozenset(), frozenset())


class Commands:
    """Adds and removes addresses; several in one message to the kernel."""

    def __init__(self) -> None:
        self._socket = _open(groups=0)
        self._sequence = 0

    def add(self, addresses: Iterable[tuple[Address, int]]) -> list[tuple[Address, str]]:
        """Add each on the interface with that index; (address, why) of those that failed."""
        return self._run(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, addresses, ())

    def remove(self, addresses: Iterable[tuple[Address, int]]) -> list[tuple[Address, str]]:
        """Remove each; one that is not there is fine."""
        return self._run(RTM_DELADDR, 0, addresses, (errno.EADDRNOTAVAIL, errno.ENODEV))

    def _run(
        self,
        kind: int,
        flags: int,
        addresses: Iterable[tuple[Address, int]],
        fine: tuple[int, ...],
    ) -> list[tuple[Address, str]]:
        todo = list(addresses)
        failed = []
        for at in range(0, len(todo), BATCH):
            batch = todo[at : at + BATCH]
            waiting = {}
            data = b""
            for address, index in batch:
                self._sequence += 1
                waiting[self._sequence] = address
                body = address_message(address, index)
                data += message(kind, NLM_F_REQUEST | NLM_F_ACK | flags, self._sequence, body)
            self._socket.send(data)
            while waiting:
                for reply, _, sequence, body in messages(self._socket.recv(BUFFER_BYTES)):
                    answered = waiting.pop(sequence, None)
                    if reply != NLMSG_ERROR or answered is None:
                        continue
                    code = -struct.unpack_from("=i", body)[0]
                    if code and code not in fine:
                        failed.append((answered, os.strerror(code)))
        return failed

    def close(self) -> None:
        """Give the descriptor back."""
        self._socket.close()


class Monitor:
    """The kernel's interfaces and addresses, kept up to date from its own messages."""

    def __init__(self) -> None:
        self.links: dict[str, Link] = {}
        self._names: dict[int, str] = {}
        self._addresses: dict[tuple[int, bytes, int], bool] = {}
        """(interface, address, prefix): whether it carries our mark."""
        self._socket = _open(groups=RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR)
        self._socket.setblocking(False)
        self.resync()

    def fileno(self) -> int:
        """For epoll."""
        return self._socket.fileno()

    def addresses(self, name: str) -> tuple[bytes, ...]:
        """Packed addresses of an interface, in the kernel's order."""
        link = self.links.get(name)
        if link is None:
            return ()
        return tuple(ip for index, ip, _ in self._addresses if index == link.index)

    def marked(self) -> list[Address]:
        """Addresses that were added as virtual ones (kernels from 5.18 on remember)."""
        return [
            Address(str(ipaddress.ip_address(ip)), prefix, self._names[index])
            for (index, ip, prefix), mark in self._addresses.items()
            if mark and index in self._names
        ]

    def own(self) -> dict[str, tuple[str, ...]]:
        """`ip/prefix` by interface of all that was not added as virtual."""
        found: dict[str, list[str]] = {}
        for (index, ip, prefix), mark in self._addresses.items():
            if not mark and index in self._names:
                text = f"{ipaddress.ip_address(ip)}/{prefix}"
                found.setdefault(self._names[index], []).append(text)
        return {name: tuple(texts) for name, texts in found.items()}

    def has(self, dev: str, address: str) -> bool:
        """Whether `ip/prefix` is on the interface."""
        link = self.links.get(dev)
        if link is None:
            return False
        interface = ipaddress.ip_interface(address)
        key = (link.index, interface.ip.packed, interface.network.prefixlen)
        return key in self._addresses

    def resync(self) -> Change:
        """Ask for everything: at the start, and after an overflow lost messages."""
        before = self._everything()
        names = set(self.links)
        self.links, self._names, self._addresses = {}, {}, {}
        with _open(groups=0) as ask:
            for kind in (RTM_GETLINK, RTM_GETADDR):
                for found, body in _dump(ask, kind):
                    self._take(found, body)
        gone = frozenset(before) - frozenset(self._everything())
        return Change(frozenset(names | set(self.links)), gone)

    def drain(self) -> Change:
        """Take everything that the kernel has said since."""
        links: set[str] = set()
        removed: set[tuple[str, str]] = set()
        while True:
            try:
                data = self._socket.recv(BUFFER_BYTES)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                lost = self.resync()
                links |= lost.links
                removed |= lost.removed
                continue
            for kind, _, _, body in messages(data):
                name, address = self._take(kind, body)
                if name is not None:
                    links.add(name)
                if name is not None and address is not None:
                    removed.add((name, address))
        gone = frozenset(item for item in removed if not self.has(*item))
        return Change(frozenset(links), gone)

    def _everything(self) -> list[tuple[str, str]]:
        return [
            (self._names[index], f"{ipaddress.ip_address(ip)}/{prefix}")
            for index, ip, prefix in self._addresses
            if index in self._names
        ]

    def _take(self, kind: int, body: bytes) -> tuple[str | None, str | None]:
        """Apply one message; the interface it is about, and the address if one was removed."""
        if kind in (RTM_NEWLINK, RTM_DELLINK):
            return self._take_link(kind, body), None
        if kind not in (RTM_NEWADDR, RTM_DELADDR):
            return None, None
        _, prefix, _, _, index = struct.unpack_from("=BBBBI", body)
        found = dict(attributes(body, 8))
        ip = found.get(IFA_LOCAL) or found.get(IFA_ADDRESS)
        name = self._names.get(index)
        if ip is None:
            return name, None
        if kind == RTM_NEWADDR:
            mark = found.get(IFA_PROTO) == bytes((PROTO_KEEPALIVED,))
            self._addresses[(index, ip, prefix)] = mark
            return name, None
        self._addresses.pop((index, ip, prefix), None)
        return name, f"{ipaddress.ip_address(ip)}/{prefix}"

    def _take_link(self, kind: int, body: bytes) -> str | None:
        family, _, _, index, flags, _ = struct.unpack_from("=BBHiII", body)
        if family == socket.AF_BRIDGE:
            return None
        found = dict(attributes(body, 16))
        known = self._names.get(index)
        if kind == RTM_DELLINK:
            if known is not None:
                self.links.pop(known, None)
                del self._names[index]
                self._addresses = {k: v for k, v in self._addresses.items() if k[0] != index}
            return known
        name = found[IFLA_IFNAME].rstrip(b"\0").decode() if IFLA_IFNAME in found else known
        if name is None:
            return None
        if known is not None and known != name:
            self.links.pop(known, None)
        self._names[index] = name
        up = bool(flags & IFF_UP and flags & IFF_RUNNING)
        self.links[name] = Link(index, name, up, found.get(IFLA_ADDRESS, b""))
        return name

    def close(self) -> None:
        """Give the descriptor back."""
        self._socket.close()


def _open(*, groups: int) -> socket.socket:
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_ROUTE)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    opened.bind((0, groups))
    return opened


def _dump(ask: socket.socket, kind: int) -> Iterator[tuple[int, bytes]]:
    body = bytes(16) if kind == RTM_GETLINK else bytes(8)
    ask.send(message(kind, NLM_F_REQUEST | NLM_F_DUMP, 1, body))
    while True:
        for found, _, _, part in messages(ask.recv(BUFFER_BYTES)):
            if found == NLMSG_DONE:
                return
            if found == NLMSG_ERROR:
                code = -struct.unpack_from("=i", part)[0]
                raise OSError(code, os.strerror(code))
            yield found, part


def message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """One netlink message, padded."""
    data = struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0) + body
    return data + bytes(-len(data) % 4)


def messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Kind, flags, sequence and body of each message in a buffer."""
    at = 0
    while at + 16 <= len(data):
        length, kind, flags, sequence, _ = struct.unpack_from("=IHHII", data, at)
        if length < 16:
            return
        yield kind, flags, sequence, data[at + 16 : at + length]
        at += length + (-length % 4)


def attributes(body: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Kind and value of each attribute of a message's body from offset `at` on."""
    while at + 4 <= len(body):
        length, kind = struct.unpack_from("=HH", body, at)
        if length < 4:
            return
        yield kind & 0x3FFF, body[at + 4 : at + length]
        at += length + (-length % 4)


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded."""
    data = struct.pack("=HH", 4 + len(value), kind) + value
    return data + bytes(-len(data) % 4)


def address_message(address: Address, index: int) -> bytes:
    """The body of RTM_NEWADDR and RTM_DELADDR."""
    packed = address.packed
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    flags = IFA_F_NODAD if family == socket.AF_INET6 else 0
    body = struct.pack("=BBBBI", family, address.prefix, flags, address.scope, index)
    body += attribute(IFA_LOCAL, packed) + attribute(IFA_ADDRESS, packed)
    if address.broadcast is not None:
        body += attribute(IFA_BROADCAST, ipaddress.ip_address(address.broadcast).packed)
    if address.label is not None:
        body += attribute(IFA_LABEL, address.label.encode() + b"\0")
    return body + attribute(IFA_PROTO, bytes((PROTO_KEEPALIVED,)))
