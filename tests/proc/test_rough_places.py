"""A log that nobody reads, a run directory that goes, a stop that takes long, a late namespace."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanode.system.ipc import Unreachable
from tests.proc.harness import PROJECT, Node, directory, until
from tests.proc.test_leftovers import Beside, ip
from tests.proc.test_needs import PLAIN, instance

pytestmark = pytest.mark.needs("root", "netns")

F_SETPIPE_SZ = 1031
VIP = "192.168.192.200/24"


@pytest.fixture
def alone() -> Iterator[Node]:
    with directory() as place:
        node = Node(place, config=PLAIN)
        try:
            yield node
        finally:
            node.destroy()
            print(node.log.read_text() if node.log.exists() else "")


# B4: the log


@contextlib.contextmanager
def unread_pipe(*, full: bool) -> Iterator[int]:
    """The end to write to of a pipe that nobody reads."""
    out, into = os.pipe()
    try:
        fcntl.fcntl(into, F_SETPIPE_SZ, 4096)
        if full:
            os.write(into, b"x" * 4096)
        yield into
    finally:
        os.close(out)
        os.close(into)


@pytest.mark.parametrize("full", [False, True], ids=["that fills", "that is full"])
def test_a_log_that_nobody_reads_stops_nothing(alone: Node, full: bool) -> None:
    node = alone
    with unread_pipe(full=full) as pipe:
        node.process = subprocess.Popen(
            node.command(), stderr=pipe, cwd=PROJECT, start_new_session=True
        )
        until(node.answers)
        until(lambda: node.kernel_has(VIP))
        for _ in range(30):  # some 150 lines of 100 bytes
            assert node.ask("reload")["ok"]
        began_s = time.monotonic()
        node.process.terminate()
        assert node.process.wait(8) == 0
        assert time.monotonic() - began_s < 6
        node.process = None
    assert not node.kernel_has(VIP)


def test_a_pipe_as_log_file_stops_nothing_and_says_what_was_lost(alone: Node) -> None:
    node = alone
    fifo = node.directory / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, F_SETPIPE_SZ, 4096)
    node.start("-g", str(fifo))
    until(lambda: node.kernel_has(VIP))
    for _ in range(30):
        assert node.ask("reload")["ok"]
    said = os.read(reader, 65_536)
    assert b"engine started" in said
    assert node.ask("reload")["ok"]
    later = until(lambda: os.read(reader, 65_536))
    assert b"lines before this one are lost: nobody read them)" in later
    assert node.stop() == 0
    os.close(reader)
    assert not node.kernel_has(VIP)


def test_a_traceback_without_room_keeps_no_process_alive() -> None:
    """As of a child that fails: its supervisor must see that it has ended."""
    program = (
        "from hanode.system import unwaiting; unwaiting.stderr(); raise ValueError('x' * 9999)"
    )
    with unread_pipe(full=True) as pipe:
        ended = subprocess.run(
            [sys.executable, "-c", program], stderr=pipe, cwd=PROJECT, check=False, timeout=5
        )
    assert ended.returncode == 1


# B5: the stop


def test_two_hundred_macvlans_are_gone_when_the_engine_is(alone: Node) -> None:
    node = alone
    node.file.write_text(
        "".join(
            instance(f"I{n}", n, f"192.168.192.{n}/24", f"use_vmac vrrp.{n}") for n in range(1, 201)
        )
    )
    node.start("--refuse-mistakes")
    until(lambda: [i.state for i in node.status().instances].count("MASTER") == 200, within_s=60)
    assert node.process is not None
    began_s = time.monotonic()
    node.process.terminate()
    assert node.process.wait(60) == 0
    node.process = None
    print(f"stopped after {time.monotonic() - began_s:.2f} s")
    assert "vrrp." not in ip(node, "link")
    assert "killed" not in node.log.read_text()


def test_the_addresses_of_a_process_that_cannot_stop_are_removed_for_it(alone: Node) -> None:
    node = alone
    node.start()
    until(lambda: node.kernel_has(VIP))
    os.kill(node.pid("vrrp"), signal.SIGSTOP)
    assert node.process is not None
    node.process.terminate()
    assert node.process.wait(10) == 0
    node.process = None
    assert not node.kernel_has(VIP)
    assert "vrrp did not stop, and was silent for 3 s; killed" in node.log.read_text()


# B6: the run directory


def reachable(node: Node) -> bool:
    with contextlib.suppress(Unreachable):
        return bool(node.ask("status")["ok"])
    return False


@pytest.mark.parametrize("hup", [False, True], ids=["by itself", "by HUP"])
@pytest.mark.parametrize("what", ["all of it", "the socket", "a pid file"])
def test_the_run_directory_is_made_again(alone: Node, what: str, hup: bool) -> None:
    node = alone
    node.start()
    until(lambda: node.kernel_has(VIP))
    run = node.directory / "run"
    pids = {name: (run / f"{name}.pid").read_text() for name in ("keepalived", "vrrp", "checkers")}
    match what:
        case "all of it":
            shutil.rmtree(run)
        case "the socket":
            node.control.unlink()
        case _:
            (run / "vrrp.pid").unlink()
    assert node.process is not None
    if hup:
        node.process.send_signal(signal.SIGHUP)
    until(lambda: reachable(node) and (run / "vrrp.pid").exists(), within_s=2)
    assert {n: (run / f"{n}.pid").read_text() for n in pids} == pids
    told = [e.cause for e in node.events() if e.subject == str(run)]
    assert told == ["somebody removed it, or a part of it; it is made again"]
    assert (run / "alive").exists()
    assert node.kernel_has(VIP)
    with directory() as place:
        other = Beside(node, place, PLAIN)
        words = other.command("--run-dir", str(run))  # the last one counts
        ended = subprocess.run(
            words, capture_output=True, text=True, cwd=PROJECT, check=False, timeout=30
        )
        assert ended.returncode == 2
        assert "another engine runs here" in ended.stderr, "it is locked as before"
    assert node.stop() == 0
    assert not [path for path in run.iterdir() if path.name != "lock"]


# B1: what systemd hears


class Systemd:
    """What systemd is told by sd_notify(3)."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(path))
        self._lines: list[str] = []

    def told(self) -> list[str]:
        with contextlib.suppress(BlockingIOError):
            while True:
                self._lines += self._socket.recv(65_536).decode().split("\n")
        return self._lines


def test_a_refusal_at_the_start_is_in_the_log_and_systemd_hears_the_truth(
    alone: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, space = alone, f"{alone.namespace}n"
    systemd = Systemd(node.directory / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(node.directory / "notify"))
    subprocess.run(["ip", "netns", "add", space], check=True)
    try:
        node.file.write_text(f"net_namespace {space}\n" + PLAIN)
        node.start()
        subprocess.run(["ip", "netns", "del", space], check=True)  # before the child enters it
        why = f"the vrrp process refused its settings: net_namespace {space}: No such file"
        until(lambda: why in node.log.read_text())
        assert "vrrp runs revision" not in node.log.read_text()
        until(lambda: any(line.startswith("STATUS=") and why in line for line in systemd.told()))
        assert "READY=1" not in systemd.told(), "no instance runs"
        assert any(why in problem for problem in node.status().problems)
        subprocess.run(["ip", "netns", "add", space], check=True)
        until(lambda: "READY=1" in systemd.told(), within_s=8, what="it is tried again")
        until(lambda: "ens33 does not exist" in str(node.status().instances), within_s=3)
        until(lambda: "STATUS=Plain FAULT" in systemd.told(), within_s=3)
        assert node.stop() == 0
    finally:
        subprocess.run(["ip", "netns", "del", space], check=False)
