"""Two namespaces with cables between them, an engine in each, and an observer.

Both engines get the same options and the same file. The kernel measures the times of packets.
"""

from __future__ import annotations

import ctypes
import os
import re
import select
import shutil
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
from typing import TypeVar

T = TypeVar("T")

PROJECT = Path(__file__).resolve().parents[3]
KEEPALIVED = shutil.which("keepalived", path="/usr/sbin:" + os.environ.get("PATH", ""))
PRIORITY = {"a": 150, "b": 100}
CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
PACKET_OUTGOING = 4
SO_TIMESTAMPNS, SO_RCVBUFFORCE = 35, 33
RTM_NEWADDR, RTM_DELADDR, RTMGRP_IPV4_IFADDR = 20, 21, 0x10
TICKS = os.sysconf("SC_CLK_TCK")
VIRTUAL = re.compile(r" 10\.\d+\.1\.\d+/16 ")


def run(*words: str) -> None:
    """Runs a program that must succeed."""
    subprocess.run(words, check=True, capture_output=True)


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


def until(condition: Callable[[], T], what: str, within_s: float, every_s: float = 0.01) -> T:
    """Polls until `condition()` is true; returns its value."""
    end = time.monotonic() + within_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise SystemExit(f"not within {within_s:g} s: {what}")
        time.sleep(every_s)
    return value


class TwoNodes:
    """Namespaces of A and B, with `cables` veth pairs e0, e1, … between them."""

    def __init__(self, cables: int = 1) -> None:
        self.cables = cables
        self.space = {node: f"ksb{os.getpid()}{node}" for node in "ab"}
        self.folder = Path(tempfile.mkdtemp(prefix="keepsight-bench-"))
        for name in self.space.values():
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        for number in range(cables):
            dev = f"e{number}"
            run("ip", "-n", self.space["a"], "link", "add", dev, "type", "veth",
                "peer", "name", dev, "netns", self.space["b"])  # fmt: skip
            for host, node in enumerate("ab", 1):
                space = self.space[node]
                run("ip", "-n", space, "addr", "add", f"10.{number}.0.{host}/16", "dev", dev)
                run("ip", "-n", space, "link", "set", dev, "up")

    def vips(self, node: str) -> int:
        """The number of virtual addresses in the node's kernel."""
        shown = subprocess.run(
            ["ip", "-n", self.space[node], "-4", "-o", "addr"],
            capture_output=True,
            check=True,
            text=True,
        )
        return len(VIRTUAL.findall(shown.stdout))

    def close(self) -> None:
        """Removes everything."""
        for name in self.space.values():
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def two_nodes(cables: int = 1) -> Iterator[TwoNodes]:
    """TwoNodes that are removed afterwards."""
    made = TwoNodes(cables)
    try:
        yield made
    finally:
        made.close()


def configuration(node: str, *, cables: int, each: int, advert_int: str, more: str = "") -> str:
    """`each` instances on every cable, with one VIP each, announced once and without delay."""
    out = [
        f"global_defs {{\n router_id {node}\n vrrp_version 3\n"
        " vrrp_garp_master_repeat 1\n vrrp_garp_master_delay 0\n}\n"
    ]
    out += [
        f"vrrp_instance V{cable}_{vrid} {{\n state BACKUP\n interface e{cable}\n"
        f" virtual_router_id {vrid}\n priority {PRIORITY[node]}\n advert_int {advert_int}\n"
        f" virtual_ipaddress {{\n  10.{cable}.1.{vrid}/16\n }}\n}}\n"
        for cable in range(cables)
        for vrid in range(1, each + 1)
    ]
    return "".join(out) + more


ENGINES = {
    "keepalived": [KEEPALIVED or "keepalived"],
    "ours": [sys.executable, "-m", "hanode", "run"],
}


