"""Sockets that send and receive adverts on one interface, and send announcements.

SYSTEM. IPv4: a raw socket of protocol 112 (51 behind AH), bound to the interface, that writes its
own IP header (TTL 255, TOS 0xc0, an identification that counts from 1, as keepalived). IPv6: the
kernel writes the header, so that its flow label is the one of keepalived's adverts. Both receive
multicast and unicast; the kernel drops adverts of other VRIDs. A packet socket sends the frames of
gratuitous ARP and neighbour advertisements.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterable
from typing import Protocol

from hanode.system import bpf
from hanode.system.netlink import make_room
from hanode.vrrp import packet
from hanode.vrrp.effects import PROTOCOL_AH, PROTOCOL_VRRP, SendAdvert
from hanode.vrrp.engine_settings import InstanceKey
from hanode.vrrp.packet import Datagram

RECEIVE_BYTES = 2048
"""More than an IPv4 advert with 255 addresses; a longer packet is refused for its length."""
RECEIVE_BYTES_IPV6 = 8192
"""255 IPv6 addresses are 4,088 bytes."""
ANCILLARY_BYTES = 128
RECEIVE_BUFFER_BYTES = 1 << 20
"""A burst of adverts must not be lost while the process is stopped for a moment."""
MOST_WAITING = 4096
"""More small packets than a new socket's buffer holds."""
SO_PRIORITY_CONTROL = 6
IP_FREEBIND, IPV6_FREEBIND = (socket.IPPROTO_IP, 15), (socket.IPPROTO_IPV6, 78)
IP_MULTICAST_ALL = 49
IPV6_MULTICAST_ALL = 29
TTL_AT, CHECKSUM_AT, AH_BYTES = 8, 10, 24
SO_BINDTODEVICE = socket.SO_BINDTODEVICE
IN6_PKTINFO = struct.Struct("=16sI")
HOP_LIMIT = struct.Struct("=i")
IDENT = struct.Struct(">H")
IDENT_AT = 4

Ipv4Ready = tuple[SendAdvert, bytearray, tuple[str, int], list[int]]
"""An effect, its packet and destination, and the instance's counter of identifications."""
Ancillary = list[tuple[int, int, bytes]]
Ipv6Ready = tuple[SendAdvert, list[bytes], Ancillary, tuple[str, int, int, int]]


