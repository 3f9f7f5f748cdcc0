"""`hanode status` and `hanode events`: what an operator sees, once and again and again."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

import pytest

from hanode.cli.show import Paint, ago, describe, event_line
from hanode.wire import Event, InstanceStatus, NodeStatus, TrackerStatus, VipStatus
from tests.proc.harness import CONFIG, CONFIG_BROKEN, PROJECT, Node, until

S = 1_000_000


def status(**more: object) -> NodeStatus:
    instance = InstanceStatus(
        *("HA_Group", 51, "ens33", "BACKUP", 90 * S, "start", 100, 80),
        vips=(VipStatus("192.0.2.10/24", "ens33", True),),
        since_mono_us=10 * S,
        arithmetic="100 - 20 (script chk) = 80",
        group="G1",
    )
    plain = {
        "node": "", "name": "NodeA", "wall_us": 1_000 * S, "mono_us": 75 * S, "revision": 0,
        "confirmed_revision": 0, "config_sha256": "", "started_us": 940 * S,
        "instances": (instance,),
    }  # fmt: skip
    return NodeStatus(**{**plain, **more})  # type: ignore[arg-type]


def shown(state: NodeStatus, *history: Event, colours: bool = False) -> str:
    return "\n".join(describe(state, history, paint=Paint(colours)))


def test_age_is_told_by_the_monotonic_clock() -> None:
    text = shown(status())
    assert "HA_Group  BACKUP  for 1 min 5 s: start" in text
    assert "VRID 51, sync group G1, priority 100 - 20 (script chk) = 80" in text


def test_address_where_it_should_not_be_is_red() -> None:
    text = shown(status(), colours=True)
    assert "\033[31m●" in text, "BACKUP, and the kernel has it"
    assert "\033" not in shown(status())


def test_history_has_cause_sum_and_both_clocks() -> None:
    data = {"from": "BACKUP", "to": "MASTER", "priority": 80, "arithmetic": "100 - 20 = 80"}
    moves = [Event("transition", "HA_Group", f"cause {n}", n * S, 4 * S, data) for n in range(9)]
    foreign = Event("transition", "Other", "cause", 9 * S, 9 * S, data)
    text = shown(status(), *moves, foreign)
    assert [f"cause {n}" in text for n in range(9)] == [False] * 6 + [True] * 3
    assert re.search(
        r"\d\d:\d\d:08\.000  \(4\.000000 s\)  BACKUP → MASTER  priority 100 - 20 = 80  cause 8",
        text,
    )
    assert "Other" not in text


def test_trackers_maintenance_and_problems_are_said_in_words() -> None:
    trackers = (
        TrackerStatus("script", "chk", False, cause="failed 3 times: exit code 1"),
        TrackerStatus("file", "load", True, 17),
        TrackerStatus("process", "nginx", None),
    )
    text = shown(status(trackers=trackers, maintenance_us=S, problems=("the disk is full",)))
    assert "○ failed  script chk: failed 3 times: exit code 1" in text
    assert "● ok  file load 17" in text
    assert "? not known yet  process nginx" in text
    assert "in maintenance since" in text
    assert "! the disk is full" in text


def test_event_line_has_the_sum() -> None:
    data = {"state": "MASTER", "priority": 80, "arithmetic": "100 - 20 (script chk) = 80"}
    line = event_line(Event("priority", "HA_Group", "script chk failed", S, S, data), Paint(False))
    assert line.endswith("HA_Group: script chk failed (priority 100 - 20 (script chk) = 80)")


@pytest.mark.parametrize(
    ("span_us", "words"),
    [
        (-5, "0.0 s"), (9_900_000, "9.9 s"), (59 * S, "59 s"), (61 * S, "1 min 1 s"),
        (7_261 * S, "2 h 1 min"), (49 * 3600 * S, "2 days"),
    ],
)  # fmt: skip
def test_ages(span_us: int, words: str) -> None:
    assert ago(span_us) == words


def command(node: Node, *words: str) -> list[str]:
    return [sys.executable, "-m", "hanode", *words, "--run-dir", str(node.directory / "run")]


@pytest.mark.needs("root", "netns")
def test_watch_goes_on_while_the_engine_comes_and_goes(node: Node) -> None:
    node.start()
    until(lambda: node.state() == "MASTER")
    watch = subprocess.Popen(
        command(node, "status", "--watch", "--json"), stdout=subprocess.PIPE, text=True, cwd=PROJECT
    )
    assert watch.stdout is not None
    first = json.loads(watch.stdout.readline())
    assert first["instances"][0]["state"] == "MASTER"
    before = [t["data"]["to"] for t in first["transitions"]]
    assert before[-1] == "MASTER"
    node.stop()
    while "error" not in (line := json.loads(watch.stdout.readline())):
        pass
    assert "no engine runs here" in line["error"] or "ended the conversation" in line["error"]
    node.start()
    while not (line := json.loads(watch.stdout.readline())).get("instances"):
        pass
    moves = [t["data"]["to"] for t in line["transitions"]]
    assert moves[: len(before) + 1] == [*before, "INIT"], "the run before is remembered"
    watch.send_signal(signal.SIGINT)
    assert watch.wait(5) == 130


@pytest.mark.needs("root", "netns")
def test_watch_leaves_the_terminal_as_it_was(node: Node) -> None:
    node.start()
    ours, theirs = pty.openpty()
    watch = subprocess.Popen(
        command(node, "status", "-w"), stdout=theirs, stdin=theirs, stderr=theirs, cwd=PROJECT
    )
    os.close(theirs)
    seen = b""
    while b"HA_Group" not in seen:
        seen += os.read(ours, 4096)
    assert seen.startswith(b"\033[?1049h")
    watch.send_signal(signal.SIGINT)
    while b"\033[?1049l" not in seen:
        seen += os.read(ours, 4096)
    assert watch.wait(5) == 130
    os.close(ours)


@pytest.mark.needs("root", "netns")
def test_events_follow_and_the_last_ones(node: Node) -> None:
    node.start()
    until(lambda: node.state() == "MASTER")
    last = subprocess.run(
        command(node, "events", "-n", "1"), capture_output=True, text=True, check=True, cwd=PROJECT
    )
    assert last.stdout.count("\n") == 1
    bad = subprocess.run(
        command(node, "events", "-n", "many"), capture_output=True, text=True, cwd=PROJECT,
        check=False,
    )  # fmt: skip
    assert bad.returncode == 2
    assert "'many' is no number of events" in bad.stderr
    follow = subprocess.Popen(
        command(node, "events", "-f", "-n", "0"), stdout=subprocess.PIPE, text=True, cwd=PROJECT
    )
    assert follow.stdout is not None
    time.sleep(1)  # it has to be there before the event
    node.file.write_text(CONFIG_BROKEN)
    assert node.process is not None
    node.process.send_signal(signal.SIGHUP)
    while "config" not in (line := follow.stdout.readline()):
        assert line, "it follows until it is ended"
    assert re.search(r"config +revision 0 refused: .*NodeA\.conf:4: ", line)
    follow.terminate()
    follow.wait(5)
    assert node.state() == "MASTER", "a bad file changes nothing"


@pytest.mark.needs("root", "netns")
def test_failing_script_is_in_the_sum_and_in_the_events(node: Node) -> None:
    flag = node.directory / "good"
    flag.touch()
    script = (
        f'vrrp_script chk {{\n script "/usr/bin/test -e {flag}"\n interval 1\n weight -20\n}}\n'
    )
    tracked = CONFIG.replace("priority 255", "priority 200\n    track_script {\n chk\n }")
    head = "global_defs {\n script_user root\n enable_script_security\n}\n"
    node.file.write_text(
        head + script + tracked.replace("advert_int 1", "version 3\n advert_int 0.2")
    )
    node.start()
    until(lambda: node.state() == "MASTER")
    flag.unlink()
    until(lambda: node.status().instances[0].effective_priority == 180, within_s=5)
    assert node.status().instances[0].arithmetic == "200 - 20 (script chk) = 180"
    (changed,) = [e for e in node.events() if e.kind == "priority"]
    assert "script chk failed" in changed.cause
    shown = subprocess.run(
        command(node, "status"), capture_output=True, text=True, check=True, cwd=PROJECT
    )
    assert "priority 200 - 20 (script chk) = 180" in shown.stdout
    assert "○ failed  script chk" in shown.stdout
