"""The node's policy at the real supervisor: signed pushes that it refuses, or takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.proc.harness import CONFIG, CONFIG_201, PROJECT, Authority, Node, until

SCRIPT = """\
vrrp_script chk {
    script "/usr/bin/test -e /nowhere"
    interval 1
    user nobody
}
"""
ROOT_SCRIPT = SCRIPT.replace("user nobody", "user root")
TRACKED = CONFIG.replace("    advert_int 1\n", "    advert_int 1\n    track_script { chk }\n")

REFUSED = {
    "global_defs {\n    script_user root\n}\n" + CONFIG: (2, "script_user: no pushed program runs"),
    ROOT_SCRIPT + TRACKED: (4, "user: no pushed program runs as root on this node"),
    SCRIPT.replace("user nobody", "user 0") + TRACKED: (4, "user: no pushed program runs as 0"),
    "global_defs {\n    state_dump_file /etc/cron.d/x\n}\n" + CONFIG: (
        2,
        "state_dump_file: a file that is written may not be at /etc/cron.d/x",
    ),
    "global_defs {\n    vrrp_notify_fifo /run/of-a-test.fifo\n}\n" + CONFIG: (
        2,
        "vrrp_notify_fifo: a FIFO may",
    ),
}

ALLOWING = """\
[programs]
users = ["root", "nobody"]
root_directories = ["/usr/bin"]
[files]
written = ["/etc/cron.d"]
fifos = ["/run"]
"""


def told(node: Node) -> list[str]:
    """What the status says about the policy."""
    return [problem for problem in node.status().problems if "policy" in problem]


@pytest.fixture
def started(node: Node) -> Iterator[Node]:
    """With a policy of its own, which nobody has written yet."""
    node.directory.chmod(0o755)
    node.start()
    until(lambda: node.kernel_has("192.168.192.200/24"))
    yield node
    Path("/run/of-a-test.fifo").unlink(missing_ok=True)


def test_what_is_forbidden_is_refused_with_its_line_and_taken_when_the_policy_allows_it(
    started: Node, authority: Authority
) -> None:
    for revision, (config, (line, why)) in enumerate(REFUSED.items(), 1):
        answer = started.apply(authority.bundle(revision, config))
        assert answer["phase"] == "refused"
        place = f"keepalived.conf:{line}: {why}"
        assert answer["error"].startswith(f"this node's policy forbids it: {place}"), answer
        assert answer["problems"][0].startswith(place)
        assert started.phases(revision) == ["received", "verified", "refused"]
        assert started.status().revision == 0
    started.allow(ALLOWING)
    for revision, config in enumerate(REFUSED, 11):
        assert started.apply(authority.bundle(revision, config))["phase"] == "live"
    status = started.status()
    assert status.revision == 10 + len(REFUSED)
    assert status.policy is not None
    assert status.policy.users == ("root", "nobody")
    assert status.policy.files == (str(started.policy),)


def test_the_script_runs_as_root_only_where_the_policy_says_so(
    started: Node, authority: Authority
) -> None:
    """Real effects: what the script writes, and who owns it."""
    mark = started.directory / "mark"
    text = ROOT_SCRIPT.replace("/usr/bin/test -e /nowhere", f"/usr/bin/touch {mark}") + TRACKED
    assert started.apply(authority.bundle(1, text))["phase"] == "refused"
    assert not mark.exists()
    started.allow(ALLOWING)
    assert started.apply(authority.bundle(2, text))["phase"] == "live"
    until(mark.exists)
    assert mark.stat().st_uid == 0


def test_the_file_of_the_node_s_own_is_keepalived_s_matter(node: Node) -> None:
    """A start and a reload from the node's own file keep keepalived's behaviour."""
    node.file.write_text("global_defs {\n    script_user root\n}\n" + ROOT_SCRIPT + TRACKED)
    node.start()
    assert node.ask("reload")["ok"]
    assert told(node) == []


def _a_fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file, 0o600)


BAD: dict[str, Callable[[Path], object]] = {
    "others than root can read": lambda file: file.chmod(0o644),
    "others than root can change": lambda file: file.chmod(0o622),
    "belongs to nobody": lambda file: os.chown(file, 65534, -1),
    "is no TOML": lambda file: file.write_text("[programs"),
    "[programs] has no user": lambda file: file.write_text("[programs]\nuser = []"),
    "where policy.toml is": lambda file: file.parent.chmod(0o777),
    "is no file": _a_fifo,
}


@pytest.mark.parametrize("why", BAD)
def test_a_policy_that_cannot_be_trusted_takes_no_push_and_says_so(
    started: Node, authority: Authority, why: str
) -> None:
    BAD[why](started.allow(ALLOWING))
    answer = started.apply(authority.bundle(1, CONFIG))
    assert answer["phase"] == "refused"
    assert why in answer["error"]
    assert str(started.policy.parent) in answer["error"]
    status = started.status()
    assert any(p.startswith("this node takes no push: ") and why in p for p in status.problems)
    assert status.policy is not None
    assert why in status.policy.fault
    assert started.kernel_has("192.168.192.200/24"), "it serves all the same"
    started.stop()
    started.start()
    assert any(e.kind == "warning" and why in e.cause for e in started.events())
    started.policy.parent.chmod(0o700)
    started.policy.unlink()
    assert started.apply(authority.bundle(2, CONFIG))["phase"] == "live", "read anew"


def test_a_drop_in_adds_and_a_tighter_policy_is_told_of_what_runs(
    started: Node, authority: Authority
) -> None:
    more = started.policy.with_suffix(".d")
    started.allow('[programs]\nusers = ["nobody"]\n')
    more.mkdir(mode=0o700)
    (more / "10.toml").touch(0o600)
    (more / "10.toml").write_text(ALLOWING.replace("[files]", "[files]\nread = []"))
    config = ROOT_SCRIPT + TRACKED
    assert started.apply(authority.bundle(1, config))["phase"] == "live"
    assert told(started) == []
    (more / "10.toml").unlink()
    (problem,) = told(started)
    assert problem.startswith(
        "revision 1 runs, but this node's policy would refuse it now: keepalived.conf:4: user: no "
    )
    assert started.status().revision == 1
    started.stop()
    started.start()
    assert started.status().revision == 1, "a node that can serve must serve"


def test_a_push_may_not_add_programs_where_the_policy_says_so(
    started: Node, authority: Authority
) -> None:
    assert started.apply(authority.bundle(1, SCRIPT + TRACKED))["phase"] == "live"
    assert started.confirm(authority.confirmation(1))["ok"]
    started.allow('[programs]\nadd = false\nusers = ["nobody"]\n')
    assert started.apply(authority.bundle(2, SCRIPT + CONFIG))["phase"] == "live"
    other = SCRIPT.replace("/nowhere", "/elsewhere") + TRACKED
    answer = started.apply(authority.bundle(3, other))
    assert (
        "keepalived.conf:2: script /usr/bin/test -e /elsewhere: a push may not add"
        in (answer["error"])
    )


def test_the_node_s_own_links_and_modes_are_looked_at(started: Node, authority: Authority) -> None:
    programs = started.directory / "programs"
    programs.mkdir(mode=0o755)
    (programs / "link").symlink_to("/usr/bin/test")
    (programs / "own").write_text("#!/bin/sh\n")
    (programs / "own").chmod(0o755)
    started.allow(f'[programs]\nusers = ["nobody"]\ndirectories = ["{programs}"]\n')

    def push(revision: int, name: str) -> dict[str, Any]:
        text = SCRIPT.replace("/usr/bin/test", str(programs / name)) + TRACKED
        return started.apply(authority.bundle(revision, text))

    assert f"{programs}/link leads to " in push(1, "link")["error"]
    (programs / "own").chmod(0o777)
    assert f"{programs}/own can be changed by others than root" in push(2, "own")["error"]
    (programs / "own").chmod(0o755)
    assert push(3, "own")["phase"] == "live"


def check(*words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "hanode", "check", *words],
        capture_output=True, text=True, check=False, cwd=PROJECT,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_check_says_it_before(tmp_path: Path) -> None:
    file, policy = tmp_path / "a.conf", tmp_path / "p.toml"
    file.write_text("global_defs {\n    script_user root\n    enable_script_security\n}\n" + CONFIG)
    policy.write_text('[programs]\nusers = ["nobody"]\n')
    code, text = check("--policy", str(policy), str(file))
    assert code == 1
    assert f"{file}:2:5: error: script_user: no pushed program runs as root on this node" in text
    code, text = check(str(file), "--json", f"--policy={policy}")
    assert [p["code"] for p in json.loads(text)["problems"]] == ["policy"]
    policy.write_text('[programs]\nusers = ["root"]\n')
    assert check("--policy", str(policy), str(file)) == (0, "1 file: no problems\n")
    assert check("--policy", str(file))[0] == 1, "a file is never taken for the policy"
    policy.write_text("[program]\n")
    code, text = check("--policy", str(policy), str(file))
    assert (code, text.count("\n")) == (2, 1)
    assert f"hanode check: {policy}: there is no [program]" in text
    code, text = check("--policy", str(tmp_path / "none.toml"), str(file))
    assert (code, text) == (
        2,
        f"hanode check: {tmp_path}/none.toml cannot be read: No such file or directory\n",
    )


def test_a_script_of_the_agent_s_user_does_not_read_the_broker_s_password(
    started: Node, authority: Authority
) -> None:
    """`nobody` runs scripts by default, and the agent too."""
    until(lambda: any(p.name == "agent" and p.up for p in started.status().processes))
    pid = started.pid("agent")
    until(lambda: "NodeA agent detail" in started.log.read_text())
    stolen = started.directory / "stolen"
    stolen.mkdir()
    stolen.chmod(0o777)
    steal = started.directory / "steal"
    steal.write_text(
        f"#!/bin/sh\n/usr/bin/cat /proc/{pid}/environ >{stolen}/environ\n"
        f"/usr/bin/id -u >{stolen}/who\n"
    )
    steal.chmod(0o755)
    started.allow(f'[programs]\nusers = ["nobody"]\ndirectories = ["{steal}"]\n')
    text = SCRIPT.replace("/usr/bin/test -e /nowhere", str(steal)) + TRACKED
    assert started.apply(authority.bundle(1, text))["phase"] == "live"
    until(lambda: (stolen / "who").exists() and (stolen / "who").read_text())
    assert Path(f"/proc/{pid}").exists()
    assert (stolen / "who").read_text() == "65534\n"
    assert (stolen / "environ").read_bytes() == b""


def test_a_push_stays_on_the_interfaces_and_addresses_of_the_policy(
    started: Node, authority: Authority
) -> None:
    started.allow('[network]\ninterfaces = ["ens33"]\naddresses = ["192.168.192.200"]\n')
    assert started.apply(authority.bundle(1, CONFIG))["phase"] == "live"
    answer = started.apply(authority.bundle(2, CONFIG_201))
    assert "keepalived.conf:9: virtual_ipaddress: a push may not use the address" in answer["error"]
    assert not started.kernel_has("192.168.192.201/24")
    answer = started.apply(authority.bundle(3, CONFIG.replace("ens33", "lo")))
    assert "keepalived.conf:3: interface: a push may not use the interface lo" in answer["error"]
    started.allow('[network]\ninterfaces = ["ens33"]\naddresses = ["192.168.192.200/31"]\n')
    assert started.apply(authority.bundle(4, CONFIG_201))["phase"] == "live"
    until(lambda: started.kernel_has("192.168.192.201/24"))
