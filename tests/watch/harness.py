"""A real watch process between two people who talk to it: a supervisor and a vrrp process."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from hanode import wire
from hanode.proc.common.vrrp_watch_link import pair
from hanode.watch.messages import Notice, TrackerResult
from hanode.watch.watch_settings import WatchSettings

PROJECT = Path(__file__).resolve().parents[2]
T = TypeVar("T")


class Running:
    """The process, and what it said."""

    def __init__(self, process: subprocess.Popen[bytes], ipc: socket.socket, link: socket.socket):
        self.process = process
        self.ipc = ipc
        self.link = link
        self.said: list[dict[str, Any]] = []
        self.results: list[TrackerResult] = []
        self.arrived_s: list[float] = []
        """When each of `results` came, by the monotonic clock."""
        self._rest = b""
        self._revision = 0

    def configure(self, settings: WatchSettings) -> dict[str, Any]:
        """Give it settings; its answer."""
        self._revision += 1
        self.tell(
            {"verb": "configure", "revision": self._revision, "settings": wire.encode(settings)}
        )
        return self.until(
            lambda: next(
                (
                    m
                    for m in self.said
                    if m["kind"] == "configured" and m["revision"] == self._revision
                ),
                None,
            ),
            "an answer to configure",
        )

    def tell(self, message: dict[str, Any]) -> None:
        self.ipc.sendall(json.dumps(message).encode() + b"\n")

    def notice(self, kind: str, name: str, state: str, priority: int) -> None:
        said = {"kind": "notice", "notice": wire.encode(Notice(kind, name, state, priority))}
        self.link.send(json.dumps(said).encode())

    def warnings(self) -> list[str]:
        return [
            f"{m['event']['subject']}: {m['event']['cause']}"
            for m in self.said
            if m["kind"] == "event" and m["event"]["kind"] == "warning"
        ]

    def told(self, name: str) -> list[tuple[bool, int, str]]:
        """What the vrrp process heard of a tracker."""
        return [(n.up, n.value, n.cause) for n in self.results if n.name == name]

    def until(self, condition: Callable[[], T | None], what: str, within_s: float = 8) -> T:
        """Listen until it is true."""
        end_s = time.monotonic() + within_s
        while True:
            value = condition()
            if value:
                return value
            left_s = end_s - time.monotonic()
            assert left_s > 0, f"not within {within_s} s: {what}; {self.results} {self.said}"
            self.listen(left_s)

    def listen(self, at_most_s: float) -> None:
        """Take what comes next."""
        ready, _, _ = select.select([self.ipc, self.link], [], [], min(at_most_s, 0.05))
        if self.link in ready:
            message = json.loads(self.link.recv(1 << 16))
            self.arrived_s.append(time.monotonic())
            self.results.append(wire.decode(TrackerResult, message["tracker"]))
        if self.ipc in ready:
            *lines, self._rest = (self._rest + self.ipc.recv(1 << 16)).split(b"\n")
            self.said += [json.loads(line) for line in lines]

    def stop(self) -> float:
        """Ask it to end; how long it took."""
        began_s = time.monotonic()
        self.tell({"verb": "stop"})
        assert self.process.wait(5) == 0
        return time.monotonic() - began_s


@contextmanager
def running(environment: dict[str, str] | None = None) -> Iterator[Running]:
    """A watch process; it is gone afterwards."""
    ours, theirs = socket.socketpair()
    link, their_link = pair()
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(
            part for part in (os.environ.get("KST_PYTHONPATH"), str(PROJECT)) if part
        ),
        "HANODE_IPC_FD": str(theirs.fileno()),
        "HANODE_LINK_FD": str(their_link.fileno()),
        "HANODE_SCRIPT_ENV": json.dumps(environment or {"PATH": "/usr/bin:/bin"}),
    }
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "hanode.proc.watch"],
        env=env,
        pass_fds=(theirs.fileno(), their_link.fileno()),
    )
    theirs.close()
    their_link.close()
    try:
        yield Running(process, ours, link)
    finally:
        ours.close()
        link.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def script(path: Path, text: str) -> str:
    """A shell script that anybody may run; its path."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)
