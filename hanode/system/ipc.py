"""Lines of JSON between processes of one machine, over Unix sockets.

SYSTEM. The supervisor's listening socket, the user at its other end, and the client of the command
line and the agent. A peer can at most fill its own connection: lines have a limit.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import struct
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LINE_BYTES_MAX = 8_000_000
"""A bundle with the longest configuration that a node takes fits, escaped."""

READ_BYTES = 1 << 18

ENDED = "the engine ended the conversation"

UNIX_PATH_MAX = 107
"""sun_path of unix(7), without its NUL."""


class Unreachable(Exception):
    """Nobody answers at the socket; the text is a sentence for an operator."""


class Refused(Exception):
    """The supervisor answered that it refuses."""

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
    """A blocking connection to the supervisor's control socket.

    One request at a time, or, after `subscribe`, one stream of messages. The agent, which must
    not block its loop, calls it in threads; `close` wakes a thread that reads.
    """

    def __init__(self, path: Path, *, timeout_s: float) -> None:
        """Connect. Raises Unreachable."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        self._next = 0
        self._lines: deque[bytes] = deque()
        self._rest = bytearray()
        """The beginning of a line whose end has not been read yet."""
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise Unreachable(_sentence(path, error)) from None

    def request(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Ask, and wait for the answer. Raises Refused or Unreachable."""
        self._next += 1
        try:
            self._socket.sendall(pack({"id": self._next, "verb": verb, **fields}))
        except ConnectionError:
            raise Unreachable(ENDED) from None
        except OSError as error:
            raise Unreachable(f"the engine did not answer: {error}") from None
        line = self._line()
        answer = {} if line is None else unpack(line)
        if not answer:
            raise Unreachable(ENDED)
        if not answer.get("ok"):
            raise Refused(answer)
        return answer

    def stream(self) -> Iterator[dict[str, Any]]:
        """The messages that follow, until the other end closes. Raises Unreachable."""
        while (line := self._line()) is not None:
            yield unpack(line)

    def messages(self, limit: int) -> list[dict[str, Any]]:
        """What has come, at most `limit`; waits for the first. Raises Unreachable, also at the end
        of the conversation.
        """
        first = self._line()
        if first is None:
            raise Unreachable(ENDED)
        found = [first]
        while self._lines and len(found) < limit:
            found.append(self._lines.popleft())
        return [unpack(line) for line in found]

    def wait_for_ever(self) -> None:
        """From now on a silence is no fault."""
        self._socket.settimeout(None)

    def close(self) -> None:
        """End the conversation; a thread that reads from it wakes up."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _line(self) -> bytes | None:
        """The next line; None: the other end has closed. Raises Unreachable."""
        while not self._lines:
            try:
                data = self._socket.recv(READ_BYTES)
            except ConnectionError:
                return None
            except OSError as error:
                raise Unreachable(f"the engine did not answer: {error}") from None
            if not data:
                return None
            self._rest += data
            if len(self._rest) > LINE_BYTES_MAX + READ_BYTES:
                raise Unreachable("the engine sent a line without end")
            if b"\n" in data:
                *lines, rest = self._rest.split(b"\n")
                self._lines.extend(bytes(line) for line in lines)
                self._rest = rest
        return self._lines.popleft()

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
