"""Signals, beside keepalived: what ends either program, and what neither of them feels."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanode.system.signals import IGNORED, JSON, SERVED, STATS_CLEAR
from tests.proc.harness import CONFIG, Node, alive, directory, until

pytestmark = pytest.mark.needs("root", "netns")

VIP = "192.168.192.200/24"
CHILDREN = ("vrrp", "watch", "checker")
FILES = {signal.SIGUSR1: "data", signal.SIGUSR2: "stats", JSON: "json", STATS_CLEAR: "stats"}


@pytest.fixture
def master(monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    with directory() as place:
        monkeypatch.setenv("TMPDIR", str(place))
        node = Node(place)
        try:
            node.start()
            until(lambda: node.kernel_has(VIP) and "starting" not in str(node.status().problems))
            yield node
        finally:
            node.destroy()
            print(node.log.read_text())


def everybody(node: Node) -> dict[str, int]:
    assert node.process is not None
    return {"supervisor": node.process.pid, **{name: node.pid(name) for name in CHILDREN}}


def test_no_other_signal_ends_a_process(master: Node) -> None:
    before = everybody(master)
    assert {signal.SIGQUIT, signal.SIGALRM, signal.SIGRTMAX, signal.SIGIO} <= set(IGNORED)
    for pid in before.values():
        for number in IGNORED:
            os.kill(pid, number)
    time.sleep(0.5)
    assert everybody(master) == before
    assert master.state() == "MASTER"
    assert [e.cause for e in master.events() if e.kind == "transition"] == [
        "start as the owner of the addresses"
    ]


@pytest.mark.needs("keepalived")
def test_keepalived_lives_through_the_same_signals(tmp_path: Path) -> None:
    """So scripts may send them: seen, not read."""
    (tmp_path / "k.conf").write_text(CONFIG)
    script = (
        "ip link set lo up; ip link add ens33 type veth peer name x; ip link set ens33 up;"
        "ip link set x up; exec keepalived -n -l -G -P -f k.conf -p k.pid -r v.pid"
    )
    process = subprocess.Popen(
        ["unshare", "-n", "sh", "-c", script], cwd=tmp_path, stderr=subprocess.DEVNULL,
        env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin", "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    try:
        until(lambda: (tmp_path / "v.pid").exists())
        time.sleep(0.3)
        pids = [process.pid, int((tmp_path / "v.pid").read_text())]
        for pid in pids:
            for number in IGNORED:
                os.kill(pid, number)
        time.sleep(0.5)
        assert all(alive(pid) for pid in pids)
        process.terminate()
        assert process.wait(5) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(5)


@pytest.mark.parametrize("name", ["supervisor", *CHILDREN])
def test_what_a_script_asks_of_any_process_is_done(master: Node, name: str) -> None:
    """By the pid of `vrrp.pid` as well as by that of `keepalived.pid`."""
    before = everybody(master)
    for number, kind in FILES.items():
        path = master.directory / f"keepalived.{kind}"
        path.unlink(missing_ok=True)
        os.kill(before[name], number)
        until(path.exists, within_s=3)
    master.file.write_text(CONFIG.replace(".200/24", ".201/24"))
    os.kill(before[name], signal.SIGHUP)
    until(lambda: master.kernel_has("192.168.192.201/24"), within_s=3)
    assert everybody(master) == before
    assert set(FILES) | {signal.SIGHUP} == set(SERVED)


def test_what_a_script_starts_has_the_signals_as_they_are_everywhere(master: Node) -> None:
    """A daemon that a notify script starts must not be deaf to HUP or INT."""
    place = master.directory
    script = place / "told"
    script.write_text(f"#!/bin/sh\ngrep SigIgn /proc/self/status >{place}/ignored\n")
    script.chmod(0o755)
    secure = "global_defs {\n    script_user root\n}\n"
    notified = CONFIG.replace("advert_int 1", f'advert_int 1\n    notify "{script}"')
    master.stop()
    master.file.write_text(secure + notified)
    master.start()
    ignored = place / "ignored"
    until(lambda: ignored.exists() and ignored.read_text())
    mask = int(ignored.read_text().split()[1], 16)
    assert [n for n in range(1, 65) if mask >> (n - 1) & 1] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_signals_hand_over(master: Node, number: int) -> None:
    assert master.process is not None
    os.kill(master.process.pid, number)
    assert master.process.wait(5) == 0
    assert not master.kernel_has(VIP)
