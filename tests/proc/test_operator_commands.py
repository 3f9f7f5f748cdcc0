"""An operator's verbs on a running pair, as commands."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from hanode.wire import Event
from tests.proc.harness import CONFIG, PROJECT, Node, directory, until

pytestmark = pytest.mark.needs("root", "netns")

VIP = "192.168.192.200/24"

V3 = CONFIG.replace("advert_int 1", "version 3\n    advert_int 0.3")
"""Three adverts a second: a pair waits little, and a busy machine does not confuse it."""

PRIORITY = {"a": 150, "b": 100}


def config(name: str) -> str:
    return V3.replace("priority 255", f"priority {PRIORITY[name]}")


def hanode(node: Node, verb: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hanode", verb, *words, "--run-dir", str(node.directory / "run")],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def asked(node: Node, verb: str, *words: str) -> str:
    done = hanode(node, verb, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def last_transition(node: Node) -> Event:
    return [e for e in node.events() if e.kind == "transition"][-1]


@pytest.fixture
def pair() -> Iterator[tuple[Node, Node]]:
    """A is MASTER with priority 150, B is BACKUP with 100."""
    with directory() as one, directory() as two:
        nodes = {name: Node(path, config=config(name)) for name, path in (("a", one), ("b", two))}
        a, b = nodes["a"], nodes["b"]
        try:
            a.join(b)
            a.start()
            until(lambda: a.kernel_has(VIP))
            b.start()
            until(lambda: b.state() == "BACKUP")
            yield a, b
        finally:
            for node in nodes.values():
                node.destroy()
                print(node.log.read_text() if node.log.exists() else "")


def test_release_and_take(pair: tuple[Node, Node]) -> None:
    a, b = pair
    assert asked(a, "release") == "HA_Group: released\n"
    assert last_transition(a).cause == "operator: released"
    until(lambda: b.kernel_has(VIP), within_s=2)
    assert not a.kernel_has(VIP)
    time.sleep(1.5)  # five adverts: A would have preempted by now
    assert a.state() == "BACKUP", "what was released is not taken back"

    assert asked(a, "take", "HA_Group") == "HA_Group: taken\n"
    until(lambda: a.kernel_has(VIP), within_s=2)
    until(lambda: not b.kernel_has(VIP), within_s=2)
    assert last_transition(a).cause == "operator: taken"
    assert "higher priority 150 heard" in last_transition(b).cause


def test_take_from_a_higher_one_is_refused_in_words(pair: tuple[Node, Node]) -> None:
    _a, b = pair
    until(lambda: b.status().instances[0].master is not None)
    refused = hanode(b, "take")
    assert refused.returncode == 2
    assert "the master 192.168.192.100 has priority 150, ours is 100" in refused.stderr
    assert b.state() == "BACKUP"


def test_maintenance_hands_over_and_survives_a_restart(pair: tuple[Node, Node]) -> None:
    a, b = pair
    assert asked(a, "maintenance") == "off\n"
    assert asked(a, "maintenance", "on") == "HA_Group: in maintenance\n"
    until(lambda: b.kernel_has(VIP), within_s=2)
    assert not a.kernel_has(VIP)
    assert a.state() == "FAULT"
    assert "maintenance was on already" in asked(a, "maintenance", "on")
    a.kill_group()
    a.start()
    until(lambda: a.state() == "FAULT")
    time.sleep(1.5)  # longer than it would take to become master
    assert not a.kernel_has(VIP)
    assert re.match(r"on since \d\d:\d\d:\d\d", asked(a, "maintenance"))
    assert "in maintenance since" in asked(a, "status")
    os.kill(a.pid("vrrp"), signal.SIGKILL)
    until(lambda: [e for e in a.events() if e.data.get("phase") == "died"])
    until(lambda: a.state() == "FAULT", within_s=3)
    assert not a.kernel_has(VIP), "a vrrp process that was started anew knows it too"

    assert asked(a, "maintenance", "off") == "HA_Group: takes part again\n"
    until(lambda: a.kernel_has(VIP), within_s=3)
    told = [(e.data["phase"], e.cause) for e in a.events() if e.subject == "maintenance"]
    assert [phase for phase, _cause in told] == ["on", "off"]
    assert all("operator" in cause for _phase, cause in told)


@pytest.mark.needs("tcpdump")
def test_announce_sends_gratuitous_arp_again(pair: tuple[Node, Node]) -> None:
    a, b = pair
    dump = subprocess.Popen(
        ["ip", "netns", "exec", b.namespace, "tcpdump", "-lnni", "ens33", "arp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert dump.stderr is not None
    while "listening on" not in dump.stderr.readline():
        pass
    assert asked(a, "announce") == "HA_Group: announced\n"
    time.sleep(0.5)
    dump.terminate()
    heard = dump.communicate()[0]
    assert heard.count("who-has 192.168.192.200") >= 5, heard
    assert hanode(b, "announce", "HA_Group").returncode == 2
    assert "operator" in next(e for e in a.events() if e.subject == "addresses").cause


def test_stop_hands_over_within_the_skew_time(pair: tuple[Node, Node]) -> None:
    a, b = pair
    assert a.stop() == 0
    until(lambda: b.kernel_has(VIP), within_s=2)
    left, took = last_transition(a), last_transition(b)
    skew_us = (256 - PRIORITY["b"]) * 300_000 // 256
    late_us = took.wall_us - left.wall_us - skew_us
    # A's event is written after its priority 0 was sent; Master_Down would be 900 ms more.
    assert -100_000 < late_us < 250_000
    assert "stop" in took.cause or "priority 0" in took.cause


@pytest.mark.parametrize(
    ("verb", "words", "sentence"),
    [
        ("release", ["Nobody"], "there is no instance Nobody; there is HA_Group"),
        ("maintenance", ["perhaps"], "invalid choice: 'perhaps'"),
        ("announce", ["--loud"], "--loud"),
    ],
)
def test_bad_input_is_one_sentence(node: Node, verb: str, words: list[str], sentence: str) -> None:
    node.start()
    refused = hanode(node, verb, *words)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert sentence in refused.stderr


def test_reload_says_what_changed_and_leaves_the_rest_alone(node: Node) -> None:
    second = CONFIG.replace("HA_Group", "Other").replace("id 51", "id 52").replace(".200", ".210")
    node.file.write_text(CONFIG + second)
    node.start()
    until(lambda: [i.state for i in node.status().instances] == ["MASTER", "MASTER"])
    before = {i.name: i for i in node.status().instances}
    moves = len([e for e in node.events() if e.kind == "transition"])
    assert asked(node, "reload") == "no instance changed\n"
    node.file.write_text(CONFIG + second.replace(".210/24", ".211/24"))
    assert asked(node, "reload") == "Other changed\n"
    until(lambda: node.kernel_has("192.168.192.211/24"))
    after = {i.name: i for i in node.status().instances}
    assert after["HA_Group"].since_mono_us == before["HA_Group"].since_mono_us
    transitions = [e for e in node.events() if e.kind == "transition"]
    assert len(transitions) == moves, "and nothing since"

    node.file.write_text(CONFIG + second.replace("virtual_router_id 52", "virtual_router_id 0"))
    refused = hanode(node, "reload")
    assert refused.returncode == 2
    assert re.search(r"NodeA\.conf:\d+: .*virtual_router_id", refused.stderr)
    for instance in node.status().instances:
        old = after[instance.name]
        assert (instance.state, instance.since_us) == (old.state, old.since_us)
