"""bin/demo as a command: how it refuses, how it ends, and that it leaves nothing behind."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from hanode.lab import launch, netns, runs
from hanode.lab.install import PROJECT
from hanode.lab.observer import wait_until

DEMO = str(PROJECT / "bin/demo")
START_S = 90
END_S = 40
SECOND_START_S = 10


class Demo:
    """A running bin/demo with a data directory of its own."""

    def __init__(self, base: Path, *words: str, command: Sequence[str]) -> None:
        self.said_file = base / "said"
        with self.said_file.open("wb") as said:
            self.process = subprocess.Popen(
                [*command, "--port", "18100", *words],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                env={**os.environ, "MARK_OF_THE_TEST": str(base)},
            )
        self.base = base

    @property
    def said(self) -> str:
        return self.said_file.read_text()

    def wait_for(self, pattern: str) -> str:
        deadline = time.monotonic() + START_S
        while (found := re.search(pattern, self.said)) is None:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)
        return found.group(0)

    def processes(self) -> list[str]:
        return processes(self.base)

    def leftovers(self) -> list[str]:
        return leftovers(self.process.pid, self.base)


def processes(mark: Path) -> list[str]:
    """Every process that a demo with this mark started, whatever its parent is now."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            if f"MARK_OF_THE_TEST={mark}".encode() in (directory / "environ").read_bytes():
                words = (directory / "cmdline").read_bytes().replace(b"\0", b" ")
                found.append(words.decode(errors="replace"))
        except OSError:
            continue
    return found


def sees(program: str, mark: Path, directory: Path) -> list[str]:
    """What the demo's program of that name finds in the directory."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode().split("\0")
            marked = f"MARK_OF_THE_TEST={mark}".encode() in (process / "environ").read_bytes()
            if marked and program in words and "hanode.lab.launch" not in words:
                return os.listdir(f"{process}/root{directory}")
        except OSError:
            continue
    raise AssertionError(f"no {program} runs")


def leftovers(pid: int, mark: Path) -> list[str]:
    """Processes, namespaces and files that the demo with this pid left behind."""
    directory = runs.base_directory() / f"ks{pid}"
    return [
        *processes(mark),
        *netns.named(f"ks{pid}-"),
        *([str(directory)] if directory.exists() else []),
    ]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    started: list[Demo] = []

    def make(*words: str, command: Sequence[str] = (DEMO,)) -> Demo:
        started.append(Demo(tmp_path, *words, command=command))
        return started[-1]

    yield make
    for demo in started:
        if demo.process.poll() is None:
            demo.process.terminate()
            demo.process.wait(END_S)


def assert_only_the_worker_signs(demo: Demo, data: Path) -> None:
    """Web and ingest do not see the signing key, though they are the worker's user here."""
    assert sees("worker", demo.base, data / "signing") == ["signing.pem"]
    assert sees("webapp.asgi:application", demo.base, data / "signing") == []
    assert sees("ingest", demo.base, data / "signing") == []
    assert "can read the signing key" not in (data / "log" / "web.log").read_text()
    assert not [p for p in [data, *data.iterdir()] if p.is_dir() and p.stat().st_mode & 0o077]


@pytest.mark.needs("root", "valkey")
def test_roots_demo_keeps_the_signing_key_from_web(
    start: Callable[..., Demo], tmp_path: Path
) -> None:
    demo = start("--no-lab", "--data-dir", str(tmp_path / "data"))
    demo.wait_for("Open .*")
    assert_only_the_worker_signs(demo, tmp_path / "data")
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(END_S) == 0, demo.said


@pytest.mark.needs("root", "netns", "valkey")
def test_ctrl_c_in_the_middle_of_the_start_leaves_nothing(
    start: Callable[..., Demo], tmp_path: Path
) -> None:
    demo = start("--data-dir", str(tmp_path / "data"))
    demo.wait_for("· lab ks")
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(END_S) == 128 + signal.SIGINT
    assert demo.leftovers() == []
    assert "Traceback" not in demo.said


