"""Virtual: routers A and B with virtual MAC addresses, a host beside them, and a network behind.

A (master) and B (backup) forward; each has a cable of its own to `far`, where FAR and FAR6 are.
The host is the switch itself: it resolves the virtual addresses as any neighbour would.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from hanode.vrrp.engine_settings import Address, InstanceSettings, Vmac
from hanode.vrrp.packet import checksum
from tests.interop.stage import with_ipv6
from tests.kernel.engines import Ours
from tests.kernel.harness import (
    ETH_P_ALL,
    INTERFACE,
    VIP,
    Frame,
    Wire,
    inside,
    run,
    set_sysctl,
    until,
    wired,
)
from tests.kernel.pairs import PRIORITY

NAME = {4: "vrrp.51", 6: "vrrp6.51"}
VMAC = {4: bytes.fromhex("00005e000133"), 6: bytes.fromhex("00005e000233")}
PHYSICAL = {"a": bytes.fromhex("02000000000a"), "b": bytes.fromhex("02000000000b")}
VIPS6 = ("fe80::200", "fd00::200")
HOST, HOST6 = "192.168.192.50", "fd00::50"
FAR, FAR6 = "10.9.9.9", "fd09::9"
MARK = b"stray!"

Version = Literal[2, 3]


def instances(
    node: str, *, vmac: bool = True, version: Version = 3, strict: bool = False
) -> list[InstanceSettings]:
    """One instance of IPv4 and, in version 3, one of IPv6."""
    dev = {family: NAME[family] if vmac else INTERFACE for family in (4, 6)}
    four = InstanceSettings(
        "Four", INTERFACE, 51, PRIORITY[node], (Address(VIP, 24, dev[4]),), version=version,
        advert_int_us=1_000_000 if version == 2 else 100_000,
        vmac=Vmac(NAME[4]) if vmac else None, strict=strict,
    )  # fmt: skip
    if version == 2:
        return [four]
    six = replace(
        four, name="Six", family=6, mcast_group="ff02::12",
        vips=tuple(Address(ip, 64, dev[6]) for ip in VIPS6),
        vmac=Vmac(NAME[6]) if vmac else None,
    )  # fmt: skip
    return [four, six]


@dataclass
class Virtual:
    net: Wire
    a: Ours
    b: Ours
    far: str

    def send(self, ip: str, node: str = "s", dev: str = "br0") -> None:
        """Sends a datagram from the host (which knows no neighbour yet) or a node's interface."""
        space = self.net.namespaces[node]
        run("ip", "-n", space, "neigh", "flush", "dev", dev, "nud", "all")

        def put() -> None:
            family = socket.AF_INET6 if ":" in ip else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as asking:
                asking.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, dev.encode())
                asking.sendto(MARK, (ip, 9))

        inside(space, put)

    def accepts(self, ip: str) -> bool:
        """Whether a kernel refuses the host's connection to the address, instead of dropping it."""

        def ask() -> bool:
            family = socket.AF_INET6 if ":" in ip else socket.AF_INET
            with socket.socket(family) as asking:
                asking.settimeout(1)
                try:
                    asking.connect((ip, 9))
                except ConnectionRefusedError:
                    return True
                except OSError:
                    return False
            return True

        return inside(self.net.namespaces["s"], ask)

    def arp_answers(self, node: str, since_s: float = 0, vip: str = VIP) -> list[Frame]:
        """ARP replies of a node for the address."""
        packed = socket.inet_aton(vip)
        return [
            frame
            for frame in self.net.seen(node, since_s)
            if frame.data[12:14] == b"\x08\x06"
            and frame.data[20:22] == b"\0\2"
            and frame.data[28:32] == packed
        ]

    def neighbour_messages(
        self, node: str, kind: int, target: str, since_s: float = 0
    ) -> list[Frame]:
        """ICMPv6 messages of a node about the address: 135 solicitations, 136 advertisements."""
        packed = socket.inet_pton(socket.AF_INET6, target)
        return [
            frame
            for frame in self.net.seen(node, since_s)
            if frame.data[12:14] == b"\x86\xdd"
            and frame.data[20] == 58
            and frame.data[54] == kind
            and frame.data[62:78] == packed
        ]

    def solicited(self, node: str, target: str, since_s: float = 0) -> list[Frame]:
        """Answers to a solicitation: advertisements with the Solicited flag."""
        found = self.neighbour_messages(node, 136, target, since_s)
        return [frame for frame in found if frame.data[58] & 0x40]

    def routed(self, node: str, do: Callable[[], None], within_s: float = 1.0) -> bool:
        """Whether MARK comes out behind a node after `do`."""
        with inside(self.far, lambda: _ear(f"to-{node}")) as ear:
            do()
            end = time.monotonic() + within_s
            while (left := end - time.monotonic()) > 0:
                ear.settimeout(left)
                with contextlib.suppress(TimeoutError):
                    if MARK in ear.recv(2048):
                        return True
        return False

    def inject(self, node: str, frame: bytes) -> None:
        """Sends a frame out of the switch at that node's port."""

        def put() -> None:
            with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
                raw.bind((f"port-{node}", 0))
                raw.send(frame)

        inside(self.net.namespaces["s"], put)


