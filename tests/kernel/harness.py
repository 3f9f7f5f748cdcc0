"""Wire: two nodes on a switch, as network namespaces, with a capture of what each sends.

A `Wire` has namespaces for node A, node B and a switch between them. The frames of each node are
captured at its switch port with the kernel's time stamps. The programs that run in the nodes are
in `tests.kernel.engines`. Every wait polls with a deadline.
"""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import select
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

PROJECT = Path(__file__).resolve().parents[2]
INTERFACE = "ens33"
SECOND = "ens34"
IP = {"a": "192.168.192.100", "b": "192.168.192.111"}
MAC = {"a": "02:00:00:00:00:0a", "b": "02:00:00:00:00:0b"}
VIP = "192.168.192.200"
SLACK_S = 0.1
"""What a failover may take longer than the protocol's own times."""
SO_TIMESTAMPNS = 35
PACKET_IGNORE_OUTGOING = 23
SOL_PACKET = 263
CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
_numbers = itertools.count()


def second(node: str) -> str:
    """The name under which the frames of a node's second interface are captured."""
    return f"{node}2"


def run(*words: str) -> str:
    """Runs a program; returns its output. Raises if it fails."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return done.stdout


def set_sysctl(namespace: str, path: str, value: int) -> None:
    """Sets a sysctl below /proc/sys/net in a namespace."""
    run("ip", "netns", "exec", namespace, "sh", "-c", f"echo {value} >/proc/sys/net/{path}")


def inside(namespace: str, what: Callable[[], T]) -> T:
    """Calls `what` in a thread of that namespace; a socket that it opens stays there."""
    result: list[T] = []

    def call() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        with open(f"/run/netns/{namespace}") as handle:
            assert libc.setns(handle.fileno(), CLONE_NEWNET) == 0
        result.append(what())

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    return result[0]


def until(condition: Callable[[], T], what: str, within_s: float = 10) -> T:
    """Polls until `condition()` is true; returns its value."""
    end = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {within_s} s: {what}"
        time.sleep(0.01)


@dataclass(frozen=True)
class Frame:
    """One frame that a node sent."""

    at_s: float
    """Wall time, by the kernel."""
    node: str
    data: bytes

    @property
    def advert_at(self) -> int | None:
        """The offset of the VRRP part in the frame; None if it is no advert."""
        if self.data[12:14] == b"\x08\x00" and self.data[23] in (112, 51):
            return 34 if self.data[23] == 112 else 34 + 24
        return 54 if self.data[12:14] == b"\x86\xdd" and self.data[20] == 112 else None

    @property
    def advert_priority(self) -> int | None:
        at = self.advert_at
        return None if at is None else self.data[at + 2]

    def announces(self, ip: str) -> bool:
        """Whether it is a gratuitous ARP or a neighbour advertisement to all nodes."""
        if ":" in ip:
            packed = socket.inet_pton(socket.AF_INET6, ip)
            to_all = self.data[:6] == bytes.fromhex("333300000001")
            is_na = self.data[12:14] == b"\x86\xdd" and self.data[20] == 58
            return is_na and to_all and self.data[54] == 136 and self.data[62:78] == packed
        packed = socket.inet_aton(ip)
        return self.data[12:14] == b"\x08\x06" and self.data[28:32] == self.data[38:42] == packed


class Wire:
    """The namespaces, their cables, and the capture."""

    def __init__(self) -> None:
        prefix = f"ksv{os.getpid()}x{next(_numbers)}"
        self.namespaces = {name: f"{prefix}{name}" for name in ("a", "b", "s")}
        self._frames: list[Frame] = []
        self._turn = threading.Lock()
        self._sockets: list[tuple[str, socket.socket]] = []
        self._end = threading.Event()
        self._second = False
        switch = self.namespaces["s"]
        for namespace in self.namespaces.values():
            run("ip", "netns", "add", namespace)
            run("ip", "-n", namespace, "link", "set", "lo", "up")
        run("ip", "-n", switch, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        run("ip", "-n", switch, "link", "set", "br0", "up")
        for node in "ab":
            self.plug(node)
        until(lambda: all(self.carrier(node) for node in "ab"), "both links are up")

    def plug(self, node: str) -> None:
        """Makes the node's interface and its cable to the switch."""
        self._plug(node, f"port-{node}", INTERFACE, "br0", MAC[node], IP[node], node)

    def plug_second(self, node: str) -> None:
        """Makes an interface on another network; its frames are those of `second(node)`."""
        switch = self.namespaces["s"]
        if not self._second:
            self._second = True
            run("ip", "-n", switch, "link", "add", "br1", "type", "bridge", "mcast_snooping", "0")
            run("ip", "-n", switch, "link", "set", "br1", "up")
        mac, ip = MAC[node].replace("02:", "06:", 1), IP[node].replace("192.168", "10.9")
        self._plug(node, f"more-{node}", SECOND, "br1", mac, ip, second(node))

    def _plug(
        self, node: str, port: str, interface: str, bridge: str, mac: str, ip: str, label: str
    ) -> None:
        switch, space = self.namespaces["s"], self.namespaces[node]
        run("ip", "-n", switch, "link", "add", port, "type", "veth",
            "peer", "name", interface, "address", mac, "netns", space)  # fmt: skip
        run("ip", "-n", switch, "link", "set", port, "master", bridge, "up")
        run("ip", "-n", space, "addr", "add", f"{ip}/24", "dev", interface)
        # Link-local addresses at once: no test waits for duplicate address detection.
        set_sysctl(space, f"ipv6/conf/{interface}/accept_dad", 0)
        run("ip", "-n", space, "link", "set", interface, "up")
        self._sockets.append((label, inside(switch, lambda: _capture(port))))

    def ip(self, node: str, *words: str) -> str:
        """Runs `ip` in a node's namespace."""
        return run("ip", "-n", self.namespaces[node], *words)

    def isolate(self, cut: bool) -> None:
        """Cuts the nodes off from each other, with their links up; or reconnects them."""
        for port in ("port-a", "port-b"):
            run("ip", "-n", self.namespaces["s"], "link", "set", "dev", port,
                "type", "bridge_slave", "isolated", "on" if cut else "off")  # fmt: skip

    def carrier(self, node: str) -> bool:
        flags = json.loads(self.ip(node, "-j", "link", "show", INTERFACE))[0]["operstate"]
        return bool(flags == "UP")

    def addresses(self, node: str) -> list[str]:
        """IPv4 addresses of the node's interface: `ip/prefix`."""
        shown = json.loads(self.ip(node, "-4", "-j", "addr", "show", INTERFACE))
        return [
            f"{a['local']}/{a['prefixlen']}" for entry in shown for a in entry.get("addr_info", [])
        ]

    def has_vip(self, node: str, vip: str = VIP) -> bool:
        """Whether any interface of the node has the address."""
        return f" {vip}/" in self.ip(node, "addr")

    def frames(self) -> list[Frame]:
        """All frames so far, also those that the capture thread has not read yet."""
        for node, sock in self._sockets:
            self._take(node, sock)
        return list(self._frames)

    def _take(self, node: str, sock: socket.socket) -> None:
        with self._turn:
            while (frame := _read(node, sock)) is not None:
                self._frames.append(frame)

    def seen(self, node: str, since_s: float = 0) -> list[Frame]:
        return [f for f in self.frames() if f.node == node and f.at_s >= since_s]

    def adverts(self, node: str, since_s: float = 0) -> list[Frame]:
        return [f for f in self.seen(node, since_s) if f.advert_priority is not None]

    def announcements(self, node: str, since_s: float = 0, vip: str = VIP) -> list[Frame]:
        return [f for f in self.seen(node, since_s) if f.announces(vip)]

    def first_announcement(
        self, node: str, since_s: float, within_s: float = 6, vip: str = VIP
    ) -> Frame:
        """The first announcement, which a node sends right after it adds the VIP."""
        return until(
            lambda: self.announcements(node, since_s, vip), f"{node} announces the VIP", within_s
        )[0]

    def watch(self) -> None:
        """Reads the captures until closed; runs in its own thread."""
        poll = select.poll()
        known: dict[int, tuple[str, socket.socket]] = {}
        while not self._end.is_set():
            for node, sock in self._sockets:
                if sock.fileno() not in known:
                    known[sock.fileno()] = (node, sock)
                    poll.register(sock, select.POLLIN)
            for fd, _ in poll.poll(100):
                self._take(*known[fd])

    def close(self) -> None:
        self._end.set()
        for namespace in self.namespaces.values():
            subprocess.run(["ip", "netns", "del", namespace], check=False)
        for _, sock in self._sockets:
            sock.close()


def _capture(port: str) -> socket.socket:
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    sock.bind((port, 0))
    sock.setblocking(False)
    return sock


def _read(node: str, sock: socket.socket) -> Frame | None:
    try:
        data, ancillary, _, _ = sock.recvmsg(2048, 256)
    except OSError:
        return None
    for level, kind, value in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = struct.unpack("=qq", value[:16])
            return Frame(seconds + nanoseconds / 1e9, node, data)
    return Frame(time.time(), node, data)


@contextmanager
def wired() -> Iterator[Wire]:
    """A Wire that is removed afterwards."""
    built = Wire()
    watcher = threading.Thread(target=built.watch, daemon=True)
    watcher.start()
    try:
        yield built
    finally:
        built.close()
        watcher.join(2)
