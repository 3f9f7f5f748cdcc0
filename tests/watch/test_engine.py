"""Trackers and notifications through the whole engine: supervisor, watch and vrrp process."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from tests.proc.harness import Node, directory, until
from tests.watch.harness import script

pytestmark = pytest.mark.needs("root", "netns")


def instance(name: str, vrid: int, more: str = "", priority: int = 100) -> str:
    return f"""\
vrrp_instance {name} {{
    state BACKUP
    interface ens33
    virtual_router_id {vrid}
    priority {priority}
    virtual_ipaddress {{
        192.168.192.{150 + vrid}/24
    }}
{more}
}}
"""


@pytest.fixture
def node() -> Iterator[Node]:
    with directory() as path:
        path.chmod(0o755)
        made = Node(path, config="")
        try:
            yield made
        finally:
            made.destroy()
            if made.log.exists():
                print(made.log.read_text())


def cable(node: Node, state: str) -> None:
    words = ["ip", "-n", node.namespace, "link", "set", "switch", state]
    subprocess.run(words, check=True)


def priority(node: Node) -> int:
    """Of the only instance; 0 while its process does not answer."""
    return next((one.effective_priority for one in node.status().instances), 0)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def phases(told: list[str]) -> list[list[str]]:
    """Lines with equal words for the state, in any order among themselves: members of a group
    change at one moment, and scripts run side by side."""
    return [sorted(group) for _, group in groupby(told, key=lambda line: line.split()[2])]


def test_fifo_and_notify_of_a_sync_group_are_what_keepalived_2_2_7_tells(node: Node) -> None:
    """The story of a link that goes down and comes back, recorded from keepalived itself."""
    fifo, said = node.directory / "fifo", node.directory / "said"
    notify = script(node.directory / "n.sh", f'echo "$#" "$@" >> {said}')
    node.file.write_text(
        "global_defs {\n enable_script_security\n script_user root\n"
        f" vrrp_notify_fifo {fifo}\n}}\n"
        f"vrrp_sync_group G1 {{\n group {{\n VI_1\n VI_2\n }}\n notify {notify}\n}}\n"
        + instance("VI_1", 51, f"notify {notify}\nnotify_master \"{notify} one 'two three' four\"")
        + instance("VI_2", 52, f"notify {notify}")
    )
    got = node.directory / "got"
    os.mkfifo(fifo)
    with subprocess.Popen(["cat", fifo], stdout=got.open("w")) as reader:
        node.start()
        until(lambda: 'GROUP "G1" MASTER 0' in lines(got))
        cable(node, "down")
        until(lambda: 'GROUP "G1" FAULT 0' in lines(got))
        cable(node, "up")
        until(lambda: lines(got).count('GROUP "G1" MASTER 0') == 2)
        node.stop()
        reader.wait(5)
    both = ("BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER", "STOP")
    assert phases(lines(got)) == [
        [f'GROUP "G1" {s} 0', f'INSTANCE "VI_1" {s} 100', f'INSTANCE "VI_2" {s} 100'] for s in both
    ]
    # keepalived tells of the group first when it starts, and last ever after.
    groups = [index for index, line in enumerate(lines(got)) if line.startswith("GROUP")]
    assert groups == [0, 5, 8, 11, 14, 17]
    every = sorted(lines(said))
    assert every == sorted(
        [f"4 INSTANCE VI_{n} {s} 100" for n in (1, 2) for s in both]
        + [f"4 GROUP G1 {s} 0" for s in both]
        + ["3 one two three four"] * 2
    )


def test_a_failing_script_is_a_fault_with_its_reason_and_another_lowers_the_priority(
    node: Node,
) -> None:
    hard, soft = node.directory / "hard", node.directory / "soft"
    for path in (hard, soft):
        path.write_text("0")
        path.chmod(0o644)
    chk = script(node.directory / "chk", "exit $(cat $1)")
    scripts = "".join(
        f'vrrp_script {name} {{\n script "{chk} {path}"\n interval 1\n {more}\n}}\n'
        for name, path, more in (("hard", hard, ""), ("soft", soft, "weight -30"))
    )
    node.file.write_text(
        "global_defs {\n script_user nobody\n}\n"
        + scripts
        + instance("VI", 51, "track_script {\n hard\n soft\n}")
    )
    node.start()
    until(lambda: node.state() == "MASTER")
    soft.write_text("1")
    until(lambda: priority(node) == 70)
    hard.write_text("2")
    until(lambda: node.state() == "FAULT")
    assert "script hard failed: exit code 2" in node.status().instances[0].cause
    hard.write_text("0")
    until(lambda: node.state() == "MASTER")
    causes = [(e.subject, e.cause) for e in node.events() if e.kind == "tracker"]
    assert ("script soft", "failed: exit code 1") in causes
    assert ("script hard", "failed: exit code 2") in causes


def test_a_tracked_process_and_a_tracked_file(node: Node) -> None:
    weight = node.directory / "weight"
    name = f"kst{os.getpid()}"
    node.file.write_text(
        f"track_file w {{\n file {weight}\n weight 1\n init_file 7\n}}\n"
        f'vrrp_track_process p {{\n process "{name}"\n full_command\n weight 20\n}}\n'
        + instance("VI", 51, "track_file {\n w\n}\ntrack_process {\n p\n}")
    )
    tracked = subprocess.Popen(["bash", "-c", f"exec -a {name} sleep 60"])
    try:
        node.start()
        until(lambda: priority(node) == 127)
        tracked.kill()
        tracked.wait()
        until(lambda: priority(node) == 107)
        weight.write_text("-50\n")
        until(lambda: priority(node) == 50)
    finally:
        tracked.kill()
        tracked.wait()


def test_killed_children_find_each_other_again(node: Node) -> None:
    """The vrrp process hears anew of what is known, and the watch process goes on telling."""
    weight = node.directory / "weight"
    weight.write_text("-10")
    node.file.write_text(
        f"track_file w {{\n file {weight}\n weight 1\n}}\n"
        + instance("VI", 51, "track_file {\n w\n}")
    )
    node.start()
    until(lambda: node.state() == "MASTER")
    for name, number in (("vrrp", -20), ("watch", -30), ("vrrp", -40)):
        os.kill(node.pid(name), signal.SIGKILL)
        weight.write_text(str(number))
        wanted = 100 + number
        until(lambda wanted=wanted: priority(node) == wanted)


def test_how_soon_a_transition_s_script_runs_and_a_file_counts(node: Node) -> None:
    """Not a measurement: a bound that only a wait for a disk or a poll would break."""
    weight = node.directory / "weight"
    node.file.write_text(
        f"track_file w {{\n file {weight}\n weight 1\n init_file 0\n}}\n"
        + instance("VI", 51, "track_file {\n w\n}")
    )
    node.start()
    until(lambda: node.state() == "MASTER")
    for number in (1, 2, 3):
        written_us = time.monotonic_ns() // 1000
        weight.write_text(str(number))
        until(lambda number=number: priority(node) == 100 + number)
        (told,) = [
            e.mono_us for e in node.events()
            if e.kind == "priority" and e.data["priority"] == 100 + number
        ]  # fmt: skip
        assert told - written_us < 100_000


def test_a_reload_that_removes_and_brings_instances_runs_the_scripts_of_both(node: Node) -> None:
    said = node.directory / "said"
    notify = script(node.directory / "n.sh", f'echo "$@" >> {said}')
    head = "global_defs {\n script_user root\n}\n"
    old = f'notify "{notify} any"\nnotify_deleted "{notify} deleted"'
    node.file.write_text(
        head + instance("VI_1", 51, f"notify {notify}") + instance("VI_2", 52, old)
    )
    node.start()
    until(lambda: "INSTANCE VI_1 MASTER 100" in lines(said))
    until(lambda: "any INSTANCE VI_2 MASTER 100" in lines(said))
    node.file.write_text(
        head + instance("VI_1", 51, f"notify {notify}") + instance("VI_3", 53, f"notify {notify}")
    )
    assert node.ask("reload")["ok"]
    until(lambda: "INSTANCE VI_3 BACKUP 100" in lines(said))
    until(lambda: "any INSTANCE VI_2 DELETED 100" in lines(said))
    until(lambda: "deleted" in lines(said))
    assert [line for line in lines(said) if " VI_1 " in line] == [
        "INSTANCE VI_1 BACKUP 100", "INSTANCE VI_1 MASTER 100",
    ]  # fmt: skip