def _ear(device: str) -> socket.socket:
    ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    ear.bind((device, 0))
    return ear


def datagram(*, to_mac: bytes, destination: str) -> bytes:
    """An Ethernet frame of the host with an IPv4 datagram that contains MARK."""
    udp = struct.pack(">HHHH", 9, 9, 8 + len(MARK), 0) + MARK
    head = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, socket.IPPROTO_UDP, 0,
        socket.inet_aton(HOST), socket.inet_aton(destination),
    )  # fmt: skip
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return to_mac + bytes.fromhex("020000000099") + b"\x08\x00" + head + udp


def _lay_cables(net: Wire, far: str) -> None:
    run("ip", "netns", "add", far)
    for number, node in enumerate("ab", 1):
        space = net.namespaces[node]
        run("ip", "-n", space, "link", "add", "behind", "type", "veth",
            "peer", "name", f"to-{node}", "netns", far)  # fmt: skip
        for where, dev, last in ((space, "behind", 1), (far, f"to-{node}", 2)):
            set_sysctl(where, f"ipv6/conf/{dev}/accept_dad", 0)
            run("ip", "-n", where, "addr", "add", f"10.9.{number}.{last}/24", "dev", dev)
            run("ip", "-n", where, "addr", "add", f"fd09:{number}::{last}/64", "dev", dev)
            run("ip", "-n", where, "link", "set", dev, "up")
        run("ip", "-n", space, "route", "add", f"{FAR}/32", "via", f"10.9.{number}.2")
        run("ip", "-n", space, "route", "add", f"{FAR6}/128", "via", f"fd09:{number}::2")
        set_sysctl(space, "ipv4/ip_forward", 1)
        set_sysctl(space, "ipv6/conf/all/forwarding", 1)
    run("ip", "-n", far, "link", "set", "lo", "up")
    run("ip", "-n", far, "addr", "add", f"{FAR}/32", "dev", "lo")
    run("ip", "-n", far, "addr", "add", f"{FAR6}/128", "dev", "lo")
    run("ip", "-n", far, "route", "add", "default", "via", "10.9.1.1")
    switch = net.namespaces["s"]
    run("ip", "-n", switch, "addr", "add", f"{HOST}/24", "dev", "br0")
    run("ip", "-n", switch, "addr", "add", f"{HOST6}/64", "dev", "br0", "nodad")
    run("ip", "-n", switch, "route", "add", f"{FAR}/32", "via", VIP)
    run("ip", "-n", switch, "route", "add", f"{FAR6}/128", "via", VIPS6[1])


@contextmanager
def virtual(*, vmac: bool = True, version: Version = 3, strict: bool = False) -> Iterator[Virtual]:
    """A Virtual in which A holds the addresses and B is backup."""
    with wired() as net:
        far = net.namespaces["s"] + "f"
        engines: list[Ours] = []
        try:
            _lay_cables(net, far)
            with_ipv6(net)
            for node in "ab":
                made = instances(node, vmac=vmac, version=version, strict=strict)
                engines.append(Ours(net, node, *made))
            held = (VIP,) if version == 2 else (VIP, *VIPS6)
            until(lambda: all(net.has_vip("a", ip) for ip in held), "A holds the addresses")
            until(lambda: not any(net.has_vip("b", ip) for ip in held), "B does not")
            yield Virtual(net, engines[0], engines[1], far)
        finally:
            for engine in engines:
                engine.close()
            run("ip", "netns", "del", far)
