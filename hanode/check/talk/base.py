"""What every conversation with a real server has in common.

PURE. A conversation gets what happened on its connection and answers with bytes to send, or
with its verdict. It owns no socket and no clock: whoever runs it connects, counts the time and
says `timed_out`. After a verdict nothing more is asked of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hanode.check.settings import endpoint

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
"""Words for what the kernel says about a connection that did not come about, by errno name."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a check ended."""

    success: bool
    cause: str
    """Why, in words that name the real server."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a conversation wants next: bytes to send, more to hear, or, with a verdict, to end."""

    send: bytes = b""
    verdict: Verdict | None = None


class Talk(Protocol):
    """One check's conversation."""

    def connected(self) -> Reply:
        """The connection stands."""

    def received(self, data: bytes) -> Reply:
        """Bytes came; b"": the other side has ended its half."""

    def failed(self, reason: str) -> Verdict:
        """The connection broke, or never came about; `reason` is an errno name."""

    def timed_out(self) -> Verdict:
        """connect_timeout is over."""


def connection_failure(reason: str, ip: str, port: int) -> str:
    """One clause for a connection that failed."""
    words = CONNECTION_FAILURES.get(reason, f"connecting to {{where}} failed: {reason}")
    return words.format(where=endpoint(ip, port))


def no_answer(ip: str, port: int, timeout_us: int) -> str:
    """One clause for a real server that kept silent."""
    return f"no answer from {endpoint(ip, port)} within {seconds(timeout_us)}"


def seconds(duration_us: int) -> str:
    """`3 s`, `0.25 s`."""
    return f"{duration_us / 1_000_000:.6f}".rstrip("0").rstrip(".") + " s"