class Ipv4Socket:
    """VRRP over IPv4 on one interface, for all its instances."""

    def __init__(
        self, interface: str, index: int, protocol: int = PROTOCOL_VRRP, *, source: str = ""
    ) -> None:
        self.interface = interface
        self.index = index
        self.protocol = protocol
        self.send_errors = 0
        """Adverts that could not be sent: the interface is going away, or a firewall refuses."""
        self._idents: dict[InstanceKey, list[int]] = {}
        self._ready: dict[InstanceKey, dict[bytes, Ipv4Ready]] = {}
        """By destination: a group, or each peer."""
        self._groups: set[str] = set()
        self._socket = s = _raw(socket.AF_INET, protocol, interface, source)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        s.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)
        s.setsockopt(
            socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=4s4si", b"", b"", index)
        )

    def fileno(self) -> int:
        """For epoll."""
        return self._socket.fileno()

    def allow(self, vrids: Iterable[int], *, source_mac: bytes | None = None) -> None:
        """Take adverts of these VRIDs only (and only such as `source_mac` sends)."""
        at = AH_BYTES + 1 if self.protocol == PROTOCOL_AH else 1
        program = bpf.for_vrids(vrids, family=4, vrid_at=at, source_mac=source_mac)
        bpf.attach(self._socket, program)

    def join(self, groups: Iterable[str]) -> dict[str, OSError]:
        """Receive what is sent to these groups on this interface, and to no other.

        Returns the groups that the kernel refused, each with its error.
        """
        return _change_groups(self._groups, set(groups), self._membership)

    def _membership(self, group: str, *, join: bool) -> None:
        verb = socket.IP_ADD_MEMBERSHIP if join else socket.IP_DROP_MEMBERSHIP
        where = struct.pack("=4s4si", socket.inet_aton(group), bytes(4), self.index)
        self._socket.setsockopt(socket.IPPROTO_IP, verb, where)

    def receive(self) -> bytes | None:
        """One packet with its IP header, or None when there is no more."""
        try:
            return self._socket.recv(RECEIVE_BYTES)
        except OSError:
            # EAGAIN, or ENETDOWN once when the interface went away, which netlink reports.
            return None

    def send(self, effect: SendAdvert) -> OSError | None:
        """Send an advert; why that failed, or None."""
        prepared = self._ready.get(effect.key)
        ready = None if prepared is None else prepared.get(effect.destination)
        if ready is None or ready[0] is not effect:
            ready = self._prepare(effect)
        _, data, to, count = ready
        if not effect.ip_header:
            count[0] = ident = count[0] + 1 & 0xFFFF or 1
            IDENT.pack_into(
                data, IDENT_AT, ident
            )  # the kernel computes the header's checksum again
        try:
            self._socket.sendto(data, to)
        except OSError as error:
            self.send_errors += 1
            return error
        return None

    def prepare(self, effect: SendAdvert) -> None:
        """Make the packet that `send` will need for this advert."""
        prepared = self._ready.get(effect.key)
        ready = None if prepared is None else prepared.get(effect.destination)
        if ready is None or ready[0] is not effect:
            self._prepare(effect)

    def _prepare(self, effect: SendAdvert) -> Ipv4Ready:
        header = effect.ip_header or packet.ipv4_header(
            source=effect.source,
            destination=effect.destination,
            length=len(effect.payload),
            ident=0,
        )
        data = bytearray(header + effect.payload)
        data[TTL_AT] = effect.ttl
        count = self._idents.setdefault(effect.key, [0])
        ready = effect, data, (socket.inet_ntoa(effect.destination), 0), count
        self._ready.setdefault(effect.key, {})[effect.destination] = ready
        return ready

    def forget(self, keys: Iterable[InstanceKey]) -> None:
        """Drop what is prepared for other instances than these."""
        kept = set(keys)
        self._ready = {k: v for k, v in self._ready.items() if k in kept}
        self._idents = {k: v for k, v in self._idents.items() if k in kept}

    def close(self) -> None:
        """Leave the groups and give the descriptor back."""
        self._socket.close()


