"""What a killed run of the tests leaves behind does not stay: `bin/test`, and the next pytest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.leftovers import end_orphans, orphaned

WITHIN_S = 10


def until_gone(pid: int) -> None:
    end_s = time.monotonic() + WITHIN_S
    while Path(f"/proc/{pid}/status").exists() and time.monotonic() < end_s:
        if "State:\tZ" in Path(f"/proc/{pid}/status").read_text():
            return
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}").exists()


def test_namespace_of_a_living_test_is_left_alone() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for form in ("kst-{}-ab12", "kst-w{}", "ksv{}x1a", "ksv{}rtnl", "ksb{}a", "kdt-{}-a-b"):
        assert not orphaned(form.format(os.getpid())), form
        assert orphaned(form.format(ended.pid)), form
    assert not orphaned("customer-7"), "somebody else's"


@pytest.mark.needs("root", "netns")
def test_orphaned_namespace_ends_with_what_runs_in_it() -> None:
    owner = subprocess.Popen(["sleep", "0"])
    owner.wait()
    name = f"kst-{owner.pid}-left"
    subprocess.run(["ip", "netns", "add", name], check=True)
    engine = subprocess.Popen(["ip", "netns", "exec", name, "sleep", "60"])
    listed = subprocess.run
    until_s = time.monotonic() + WITHIN_S
    while (
        str(engine.pid).encode()
        not in listed(["ip", "netns", "pids", name], capture_output=True, check=True).stdout.split()
    ):
        assert time.monotonic() < until_s
    (said,) = [sentence for sentence in end_orphans() if name in sentence]
    assert "1 processes still ran" in said
    assert engine.wait(WITHIN_S) == -signal.SIGKILL
    assert not Path("/run/netns", name).exists()


@pytest.mark.needs("root", "netns")
def test_killed_run_ends_all_that_it_started(tmp_path: Path) -> None:
    """The shell's part of bin/test, with a program instead of the tests."""
    inner = tmp_path / "inner"
    inner.write_text(
        "#!/bin/bash\n"
        f'ip netns add kst-9-x; setsid sleep 60 & echo "$TMPDIR" >{tmp_path}/where; wait\n'
    )
    inner.chmod(0o755)
    run = f". {PROJECT}/bin/setup.sh; run_apart {inner}"
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    outer = subprocess.Popen(["bash", "-c", run], env=env)
    until_s = time.monotonic() + WITHIN_S
    while not (tmp_path / "where").exists() or not (tmp_path / "where").read_text():
        assert time.monotonic() < until_s
        time.sleep(0.01)
    below = descendants(outer.pid)
    assert len(below) >= 3, below
    outer.kill()
    outer.wait()
    for pid in below:
        until_gone(pid)
    assert not Path("/run/netns/kst-9-x").exists(), "its names were its own"
    again = subprocess.run(
        ["bash", "-c", f". {PROJECT}/bin/setup.sh; run_apart true"],
        env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    left = (tmp_path / "where").read_text().strip()
    assert again.stderr == f"· removing what a run that was killed has left: {left}\n"
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


def descendants(pid: int) -> list[int]:
    children = [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return [*children, *(below for child in children for below in descendants(child))]