@pytest.mark.needs("root", "netns", "valkey")
def test_a_terminal_that_is_closed_ends_everything(tmp_path: Path) -> None:
    """A closed window can show no message; the demo must clean up all the same."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["MARK_OF_THE_TEST"] = str(tmp_path)
        os.execv(DEMO, [DEMO, "--port", "18100", "--data-dir", str(tmp_path / "data")])
    said = b""
    while b"Open" not in said:
        assert select.select([terminal], [], [], START_S)[0], said
        said += os.read(terminal, 4096)
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 128 + signal.SIGHUP
    assert leftovers(pid, tmp_path) == []


@pytest.mark.needs("root", "netns", "valkey")
def test_acceptance_test_cleans_up_when_interrupted(
    start: Callable[..., Demo], tmp_path: Path
) -> None:
    table = tmp_path / "table.json"
    demo = start("--once", "--json", str(table))
    demo.wait_for("· lab ks")
    demo.process.terminate()
    assert demo.process.wait(END_S) == 128 + signal.SIGTERM
    assert demo.leftovers() == []
    assert '"ok": false' in table.read_text()


@pytest.mark.needs("root", "netns", "valkey")
def test_killed_demo_takes_its_processes_along_and_the_next_start_the_rest(
    start: Callable[..., Demo], tmp_path: Path
) -> None:
    demo = start("--data-dir", str(tmp_path / "data"))
    demo.wait_for("Open .*")
    demo.process.kill()
    demo.process.wait(5)
    assert wait_until(lambda: demo.processes() == [], within_s=END_S), demo.processes()

    began = time.monotonic()
    second = start("--data-dir", str(tmp_path / "data"))
    second.wait_for("Open .*")
    assert time.monotonic() - began < SECOND_START_S, "a second start is quick"
    assert "pushed" not in second.said, "the nodes still run what was pushed before"
    second.process.send_signal(signal.SIGINT)
    assert second.process.wait(END_S) == 0
    assert demo.leftovers() == []
    assert second.leftovers() == []


@pytest.fixture
def nobody() -> Iterator[list[str]]:
    """The command that runs bin/demo as nobody, from a place where nobody can read the checkout."""
    place = Path(f"/run/keepsight-test-{os.getpid()}")
    words = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
    yield launch.command([*words, f"{place}/bin/demo"], session=False, bind=f"{PROJECT}={place}")
    place.rmdir()


@pytest.mark.needs("root", "valkey")
def test_without_root_the_control_plane_runs_alone(
    start: Callable[..., Demo], nobody: list[str]
) -> None:
    with tempfile.TemporaryDirectory(prefix="keepsight-test-", dir="/var/tmp") as data:
        shutil.chown(data, "nobody", "nogroup")
        demo = start("--no-lab", "--data-dir", data, command=nobody)
        demo.wait_for("Open .*")
        assert_only_the_worker_signs(demo, Path(data))
        demo.process.send_signal(signal.SIGINT)
        assert demo.process.wait(END_S) == 0, demo.said
        # A killed worker is gone only when the kernel has ended it.
        assert wait_until(lambda: demo.processes() == [], within_s=2), demo.processes()


@pytest.mark.needs("root")
def test_without_root_the_lab_is_refused_with_a_sentence(nobody: list[str]) -> None:
    done = subprocess.run(nobody, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "the lab makes network namespaces, and that needs root; "
        "`bin/demo --no-lab` starts the control plane alone.\n"
    )


@pytest.mark.needs("root")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--json", "x.json"], "--json FILE goes with --once"),
        (["--once", "--no-lab"], "--once tests the lab, so it cannot go with --no-lab"),
        (["--node", "NodeA"], "--node NodeA: write NAME=FILE"),
        (["--node", "NodeA=/no/such"], "there is no readable file /no/such"),
        (["--node", f"NodeA={__file__}"], "--node is needed twice"),
        (["--port", "x"], "invalid int value: 'x'"),
        (["--port", "70000"], "--port 70000: a port is 1 to 65535"),
        (["--once", "--json", "/no/such/x.json"], "name a file that can be written"),
    ],
)
def test_a_mistake_on_the_command_line_is_told_in_a_sentence(
    words: list[str], sentence: str
) -> None:
    done = subprocess.run([DEMO, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
