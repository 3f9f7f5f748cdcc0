"""What a test may need of the machine, and what happens where it is missing.

A test says `@pytest.mark.needs("root", "keepalived")`. Where a need is missing, the test is
skipped with a sentence; under KEEPSIGHT_ALL_TESTS=1 (the whole of bin/test) it fails instead,
so that a kind of test can never silently stop running. `shared` alone may always be absent.
"""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
SHARED = PROJECT.parent / "shared"


def _found(*programs: str) -> bool:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return all(shutil.which(program, path=path) for program in programs)


@functools.cache
def _netns() -> bool:
    return (
        subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode == 0
    )


NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "root": (lambda: os.geteuid() == 0, "needs root"),
    "netns": (_netns, "needs the right to make network namespaces"),
    "keepalived": (lambda: _found("keepalived"), "needs Debian's keepalived"),
    "tcpdump": (lambda: _found("tcpdump"), "needs tcpdump"),
    "strace": (lambda: _found("strace"), "needs strace"),
    "frr": (lambda: Path("/usr/lib/frr/vrrpd").exists(), "needs Debian's frr"),
    "uml": (
        lambda: _found("linux.uml", "modprobe", "ipvsadm"),
        "needs Debian's user-mode-linux, kmod and ipvsadm",
    ),
    "chromium": (lambda: _found("chromium"), "needs Debian's chromium"),
    "postgres": (
        lambda: bool(list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))),
        "needs PostgreSQL",
    ),
    "valkey": (lambda: True, "needs the embedded Valkey"),
    "shared": (SHARED.is_dir, "needs the shared folder beside the project"),
}


FAST_LEAVES_OUT = frozenset(
    {"root", "netns", "keepalived", "uml", "chromium", "postgres", "tcpdump", "strace", "frr"}
)
"""What `bin/test --fast` does without, even where the machine has it."""


def pytest_configure() -> None:
    """A shell that starts us in the background has us ignore SIGINT, and all that we start too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or fail in the whole run, where something the test needs is missing."""
    for marker in item.iter_markers("needs"):
        for name in marker.args:
            present, sentence = NEEDS[name]
            if os.environ.get("KEEPSIGHT_FAST") == "1" and name in FAST_LEAVES_OUT:
                pytest.skip(f"{sentence}, which the fast run leaves out")
            if present():
                continue
            if os.environ.get("KEEPSIGHT_ALL_TESTS") == "1" and name != "shared":
                pytest.fail(f"{sentence}, and this is the run in which nothing may be skipped")
            pytest.skip(sentence)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In the whole run a skip of another kind is a failure too: it would hide for ever."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("KEEPSIGHT_ALL_TESTS") != "1" or reporter is None:
        return
    skipped = [
        r for r in reporter.stats.get("skipped", []) if NEEDS["shared"][1] not in str(r.longrepr)
    ]
    if skipped:
        reporter.write_line(f"\nskipped, where nothing may be: {[r.nodeid for r in skipped]}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of golden packets, real configs and the lab's two files."""
    return SHARED
