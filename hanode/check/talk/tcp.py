"""TCP_CHECK: the check succeeds once the real server accepts the connection.

PURE. It sends nothing and waits for nothing, as in keepalived's check_tcp.c.
"""

from __future__ import annotations

from hanode.check.checker_settings import TcpCheckSettings, endpoint
from hanode.check.talk.base import Reply, Verdict, connection_failure, no_answer


class TcpTalk:
    """The conversation of a TCP_CHECK."""

    __slots__ = ("_settings",)

    def __init__(self, settings: TcpCheckSettings) -> None:
        self._settings = settings

    def connected(self) -> Reply:
        where = endpoint(self._settings.ip, self._settings.port)
        return Reply(verdict=Verdict(True, f"{where} accepts connections"))

    def received(self, data: bytes) -> Reply:
        raise AssertionError("a TCP check is over once it is connected")

    def failed(self, reason: str) -> Verdict:
        return Verdict(False, connection_failure(reason, self._settings.ip, self._settings.port))

    def timed_out(self) -> Verdict:
        settings = self._settings
        return Verdict(False, no_answer(settings.ip, settings.port, settings.connect_timeout_us))
