"""Two machines on a switch, as network namespaces, and somebody who watches their cables.

A `Wire` has namespaces for node A, node B and a switch between them. What each node sends is
captured at its switch port with the kernel's time stamps. `Ours` runs `hanode.proc.vrrp` in a
node, `Keepalived` the real one. Every waiting polls with a deadline.
"""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hanode import wire
from hanode.system.vigil import Vigil
from hanode.vrrp.settings import InstanceSettings, VrrpSettings

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
    """Whose frames those of a node's second interface are."""
    return f"{node}2"


def run(*words: str) -> str:
    """Run a program; its output. Raises where it fails."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return done.stdout


def set_sysctl(namespace: str, path: str, value: int) -> None:
    """Set one of the kernel's switches below /proc/sys/net in a namespace."""
    run("ip", "netns", "exec", namespace, "sh", "-c", f"echo {value} >/proc/sys/net/{path}")


def inside(namespace: str, what: Callable[[], T]) -> T:
    """Call `what` in a thread of that namespace; a socket that it opens stays there."""
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
    """Poll until `condition()` is true; its value."""
    end = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {within_s} s: {what}"
        time.sleep(0.01)


DURATION = re.compile(r"(\d+\.\d{3}) s")


def same(said: str, expected: str) -> bool:
    """Equal sentences; a duration may be up to SLACK_S longer."""
    if DURATION.sub("", said) != DURATION.sub("", expected):
        return False
    pairs = zip(DURATION.findall(said), DURATION.findall(expected), strict=True)
    return all(-0.002 <= float(s) - float(e) <= SLACK_S for s, e in pairs)


@dataclass(frozen=True)
class Frame:
    """One frame that a node sent."""

    at_s: float
    """Wall time, by the kernel."""
    node: str
    data: bytes

    @property
    def advert_at(self) -> int | None:
        """Where in the frame the VRRP part begins; None: it is no advert."""
        if self.data[12:14] == b"\x08\x00" and self.data[23] in (112, 51):
            return 34 if self.data[23] == 112 else 34 + 24
        return 54 if self.data[12:14] == b"\x86\xdd" and self.data[20] == 112 else None

    @property
    def advert_priority(self) -> int | None:
        at = self.advert_at
        return None if at is None else self.data[at + 2]

    def announces(self, ip: str) -> bool:
        """Whether it is a gratuitous ARP or a neighbour advertisement to all."""
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
        """Make the node's interface and its cable to the switch."""
        self._plug(node, f"port-{node}", INTERFACE, "br0", MAC[node], IP[node], node)

    def plug_second(self, node: str) -> None:
        """Another interface on another network; its frames are those of `second(node)`."""
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
        """`ip` in a node's namespace."""
        return run("ip", "-n", self.namespaces[node], *words)

    def isolate(self, cut: bool) -> None:
        """Cut the nodes off from each other, their links staying up; or heal that."""
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
        """All so far: who asks has seen as much as the wire, though the thread be late."""
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
        """The moment at which the node holds the VIP: it announces right after adding it."""
        return until(
            lambda: self.announcements(node, since_s, vip), f"{node} announces the VIP", within_s
        )[0]

    def watch(self) -> None:
        """Read the captures until closed; runs in its own thread."""
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