class Engine:
    """One of the two engines, running in a node."""

    def __init__(
        self, kind: str, at: TwoNodes, node: str, text: str, more: tuple[str, ...] = ("-P",)
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"{kind}-{node}-", dir=at.folder))
        self.file = self.folder / "keepalived.conf"
        self.file.write_text(text)
        pids = [f"{self.folder}/{name}.pid" for name in "prc"]
        command = [*ENGINES[kind], "-n", "-l", "-G", *more, "-f", str(self.file),
                   "-p", pids[0], "-r", pids[1], "-c", pids[2]]  # fmt: skip
        if kind == "ours":
            command += ["--state-dir", f"{self.folder}/state", "--run-dir", f"{self.folder}/run"]
        self._log = (self.folder / "log").open("wb")
        self.started_s = time.time()
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", at.space[node], *command],
            cwd=PROJECT,
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, "TMPDIR": str(self.folder)},
            start_new_session=True,
        )

    @property
    def vrrp(self) -> int:
        """The vrrp process's pid."""
        path = self.folder / "r.pid"
        return int(until(lambda: path.exists() and path.read_text(), "the vrrp process", 30))

    def cpu_s(self) -> float:
        """CPU time of the vrrp process, in seconds."""
        fields = Path(f"/proc/{self.vrrp}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_kb(self) -> int:
        """Memory of the vrrp process."""
        lines = Path(f"/proc/{self.vrrp}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    def reload(self, text: str) -> None:
        """Writes another file and sends SIGHUP."""
        self.file.write_text(text)
        self.process.send_signal(signal.SIGHUP)

    def kill(self) -> float:
        """Kills all its processes at once; returns the wall time of that."""
        self.process.send_signal(signal.SIGSTOP)
        vrrp = self.vrrp
        at_s = time.time()
        os.kill(vrrp, signal.SIGKILL)
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self._log.close()
        return at_s

    def stop(self) -> float:
        """Sends SIGTERM; returns the wall time of that."""
        at_s = time.time()
        self.process.terminate()
        return at_s

    def close(self) -> None:
        """Ends it, if it still runs."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
        self._log.close()


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame on a node's interface."""

    at_s: float
    dev: str
    outgoing: bool
    data: bytes

    @property
    def advert(self) -> tuple[str, int, int] | None:
        """(interface, VRID, priority) of an advert."""
        if self.data[12:14] != b"\x08\x00" or self.data[23] != 112:
            return None
        return self.dev, self.data[35], self.data[36]

    @property
    def announces(self) -> bytes | None:
        """The address of a gratuitous ARP."""
        if self.data[12:14] != b"\x08\x06" or self.data[28:32] != self.data[38:42]:
            return None
        return self.data[28:32]


class Observer:
    """Records all frames on a node's interfaces and the addresses of its kernel."""

    def __init__(self, at: TwoNodes, node: str) -> None:
        self.frames: list[Seen] = []
        self.added = self.removed = 0
        self.added_s = 0.0
        self._end = threading.Event()
        self._sockets = inside(at.space[node], self._open)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @staticmethod
    def _open() -> tuple[socket.socket, socket.socket]:
        frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        frames.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        addresses = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        addresses.bind((0, RTMGRP_IPV4_IFADDR))
        for opened in (frames, addresses):
            opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
            opened.setblocking(False)
        return frames, addresses

    def _watch(self) -> None:
        frames, addresses = self._sockets
        while not self._end.is_set():
            ready, _, _ = select.select([frames, addresses], [], [], 0.1)
            if addresses in ready:
                self._take_addresses(addresses)
            if frames in ready:
                self._take_frames(frames)

    def _take_addresses(self, addresses: socket.socket) -> None:
        while True:
            try:
                data = addresses.recv(1 << 16)
            except BlockingIOError:
                return
            kind = struct.unpack_from("=H", data, 4)[0]
            if kind == RTM_NEWADDR:
                self.added += 1
                self.added_s = time.time()
            elif kind == RTM_DELADDR:
                self.removed += 1

    def _take_frames(self, frames: socket.socket) -> None:
        for _ in range(512):
            try:
                data, ancillary, _, where = frames.recvmsg(256, 64)
            except BlockingIOError:
                return
            seconds, nanoseconds = struct.unpack("=qq", ancillary[0][2][:16])
            at_s = seconds + nanoseconds / 1e9
            self.frames.append(Seen(at_s, where[0], where[2] == PACKET_OUTGOING, data))

    def close(self) -> None:
        """Stops recording."""
        self._end.set()
        self._thread.join()
        for opened in self._sockets:
            opened.close()