class Ipv6Socket:
    """VRRP over IPv6 on one interface, for all its instances."""

    def __init__(self, interface: str, index: int, *, source: str = "") -> None:
        self.interface = interface
        self.index = index
        self.send_errors = 0
        self._ready: dict[tuple[InstanceKey, bytes], Ipv6Ready] = {}
        self._groups: set[str] = set()
        self._socket = s = _raw(socket.AF_INET6, PROTOCOL_VRRP, interface, source)
        for option, value in (
            (socket.IPV6_MULTICAST_LOOP, 0),
            (IPV6_MULTICAST_ALL, 0),
            (socket.IPV6_MULTICAST_HOPS, packet.TTL),
            (socket.IPV6_MULTICAST_IF, index),
            (socket.IPV6_TCLASS, packet.TOS),
            (socket.IPV6_RECVHOPLIMIT, 1),
            (socket.IPV6_RECVPKTINFO, 1),
        ):
            s.setsockopt(socket.IPPROTO_IPV6, option, value)

    def fileno(self) -> int:
        """For epoll."""
        return self._socket.fileno()

    def allow(self, vrids: Iterable[int], *, source_mac: bytes | None = None) -> None:
        """Take adverts of these VRIDs only (and only such as `source_mac` sends)."""
        bpf.attach(self._socket, bpf.for_vrids(vrids, family=6, source_mac=source_mac))

    def join(self, groups: Iterable[str]) -> dict[str, OSError]:
        """Receive what is sent to these groups on this interface, and to no other.

        Returns the groups that the kernel refused, each with its error.
        """
        return _change_groups(self._groups, set(groups), self._membership)

    def _membership(self, group: str, *, join: bool) -> None:
        verb = socket.IPV6_JOIN_GROUP if join else socket.IPV6_LEAVE_GROUP
        where = socket.inet_pton(socket.AF_INET6, group) + struct.pack("=i", self.index)
        self._socket.setsockopt(socket.IPPROTO_IPV6, verb, where)

    def receive(self) -> Datagram | None:
        """One packet, or None when there is no more."""
        try:
            data, ancillary, _, sender = self._socket.recvmsg(RECEIVE_BYTES_IPV6, ANCILLARY_BYTES)
        except OSError:
            return None
        hops, destination = 0, b""
        for _, kind, value in ancillary:
            if kind == socket.IPV6_HOPLIMIT:
                hops = HOP_LIMIT.unpack(value)[0]
            elif kind == socket.IPV6_PKTINFO:
                destination = value[:16]
        source = socket.inet_pton(socket.AF_INET6, sender[0].partition("%")[0])
        return Datagram(source, destination, hops, data)

    def send(self, effect: SendAdvert) -> OSError | None:
        """Send an advert; why that failed, or None."""
        ready = self._ready.get((effect.key, effect.destination))
        if ready is None or ready[0] is not effect:
            ready = self._prepare(effect)
        _, data, ancillary, to = ready
        try:
            self._socket.sendmsg(data, ancillary, 0, to)
        except OSError as error:
            self.send_errors += 1
            return error
        return None

    def prepare(self, effect: SendAdvert) -> None:
        """Make the packet that `send` will need for this advert."""
        ready = self._ready.get((effect.key, effect.destination))
        if ready is None or ready[0] is not effect:
            self._prepare(effect)

    def _prepare(self, effect: SendAdvert) -> Ipv6Ready:
        ancillary: Ancillary = [
            (
                socket.IPPROTO_IPV6,
                socket.IPV6_PKTINFO,
                IN6_PKTINFO.pack(effect.source, self.index),
            )
        ]
        if effect.ttl != packet.TTL or effect.destination[0] != 0xFF:
            hops = HOP_LIMIT.pack(effect.ttl)
            ancillary.append((socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT, hops))
        # Only a link-local or multicast destination has a scope.
        scope = self.index if effect.destination[0] in (0xFE, 0xFF) else 0
        to = (socket.inet_ntop(socket.AF_INET6, effect.destination), 0, 0, scope)
        ready = effect, [effect.payload], ancillary, to
        self._ready[effect.key, effect.destination] = ready
        return ready

    def forget(self, keys: Iterable[InstanceKey]) -> None:
        """Drop what is prepared for other instances than these."""
        kept = set(keys)
        self._ready = {k: v for k, v in self._ready.items() if k[0] in kept}

    def close(self) -> None:
        """Leave the groups and give the descriptor back."""
        self._socket.close()


def packet_socket() -> socket.socket:
    """What all announcements leave through: one descriptor, whatever the number of interfaces.

    Raises OSError.
    """
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, SO_PRIORITY_CONTROL)
    return made


class FrameSocket:
    """Sends whole Ethernet frames on one interface; receives nothing."""

    def __init__(self, through: socket.socket, interface: str) -> None:
        self._socket = through
        self._to = (interface, 0)

    def send(self, frame: bytes) -> bool:
        """Send one frame; False where that failed."""
        try:
            self._socket.sendto(frame, self._to)
        except OSError:
            return False
        return True


class _Membership(Protocol):
    def __call__(self, group: str, *, join: bool) -> None: ...


def _change_groups(joined: set[str], wanted: set[str], change: _Membership) -> dict[str, OSError]:
    """Leave and join, so that `joined` is what is `wanted`, but for what the kernel refuses."""
    refused: dict[str, OSError] = {}
    for group in sorted(joined - wanted) + sorted(wanted - joined):
        try:
            change(group, join=group in wanted)
        except OSError as error:
            if group in wanted:
                refused[group] = error
                continue
        joined ^= {group}
    return refused


def _raw(family: int, protocol: int, interface: str, source: str) -> socket.socket:
    """A raw socket; bound to the interface unless that is "", and to the address likewise."""
    made = socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
    if interface:
        made.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, interface.encode() + b"\0")
    if source:
        # The address may come later than we do.
        made.setsockopt(*(IP_FREEBIND if family == socket.AF_INET else IPV6_FREEBIND), 1)
        made.bind((source, 0))
    _empty(made)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, SO_PRIORITY_CONTROL)
    make_room(made, RECEIVE_BUFFER_BYTES)
    return made


def _empty(made: socket.socket) -> None:
    """Throw away what came before the socket was bound: it may be from another interface."""
    with contextlib.suppress(OSError):
        for _ in range(MOST_WAITING):
            made.recv(1)
