"""The processes that read foreign text: each user's own, bounded, replaced, never left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.web.backend import foreign_work as work
from webapp.common import workers
from webapp.common.workers import Busy, TooMuch

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def own_pool() -> Iterator[None]:
    """No process of another test, and none left behind."""
    workers.pool().clear()
    yield
    workers.pool().clear()


def ask(owner: int, function: Any, *args: Any) -> Any:
    """Do the work for this user, as in a request of theirs."""
    token = workers.request.set(SimpleNamespace(user=SimpleNamespace(pk=owner)))  # type: ignore[arg-type]
    try:
        return workers.run(function, *args)
    finally:
        workers.request.reset(token)


def test_the_answer_comes_from_another_process_with_less_than_ours() -> None:
    facts = ask(1, work.facts)
    assert facts["pid"] not in (os.getpid(), os.getppid())
    assert facts["memory"] == 1_000_000_000
    assert facts["nice"] > os.nice(0)
    assert not facts["sockets"]
    assert facts["oom"] == 900


def test_one_process_for_each_user_which_remembers() -> None:
    first = ask(1, work.facts)["pid"]
    assert ask(1, work.facts)["pid"] == first
    assert ask(2, work.facts)["pid"] != first
    ask(1, work.remember, "a word")
    assert ask(1, work.remembered) == ["a word"]
    assert ask(2, work.remembered) == []


def test_what_it_raises_is_raised_here_with_where_it_was() -> None:
    with pytest.raises(KeyError) as caught:
        ask(1, work.fail, "gone")
    assert "foreign_work.py" in "".join(caught.value.__notes__)
    with pytest.raises(RuntimeError, match="Unsendable"):
        ask(1, work.fail_unsendably)
    assert ask(1, work.remembered) == []  # the same process goes on


def test_what_takes_too_long_is_ended_and_the_next_request_works(settings: Any) -> None:
    settings.WORKER_SECONDS = 0.3
    pid = ask(1, work.facts)["pid"]
    began = time.monotonic()
    with pytest.raises(TooMuch, match="too long"):
        ask(1, work.spin)
    assert time.monotonic() - began < 5
    gone(pid)
    settings.WORKER_SECONDS = 20
    assert ask(1, work.facts)["pid"] != pid


def test_what_takes_too_much_memory_is_ended() -> None:
    with pytest.raises(TooMuch, match="memory"):
        ask(1, work.eat)
    with pytest.raises(TooMuch, match="memory"):
        ask(1, work.nest)
    assert ask(1, work.remembered) == []


def test_an_answer_without_measure_is_not_taken() -> None:
    with pytest.raises(TooMuch, match="too large"):
        ask(1, work.long_answer, workers.ANSWER_BYTES_MAX)


@pytest.mark.parametrize("at", ["idle", "at work"])
def test_a_process_that_somebody_kills_is_replaced(at: str) -> None:
    pid = ask(1, work.facts)["pid"]
    if at == "idle":
        os.kill(pid, signal.SIGKILL)
        gone(pid)
    else:
        threading.Timer(0.3, os.kill, (pid, signal.SIGKILL)).start()
        with pytest.raises(TooMuch, match="ended from outside"):
            ask(1, work.spin)
    assert ask(1, work.facts)["pid"] != pid


def test_a_user_who_is_served_is_told_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PATIENCE_S", 0.2)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ask, 1, work.sleep, 1.5)
        time.sleep(0.3)
        with pytest.raises(Busy, match="Your last request is still"):
            ask(1, work.facts)
        assert ask(2, work.facts)  # nobody else waits
        assert slow.result() is None


def test_no_more_than_a_few_requests_of_a_user_wait() -> None:
    ask(1, work.facts)
    with ThreadPoolExecutor(12) as pool:
        futures = [pool.submit(ask, 1, work.sleep, 0.3) for _ in range(12)]
        errors = [type(f.exception()) for f in futures]
    assert errors.count(Busy) >= 12 - workers.WAITING_MAX - 1
    assert errors.count(type(None)) >= 1


def test_where_all_are_taken_the_idle_go_first_and_then_the_longest(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WORKERS_MAX = 2
    idle = ask(1, work.facts)["pid"]
    ask(2, work.facts)
    ask(3, work.facts)
    gone(idle)
    monkeypatch.setattr(workers, "FAIR_S", 0.5)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, 2, work.sleep, 15)
        time.sleep(0.2)
        second = pool.submit(ask, 3, work.sleep, 3)
        began = time.monotonic()
        assert ask(4, work.facts)
        assert time.monotonic() - began < 5
        with pytest.raises(TooMuch, match="while others waited"):
            first.result()
        assert second.result() is None


def test_a_web_process_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    """Not even a process at work: it ends itself."""
    program = (
        "import json, os, threading\n"
        "import django; django.setup()\n"
        "from webapp.common import workers\n"
        "from tests.web.backend import foreign_work as work\n"
        "workers.SLACK_S = 0\n"
        "print(json.dumps([workers.run(work.facts)['pid'], workers.run(work.facts)['parent']]))\n"
        "threading.Thread(target=workers.run, args=(work.spin,), daemon=True).start()\n"
        "import time; time.sleep(0.5); os.kill(os.getpid(), 9)\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROJECT),
        "DJANGO_SETTINGS_MODULE": "webapp.settings",
        "KEEPSIGHT_DATA_DIR": str(tmp_path),
        "KEEPSIGHT_READ_SECONDS": "1",
    }
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60
    )
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    for pid in json.loads(ran.stdout):
        gone(pid)


def test_a_forked_process_has_processes_of_its_own(tmp_path: Path) -> None:
    """As of servers that fork: the parent's are not used, and the parent's go on."""
    program = (
        "import json, os\n"
        "import django; django.setup()\n"
        "from webapp.common import workers\n"
        "from tests.web.backend import foreign_work as work\n"
        "first = workers.run(work.facts)['pid']\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(0 if workers.run(work.facts)['pid'] != first else 1)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "assert workers.run(work.facts)['pid'] == first\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROJECT),
        "DJANGO_SETTINGS_MODULE": "webapp.settings",
        "KEEPSIGHT_DATA_DIR": str(tmp_path),
    }
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60
    )
    assert ran.returncode == 0, ran.stderr


def gone(pid: int) -> None:
    """Wait until there is no such process."""
    until = time.monotonic() + 15
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return
        if state == "Z":
            return
        time.sleep(0.05)
    raise AssertionError(f"{pid} is still there")
