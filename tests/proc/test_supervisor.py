"""The supervisor alone: its border, its children, its memory. No broker is there."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hanode.system.files import stamp
from hanode.system.ipc import Client, Refused
from hanode.wire import Signed, encode
from tests.proc.harness import (
    CONFIG,
    CONFIG_201,
    CONFIG_BROKEN,
    PROJECT,
    Authority,
    Broker,
    Node,
    alive,
    until,
)

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")

pytestmark = pytest.mark.needs("root", "netns")


@pytest.fixture
def running(node: Node) -> Node:
    """Running, MASTER, and both children have taken their settings."""
    node.start()
    until(lambda: "checker runs revision 0" in node.log.read_text())
    until(lambda: node.kernel_has("192.168.192.200/24"))
    return node


def test_status_tells_what_the_kernel_has(running: Node) -> None:
    status = running.status()
    (instance,) = status.instances
    assert (instance.name, instance.state) == ("HA_Group", "MASTER")
    assert [(v.address, v.present) for v in instance.vips] == [("192.168.192.200/24", True)]
    ip = ["ip", "-n", running.namespace, "addr", "del", "192.168.192.200/24", "dev", "ens33"]
    subprocess.run(ip, check=True)
    gone = until(
        lambda: [e for e in running.events() if e.kind == "address" and not e.data["present"]]
    )
    assert gone[0].subject == "192.168.192.200/24"
    assert gone[0].data["instance"] == "HA_Group"


def test_foreign_address_is_told_too(running: Node) -> None:
    ip = ["ip", "-n", running.namespace, "addr", "add", "203.0.113.9/32", "dev", "ens33"]
    subprocess.run(ip, check=True)
    told = until(lambda: [e for e in running.events() if e.subject == "203.0.113.9/32"])
    assert told[0].data == {"interface": "ens33", "present": True, "instance": ""}
    assert any(a.address == "203.0.113.9/32" for a in running.status().addresses)


# The border


def test_signed_newer_bundle_is_applied(running: Node, authority: Authority) -> None:
    began = time.monotonic()
    answer = running.apply(authority.bundle(1, CONFIG_201))
    took_ms = (time.monotonic() - began) * 1000
    assert answer["ok"], answer
    assert answer["phase"] == "live"
    assert took_ms < 250, f"{took_ms:.0f} ms"
    assert running.kernel_has("192.168.192.201/24")
    assert running.status().revision == 1
    assert (running.directory / "state" / "live.conf").read_text() == CONFIG_201
    assert (running.directory / "state" / "confirmed.conf").read_text() == CONFIG
    assert running.phases(1) == ["received", "verified", "checked", "staged", "live"]


FOREIGN: dict[str, tuple[Callable[[Authority], Signed], str]] = {
    "unsigned": (lambda ours: Signed("bundle", ours.bundle(1, CONFIG).payload, ""), "not signed"),
    "no base64": (lambda ours: Signed("bundle", ours.bundle(1, CONFIG).payload, "?"), "signature"),
    "other key": (lambda _: Authority().bundle(1, CONFIG_201), "signature"),
    "changed": (
        lambda ours: Signed(
            "bundle",
            ours.bundle(1, CONFIG_201).payload.replace('"revision":1', '"revision":2'),
            ours.bundle(1, CONFIG_201).signature,
        ),
        "signature",
    ),
    "other node": (lambda ours: ours.bundle(1, CONFIG_201, node="node-b"), "node-b"),
    "other cluster": (lambda ours: ours.bundle(1, CONFIG_201, cluster="other"), "other"),
    "a confirmation": (lambda ours: ours.confirmation(1), "confirmation"),
    "relabelled": (
        lambda ours: Signed("bundle", ours.confirmation(1).payload, ours.confirmation(1).signature),
        "signature",
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_envelope_is_refused(firm: tuple[Node, Broker, Authority], name: str) -> None:
    node, _broker, authority = firm
    make, word = FOREIGN[name]
    before = node.ask("status")["seq"]
    answer = node.apply(make(authority))
    assert not answer["ok"]
    assert word in answer["error"]
    assert node.status().revision == 0
    assert not node.kernel_has("192.168.192.201/24")
    told = [e for e in node.events() if e.seq > before and e.kind == "config"]
    assert [e.data["phase"] for e in told] == ["refused"]


@pytest.mark.parametrize(
    ("revision", "why"), [(2, "not newer than 3"), (3, "another revision 3 is live here")]
)
def test_older_or_equal_bundle_is_refused(
    running: Node, authority: Authority, revision: int, why: str
) -> None:
    assert running.apply(authority.bundle(3, CONFIG_201))["ok"]
    answer = running.apply(authority.bundle(revision, CONFIG))
    assert not answer["ok"]
    assert why in answer["error"]
    assert running.kernel_has("192.168.192.201/24")


def test_same_bundle_again_is_no_change(running: Node, authority: Authority) -> None:
    bundle = authority.bundle(1, CONFIG_201)
    assert running.apply(bundle)["ok"]
    before = running.ask("status")["seq"]
    assert running.apply(bundle)["ok"]
    assert running.ask("status")["seq"] == before


def test_config_error_is_refused_with_its_line_and_changes_nothing(
    running: Node, authority: Authority
) -> None:
    answer = running.apply(authority.bundle(1, CONFIG_BROKEN))
    assert not answer["ok"]
    assert any(":4: " in problem for problem in answer["problems"])
    status = running.status()
    assert status.revision == 0
    assert status.instances[0].state == "MASTER"
    assert not (running.directory / "state" / "live.conf").exists()
    assert running.apply(authority.bundle(1, CONFIG_201))["ok"], "the number is still free"


def test_stranger_may_not_stop_or_reload(running: Node) -> None:
    asks = (
        "import sys; from pathlib import Path; from hanode.system.ipc import Client\n"
        f"client = Client(Path({str(running.control)!r}), timeout_s=5)\n"
        "print(client.request('status')['ok'])\n"
        "client.request(sys.argv[1])"
    )
    for verb in ("stop", "reload"):
        tried = subprocess.run(
            [*NOBODY, "/usr/bin/python3", "-c", asks, verb],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert tried.stdout == "True\n", tried.stderr
        assert "only root may ask" in tried.stderr
    assert running.answers()


def test_other_users_cannot_reach_the_socket(running: Node) -> None:
    mode = running.control.stat()
    assert oct(mode.st_mode & 0o777) == "0o660"
    assert mode.st_gid == 65534


@pytest.mark.parametrize("line", [b"no json\n", b"[]\n", b'{"verb":"fly"}\n', b'{"verb":7}\n'])
def test_nonsense_on_the_socket_is_answered(running: Node, line: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(str(running.control))
        client.sendall(line)
        with client.makefile("rb") as reader:
            answer = json.loads(reader.readline())
    assert answer["ok"] is False
    assert "unknown verb" in answer["error"]


def test_the_protocols_page_has_every_verb(running: Node) -> None:
    page = (PROJECT / "docs" / "protocol.md").read_text()
    (table,) = re.findall(r"^\| verb \| who.*?\n\n", page, re.MULTILINE | re.DOTALL)
    written = {
        verb
        for row in table.strip().splitlines()[2:]
        for verb in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    with (
        pytest.raises(Refused, match="known are") as refused,
        Client(running.control, timeout_s=5) as client,
    ):
        client.request("fly")
    assert set(str(refused.value).split("known are ")[1].split(", ")) == written


# Confirmation


def test_unconfirmed_revision_goes_back_and_says_so(running: Node, authority: Authority) -> None:
    assert running.apply(authority.bundle(1, CONFIG_201, confirm_within_s=0.3))["ok"]
    assert running.kernel_has("192.168.192.201/24")
    until(lambda: running.phases(1)[-1] == "reverted", within_s=2.0)
    assert running.status().revision == 0
    assert not running.kernel_has("192.168.192.201/24")
    assert running.kernel_has("192.168.192.200/24"), "the other address never moved"
    event = next(e for e in running.events() if e.data.get("phase") == "reverted")
    assert "0.3 s" in event.cause
    again = running.apply(authority.bundle(1, CONFIG_201))
    assert "given up" in again["error"]


def test_confirmed_revision_stays(running: Node, authority: Authority) -> None:
    running.apply(authority.bundle(1, CONFIG_201, confirm_within_s=0.4))
    assert running.confirm(authority.confirmation(1))["ok"]
    time.sleep(0.6)  # the deadline has to pass
    status = running.status()
    assert (status.revision, status.confirmed_revision) == (1, 1)
    assert (running.directory / "state" / "confirmed.conf").read_text() == CONFIG_201


def test_foreign_confirmation_is_refused(running: Node, authority: Authority) -> None:
    running.apply(authority.bundle(1, CONFIG_201, confirm_within_s=30))
    assert not running.confirm(Authority().confirmation(1))["ok"]
    assert not running.confirm(authority.confirmation(1, node="node-b"))["ok"]
    assert not running.confirm(authority.confirmation(2))["ok"]
    assert running.status().confirmed_revision == 0


def test_deadline_survives_a_restart(running: Node, authority: Authority) -> None:
    running.apply(authority.bundle(1, CONFIG_201, confirm_within_s=1.0))
    running.kill_group()
    running.start()
    assert running.status().revision == 1
    until(lambda: running.phases(1)[-1] == "reverted", within_s=3.0)
    assert running.status().revision == 0


# Children, signals, restarts


@pytest.mark.parametrize("name", ["vrrp", "checker"])
def test_killed_child_is_started_again(running: Node, name: str) -> None:
    old = running.pid(name)
    os.kill(old, signal.SIGKILL)
    until(lambda: [e for e in running.events() if e.data.get("phase") == "died"])
    until(lambda: running.pid(name) not in (0, old), within_s=2.0)
    died = next(e for e in running.events() if e.data.get("phase") == "died")
    assert died.subject == name
    assert "SIGKILL" in died.cause
    until(lambda: running.state() == "MASTER", within_s=3.0)
    assert running.kernel_has("192.168.192.200/24")


def test_dead_child_gets_the_revision_that_is_live(running: Node, authority: Authority) -> None:
    running.apply(authority.bundle(1, CONFIG_201))
    os.kill(running.pid("vrrp"), signal.SIGKILL)
    until(lambda: [e for e in running.events() if e.data.get("phase") == "died"])
    until(lambda: len(running.status().instances) == 1, within_s=3.0)
    assert len(running.status().instances[0].vips) == 2


def test_stop_takes_the_address_away_and_leaves_no_process(running: Node) -> None:
    pids = [p.pid for p in running.status().processes]
    began = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - began < 3.0
    assert not running.kernel_has("192.168.192.200/24")
    assert [pid for pid in pids if alive(pid)] == []
    assert not running.control.exists()


def test_kill_of_the_group_leaves_the_address_and_the_next_start_takes_it_over(
    running: Node,
) -> None:
    running.kill_group()
    assert running.kernel_has("192.168.192.200/24"), "as with keepalived"
    running.start()
    until(lambda: running.state() == "MASTER", within_s=3.0)
    starts = [e.cause for e in running.events() if e.subject == "engine"]
    assert ["it was killed before" in cause for cause in starts] == [False, True]
    assert running.stop() == 0
    assert not running.kernel_has("192.168.192.200/24")


def test_killed_supervisor_takes_its_children_along(running: Node) -> None:
    pids = [p.pid for p in running.status().processes]
    assert running.process is not None
    os.kill(running.process.pid, signal.SIGKILL)
    running.process.wait(5)
    until(lambda: not [pid for pid in pids if alive(pid)], within_s=3.0)
    assert not running.kernel_has("192.168.192.200/24"), "the vrrp process let go by itself"


def test_restart_runs_the_live_revision_not_the_start_file(
    running: Node, authority: Authority
) -> None:
    running.apply(authority.bundle(7, CONFIG_201))
    running.stop()
    running.start()
    assert running.status().revision == 7
    until(lambda: running.kernel_has("192.168.192.201/24"))
    assert not running.apply(authority.bundle(6, CONFIG))["ok"], "the memory of 7 is kept too"


def test_numbers_go_on_after_kill_and_restart(running: Node) -> None:
    before = running.ask("status")
    running.kill_group()
    running.start()
    after = running.ask("status")
    assert after["journal"] == before["journal"]
    seqs = [e.seq for e in running.events()]
    assert seqs == list(range(1, len(seqs) + 1))


def test_reload_takes_the_file_anew(running: Node) -> None:
    running.file.write_text(CONFIG_201)
    assert running.process is not None
    running.process.send_signal(signal.SIGHUP)
    until(lambda: running.kernel_has("192.168.192.201/24"), within_s=2.0)
    running.file.write_text(CONFIG_BROKEN)
    with pytest.raises(Refused, match=":4: "):
        running.ask("reload")
    assert running.kernel_has("192.168.192.201/24")


def test_reload_does_not_undo_a_push(running: Node, authority: Authority) -> None:
    running.apply(authority.bundle(1, CONFIG_201))
    with pytest.raises(Refused, match="push a new revision"):
        running.ask("reload")


def test_second_engine_on_the_same_directories_is_refused(running: Node) -> None:
    second = subprocess.run(
        running.command(), capture_output=True, text=True, check=False, cwd=PROJECT
    )
    assert second.returncode == 2
    assert "another engine runs here" in second.stderr
    assert running.answers()


def test_subscriber_gets_what_it_missed_and_what_comes(running: Node) -> None:
    head = running.ask("status")
    with Client(running.control, timeout_s=5) as client:
        client.request("subscribe", journal=head["journal"], after=head["seq"] - 2)
        stream = client.stream()
        assert [next(stream)["event"]["seq"] for _ in range(2)] == [head["seq"] - 1, head["seq"]]
        os.kill(running.pid("checker"), signal.SIGKILL)
        assert next(stream)["event"]["seq"] == head["seq"] + 1


def test_cursor_of_another_journal_begins_at_the_oldest(running: Node) -> None:
    with Client(running.control, timeout_s=5) as client:
        client.request("subscribe", journal="another", after=10_000)
        assert next(client.stream())["event"]["seq"] == 1


def test_enveloped_rubbish_is_refused(running: Node) -> None:
    with pytest.raises(Refused, match="no envelope"):
        running.ask("apply", envelope={"kind": 1})
    assert encode(running.status())["revision"] == 0


@pytest.fixture
def mortal(node: Node) -> Node:
    """MASTER with less than an owner's priority; a killed one has 0.8 s to come back."""
    text = CONFIG.replace("priority 255", "priority 254")
    node.file.write_text(text.replace("advert_int 1", "version 3\n    advert_int 0.4"))
    node.start()
    until(lambda: node.state() == "MASTER", within_s=6.0)
    time.sleep(0.6)  # it has left word that it was alive
    node.kill_group()
    assert node.kernel_has("192.168.192.200/24")
    return node


