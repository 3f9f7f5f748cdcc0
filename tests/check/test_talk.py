"""The TCP check's conversation, and the words of its verdicts."""

from __future__ import annotations

import pytest

from hanode.check.checker_settings import TcpCheckSettings
from hanode.check.talk.base import Reply, Verdict, seconds
from hanode.check.talk.tcp import TcpTalk

TALK = TcpTalk(TcpCheckSettings("192.168.192.112", 8080, connect_timeout_us=250_000))


def test_an_accepted_connection_is_the_whole_answer() -> None:
    reply = TALK.connected()
    words = "192.168.192.112:8080 accepts connections"
    assert reply == Reply(b"", Verdict(True, words))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("ECONNREFUSED", "connection refused by 192.168.192.112:8080"),
        ("ENETUNREACH", "no way to reach 192.168.192.112:8080: there is no route to its network"),
        ("EOWNERDEAD", "connecting to 192.168.192.112:8080 failed: EOWNERDEAD"),
    ],
)
def test_a_failure_names_the_server_and_the_reason(reason: str, words: str) -> None:
    verdict = TALK.failed(reason)
    assert (verdict.success, verdict.cause) == (False, words)


def test_silence_says_how_long_it_was_waited_for() -> None:
    words = "no answer from 192.168.192.112:8080 within 0.25 s"
    assert TALK.timed_out() == Verdict(False, words)


def test_bytes_are_nothing_that_a_tcp_check_waits_for() -> None:
    with pytest.raises(AssertionError, match=r"^a TCP check is over once it is connected$"):
        TALK.received(b"")


@pytest.mark.parametrize(
    ("us", "words"), [(3_000_000, "3 s"), (1, "0.000001 s"), (10_000_000, "10 s")]
)
def test_seconds(us: int, words: str) -> None:
    assert seconds(us) == words
