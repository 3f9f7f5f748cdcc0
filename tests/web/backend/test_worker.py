"""The worker's clock ends with it, however it ends."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import redis

from tests.web.backend.test_push import WORKER, process, wait_for

pytestmark = [pytest.mark.needs("valkey"), pytest.mark.django_db(transaction=True)]


def in_group(leader: int) -> list[int]:
    """The processes that a worker started are in its group, whoever their parent is by now."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            group = int(status.read_text().rpartition(")")[2].split()[2])
        except OSError:
            continue
        found += [int(status.parent.name)] if group == leader else []
    return found


def test_a_killed_worker_leaves_no_clock_behind(broker: redis.Redis, tmp_path: Path) -> None:
    """Celery ends its embedded beat only when all of the worker has started, and ends in order."""
    log = tmp_path / "worker.log"
    with process(log, *WORKER, own_group=True) as worker:
        wait_for(lambda: "beat: Starting" in log.read_text() and " ready." in log.read_text(), 30)
        assert len(in_group(worker.pid)) >= 3, "the worker, its pool and its beat"
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait(5)
        try:
            wait_for(lambda: not in_group(worker.pid), 5)
        finally:
            for left in in_group(worker.pid):
                os.kill(left, signal.SIGKILL)
