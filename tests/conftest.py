"""What tests need of the machine (`needs`), and what happens if it is missing.

A test declares `@pytest.mark.needs("root", "keepalived")`. If a need is missing, the test is
skipped with a sentence; with KEEPSIGHT_ALL_TESTS=1 (the whole of bin/test) it fails instead, so
that no kind of test can silently stop running. Only `shared` may always be missing, and `newer`
where bin/test has said so.
"""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop import releases
from tests.leftovers import end_orphans

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
    "newer": (
        releases.all_there,
        "needs newer keepalived; python -m tests.interop.releases makes them",
    ),
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
    {
        "root",
        "netns",
        "keepalived",
        "uml",
        "chromium",
        "postgres",
        "tcpdump",
        "strace",
        "frr",
        "newer",
    }
)
"""Needs that `bin/test --fast` treats as missing."""


def pytest_configure() -> None:
    """Handles SIGINT again: a shell that starts us in the background lets us ignore it.

    And ends what an earlier run left behind when it was killed.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for sentence in end_orphans() if os.geteuid() == 0 else ():
        print(f"· {sentence}", file=sys.stderr)


def may_be_missing() -> tuple[str, ...]:
    """In the whole run too: bin/test says so where it cannot make newer keepalived."""
    return ("shared", "newer") if os.environ.get("KEEPSIGHT_NO_NEWER") == "1" else ("shared",)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips the test, or fails it in the whole run, if the machine lacks one of its needs."""
    for marker in item.iter_markers("needs"):
        for name in marker.args:
            present, sentence = NEEDS[name]
            if os.environ.get("KEEPSIGHT_FAST") == "1" and name in FAST_LEAVES_OUT:
                pytest.skip(f"{sentence}, which the fast run leaves out")
            if present():
                continue
            if os.environ.get("KEEPSIGHT_ALL_TESTS") == "1" and name not in may_be_missing():
                pytest.fail(f"{sentence}, and this is the run in which nothing may be skipped")
            pytest.skip(sentence)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In the whole run any other skip is a failure too: otherwise nobody would notice it."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("KEEPSIGHT_ALL_TESTS") != "1" or reporter is None:
        return
    allowed = [NEEDS[name][1] for name in may_be_missing()]
    skipped = [
        report
        for report in reporter.stats.get("skipped", [])
        if not any(sentence in str(report.longrepr) for sentence in allowed)
    ]
    if skipped:
        reporter.write_line(f"\nskipped, where nothing may be: {[r.nodeid for r in skipped]}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of golden packets, real configs and the lab's two files."""
    return SHARED
