"""What happened, told to everybody: numbered, logged, and in systemd's one line."""

from __future__ import annotations

import asyncio
import io
import socket
from pathlib import Path

import pytest

from hanode.events import TrackerChange, Transition
from hanode.proc.supervisor.event_log import EventLog
from hanode.system.journal import Journal
from hanode.system.log import Log, Stream


def event_log(tmp_path: Path, log: io.StringIO, woken: list[int]) -> EventLog:
    journal = Journal(tmp_path, boot="b")
    return EventLog(journal, Log("supervisor", places=[Stream(log)]), lambda: woken.append(1))


def test_event_is_numbered_logged_and_wakes_who_follows(tmp_path: Path) -> None:
    log, woken = io.StringIO(), list[int]()
    told = event_log(tmp_path, log, woken)
    arithmetic = "100 - 20 (script chk) = 80"
    told.event(Transition("VI_1", "no advert heard for 3.6 s", "BACKUP", "MASTER", 80, arithmetic))
    (event,) = told.journal.after(0)
    assert (event.seq, event.cause) == (1, "no advert heard for 3.6 s")
    assert event.wall_us > event.mono_us > 0, "both clocks"
    assert woken == [1]
    assert log.getvalue().endswith(
        " supervisor info: transition VI_1 BACKUP -> MASTER: no advert heard for 3.6 s"
        " (priority 100 - 20 (script chk) = 80)\n"
    )


def test_a_failed_script_is_a_warning_in_the_log_and_its_recovery_is_not(tmp_path: Path) -> None:
    log = io.StringIO()
    told = event_log(tmp_path, log, [])
    told.event(TrackerChange("script chk", "failed 3 times: exit code 1", "script", False))
    told.event(TrackerChange("script chk", "succeeded 2 times", "script", True))
    failed, recovered = log.getvalue().splitlines()
    assert failed.endswith(" warning: tracker script chk failed 3 times: exit code 1")
    assert recovered.endswith(" info: tracker script chk succeeded 2 times")


def test_status_line_counts_states(tmp_path: Path) -> None:
    told = event_log(tmp_path, io.StringIO(), [])
    for name, states in (("A", "BACKUP MASTER"), ("B", "BACKUP"), ("C", "BACKUP FAULT BACKUP")):
        for state in states.split():
            told.event(Transition(name, "x", "INIT", state))
        if name == "A":
            assert told.line() == "A MASTER"
    assert told.line() == "1 MASTER, 2 BACKUP"


def test_systemd_hears_of_many_transitions_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))

        async def tell() -> None:
            told = event_log(tmp_path, io.StringIO(), [])
            for number in range(500):
                told.event(Transition(f"VI_{number}", "x", "INIT", "BACKUP"))
            await asyncio.sleep(0.3)

        asyncio.run(tell())
        assert systemd.recv(4096) == b"STATUS=500 BACKUP"
        with pytest.raises(BlockingIOError):
            systemd.recv(4096)
