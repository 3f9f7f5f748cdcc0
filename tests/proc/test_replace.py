"""keepalived is replaced on one node of a running pair, then on the other: with the same words."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanode.cli.run_options import SIGNALS
from tests.proc.harness import CONFIG, PROJECT, Node, directory, until

pytestmark = pytest.mark.needs("root", "netns", "keepalived")

VIP = "192.168.192.200/24"
PRIORITY = {"a": 150, "b": 100}
SKEW_S = {name: (256 - priority) / 256 for name, priority in PRIORITY.items()}


class Place:
    """A node's namespace, and whatever program runs there as `keepalived`."""

    def __init__(self, name: str, path: Path) -> None:
        text = CONFIG.replace("priority 255", f"priority {PRIORITY[name]}")
        self.node = Node(path, config=text)
        self.path = path
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, program: str) -> None:
        """keepalived, or our program by that name: the words are the same."""
        words = [program, "--dont-fork", "-l", "-G", "-D", "-f", str(self.node.file), "-i", "N"]
        words += [f"--pid={self.path}/k.pid", f"--vrrp_pid={self.path}/v.pid"]
        words += [f"--checkers_pid={self.path}/c.pid"]
        environment = {
            **os.environ,
            "TMPDIR": str(self.path),
            "PATH": os.environ.get("PATH", "") + ":/usr/sbin",
            "HANODE_RUN_DIR": str(self.path / "run"),
            "HANODE_STATE_DIR": str(self.path / "state"),
        }
        with (self.path / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", self.node.namespace, *words],
                env=environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        until(lambda: (self.path / "v.pid").exists(), within_s=10)

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        assert self.process.wait(10) == 0
        self.process = None

    def state(self) -> int:
        """As an exporter asks: by the pid file, the signal and the file."""
        path = self.path / "keepalived.json"
        path.unlink(missing_ok=True)
        os.kill(int((self.path / "k.pid").read_text()), SIGNALS["JSON"])
        until(lambda: path.exists() and path.read_text().endswith("\n"), within_s=5)
        state: int = json.loads(path.read_text())[0]["data"]["state"]
        return state

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(5)
        self.node.destroy()
        print((self.path / "log").read_text())


@pytest.fixture
def places() -> Iterator[tuple[Place, Place]]:
    with directory() as one, directory() as two:
        a, b = Place("a", one), Place("b", two)
        try:
            a.node.join(b.node)
            yield a, b
        finally:
            a.close()
            b.close()


def test_one_node_after_the_other(places: tuple[Place, Place], tmp_path: Path) -> None:
    a, b = places
    ours = tmp_path / "keepalived"
    ours.symlink_to(PROJECT / "bin" / "hanode")
    time.sleep(1)  # keepalived 2.2.7 looks at the links once
    a.start("keepalived")
    b.start("keepalived")
    until(lambda: a.node.kernel_has(VIP), within_s=10)

    b.stop()
    b.start(str(ours))
    time.sleep(4)  # longer than its Master_Down
    assert (a.state(), b.state()) == (2, 1), "keepalived is heard"
    assert not b.node.kernel_has(VIP)

    began = time.monotonic()
    a.stop()
    until(lambda: b.node.kernel_has(VIP), within_s=5)
    assert time.monotonic() - began < SKEW_S["b"] + 1.5, "keepalived's stop takes a second"
    assert not a.node.kernel_has(VIP)

    a.start(str(ours))
    until(lambda: a.node.kernel_has(VIP), within_s=10)
    until(lambda: not b.node.kernel_has(VIP), within_s=3)
    until(lambda: (a.state(), b.state()) == (2, 1), within_s=5)

    began = time.monotonic()
    a.stop()
    until(lambda: b.node.kernel_has(VIP), within_s=5)
    print(f"handed over {time.monotonic() - began:.3f} s after TERM, skew {SKEW_S['b']:.3f} s")
    b.stop()
    assert not a.node.kernel_has(VIP)
    assert not b.node.kernel_has(VIP)
