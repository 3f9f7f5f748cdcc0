"""Probes on real sockets of the loopback interface."""

from __future__ import annotations

import contextlib
import errno
import resource
import select
import socket
import time
from collections.abc import Iterator

import pytest

from hanode.check.events import Connected, Event, Failed, Received, Unable
from hanode.system.probes import EpollProbes, failure

PATIENCE_S = 10


@pytest.fixture
def probes() -> Iterator[EpollProbes]:
    made = EpollProbes()
    yield made
    made.close()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(PATIENCE_S)
        yield made


def _hear(probes: EpollProbes, count: int = 1) -> list[Event]:
    """The next `count` events, waiting for them on the descriptor that the driver would watch."""
    heard: list[Event] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(heard) < count and time.monotonic() < deadline:
        select.select([probes], [], [], 0.5)
        heard += probes.poll()
    return heard


def test_an_open_port_connects(probes: EpollProbes, listener: socket.socket) -> None:
    assert probes.connect(1, "127.0.0.1", listener.getsockname()[1]) is None
    assert _hear(probes) == [Connected(1)]
    assert len(probes) == 1, "open until it is hung up"
    probes.hang_up(1)
    probes.hang_up(1)
    assert len(probes) == 0


def test_a_closed_port_is_refused(probes: EpollProbes, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()
    event = probes.connect(1, "127.0.0.1", port)
    assert (event or _hear(probes)[0]) == Failed(1, "ECONNREFUSED")
    assert len(probes) == 0


def test_nothing_is_heard_of_one_that_was_hung_up(
    probes: EpollProbes, listener: socket.socket
) -> None:
    port = listener.getsockname()[1]
    probes.connect(1, "127.0.0.1", port)
    probes.hang_up(1)
    probes.connect(2, "127.0.0.1", port)
    assert _hear(probes) == [Connected(2)]


def test_bytes_go_both_ways_and_the_end_is_heard(
    probes: EpollProbes, listener: socket.socket
) -> None:
    probes.connect(1, "127.0.0.1", listener.getsockname()[1])
    server, _ = listener.accept()
    with server:
        server.settimeout(PATIENCE_S)
        assert _hear(probes) == [Connected(1)]
        assert probes.send(1, b"HELO me\r\n") is None
        assert server.recv(100) == b"HELO me\r\n"
        server.sendall(b"250 you\r\n")
        assert _hear(probes) == [Received(1, b"250 you\r\n")]
    assert _hear(probes) == [Received(1, b"")]


def test_more_than_the_socket_takes_follows_by_itself(
    probes: EpollProbes, listener: socket.socket
) -> None:
    probes.connect(1, "127.0.0.1", listener.getsockname()[1])
    server, _ = listener.accept()
    _hear(probes)
    probes.send(1, b"x" * 20_000_000)
    taken = 0
    with server:
        server.settimeout(PATIENCE_S)
        while taken < 20_000_000:
            taken += len(server.recv(1 << 20))
            probes.poll()
    assert taken == 20_000_000


def test_a_flood_is_taken_in_turns_without_losing_a_byte(
    probes: EpollProbes, listener: socket.socket
) -> None:
    """Edge-triggered sockets report once: data that one call leaves must be read by a later one."""
    probes.connect(1, "127.0.0.1", listener.getsockname()[1])
    server, _ = listener.accept()
    _hear(probes)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_000_000)
    server.settimeout(PATIENCE_S)
    size, got = 2_000_000, 0
    sent = 0
    server.setblocking(False)
    deadline = time.monotonic() + PATIENCE_S
    while got < size and time.monotonic() < deadline:
        if sent < size:
            with contextlib.suppress(BlockingIOError):
                sent += server.send(b"y" * (size - sent))
        for event in probes.poll():
            assert isinstance(event, Received)
            got += len(event.data)
    server.close()
    assert got == size


def test_a_reset_in_the_middle_is_a_failure(probes: EpollProbes, listener: socket.socket) -> None:
    probes.connect(1, "127.0.0.1", listener.getsockname()[1])
    server, _ = listener.accept()
    _hear(probes)
    # With linger zero, close sends a reset.
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    server.close()
    assert _hear(probes) == [Failed(1, "ECONNRESET")]
    assert len(probes) == 0


@pytest.mark.parametrize("code", [errno.EADDRNOTAVAIL, errno.ENOBUFS])
def test_what_this_host_lacks_is_our_own_trouble(code: int) -> None:
    """A lack of local ports must not take every real server down."""
    assert failure(1, code) == Unable(1, errno.errorcode[code])


def test_no_descriptors_is_our_own_trouble(probes: EpollProbes) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        event = probes.connect(1, "127.0.0.1", 9)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert event == Unable(1, "EMFILE")
