"""OutageLog: when an outage begins, how long it is, and what is no outage."""

from __future__ import annotations

from hanode.lab.outages import Outage, OutageLog

MS = 1000


def log_after(
    answered: list[bool], *, interval_us: int = 20 * MS
) -> tuple[OutageLog, list[Outage]]:
    """A log that sent one echo in each interval; the answers came 1 ms later."""
    log, told = OutageLog(timeout_us=150 * MS), []
    for seq, answer in enumerate(answered):
        now_us = seq * interval_us
        told += log.passed(now_us=now_us)
        log.sending(seq, now_us=now_us)
        if answer:
            told += log.answered(seq, now_us=now_us + MS)
    return log, told


def answering_log() -> OutageLog:
    """A log whose target has answered before."""
    log = OutageLog(timeout_us=150 * MS)
    log.sending(0, now_us=-20 * MS)
    log.answered(0, now_us=-19 * MS)
    return log


def test_answered_echoes_are_no_outage() -> None:
    log, told = log_after([True] * 50)
    assert told == []
    assert (log.sent, log.lost, log.rtt_us, log.up) == (50, 0, MS, True)


def test_outage_lasts_from_first_lost_to_first_answered() -> None:
    log, told = log_after([True] * 5 + [False] * 30 + [True] * 5)
    begun, ended = told
    assert begun == Outage(5 * 20 * MS, None, lost=1, sent=1)
    assert ended == Outage(5 * 20 * MS, 35 * 20 * MS + MS, lost=30, sent=30)
    assert log.up
    assert log.lost == 30


def test_outage_is_told_as_soon_as_the_timeout_is_over() -> None:
    log = answering_log()
    log.sending(1, now_us=0)
    assert log.passed(now_us=150 * MS) == []
    assert log.passed(now_us=150 * MS + 1) == [Outage(0, None, lost=1, sent=1)]
    assert not log.up


def test_short_gap_is_told_when_a_later_echo_is_answered() -> None:
    _, told = log_after([True, True, False, False, True, True])
    assert told[-1] == Outage(40 * MS, 81 * MS, lost=2, sent=2)


def test_late_answer_is_a_lost_echo() -> None:
    log = answering_log()
    log.sending(1, now_us=0)
    log.sending(2, now_us=20 * MS)
    told = log.answered(1, now_us=160 * MS)
    assert told == [Outage(0, None, lost=1, sent=1)]
    assert log.answered(2, now_us=161 * MS) == [Outage(0, 161 * MS, lost=1, sent=1)]


def test_answer_held_back_on_the_way_does_not_shorten_an_outage() -> None:
    """Echoes wait for the new holder's ARP answer: sent early, answered when it arrives."""
    log, told = log_after([True] * 5 + [False] * 30)
    log.sending(100, now_us=700 * MS)
    told += log.answered(100, now_us=820 * MS)
    assert told[-1] == Outage(100 * MS, 820 * MS, lost=30, sent=30)


def test_silence_before_the_first_answer_is_no_outage() -> None:
    log, told = log_after([False] * 30 + [True])
    assert told == []
    assert log.up
    assert log.lost == 30


def test_answer_to_an_echo_never_sent_changes_nothing() -> None:
    log = OutageLog(timeout_us=150 * MS)
    assert log.answered(7, now_us=5) == []
    assert log.rtt_us is None


def test_sequence_numbers_may_begin_again() -> None:
    log = OutageLog(timeout_us=150 * MS)
    for at, seq in enumerate([65534, 65535, 0, 1]):
        log.sending(seq, now_us=at * 20 * MS)
        assert log.answered(seq, now_us=at * 20 * MS + MS) == []
    assert log.lost == 0
