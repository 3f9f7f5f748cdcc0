"""Which addresses the kernel has, and when that changes.

SYSTEM. A plain rtnetlink socket (rtnetlink(7)) asks for all addresses once, and then receives
every change. If the kernel had to drop messages (ENOBUFS), it asks for all again, so what is known
here is never older than the last `read`.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import socket
import struct

from hanode.system import namespaces
from hanode.wire import KernelAddress

RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR = 0x10, 0x100
IFA_ADDRESS, IFA_LOCAL = 1, 2

SIOCGIFNAME = 0x8910

_IFREQ = struct.Struct("=16si20x")
_HEADER = struct.Struct("=LHHLL")
_IFADDRMSG = struct.Struct("=BBBBi")
_ATTRIBUTE = struct.Struct("=HH")

RECEIVE_BYTES = 262_144

DUMP_SEQUENCE = 1

Key = tuple[int, str]
"""Interface index, and address with prefix."""

Change = tuple[KernelAddress, bool]


class AddressWatch:
    """The kernel's addresses in a network namespace of ip-netns(8); None: in this one.

    Raises OSError where there is no such namespace.
    """

    def __init__(self, namespace: str | None = None) -> None:
        with namespaces.inside(namespaces.named(namespace)):
            self._socket = socket.socket(
                socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
            )
            # Names of interfaces are asked there too: their indexes mean nothing elsewhere.
            self._asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.bind((0, RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR))
        self._socket.setblocking(False)
        self._port: int = self._socket.getsockname()[0]
        self._names: dict[int, str] = {}
        self._known: dict[Key, KernelAddress] = {}
        self._dump: dict[Key, KernelAddress] | None = None
        self._changes: list[Change] = []
        self._ask_all()

    def fileno(self) -> int:
        """For an event loop."""
        return self._socket.fileno()

    @property
    def complete(self) -> bool:
        """Whether the kernel has answered the first request."""
        return self._dump is None

    def addresses(self) -> tuple[KernelAddress, ...]:
        """What the kernel had at the last `read`, in order."""
        return tuple(sorted(self._known.values(), key=lambda a: (a.dev, a.address)))

    def changes(self) -> list[Change]:
        """What came (True) and went (False) since the last call, in the kernel's order.

        An address that went and came back between two calls is there twice.
        """
        taken, self._changes = self._changes, []
        return taken

    def read(self) -> None:
        """Take in everything that the kernel has said so far. Never waits."""
        while True:
            try:
                data = self._socket.recv(RECEIVE_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self._ask_all()
                continue
            self._take(data)

    def close(self) -> None:
        self._socket.close()
        self._asker.close()

    def _ask_all(self) -> None:
        self._dump = {}
        body = _IFADDRMSG.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
        length = _HEADER.size + len(body)
        header = _HEADER.pack(length, RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, DUMP_SEQUENCE, 0)
        self._socket.send(header + body)

    def _take(self, data: bytes) -> None:
        at = 0
        while at + _HEADER.size <= len(data):
            length, kind, _flags, sequence, port = _HEADER.unpack_from(data, at)
            if length < _HEADER.size:
                return
            body = data[at + _HEADER.size : at + length]
            at += (length + 3) & ~3
            if kind in (NLMSG_DONE, NLMSG_ERROR):
                self._finish_dump()
            elif kind in (RTM_NEWADDR, RTM_DELADDR):
                # A change has sequence and port of whoever asked for it: in our dump both are ours.
                dumped = (sequence, port) == (DUMP_SEQUENCE, self._port)
                self._change(body, present=kind == RTM_NEWADDR, dumped=dumped)

    def _finish_dump(self) -> None:
        if self._dump is None:
            return
        before, self._known, self._dump = self._known, self._dump, None
        self._changes += [(entry, False) for key, entry in before.items() if key not in self._known]
        self._changes += [(entry, True) for key, entry in self._known.items() if key not in before]

    def _change(self, body: bytes, *, present: bool, dumped: bool) -> None:
        parsed = parse_address(body)
        if parsed is None:
            return
        index, address = parsed
        entry = KernelAddress(self._name(index), address)
        # A change that arrives in the middle of a dump is newer than the dump's entry.
        key = (index, address)
        if not dumped and (key in self._known) != present:
            self._changes.append((entry, present))
        for table in (self._dump,) if dumped else (self._known, self._dump):
            if table is None:
                continue
            if present:
                table[key] = entry
            else:
                table.pop(key, None)

    def _name(self, index: int) -> str:
        with contextlib.suppress(OSError):
            answer = fcntl.ioctl(self._asker, SIOCGIFNAME, _IFREQ.pack(b"", index))
            self._names[index] = _IFREQ.unpack(answer)[0].rstrip(b"\0").decode()
        return self._names.get(index, f"#{index}")


def parse_address(body: bytes) -> tuple[int, str] | None:
    """Interface index and address with prefix of an RTM_NEWADDR or RTM_DELADDR; None: neither."""
    if len(body) < _IFADDRMSG.size:
        return None
    family, prefix, _flags, _scope, index = _IFADDRMSG.unpack_from(body)
    if family not in (socket.AF_INET, socket.AF_INET6):
        return None
    attributes: dict[int, bytes] = {}
    at = _IFADDRMSG.size
    while at + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        if length < _ATTRIBUTE.size:
            break
        attributes[kind] = body[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    # On a point-to-point link IFA_ADDRESS is the peer; IFA_LOCAL is ours.
    packed = attributes.get(IFA_LOCAL) or attributes.get(IFA_ADDRESS)
    if packed is None or len(packed) != (4 if family == socket.AF_INET else 16):
        return None
    return index, f"{socket.inet_ntop(family, packed)}/{prefix}"
