"""A run removes what a killed run left behind, and does not touch a running one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanode.lab import netns, runs
from hanode.lab.observer import wait_until

HOLDER = """
import os, sys, time
from pathlib import Path
from hanode.lab import netns, runs
runs.base_directory = lambda: Path(sys.argv[1])
run = runs.Run()
if os.geteuid() == 0:
    netns.create(f"{run.tag}-a")
print(run.tag, flush=True)
time.sleep(600)
"""


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "runs"
    monkeypatch.setattr(runs, "base_directory", lambda: path)
    yield path
    runs.sweep()


@pytest.fixture
def holder(base: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(base)], stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.wait(5)


def tag_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_living_run_is_left_alone(base: Path, holder: subprocess.Popen[str]) -> None:
    tag = tag_of(holder)
    assert runs.sweep() == []
    assert (base / tag).is_dir()


def test_a_killed_run_is_taken_away(base: Path, holder: subprocess.Popen[str]) -> None:
    tag = tag_of(holder)
    holder.send_signal(signal.SIGKILL)
    holder.wait(5)
    assert runs.sweep() == [tag]
    assert not (base / tag).exists()
    assert netns.named(f"{tag}-") == []
    assert runs.sweep() == []


def test_a_run_that_ends_leaves_nothing(base: Path) -> None:
    run = runs.Run()
    assert run.directory.is_dir()
    run.remove()
    assert not base.exists()


@pytest.mark.needs("root", "netns")
def test_leftover_processes_are_ended(base: Path, holder: subprocess.Popen[str]) -> None:
    tag = tag_of(holder)
    sleeper = subprocess.Popen(["ip", "netns", "exec", f"{tag}-a", "sleep", "600"])
    assert wait_until(lambda: sleeper.pid in netns.pids(f"{tag}-a"), within_s=5)
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait(5)
    assert runs.sweep() == [tag]
    assert sleeper.wait(5) == -signal.SIGKILL


def test_a_data_directory_belongs_to_one_run_at_a_time(tmp_path: Path) -> None:
    lock = runs.hold(tmp_path / "data")
    with pytest.raises(runs.InUse, match="another bin/demo uses"):
        runs.hold(tmp_path / "data")
    os.close(lock)
    os.close(runs.hold(tmp_path / "data"))


def test_a_data_directory_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(runs.InUse, match="file/data: Not a directory; name another"):
        runs.hold(tmp_path / "file" / "data")
