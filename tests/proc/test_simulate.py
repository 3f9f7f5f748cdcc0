"""`hanode simulate`: the same machines in virtual time, and sentences for what it cannot read."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.proc.harness import CONFIG, CONFIG_BROKEN, PROJECT

PAIR = """\
vrrp_script chk_http {
    script "/usr/bin/true"
    interval 1
    weight -20
}
vrrp_instance HA_Group {
    interface ens33
    virtual_router_id 51
    @NodeA priority 100
    @NodeB priority 90
    track_script {
        chk_http
    }
    virtual_ipaddress {
        192.168.192.200/24
    }
}
"""


def simulate(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hanode", "simulate", *words],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def document(tmp_path: Path) -> str:
    file = tmp_path / "pair.conf"
    file.write_text(PAIR)
    return str(file)


def told(*words: str) -> dict[str, Any]:
    done = simulate("--json", *words)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_kill_is_told_with_its_cause_and_its_gap(document: str) -> None:
    story = told(document, "--fault", "kill NodeA at 10s", "--fault", "start NodeA at 20s")
    (group,) = story["instances"]
    assert group["states"] == {"NodeA": "MASTER", "NodeB": "BACKUP"}
    start, gap = group["no_master_s"]
    assert start == [0, pytest.approx(3.609375)]
    # RFC 3768 section 6.1: three intervals and the skew of priority 90, after the last advert.
    assert gap[0] == 10
    assert 2.6 < gap[1] - gap[0] <= 3.649
    texts = [line["text"] for line in story["transcript"]]
    assert "fault: kill NodeA" in texts
    assert any("no advert from" in text and "for 3.648 s" in text for text in texts)


def test_graceful_stop_costs_the_skew_time_only(document: str) -> None:
    (group,) = told(document, "--fault", "stop NodeA at 10s")["instances"]
    began, ended = group["no_master_s"][1]
    assert ended - began == pytest.approx((256 - 90) / 256, abs=0.002)


def test_failing_script_moves_the_master_by_its_weight(document: str) -> None:
    story = told(
        *(document, "--fault", "script NodeA chk_http fails at 10s"),
        *("--fault", "script NodeA chk_http works at 20s"),
    )
    texts = " | ".join(line["text"] for line in story["transcript"])
    assert "100 - 20 (script chk_http) = 80" in texts
    assert "NodeB HA_Group BACKUP -> MASTER" in texts
    assert story["instances"][0]["states"]["NodeA"] == "MASTER", "it took it back"


def test_cut_makes_two_masters_and_healing_one(document: str) -> None:
    story = told(document, "--fault", "cut NodeA at 10s", "--fault", "heal at 20s")
    (group,) = story["instances"]
    (began, ended) = group["several_masters_s"][0]
    assert 12 < began < 14
    assert 20 < ended < 21.1, "the next advert ends it"
    assert group["states"]["NodeA"] == "MASTER"


def test_every_kind_of_fault_can_be_played(document: str) -> None:
    texts = (
        "kill-vrrp NodeA at 5s", "freeze NodeA for 2s at 8s", "link NodeA ens33 down at 12s",
        "link NodeA up at 14s", "loss 20% at 16s", "loss 0% at 18s", "delay 50ms at 19s",
        "priority NodeB 200 at 22s", "steal NodeB at 26s", "reload NodeA at 28s",
        "release NodeB at 30s", "take NodeB at 34s", "maintenance NodeB on at 36s",
        "maintenance NodeB off at 40s", "stop NodeA at 44s", "start NodeA at 50s",
    )  # fmt: skip
    words = [word for text in texts for word in ("--fault", text)]
    (group,) = told(document, *words)["instances"]
    assert group["states"] == {"NodeA": "BACKUP", "NodeB": "MASTER"}


def test_two_files_are_two_nodes_and_the_seed_is_the_story(tmp_path: Path) -> None:
    for name, priority in (("NodeA", 150), ("NodeB", 100)):
        text = CONFIG.replace("priority 255", f"priority {priority}")
        (tmp_path / f"{name}.conf").write_text(text)
    files = [str(tmp_path / "NodeA.conf"), str(tmp_path / "NodeB.conf")]
    words = [*files, "--fault", "loss 30% at 1s", "--for", "60s"]
    one, again = simulate(*words, "--seed", "7"), simulate(*words, "--seed", "7")
    assert one.stdout == again.stdout
    assert simulate(*words, "--seed", "8").stdout != one.stdout
    assert "HA_Group (ens33, VRID 51)" in one.stdout
    assert "two at once" in one.stdout


def test_unicast_pair_finds_its_addresses_in_each_others_peers(tmp_path: Path) -> None:
    for name, peer, priority in (("NodeA", "10.0.0.2", 150), ("NodeB", "10.0.0.1", 100)):
        text = CONFIG.replace(
            "priority 255", f"priority {priority}\n    unicast_peer {{\n {peer}\n }}"
        )
        (tmp_path / f"{name}.conf").write_text(text)
    files = [str(tmp_path / "NodeA.conf"), str(tmp_path / "NodeB.conf")]
    (group,) = told(*files)["instances"]
    assert group["states"] == {"NodeA": "MASTER", "NodeB": "BACKUP"}


def test_a_day_takes_seconds(document: str) -> None:
    began = time.monotonic()
    assert told(document, "--for", "10min")["until_s"] == 600
    assert time.monotonic() - began < 20


BAD = {
    "kill NodeA": "it does not say when",
    "kill NodeC at 10s": "there is no node NodeC; there is NodeA, NodeB",
    "explode NodeA at 10s": "a fault is kill NODE, kill-vrrp NODE",
    "kill NodeA at noon": "'noon' is no time; write 10s, 500ms or 2min",
    "kill NodeA at 48h": "longer than a day",
    "loss 200% at 1s": "write 20%",
    "priority NodeA 999 at 1s": "whole number from 1 to 255",
    "script NodeA chk_ftp fails at 1s": "NodeA tracks no script chk_ftp; there is chk_http",
    "link NodeA eth9 down at 1s": "NodeA has no interface eth9; there is ens33",
    " at 1s": "is no fault",
}


@pytest.mark.parametrize("text", BAD)
def test_bad_fault_is_one_sentence_that_says_what_is_allowed(document: str, text: str) -> None:
    done = simulate(document, "--fault", text)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert BAD[text] in done.stderr
    assert done.stdout == ""


def test_bad_files_are_one_sentence(tmp_path: Path, document: str) -> None:
    broken = tmp_path / "broken.conf"
    broken.write_text(CONFIG_BROKEN)
    empty = tmp_path / "empty.conf"
    empty.write_text("")
    for words, sentence in (
        ([str(tmp_path / "none.conf")], "No such file"),
        ([str(broken)], ":4: "),
        ([str(empty)], f"{empty}: empty has no vrrp_instance"),
        ([document, "--for", "long"], "--for: 'long' is no time"),
        ([document, "--fault", "heal at 9s", "--for", "5s"], "ends before the fault `heal`"),
        ([document, "--seed", "x"], "invalid int value"),
        ([f"A={document}", f"A={document}"], "two files are called A"),
    ):
        done = simulate(*words)
        assert done.returncode == 2, words
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr


def test_the_network_of_a_far_address_counts(tmp_path: Path) -> None:
    file = tmp_path / "far.conf"
    far = "192.168.192.200/24\n        10.9.0.200/24 dev ens34 use_vmac"
    file.write_text(PAIR.replace("192.168.192.200/24", far))
    story = told(str(file), "--fault", "link NodeA ens34 down at 10s")
    assert story["instances"][0]["states"] == {"NodeA": "FAULT", "NodeB": "MASTER"}


def test_a_pair_without_interfaces_hears_each_other(tmp_path: Path) -> None:
    unicast = (
        "@NodeA unicast_src_ip 10.0.0.1\n@NodeB unicast_src_ip 10.0.0.2\n"
        "unicast_peer {\n@NodeA 10.0.0.2\n@NodeB 10.0.0.1\n}"
    )
    file = tmp_path / "apart.conf"
    text = PAIR.replace("interface ens33", unicast)
    file.write_text(text.replace("192.168.192.200/24", "192.168.192.200/24 dev ens33"))
    done = simulate(str(file), "--fault", "kill NodeA at 10s")
    assert "HA_Group (unicast without an interface, VRID 51)" in done.stdout
    assert "NodeB        MASTER: no advert from 10.0.0.1" in done.stdout
