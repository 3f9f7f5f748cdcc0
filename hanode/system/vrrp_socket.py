"""Sockets that speak VRRP and gratuitous ARP on one interface.

SYSTEM. IPv4: a raw socket of protocol 112, bound to the interface, that writes its own IP header
(TTL 255, TOS 0xc0, an identification that counts from 1, as keepalived); a packet socket for ARP.
"""

from __future__ import annotations

import socket
import struct

from hanode.vrrp import packet
from hanode.vrrp.effects import SendAdvert
from hanode.vrrp.settings import InstanceKey

RECEIVE_BYTES = 2048
"""More than any advert on Ethernet; what is longer is refused by its length."""
RECEIVE_BUFFER_BYTES = 1 << 20
"""A burst of adverts while the process is stopped for a moment must not be lost."""
SO_PRIORITY_CONTROL = 6
IP_MULTICAST_ALL = 49
SO_BINDTODEVICE = socket.SO_BINDTODEVICE


class VrrpSocket:
    """VRRP over IPv4 multicast on one interface, for all its instances."""

    def __init__(self, interface: str, index: int) -> None:
        self.interface = interface
        self.index = index
        self.send_errors = 0
        """Adverts that the interface did not take: it is going away, or a firewall says no."""
        self._idents: dict[InstanceKey, int] = {}
        self._ready: dict[InstanceKey, tuple[SendAdvert, bytearray, tuple[str, int]]] = {}
        self._groups: set[str] = set()
        self._socket = s = socket.socket(
            socket.AF_INET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, packet.PROTOCOL
        )
        s.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, interface.encode() + b"\0")
        s.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, SO_PRIORITY_CONTROL)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        s.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)
        s.setsockopt(
            socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=4s4si", b"", b"", index)
        )

    def fileno(self) -> int:
        """For epoll."""
        return self._socket.fileno()

    def join(self, group: str) -> None:
        """Receive what is sent to `group` on this interface."""
        if group in self._groups:
            return
        self._groups.add(group)
        self._socket.setsockopt(
            socket.IPPROTO_IP,
            socket.IP_ADD_MEMBERSHIP,
            struct.pack("=4s4si", socket.inet_aton(group), bytes(4), self.index),
        )

    def receive(self) -> bytes | None:
        """One packet with its IP header, or None when there is no more."""
        try:
            return self._socket.recv(RECEIVE_BYTES)
        except OSError:
            # EAGAIN, or ENETDOWN once when the interface went away: netlink tells that.
            return None

    def send(self, effect: SendAdvert) -> str | None:
        """Send an advert; why the interface did not take it, or None."""
        ready = self._ready.get(effect.key)
        if ready is None or ready[0] is not effect:
            ready = self._ready[effect.key] = self._prepare(effect)
        _, data, to = ready
        ident = self._idents.get(effect.key, 0) + 1 & 0xFFFF or 1
        self._idents[effect.key] = ident
        data[4:6] = ident.to_bytes(2, "big")  # the kernel sums the IP header again
        try:
            self._socket.sendto(data, to)
        except OSError as error:
            self.send_errors += 1
            return error.strerror
        return None

    def _prepare(self, effect: SendAdvert) -> tuple[SendAdvert, bytearray, tuple[str, int]]:
        header = packet.ipv4_header(
            source=effect.source,
            destination=effect.destination,
            length=len(effect.payload),
            ident=0,
        )
        return effect, bytearray(header + effect.payload), (packet.text(effect.destination), 0)

    def close(self) -> None:
        """Leave the groups and give the descriptor back."""
        self._socket.close()


class ArpSocket:
    """Sends whole Ethernet frames on one interface; receives nothing."""

    def __init__(self, interface: str, index: int) -> None:
        self.index = index
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, SO_PRIORITY_CONTROL)
        self._socket.bind((interface, 0))

    def send(self, frame: bytes) -> bool:
        """Send one frame; False where the interface did not take it."""
        try:
            self._socket.send(frame)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Give the descriptor back."""
        self._socket.close()
