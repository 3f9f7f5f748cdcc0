"""Processes and files: what counts, and what is said of it."""

from __future__ import annotations

import pytest

from hanode.system import mail
from hanode.vrrp.engine_settings import ProcessTracker
from hanode.vrrp.tracking_and_notify import ProcessCount
from hanode.watch import files
from hanode.watch.messages import TrackerResult
from hanode.watch.processes import ProcessWatch, matches

S = 1_000_000


@pytest.mark.parametrize(
    ("tracker", "name", "argv", "counts"),
    [
        (ProcessTracker("p", "haproxy"), "haproxy", (), True),
        (ProcessTracker("p", "haproxy"), "haproxy2", (), False),
        (ProcessTracker("p", "ssh"), "sshd", (), False),
        # The kernel keeps 15 bytes.
        (ProcessTracker("p", "keepalived_checker"), "keepalived_chec", (), True),
        (ProcessTracker("p", "/bin/x", full_command=True), "x", ("/bin/x",), True),
        (ProcessTracker("p", "/bin/x", full_command=True), "x", ("x",), False),
        (ProcessTracker("p", "/bin/x", full_command=True), "x", ("/bin/x", "-a"), True),
        (ProcessTracker("p", "x", ("-a",)), "x", ("x", "-a"), True),
        (ProcessTracker("p", "x", ("-a",)), "x", ("x", "-a", "-b"), False),
        (ProcessTracker("p", "x", ("-a",), "partial"), "x", ("x", "-a", "-b"), True),
        (ProcessTracker("p", "x", ("-b",), "partial"), "x", ("x", "-a", "-b"), False),
        (ProcessTracker("p", "x", ("-a", "/etc"), "initial"), "x", ("x", "-a", "/etc/f"), True),
        (ProcessTracker("p", "x", ("-a", "/etc"), "initial"), "x", ("x", "-a"), False),
        (ProcessTracker("p", "x", ("-a", "/etc"), "initial"), "x", ("x", "-b", "/etc"), False),
        # To say that it must have none: no parameters, but param_match.
        (ProcessTracker("p", "x", (), "initial"), "x", ("x",), True),
        (ProcessTracker("p", "x", (), "initial"), "x", ("x", "-a"), False),
        (ProcessTracker("p", "x", full_command=True), "x", (), False),
    ],
)
def test_which_processes_count(
    tracker: ProcessTracker, name: str, argv: tuple[str, ...], counts: bool
) -> None:
    assert matches(tracker, name, argv) is counts


def test_quorum_and_quorum_max() -> None:
    watch = ProcessWatch(ProcessTracker("p", "x", quorum=2, quorum_max=3))
    said = [watch.counted(count, now_us=0) for count in (2, 3, 4, 3, 1)]
    assert [[e.up for e in effects if isinstance(e, TrackerResult)] for effects in said] == [
        [True], [], [False], [True], [False],
    ]  # fmt: skip
    assert watch.reported is not None
    assert watch.reported.cause == "1 process runs, wanted are at least 2 and at most 3"


def test_an_end_counts_when_it_has_lasted_and_a_new_start_forgives_it() -> None:
    watch = ProcessWatch(ProcessTracker("p", "x", terminate_delay_us=2 * S))
    watch.counted(1, now_us=0)
    assert watch.counted(0, now_us=S) == []
    assert watch.deadline_us == 3 * S
    assert watch.counted(1, now_us=2 * S) == []
    assert watch.deadline_us is None
    watch.counted(0, now_us=5 * S)
    assert watch.tick(now_us=7 * S - 1) == []
    (news,) = watch.tick(now_us=7 * S)
    assert isinstance(news, TrackerResult)
    assert not news.up


def test_a_start_waits_for_fork_delay_and_an_end_does_not() -> None:
    watch = ProcessWatch(ProcessTracker("p", "x", fork_delay_us=S))
    assert len(watch.counted(0, now_us=0)) == 1
    assert watch.counted(1, now_us=0) == []
    assert len(watch.tick(now_us=S)) == 1
    assert len(watch.counted(0, now_us=S)) == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"", 0), (b"\n", 0), (b"12", 12), (b"  -7\n", -7), (b"+3 and more", 3), (b"0x1f", 31),
        (b"-0x10", -16), (b"010", 8), (b"09", 0), (b"abc", 0), (b"2147483647", 2147483647),
        (b"2147483648", None), (b"-2147483648", -2147483648), (b"-2147483649", None),
    ],
)  # fmt: skip
def test_a_number_is_read_as_c_reads_it(text: bytes, value: int | None) -> None:
    assert files.number(text) == value


def test_a_long_number_is_read_to_the_127th_byte() -> None:
    assert files.number(b" " * 126 + b"12") == 1


@pytest.mark.parametrize(
    ("words", "address", "header"),
    [
        ("root@example.com", "root@example.com", "root@example.com"),
        ("Some One <a@b.c>", "a@b.c", "Some One <a@b.c>"),
        ("Some One a@b.c", "a@b.c", "Some One <a@b.c>"),
    ],
)
def test_recipients_as_people_write_them(words: str, address: str, header: str) -> None:
    message = mail.compose(sender="ka@x", to=(words,), subject="s\nx", text="t")
    assert message["To"] == header
    assert [one.addr_spec for one in message["To"].addresses] == [address]
    assert message["Subject"] == "s x"


def test_how_many_processes_match_and_which_delay_runs() -> None:
    """What keepalived's JSON of version 2 says of a vrrp_track_process."""
    one = ProcessWatch(
        ProcessTracker("web", "nginx", quorum=2, fork_delay_us=S, terminate_delay_us=2 * S)
    )
    assert one.now == ProcessCount("web")
    one.counted(3, now_us=0)
    assert one.now == ProcessCount("web", 3, enough=True)
    one.counted(1, now_us=S)
    assert one.now == ProcessCount("web", 1, enough=True, shrinks=True)
    one.tick(now_us=3 * S)
    assert one.now == ProcessCount("web", 1)
    one.counted(2, now_us=4 * S)
    assert one.now == ProcessCount("web", 2, grows=True)
    one.counted(1, now_us=4 * S)
    assert one.now == ProcessCount("web", 1)
