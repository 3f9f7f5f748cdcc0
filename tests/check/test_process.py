"""The real checker process: lines of JSON on one side, loopback listeners on the other."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hanode.check.checker_settings import (
    CheckerSettings,
    RealServerSettings,
    TcpCheckSettings,
    VirtualServerSettings,
)
from hanode.wire import encode
from tests.conftest import PROJECT

PATIENCE_S = 20
WITHOUT_IPVS = (
    ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"] if os.geteuid() == 0 else []
)
"""These tests must not program IPVS on the machine they run on, even if it has ip_vs."""


class Supervisor:
    """The supervisor's end of a checker process."""

    def __init__(self) -> None:
        self.socket, theirs = socket.socketpair()
        fd = theirs.fileno()
        self.process = subprocess.Popen(
            [*WITHOUT_IPVS, sys.executable, "-m", "hanode.proc.checker"],
            pass_fds=[fd],
            env={**os.environ, "HANODE_IPC_FD": str(fd)},
            cwd=PROJECT,
        )
        theirs.close()
        self.socket.settimeout(PATIENCE_S)
        self._lines = self.socket.makefile("r")
        self.heard: list[dict[str, Any]] = []

    def say(self, **message: Any) -> None:
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def hear(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Waits for a message that fulfils the condition."""
        while True:
            message: dict[str, Any] = json.loads(self._lines.readline())
            self.heard.append(message)
            if wanted(message):
                return message

    def real_server(self, *, up: bool) -> dict[str, Any]:
        """Waits until a real server goes up or down; returns the event."""
        message = self.hear(
            lambda one: (
                one["kind"] == "event"
                and one["event"]["kind"] == "real_server"
                and one["event"]["data"]["up"] is up
            )
        )
        event: dict[str, Any] = message["event"]
        return event

    def configure(self, *ports: int, connect_timeout_us: int = 300_000) -> None:
        servers = tuple(
            RealServerSettings(
                f"127.0.0.{number}",
                80,
                checks=(
                    TcpCheckSettings(
                        "127.0.0.1",
                        port,
                        connect_timeout_us=connect_timeout_us,
                        retry=1,
                        delay_before_retry_us=50_000,
                        delay_loop_us=100_000,
                        warmup_us=20_000,
                    ),
                ),
            )
            for number, port in enumerate(ports, 1)
        )
        virtual = VirtualServerSettings("127.9.9.9", 80, "TCP", "rr", "DR", real_servers=servers)
        self.say(verb="configure", revision=1, settings=encode(CheckerSettings((virtual,))))

    def end(self) -> int:
        self.socket.close()
        self._lines.close()
        return self.process.wait(PATIENCE_S)


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    made = Supervisor()
    assert made.hear(lambda _: True) == {"kind": "ready"}
    yield made
    if made.process.poll() is None:
        made.process.kill()
    made.end()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def _port(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def test_a_listener_that_ends_is_seen_down_and_up_again(
    supervisor: Supervisor, listener: socket.socket
) -> None:
    port = _port(listener)
    supervisor.configure(port)
    assert supervisor.real_server(up=True)["subject"] == "127.0.0.1:80"
    listener.close()
    event = supervisor.real_server(up=False)
    assert event["cause"] == f"connection refused by 127.0.0.1:{port}, 2 times"
    assert abs(event["wall_us"] / 1e6 - time.time()) < PATIENCE_S
    with socket.create_server(("127.0.0.1", port)):
        assert supervisor.real_server(up=True)["cause"] == f"127.0.0.1:{port} accepts connections"


def test_a_silent_server_does_not_keep_the_others_waiting(supervisor: Supervisor) -> None:
    """A listener with a full queue drops connection requests: they neither succeed nor fail."""
    with socket.socket() as full, socket.create_server(("127.0.0.1", 0)) as good:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        supervisor.configure(_port(full), _port(good), connect_timeout_us=1_000_000)
        began = time.monotonic()
        assert supervisor.real_server(up=True)["subject"] == "127.0.0.2:80"
        assert time.monotonic() - began < 0.9
        cause = supervisor.real_server(up=False)["cause"]
        assert cause == f"no answer from 127.0.0.1:{_port(full)} within 1 s"
        for filler in fillers:
            filler.close()


def test_status_is_answered_with_its_id(supervisor: Supervisor, listener: socket.socket) -> None:
    supervisor.configure(_port(listener))
    supervisor.real_server(up=True)
    supervisor.say(verb="status", id=41)
    status = supervisor.hear(lambda one: one["kind"] == "status")
    assert status["id"] == 41
    assert status["status"]["virtual_servers"][0]["real_servers"][0]["up"] is True
    assert status["status"]["ipvs"].startswith("absent: ")


def test_it_goes_with_its_supervisor(supervisor: Supervisor) -> None:
    assert supervisor.end() == 0


def test_it_stops_when_told(supervisor: Supervisor) -> None:
    supervisor.say(verb="stop")
    assert supervisor.process.wait(PATIENCE_S) == 0


def test_sigterm_ends_it_at_once_although_nothing_is_due(supervisor: Supervisor) -> None:
    supervisor.process.send_signal(signal.SIGTERM)
    assert supervisor.process.wait(PATIENCE_S) == 0


def test_by_hand_it_says_how_it_is_meant() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "HANODE_IPC_FD"}
    done = subprocess.run(
        [sys.executable, "-m", "hanode.proc.checker"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=PROJECT,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "hanode run" in done.stderr
