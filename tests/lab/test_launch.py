"""A launched program cannot outlive the program that launched it."""

from __future__ import annotations

import pwd
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hanode.lab import launch
from hanode.lab.observer import wait_until

PARENT = """
import subprocess, sys, time
from hanode.lab import launch
child = subprocess.Popen(launch.command(["sleep", "600"], death_signal=sys.argv[1]))
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("death_signal", ["TERM", "KILL"])
def test_child_dies_with_its_parent(death_signal: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, death_signal], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert wait_until(lambda: _is_sleep(pid), within_s=5)
    parent.send_signal(signal.SIGKILL)
    parent.wait(5)
    assert wait_until(lambda: not _is_sleep(pid), within_s=5)


def test_program_keeps_its_process_id_and_leads_a_session() -> None:
    shown = "import os; print(os.getpid(), os.getsid(0))"
    process = subprocess.Popen(
        launch.command([sys.executable, "-c", shown]), stdout=subprocess.PIPE, text=True
    )
    out, _ = process.communicate(timeout=10)
    assert out.split() == [str(process.pid), str(process.pid)]


@pytest.mark.needs("root")
def test_bind_shows_a_closed_directory_to_another_user(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "inside").mkdir(parents=True)
    (closed / "inside" / "file").write_text("seen")
    closed.chmod(0o700)
    shown = Path("/run", f"keepsight-test-{tmp_path.name}")
    reader = ["setpriv", "--reuid", "nobody", "--clear-groups", "cat"]
    try:
        done = subprocess.run(
            launch.command([*reader, f"{shown}/file"], bind=f"{closed / 'inside'}={shown}"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == "seen", done.stderr
        assert list(shown.iterdir()) == []
    finally:
        shown.rmdir()


def test_missing_program_is_told_in_a_sentence() -> None:
    done = subprocess.run(
        launch.command(["no-such-program"]), capture_output=True, text=True, check=False
    )
    assert done.returncode == 127
    assert done.stderr == "no-such-program: No such file or directory\n"


def _is_sleep(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"sleep\0")
    except OSError:
        return False


LOOK = """
import ctypes, os, sys
hidden, worker = sys.argv[1:3]
libc = ctypes.CDLL(None)
print(os.listdir(hidden), libc.umount2(hidden.encode(), 2) == 0, os.getuid())
try:
    print(os.listdir(f"/proc/{worker}/root{hidden}"))
except OSError:
    print("not by another process's eyes")
"""


@pytest.mark.needs("netns")
@pytest.mark.parametrize("user", ["root", "nobody"])
def test_a_hidden_directory_is_empty_and_stays_so(user: str, tmp_path: Path) -> None:
    """For the program alone; it is the same user as one that sees the directory."""
    home = Path("/run", f"keepsight-test-{tmp_path.name}-{user}")
    (home / "signing").mkdir(parents=True)
    (home / "signing" / "signing.pem").write_text("secret")
    became = [] if user == "root" else ["setpriv", f"--reuid={user}", "--clear-groups"]
    worker = subprocess.Popen([*became, "sleep", "600"])
    try:
        if became:
            subprocess.run(["chown", "-R", user, str(home)], check=True)
        words = [sys.executable, "-c", LOOK, str(home / "signing"), str(worker.pid)]
        done = subprocess.run(
            [*became, *launch.command(words, hide=str(home / "signing"))],
            capture_output=True,
            text=True,
            check=False,
        )
        uid = 0 if user == "root" else pwd.getpwnam(user).pw_uid
        assert done.stdout.splitlines() == [
            f"[] False {uid}",
            "not by another process's eyes",
        ], done.stderr
        assert (home / "signing" / "signing.pem").read_text() == "secret"
    finally:
        worker.kill()
        worker.wait()
        shutil.rmtree(home)


def test_a_program_with_a_hidden_directory_dies_with_its_parent(tmp_path: Path) -> None:
    code = PARENT.replace("death_signal=", f"hide={str(tmp_path)!r}, death_signal=")
    parent = subprocess.Popen(
        [sys.executable, "-c", code, "TERM"], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert wait_until(lambda: _is_sleep(pid), within_s=5)
    parent.send_signal(signal.SIGKILL)
    parent.wait(5)
    assert wait_until(lambda: not _is_sleep(pid), within_s=5)
