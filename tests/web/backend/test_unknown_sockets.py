"""A WebSocket's path that does not exist is an answer, not a traceback in the log."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
ASK = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The real server, its port and its log."""
    home = tmp_path_factory.mktemp("web")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("KEEPSIGHT_")}
    environment = {**kept, "KEEPSIGHT_DATA_DIR": str(home), "KEEPSIGHT_HTTPS": "0"}
    migrate = [sys.executable, "manage.py", "migrate", "-v0"]
    subprocess.run(migrate, env=environment, cwd=PROJECT, check=True)
    log = home / "web.log"
    words = ["-m", "uvicorn", "webapp.asgi:application", "--port", str(port)]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, *words], env=environment, cwd=PROJECT, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + 30
        while "Uvicorn running" not in log.read_text():
            assert time.monotonic() < deadline
            assert server.poll() is None, log.read_text()
            time.sleep(0.05)
        yield port, log
    finally:
        server.terminate()
        server.wait(10)


@pytest.mark.parametrize("path", ["/ws/nothing", "/", "/ws/c/x", "/ws/c/x/y/", "/ws/c/%2e%2e/"])
def test_an_unknown_path_is_refused(web: tuple[int, Path], path: str) -> None:
    port, log = web
    with socket.create_connection(("127.0.0.1", port), 10) as line:
        line.sendall(ASK.format(path=path).encode())
        answer = line.recv(4096).decode()
    assert answer.startswith("HTTP/1.1 403 "), answer
    assert "Traceback" not in log.read_text()
    assert "ERROR" not in log.read_text()


def test_a_cluster_still_asks_who_is_there(web: tuple[int, Path]) -> None:
    port, _ = web
    with socket.create_connection(("127.0.0.1", port), 10) as line:
        line.sendall(ASK.format(path="/ws/c/office-pair/").encode())
        assert line.recv(4096).startswith(b"HTTP/1.1 101 "), "it is closed with 4401 after that"