def test_killed_engine_that_is_back_at_once_adopts_its_address(node: Node) -> None:
    text = CONFIG.replace("priority 255", "priority 254")
    node.file.write_text(text.replace("advert_int 1", "advert_int 2"))
    node.start()
    until(lambda: node.state() == "MASTER", within_s=12.0)
    time.sleep(0.6)
    node.kill_group()
    node.start()  # within four seconds: no backup can have missed it
    until(lambda: node.state() == "MASTER", within_s=4)
    assert [e.cause for e in node.events() if e.kind == "transition"][-1].startswith("resumed")
    removed = [e for e in node.events() if e.kind == "address" and not e.data["present"]]
    assert not removed, "the address was there all the time"


def test_leftover_address_is_removed_by_a_backup_that_starts(mortal: Node) -> None:
    node = mortal
    time.sleep(0.9)  # by now a backup has taken over
    began_at = node.events()[-1].seq
    node.start()
    told = until(lambda: [e for e in node.events() if e.cause == "start"][1:], within_s=4.0)
    assert (told[0].data["from"], told[0].data["to"]) == ("INIT", "BACKUP")
    # Nobody else speaks here, so the silence of its start may make it master again at once.
    addresses = [e for e in node.events() if e.kind == "address" and e.seq > began_at]
    assert [e for e in addresses if not e.data["present"]], "but first it went away"


