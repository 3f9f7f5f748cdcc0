"""What all conversations with real servers have in common: Talk, Reply and Verdict.

PURE. A conversation receives the events of its connection and answers with bytes to send or with
its verdict. It owns no socket and no clock: its user connects, measures the time and calls
`timed_out`. After a verdict nothing more is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hanode.check.checker_settings import endpoint

CONNECTION_FAILURES = {
    "ECONNREFUSED": "connection refused by {where}",
    "ECONNRESET": "connection reset by {where}",
    "ETIMEDOUT": "no answer from {where}",
    "EHOSTUNREACH": "no way to reach {where}: its host does not answer",
    "EHOSTDOWN": "no way to reach {where}: its host is down",
    "ENETUNREACH": "no way to reach {where}: there is no route to its network",
    "ENETDOWN": "no way to reach {where}: the network is down",
    "EACCES": "connecting to {where} is forbidden by this host's rules",
    "EPERM": "connecting to {where} is forbidden by this host's rules",
}
"""By errno name: words for a connection that could not be established."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a check."""

    success: bool
    cause: str
    """The reason, in words that name the real server."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The next step: bytes to send, a verdict that ends the check, or neither to wait."""

    send: bytes = b""
    verdict: Verdict | None = None


class Talk(Protocol):
    """One check's conversation."""

    def connected(self) -> Reply:
        """The connection is established."""

    def received(self, data: bytes) -> Reply:
        """Bytes were received; b"": the real server has closed its half of the connection."""

    def failed(self, reason: str) -> Verdict:
        """The connection broke or could not be established; `reason` is an errno name."""

    def timed_out(self) -> Verdict:
        """connect_timeout has passed."""


def connection_failure(reason: str, ip: str, port: int) -> str:
    """One clause for a connection that failed."""
    words = CONNECTION_FAILURES.get(reason, f"connecting to {{where}} failed: {reason}")
    return words.format(where=endpoint(ip, port))


def no_answer(ip: str, port: int, timeout_us: int) -> str:
    """One clause for a real server that did not answer in time."""
    return f"no answer from {endpoint(ip, port)} within {seconds(timeout_us)}"


def seconds(duration_us: int) -> str:
    """`3 s`, `0.25 s`."""
    return f"{duration_us / 1_000_000:.6f}".rstrip("0").rstrip(".") + " s"
