"""The command line: one sentence for each mistake, exit code 2, nothing half done."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.proc.harness import CONFIG, CONFIG_BROKEN, PROJECT, Authority, Node, directory, until

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def hanode(*words: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*prefix, sys.executable, "-m", "hanode", *words],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def refused(result: subprocess.CompletedProcess[str]) -> str:
    """The sentence; asserts that it is one, and nothing else."""
    assert result.returncode == 2, result
    assert "Traceback" not in result.stderr
    lines = result.stderr.strip().split("\n")
    assert lines[-1].startswith("hanode"), result.stderr
    return lines[-1]


def run(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return hanode(
        *("run", "--state-dir", str(tmp_path / "s"), "--run-dir", str(tmp_path / "r"), *words)
    )


def test_no_verb_shows_the_verbs() -> None:
    result = hanode()
    assert result.returncode == 0
    assert "status" in result.stdout


def test_unknown_verb_and_option(tmp_path: Path) -> None:
    assert "no verb 'fly'" in refused(hanode("fly"))
    assert "--wings" in refused(run(tmp_path, "--wings"))
    assert "not allowed with" in refused(run(tmp_path, "-P", "-C"))


def test_status_without_engine(tmp_path: Path) -> None:
    for verb in ("status", "events", "reload", "stop"):
        assert "no engine runs here" in refused(hanode(verb, "--run-dir", str(tmp_path)))


def test_checking_a_file_needs_no_engine_library() -> None:
    code = "import sys, hanode.__main__ as m; m.main(['check', '/dev/null'])\n"
    code += "print([n for n in ('pyroute2', 'celery', 'redis') if n in sys.modules])"
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip().endswith("[]")


@pytest.mark.needs("root")
def test_bad_file_is_named_with_its_line_and_nothing_is_started(tmp_path: Path) -> None:
    file = tmp_path / "bad.conf"
    file.write_text(CONFIG_BROKEN)
    assert f"{file}:4: " in refused(run(tmp_path, "-f", str(file), "-i", "NodeA"))
    assert not (tmp_path / "r" / "control.sock").exists()
    assert not (tmp_path / "s" / "revisions.json").exists()


@pytest.mark.needs("root")
def test_missing_file(tmp_path: Path) -> None:
    missing = run(tmp_path, "-n", "-f", str(tmp_path / "none.conf"))
    assert missing.returncode == 6, "as keepalived, and as the LSB wants it"
    assert "there is no such file" in missing.stderr
    assert "Is a directory" in refused(run(tmp_path, "-f", str(tmp_path)))


@pytest.mark.needs("root")
def test_without_rights() -> None:
    with directory() as path:
        path.chmod(0o777)
        words = ("run", "--state-dir", f"{path}/s", "--run-dir", f"{path}/r")
        sentence = refused(hanode(*words, prefix=NOBODY))
    assert "CAP_NET_ADMIN and CAP_NET_RAW" in sentence


def _good(authority: Authority) -> dict[str, object]:
    return {
        "node": "node-a",
        "name": "NodeA",
        "cluster": "c",
        "broker_url": "redis://x",
        "public_key": authority.public_key,
    }


BAD_ENROLMENTS: dict[str, tuple[Callable[[dict[str, object]], str], str]] = {
    "no json": (lambda good: "{", "not JSON"),
    "no node": (lambda good: json.dumps({k: v for k, v in good.items() if k != "node"}), "node"),
    "no base64": (lambda good: json.dumps({**good, "public_key": "!!"}), "base64"),
    "short key": (lambda good: json.dumps({**good, "public_key": "AAAA"}), "32 are needed"),
}


@pytest.mark.needs("root")
@pytest.mark.parametrize("name", BAD_ENROLMENTS)
def test_bad_enrolment(tmp_path: Path, authority: Authority, name: str) -> None:
    make, word = BAD_ENROLMENTS[name]
    file = tmp_path / "e.json"
    file.write_text(make(_good(authority)))
    sentence = refused(run(tmp_path, "--enrolment", str(file)))
    assert "is no enrolment" in sentence
    assert word in sentence


@pytest.mark.needs("root")
def test_enrolment_of_another_name(tmp_path: Path, authority: Authority) -> None:
    file = tmp_path / "e.json"
    file.write_text(json.dumps(_good(authority)))
    sentence = refused(run(tmp_path, "--enrolment", str(file), "-i", "NodeB"))
    assert "the enrolment of NodeA" in sentence


@pytest.mark.needs("root")
def test_unknown_agent_user(tmp_path: Path) -> None:
    assert "no user 'noone'" in refused(run(tmp_path, "--agent-user", "noone"))


@pytest.mark.needs("root", "netns")
def test_state_of_another_node_is_not_taken_over(node: Node, authority: Authority) -> None:
    node.start()
    assert node.apply(authority.bundle(1, CONFIG))["ok"]
    node.stop()
    node.enrolment = None
    result = subprocess.run(
        node.command(), capture_output=True, text=True, check=False, cwd=PROJECT
    )
    assert "holds the revisions of the node node-a" in refused(result)


@pytest.mark.needs("root", "netns")
def test_broken_memory_is_named(node: Node) -> None:
    (node.directory / "state").mkdir()
    (node.directory / "state" / "revisions.json").write_text("{")
    result = subprocess.run(
        node.command(), capture_output=True, text=True, check=False, cwd=PROJECT
    )
    assert "revisions.json cannot be read" in refused(result)


@pytest.mark.needs("root", "netns")
def test_status_and_events_for_people_and_programs(node: Node) -> None:
    pid_file = node.directory / "pid"
    node.start("-p", str(pid_file), "-G")
    until(lambda: node.kernel_has("192.168.192.200/24"))
    place = ("--run-dir", str(node.directory / "run"))
    shown = hanode("status", *place)
    assert shown.returncode == 0, shown.stderr
    assert "HA_Group  MASTER" in shown.stdout
    assert "● 192.168.192.200/24  on ens33" in shown.stdout
    assert "\033" not in shown.stdout, "colours are for terminals"
    raw = json.loads(hanode("status", "--json", *place).stdout)
    assert raw["instances"][0]["state"] == "MASTER"
    assert "→ MASTER" in hanode("events", *place).stdout
    first = json.loads(hanode("events", "--json", *place).stdout.split("\n")[0])
    assert first["seq"] == 1
    assert node.process is not None
    assert pid_file.read_text() == f"{node.process.pid}\n"
    assert hanode("stop", *place).returncode == 0
    assert node.process.wait(5) == 0
    assert not pid_file.exists()


@pytest.mark.needs("root", "netns")
def test_only_one_engine_half(node: Node) -> None:
    node.start("-P")
    assert [p.name for p in node.status().processes][:2] == ["supervisor", "vrrp"]
    assert "checker" not in [p.name for p in node.status().processes]


@pytest.mark.needs("root", "netns")
def test_program_that_nobody_can_read_is_said(node: Node) -> None:
    private = node.directory / "private"
    shutil.copytree(PROJECT / "hanode", private / "hanode")
    private.chmod(0o700)
    with node.log.open("ab") as log:
        node.process = subprocess.Popen(
            node.command(), stderr=log, cwd=private, start_new_session=True
        )
    until(lambda: node.control.exists() and node.answers())
    until(lambda: any("the agent runs as root" in p for p in node.status().problems))
    agent = until(lambda: [p for p in node.status().processes if p.name == "agent" and p.pid])
    assert Path(f"/proc/{agent[0].pid}").stat().st_uid == 0


@pytest.mark.needs("root")
def test_run_dir_too_long_for_a_socket(tmp_path: Path) -> None:
    file = tmp_path / "good.conf"
    file.write_text(CONFIG)
    deep = tmp_path / ("d" * 100)
    words = ("-f", str(file), "-i", "NodeA", "--run-dir", str(deep))
    assert "choose a shorter --run-dir" in refused(run(tmp_path, *words))