@pytest.mark.parametrize(
    ("since_s", "state", "cause"),
    [(10, "MASTER", "resumed: it was master a moment ago"), (20, "BACKUP", "start")],
)
def test_killed_engine_goes_on_within_two_intervals_of_ten_seconds(
    node: Node, since_s: int, state: str, cause: str
) -> None:
    """Later a backup that heard the last advert, an interval before the kill, may take over."""
    node.start()  # as the owner, which is MASTER at once
    until(lambda: node.kernel_has("192.168.192.200/24"))
    node.kill_group()
    text = CONFIG.replace("priority 255", "priority 254")
    node.file.write_text(text.replace("advert_int 1", "advert_int 10"))
    stamp(node.directory / "run" / "alive", time.monotonic_ns() // 1_000 - since_s * 1_000_000)
    node.start()
    until(lambda: node.state() == state, within_s=4.0)
    assert [e.cause for e in node.events() if e.kind == "transition"][-1] == cause
    assert node.kernel_has("192.168.192.200/24") == (state == "MASTER")


def test_no_respawn_ends_the_engine_when_a_child_dies(node: Node) -> None:
    node.start("-R")
    os.kill(node.pid("checker"), signal.SIGKILL)
    assert node.process is not None
    assert node.process.wait(5) == 1
    assert not node.kernel_has("192.168.192.200/24")


@pytest.mark.parametrize("pause_ms", [0, 20, 60, 120, 250])
def test_stop_at_any_moment_of_the_start_ends_everything(node: Node, pause_ms: int) -> None:
    node.start()
    time.sleep(pause_ms / 1000)  # the moment is what is tried
    assert node.stop() == 0
    assert not node.kernel_has("192.168.192.200/24")


# The start


def test_what_it_hears_while_it_starts_counts(node: Node) -> None:
    """The Master_Down_Timer began with the process, not with the last step of its start."""
    node.file.write_text(CONFIG.replace("priority 255", "priority 100"))
    node.start()
    until(lambda: node.state() == "MASTER")
    told = [event for event in node.events() if event.kind == "transition"]
    backup, master = (e for e in told if e.data["to"] in ("BACKUP", "MASTER"))
    assert master.cause == "no advert heard for 3.609 s"
    waited_s = (master.mono_us - backup.mono_us) / 1e6
    assert waited_s < 3.609 - 0.1, "it took a tenth of a second at least to get that far"
    vrrp = node.pid("vrrp")
    os.kill(vrrp, signal.SIGKILL)
    until(lambda: node.pid("vrrp") not in (0, vrrp))
    told_to_it = Path(f"/proc/{node.pid('vrrp')}/environ").read_text()
    assert "HANODE_PRESTART_4=" not in told_to_it, "the next one has not listened"
