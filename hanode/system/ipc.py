"""Lines of JSON between processes of one machine, over Unix sockets.

SYSTEM. The supervisor's listening socket, who is at the other end of it, and a small blocking
client for the command line and the agent. Who connects can at most fill its own connection:
lines have a limit.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LINE_BYTES_MAX = 8_000_000
"""A bundle with the longest configuration that a node takes, escaped, fits."""

UNIX_PATH_MAX = 107
"""sun_path of unix(7), without its NUL."""


class Unreachable(Exception):
    """Nobody answers at the socket; the text is a sentence for people."""


class Refused(Exception):
    """The supervisor answered, and says no."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(str(answer.get("error", "the engine refused")))
        self.answer = answer


def pack(message: dict[str, Any]) -> bytes:
    """One line."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def unpack(line: bytes) -> dict[str, Any]:
    """The message of one line; {} where it is none."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def listen(path: Path, *, group: int | None) -> socket.socket:
    """A listening socket that its owner and `group` can reach. Raises OSError or Unreachable.

    The lock of the run directory is held by then, so a socket file found there is a leftover.
    """
    if len(os.fsencode(path)) > UNIX_PATH_MAX:
        raise Unreachable(
            f"the path {path} is longer than {UNIX_PATH_MAX} bytes, which no socket can have; "
            "choose a shorter --run-dir"
        )
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    if group is not None:
        os.chown(path, -1, group)
        path.chmod(0o660)
    listener.listen(16)
    return listener


def peer_uid(connection: socket.socket) -> int:
    """The user at the other end, as the kernel knows it."""
    size = struct.calcsize("3i")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    uid: int = struct.unpack("3i", credentials)[1]
    return uid


class Client:
    """A blocking connection to the supervisor's control socket."""

    def __init__(self, path: Path, *, timeout_s: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        self._next = 0
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise Unreachable(_sentence(path, error)) from None
        self._reader = self._socket.makefile("rb")

    def request(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Ask, and wait for the answer. Raises Refused or Unreachable."""
        self._next += 1
        try:
            self._socket.sendall(pack({"id": self._next, "verb": verb, **fields}))
            answer = unpack(self._reader.readline(LINE_BYTES_MAX))
        except ConnectionError:
            answer = {}
        except OSError as error:
            raise Unreachable(f"the engine did not answer: {error}") from None
        if not answer:
            raise Unreachable("the engine ended the conversation")
        if not answer.get("ok"):
            raise Refused(answer)
        return answer

    def stream(self) -> Iterator[dict[str, Any]]:
        """The messages that follow, until the other end closes. Raises Unreachable."""
        while True:
            try:
                line = self._reader.readline(LINE_BYTES_MAX)
            except OSError as error:
                raise Unreachable(f"the engine did not answer: {error}") from None
            if not line:
                return
            yield unpack(line)

    def wait_for_ever(self) -> None:
        """From now on a silence is no fault."""
        self._socket.settimeout(None)

    def close(self) -> None:
        """End the conversation; a thread that reads from it wakes up."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _sentence(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ECONNREFUSED):
        return f"no engine runs here: nobody answers at {path}; start one with `hanode run`"
    if error.errno == errno.EACCES:
        return f"{path} belongs to another user; ask as root"
    return f"{path} cannot be reached: {error.strerror or error}"
