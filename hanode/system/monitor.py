"""The kernel's interfaces and addresses, kept up to date from its messages.

SYSTEM. The messages are read by hand: a burst of thousands must not hold up an advert, and
pyroute2's decoder takes some ten times as long (docs/decisions/0002).
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import struct
from collections.abc import Collection

from hanode.kernel.facts import Change, Link
from hanode.system.netlink import BUFFER_BYTES, attributes, dump, news, opened
from hanode.vrrp.kernel_objects import pack

RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR = 0x1, 0x10, 0x100
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
IFLA_ADDRESS, IFLA_IFNAME, IFLA_LINK, IFLA_MASTER, IFLA_LINKINFO = 1, 3, 5, 10, 18
IFLA_IFALIAS = 20
IFLA_INFO_KIND = 1
IFA_ADDRESS, IFA_LOCAL, IFA_PROTO = 1, 2, 11
IFF_UP, IFF_RUNNING = 0x1, 0x40
PROTO_KEEPALIVED = 18
"""Marks the address as a virtual one for `ip address show` (kernels from 5.18 on)."""


class Monitor:
    """The kernel's interfaces and addresses, kept up to date from its own messages."""

    def __init__(self) -> None:
        self.links: dict[str, Link] = {}
        self._names: dict[int, str] = {}
        self._addresses: dict[int, dict[tuple[bytes, int], bool]] = {}
        """By interface: (address, prefix), and whether it carries our mark."""
        self._socket = opened(groups=RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR)
        self._socket.setblocking(False)
        self.resync()

    def fileno(self) -> int:
        """For epoll."""
        return self._socket.fileno()

    def addresses(self, name: str, without: Collection[bytes] = ()) -> tuple[bytes, ...]:
        """Packed addresses of an interface, in the kernel's order.

        `without`: leave these out where they carry our mark.
        """
        link = self.links.get(name)
        if link is None:
            return ()
        there = self._addresses.get(link.index, {})
        return tuple(ip for (ip, _), mark in there.items() if not (mark and ip in without))

    def with_prefixes(self, name: str) -> Collection[tuple[bytes, int]]:
        """Packed addresses of an interface, each with its prefix length."""
        link = self.links.get(name)
        return () if link is None else self._addresses.get(link.index, {}).keys()

    def everywhere(self) -> set[bytes]:
        """Packed addresses of all interfaces."""
        return {ip for there in self._addresses.values() for ip, _ in there}

    def addresses_within(self, vrf: int) -> set[bytes]:
        """Packed addresses of all interfaces in a VRF; 0: in none."""
        vrfs = {link.index for link in self.links.values() if link.kind == "vrf"}
        return {
            ip
            for link in self.links.values()
            if vrf in (link.index, link.master) or (not vrf and link.master not in vrfs)
            for ip, _ in self._addresses.get(link.index, ())
        }

    def own(self) -> dict[str, tuple[str, ...]]:
        """`ip/prefix` by interface of all addresses that were not added as virtual ones."""
        found: dict[str, list[str]] = {}
        for index, there in self._addresses.items():
            for (ip, prefix), mark in there.items():
                if not mark and index in self._names:
                    text = f"{ipaddress.ip_address(ip)}/{prefix}"
                    found.setdefault(self._names[index], []).append(text)
        return {name: tuple(texts) for name, texts in found.items()}

    def has(self, dev: str, address: str) -> bool:
        """Whether `ip/prefix` is on the interface."""
        ip, _, prefix = address.partition("/")
        return self.holds(dev, pack(ip), int(prefix))

    def holds(self, dev: str, ip: bytes, prefix: int) -> bool:
        """Whether this packed address is on the interface."""
        link = self.links.get(dev)
        return link is not None and (ip, prefix) in self._addresses.get(link.index, ())

    def resync(self) -> Change:
        """Ask for everything: at the start, and when the kernel had to drop messages."""
        before = self._everything()
        names = set(self.links)
        self.links, self._names, self._addresses = {}, {}, {}
        with opened(groups=0) as ask:
            for kind, empty in ((RTM_GETLINK, bytes(16)), (RTM_GETADDR, bytes(8))):
                for found, body in dump(ask, kind, empty):
                    self._take(found, body)
        gone = frozenset(before) - frozenset(self._everything())
        return Change(frozenset(names | set(self.links)), gone)

    def drain(self) -> Change:
        """Read everything that the kernel has sent since the last call."""
        links: set[str] = set()
        removed: set[tuple[str, str]] = set()
        by: dict[tuple[str, str], int] = {}
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
            for kind, port, body in news(data):
                name, address = self._take(kind, body)
                if name is not None:
                    links.add(name)
                if name is not None and address is not None:
                    removed.add((name, address))
                    by[name, address] = port
        gone = frozenset(item for item in removed if not self.has(*item))
        return Change(frozenset(links), gone, {item: by[item] for item in gone if by.get(item)})

    def _everything(self) -> list[tuple[str, str]]:
        return [
            (self._names[index], f"{ipaddress.ip_address(ip)}/{prefix}")
            for index, there in self._addresses.items()
            for ip, prefix in there
            if index in self._names
        ]

    def _take(self, kind: int, body: bytes) -> tuple[str | None, str | None]:
        """Apply one message; the name of its interface, and the address if one was removed."""
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
            self._addresses.setdefault(index, {})[ip, prefix] = mark
            return name, None
        self._addresses.get(index, {}).pop((ip, prefix), None)
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
                self._addresses.pop(index, None)
            return known
        name = found[IFLA_IFNAME].rstrip(b"\0").decode() if IFLA_IFNAME in found else known
        if name is None:
            return None
        if known is not None and known != name:
            self.links.pop(known, None)
        self._names[index] = name
        up = bool(flags & IFF_UP and flags & IFF_RUNNING)
        info = dict(attributes(found.get(IFLA_LINKINFO, b""), 0))
        lower, master = (
            int(struct.unpack("=I", found[which])[0]) if which in found else 0
            for which in (IFLA_LINK, IFLA_MASTER)
        )
        self.links[name] = Link(
            index,
            name,
            up,
            found.get(IFLA_ADDRESS, b""),
            info.get(IFLA_INFO_KIND, b"").rstrip(b"\0").decode(),
            lower,
            master,
            found.get(IFLA_IFALIAS, b"").rstrip(b"\0").decode(errors="replace"),
            not flags & IFF_UP,
        )
        return name

    def close(self) -> None:
        """Give the descriptor back."""
        self._socket.close()