class Ours:
    """`hanode.proc.vrrp` in a node, with the supervisor's end of its socket in our hand."""

    def __init__(
        self,
        wire_: Wire,
        node: str,
        *instances: InstanceSettings,
        alive_us: int | None = None,
        vigil: Vigil | None = None,
        **more: Any,
    ) -> None:
        self.wire, self.node = wire_, node
        self.messages: list[dict[str, Any]] = []
        self.started_s = time.time()
        ours, theirs = socket.socketpair()
        gifts = {} if vigil is None else vigil.descriptors
        told = (
            {} if vigil is None else {**vigil.environment, **{k: str(v) for k, v in gifts.items()}}
        )
        self.process = subprocess.Popen(
            [
                "ip",
                "netns",
                "exec",
                wire_.namespaces[node],
                sys.executable,
                "-m",
                "hanode.proc.vrrp",
            ],
            cwd=PROJECT,
            pass_fds=[theirs.fileno(), *gifts.values()],
            env={**os.environ, **told, "HANODE_IPC_FD": str(theirs.fileno())},
        )
        theirs.close()
        for descriptor in gifts.values():
            os.close(descriptor)
        self.socket = ours
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._alive_us = alive_us
        self.configure(*instances, **more)

    def _read(self) -> None:
        with self.socket.makefile("r") as lines:
            for line in lines:
                self.messages.append(json.loads(line))

    def say(self, **message: Any) -> None:
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def configure(self, *instances: InstanceSettings, **more: Any) -> dict[str, Any]:
        """Send settings (`more`: other fields of VrrpSettings); the answer."""
        seen = len(self.of_kind("configured"))
        settings = VrrpSettings(tuple(instances), **more)
        self.say(
            verb="configure",
            revision=seen,
            settings=wire.encode(settings),
            alive_us=self._alive_us,
        )
        return until(lambda: self.of_kind("configured")[seen:], "settings are answered")[0]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [m for m in list(self.messages) if m["kind"] == kind]

    def events(self, kind: str = "transition") -> list[wire.Event]:
        events = [wire.decode(wire.Event, m["event"]) for m in self.of_kind("event")]
        return [event for event in events if event.kind == kind]

    def causes(self) -> list[str]:
        """`MASTER: cause` of each transition."""
        return [f"{event.data['to']}: {event.cause}" for event in self.events()]

    def says(self, cause: str) -> None:
        """The last transition is, or soon becomes, this one; its duration may be 0.1 s longer."""
        until(lambda: any(same(c, cause) for c in self.causes()[-1:]), f"{cause!r}: {self}", 1)

    def __str__(self) -> str:
        return f"{self.node} said {self.causes()}"

    def status(self) -> dict[str, Any]:
        seen = len(self.of_kind("status"))
        self.say(verb="status", id=seen)
        answer = until(lambda: self.of_kind("status")[seen:], "a status")[0]
        assert answer["id"] == seen
        for instance in answer["status"]["instances"]:
            wire.decode(wire.InstanceStatus, instance)
        return dict(answer["status"])

    def state(self) -> str:
        return str(self.status()["instances"][0]["state"])

    def stop(self) -> None:
        """As the supervisor does it."""
        self.say(verb="stop")
        assert self.process.wait(5) == 0
        self.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(5)
        self.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)
        self.socket.close()


class Keepalived:
    """The real one."""

    def __init__(self, wire_: Wire, node: str, config: str) -> None:
        self.started_s = time.time()
        self._folder = tempfile.TemporaryDirectory(prefix="keepsight-")
        folder = Path(self._folder.name)
        (folder / "keepalived.conf").write_text(config)
        self._pids = [folder / "p.pid", folder / "r.pid"]
        self._log = (folder / "log").open("w+")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", wire_.namespaces[node], "keepalived", "-n", "-l", "-G", "-P",
             "-f", str(folder / "keepalived.conf"), "-p", str(self._pids[0]),
             "-r", str(self._pids[1]), "-c", str(folder / "c.pid")],
            env={**os.environ, "TMPDIR": str(folder),
                 "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"},
            stdout=self._log,
            stderr=self._log,
        )  # fmt: skip
        until(lambda: self._pids[1].exists() and self._pids[1].read_text().strip(), "it started")

    def log(self) -> str:
        self._log.flush()
        self._log.seek(0)
        return self._log.read()

    def reload(self, config: str) -> None:
        """A new file, and SIGHUP."""
        (Path(self._folder.name) / "keepalived.conf").write_text(config)
        self.process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self.close()

    def kill(self) -> None:
        """Child and parent; neither has the time to notice that the other died."""
        child = int(self._pids[1].read_text())
        self.process.send_signal(signal.SIGSTOP)
        os.kill(child, signal.SIGKILL)
        self.process.kill()
        self.process.wait(5)
        self.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        self._log.close()
        self._folder.cleanup()


@contextmanager
def wired() -> Iterator[Wire]:
    """A Wire that leaves nothing behind."""
    built = Wire()
    watcher = threading.Thread(target=built.watch, daemon=True)
    watcher.start()
    try:
        yield built
    finally:
        built.close()
        watcher.join(2)
