"""The real watch process: real scripts, processes, files, FIFOs and mail."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanode.vrrp.engine_settings import (
    Command,
    FifoSettings,
    FileTracker,
    NotifySettings,
    ProcessTracker,
    ScriptTracker,
    SmtpSettings,
)
from hanode.watch.watch_settings import Target, WatchSettings
from tests.watch.harness import running, script
from tests.watch.mailbox import Mailbox

FAST_US = 50_000


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A directory that every user can write to; pytest's own are root's alone."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o777)
        yield path


def test_a_script_is_run_again_and_again_and_told_once_for_each_change(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.write_text("0")
    path = script(tmp_path / "chk", f'echo "$#" "$1" "$2" >> {tmp_path}/ran; exit $(cat {code})')
    chk = ScriptTracker(
        "chk",
        Command((path, "a b", "c")),
        interval_us=FAST_US,
        timeout_us=5_000_000,
        fall=3,
        rise=2,
    )
    with running() as watch:
        watch.configure(WatchSettings(scripts=(chk,)))
        watch.until(lambda: watch.told("chk"), "the first result")
        assert watch.told("chk") == [(True, 0, "succeeded")]
        code.write_text("7")
        watch.until(lambda: len(watch.told("chk")) > 1, "the failure")
        assert watch.told("chk")[1] == (False, 0, "failed 3 times: exit code 7")
        code.write_text("0")
        watch.until(lambda: len(watch.told("chk")) > 2, "the success")
        assert watch.told("chk")[2] == (True, 0, "succeeded 2 times")
        assert (tmp_path / "ran").read_text().splitlines()[0] == "2 a b c"
        events = [m["event"] for m in watch.said if m["kind"] == "event"]
        assert [e["cause"] for e in events if e["subject"] == "script chk"][1] == (
            "failed 3 times: exit code 7"
        )


def test_a_run_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    path = script(
        tmp_path / "chk", f"trap '' TERM\nsleep 60 & echo $$ $! > {tmp_path}/pids\nwait; wait; wait"
    )
    chk = ScriptTracker("chk", Command((path,)), interval_us=200_000, timeout_us=100_000)
    with running() as watch:
        watch.configure(WatchSettings(scripts=(chk,)))
        began_s = time.monotonic()
        watch.until(lambda: watch.told("chk"), "the timeout")
        assert watch.told("chk") == [(False, 0, "failed: timed out after 0.1 s")]
        assert 0.1 < time.monotonic() - began_s < 5
        pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
        watch.until(lambda: not Path(f"/proc/{pids[1]}").exists() or pids[1] in _zombies(), "end")


def _zombies() -> set[int]:
    found = subprocess.run(["ps", "-eo", "pid=,stat="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in found.stdout.splitlines()]
    return {int(row[0]) for row in rows if row[1].startswith("Z")}


def test_a_script_that_is_missing_counts_as_if_it_were_not_tracked(tmp_path: Path) -> None:
    missing = ScriptTracker("chk", Command((str(tmp_path / "missing"),)))
    bonus = ScriptTracker("bonus", Command((str(tmp_path / "missing"),)))
    with running() as watch:
        watch.configure(WatchSettings(scripts=(missing, bonus), harmless_down=("bonus",)))
        watch.until(lambda: watch.told("bonus"), "word of it")
        why = f"not run: {tmp_path}/missing: no such file or directory"
        assert watch.told("chk")[0] == (True, 0, why)
        assert watch.told("bonus")[0] == (False, 0, why)
        assert len(watch.warnings()) == 2


@pytest.mark.needs("root")
def test_scripts_run_as_their_user_in_keepalived_s_surroundings(open_path: Path) -> None:
    path = script(
        open_path / "who",
        f'echo "$(id -u):$(id -g):$(id -G) $(umask) $FOO$LD_PRELOAD $*" > {open_path}/said.new'
        f" && mv {open_path}/said.new {open_path}/said",
    )
    notify = NotifySettings(any=Command((path, "one", "two three")))
    settings = WatchSettings(targets=(Target("INSTANCE", "VI", notify),), script_user="daemon")
    environment = {"PATH": "/usr/bin:/bin", "FOO": "bar", "LD_PRELOAD": "x.so"}
    with running(environment) as watch:
        watch.configure(settings)
        watch.notice("INSTANCE", "VI", "MASTER", 100)
        said = open_path / "said"
        watch.until(said.exists, "the script")
        assert said.read_text() == "1:1:1 0177 bar one two three INSTANCE VI MASTER 100\n"


@pytest.mark.needs("root")
def test_script_security_keeps_root_from_running_what_others_can_change(tmp_path: Path) -> None:
    path = script(tmp_path / "chk", "exit 0")
    Path(path).chmod(0o777)
    chk = ScriptTracker("chk", Command((path,), user="root"))
    with running() as watch:
        watch.configure(WatchSettings(scripts=(chk,), script_security=True))
        watch.until(lambda: watch.told("chk"), "word of it")
        assert "enable_script_security" in watch.warnings()[0]
        watch.configure(WatchSettings(scripts=(chk,)))
        watch.until(lambda: watch.told("chk")[-1][2] == "succeeded", "its run")


def test_notices_come_out_of_the_fifo_in_order_with_and_without_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    settings = WatchSettings(fifos=(FifoSettings(str(path)),))
    with running() as watch:
        watch.configure(settings)
        count = 6_000  # more than a pipe holds
        for number in range(count):
            watch.notice("INSTANCE", "VI_1", "MASTER", number % 255)
        time.sleep(0.2)
        with path.open("rb") as reader:
            lines = [reader.readline() for _ in range(count)]
        assert lines == [b'INSTANCE "VI_1" MASTER %d\n' % (n % 255) for n in range(count)]
        watch.stop()
        assert not path.exists()


def test_a_fifo_s_script_gets_its_path_and_its_lines(tmp_path: Path) -> None:
    reader = script(tmp_path / "reader", f'echo "$*" > {tmp_path}/got; cat "$2" >> {tmp_path}/got')
    fifo = FifoSettings(str(tmp_path / "fifo"), script=Command((reader, "x")))
    with running() as watch:
        watch.configure(WatchSettings(fifos=(fifo,)))
        watch.notice("GROUP", "G1", "BACKUP", 0)
        watch.until(lambda: "GROUP" in _text(tmp_path / "got"), "the line")
        assert _text(tmp_path / "got") == f'x {tmp_path}/fifo\nGROUP "G1" BACKUP 0\n'


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_a_file_s_number_is_told_when_its_writer_is_done(tmp_path: Path) -> None:
    path = tmp_path / "weight"
    with running() as watch:
        watch.configure(WatchSettings(files=(FileTracker("w", str(path), init_value=5),)))
        assert path.read_text() == "5\n"
        watch.until(lambda: watch.told("w"), "the first number")
        path.write_text("-7 dwarfs\n")
        watch.until(lambda: watch.told("w")[-1][:2] == (True, -7), "the new number")
        (tmp_path / "new").write_text("0x10")
        (tmp_path / "new").rename(path)
        watch.until(lambda: watch.told("w")[-1][:2] == (True, 16), "the replaced file")
        path.unlink()
        watch.until(lambda: watch.told("w")[-1][:2] == (True, 0), "the missing file")
        numbers = [value for _, value, _ in watch.told("w")]
        assert [n for n, before in zip(numbers, [None, *numbers], strict=False) if n != before] == [
            5, -7, 16, 0,
        ]  # fmt: skip


def test_a_file_in_a_directory_that_comes_later(tmp_path: Path) -> None:
    path = tmp_path / "later" / "weight"
    with running() as watch:
        watch.configure(WatchSettings(files=(FileTracker("w", str(path)),)))
        watch.until(lambda: watch.told("w"), "word of it")
        path.parent.mkdir()
        path.write_text("3")
        watch.until(lambda: watch.told("w")[-1][1] == 3, "the number")
        path.write_text("4")
        watch.until(lambda: watch.told("w")[-1][1] == 4, "the number after")


def test_a_process_s_end_is_told_at_once_and_its_start_within_a_second() -> None:
    marker = f"{time.monotonic_ns()}"
    sleeper = ["bash", "-c", f"exec -a watched-{marker} sleep 61"]
    tracker = ProcessTracker("p", f"watched-{marker}", full_command=True)
    with running() as watch:
        watch.configure(WatchSettings(processes=(tracker,)))
        watch.until(lambda: watch.told("p"), "the first count")
        assert watch.told("p")[-1] == (False, 0, "0 processes run, wanted are at least 1")
        process = subprocess.Popen(sleeper)
        watch.until(lambda: watch.told("p")[-1][0], "the start")
        ended_s = time.monotonic()
        process.send_signal(signal.SIGKILL)
        watch.until(lambda: not watch.told("p")[-1][0], "the end")
        assert watch.arrived_s[-1] - ended_s < 0.2
        process.wait()


def test_mail_is_sent_as_keepalived_words_it() -> None:
    with Mailbox() as box, running() as watch:
        smtp = SmtpSettings(
            to=("root@example.com", "Some One <two@example.com>"),
            sender="ka@example.com",
            server="127.0.0.1",
            port=box.port,
            helo="here",
        )
        target = Target("INSTANCE", "VI_1", NotifySettings(smtp_alert=True))
        watch.configure(WatchSettings(targets=(target,), smtp=smtp, router_id="RX"))
        watch.notice("INSTANCE", "VI_1", "MASTER", 100)
        watch.until(lambda: box.letters, "the message")
        message = box.letters[0]
        assert message.commands == [
            "helo here",
            "mail FROM:<ka@example.com>",
            "rcpt TO:<root@example.com>",
            "rcpt TO:<two@example.com>",
            "data",
        ]
        assert "Subject: [RX] VRRP Instance VI_1 - Entering MASTER state" in message.lines
        assert "X-Mailer: Keepalived" in message.lines
        assert "=> VRRP Instance is now owning VRRP VIPs <=" in message.lines


def test_a_mail_server_that_does_not_answer_is_told_and_stops_nothing(tmp_path: Path) -> None:
    smtp = SmtpSettings(to=("a@b.c",), server="127.0.0.1", port=1, connect_timeout_us=500_000)
    target = Target("GROUP", "G", NotifySettings(smtp_alert=True))
    fifo = FifoSettings(str(tmp_path / "fifo"))
    with running() as watch:
        watch.configure(WatchSettings(targets=(target,), smtp=smtp, fifos=(fifo,)))
        watch.notice("GROUP", "G", "FAULT", 0)
        watch.until(watch.warnings, "the warning")
        assert "could not be sent through 127.0.0.1:1" in watch.warnings()[0]


def test_a_vrrp_process_that_begins_is_told_all_that_is_known(tmp_path: Path) -> None:
    path = script(tmp_path / "chk", "exit 3")
    chk = ScriptTracker("chk", Command((path,)), interval_us=60_000_000)
    with running() as watch:
        watch.configure(WatchSettings(scripts=(chk,)))
        watch.until(lambda: watch.told("chk"), "the result")
        watch.link.send(b'{"kind":"trackers"}')
        watch.until(lambda: len(watch.told("chk")) == 2, "the result once more")
        assert watch.told("chk") == [(False, 0, "failed: exit code 3")] * 2


def test_at_the_end_it_takes_the_last_notices_and_waits_for_their_scripts(tmp_path: Path) -> None:
    path = script(tmp_path / "stop", f"sleep 0.3; echo $3 >> {tmp_path}/said")
    notify = NotifySettings(any=Command((path,)))
    settings = WatchSettings(targets=(Target("INSTANCE", "VI", notify),))
    with running() as watch:
        watch.configure(settings)
        os.kill(watch.process.pid, signal.SIGSTOP)
        watch.notice("INSTANCE", "VI", "STOP", 100)
        watch.tell({"verb": "stop"})
        os.kill(watch.process.pid, signal.SIGCONT)
        assert watch.process.wait(5) == 0
        assert (tmp_path / "said").read_text() == "STOP\n"


def test_at_the_end_it_does_not_wait_for_ever(tmp_path: Path) -> None:
    path = script(tmp_path / "stop", "sleep 5")
    settings = WatchSettings(
        targets=(Target("INSTANCE", "VI", NotifySettings(any=Command((path,)))),)
    )
    with running() as watch:
        watch.configure(settings)
        watch.notice("INSTANCE", "VI", "STOP", 100)
        time.sleep(0.1)
        assert 0.8 < watch.stop() < 2


def test_settings_that_cannot_be_read_are_refused_and_the_old_ones_stay(tmp_path: Path) -> None:
    path = script(tmp_path / "chk", "exit 0")
    chk = ScriptTracker("chk", Command((path,)), interval_us=FAST_US, timeout_us=5_000_000)
    with running() as watch:
        watch.configure(WatchSettings(scripts=(chk,)))
        watch.tell({"verb": "configure", "revision": 9, "settings": {"scripts": 7}})
        answers = [
            watch.until(lambda: next((m for m in watch.said if m.get("revision") == 9), None), "no")
        ]
        assert "cannot use this" in answers[0]["error"]
        watch.until(lambda: watch.told("chk"), "the first result")
        Path(path).write_text("#!/bin/sh\nexit 1\n")
        watch.until(lambda: not watch.told("chk")[-1][0], "the script still runs")


@pytest.mark.needs("root", "netns")
def test_scripts_are_in_the_file_s_network_namespace(tmp_path: Path) -> None:
    name = f"kst-w{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        path = script(tmp_path / "where", f"readlink /proc/self/ns/net > {tmp_path}/said")
        chk = ScriptTracker("chk", Command((path,)))
        with running() as watch:
            watch.configure(WatchSettings(scripts=(chk,), net_namespace=name))
            watch.until(lambda: watch.told("chk"), "the result")
        inode = os.stat(f"/run/netns/{name}").st_ino
        assert _text(tmp_path / "said") == f"net:[{inode}]\n"
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def test_a_great_failover_s_scripts_do_not_hold_up_its_lines(tmp_path: Path) -> None:
    """A thousand instances: all lines are in the FIFO before the scripts have been started."""
    count = 1_000
    path = script(tmp_path / "n", f"echo $2 >> {tmp_path}/said; sleep 1")
    notify = NotifySettings(any=Command((path,)))
    names = [f"VI_{number}" for number in range(count)]
    settings = WatchSettings(
        targets=tuple(Target("INSTANCE", name, notify) for name in names),
        fifos=(FifoSettings(str(tmp_path / "fifo")),),
    )
    with running() as watch:
        watch.configure(settings)
        with (tmp_path / "fifo").open("rb") as reader:
            for name in names:
                watch.notice("INSTANCE", name, "MASTER", 100)
            lines = [reader.readline() for _ in names]
        assert lines == [b'INSTANCE "%s" MASTER 100\n' % name.encode() for name in names]
        early = len(_text(tmp_path / "said").split())
        watch.until(lambda: len(_text(tmp_path / "said").split()) == count, "all", within_s=60)
        assert early < count / 2


def test_a_fifo_s_script_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """Else the next one would start a second reader, and each would get half of the lines."""
    reader = script(tmp_path / "reader", f'echo $$ > {tmp_path}/pid; exec cat "$1" > /dev/null')
    fifo = FifoSettings(str(tmp_path / "fifo"), script=Command((reader,)))
    with running() as watch:
        watch.configure(WatchSettings(fifos=(fifo,)))
        watch.until(lambda: _text(tmp_path / "pid").strip(), "the reader")
        pid = int(_text(tmp_path / "pid"))
        watch.process.kill()
        watch.process.wait()
        end_s = time.monotonic() + 5
        while Path(f"/proc/{pid}").exists() and pid not in _zombies():
            assert time.monotonic() < end_s, "the reader lives on"
            time.sleep(0.02)


def test_without_inotify_a_file_is_looked_at_every_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the user has used up fs.inotify.max_user_instances."""
    path = tmp_path / "weight"
    path.write_text("1")
    spoilt = tmp_path / "sitecustomize.py"
    spoilt.write_text(
        "import hanode.system.inotify as i\n"
        "real = i.FileWatch.__init__\n"
        f"def none(self):\n    real(self)\n    self._fd = -1\n    open('{tmp_path}/done', 'w')\n"
        "i.FileWatch.__init__ = none\n"
    )
    monkeypatch.setenv("KST_PYTHONPATH", str(tmp_path))
    with running() as watch:
        watch.configure(WatchSettings(files=(FileTracker("w", str(path)),)))
        watch.until(lambda: watch.told("w"), "the first number")
        path.write_text("2")
        watch.until(lambda: watch.told("w")[-1][1] == 2, "the second number")
    assert (tmp_path / "done").exists()
