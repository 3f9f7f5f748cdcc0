"""`hanode run` where keepalived was: its unit, options, signals, pid files and dump files."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanode.cli.run_options import SIGNALS
from hanode.system.ipc import Refused
from tests.proc.harness import CONFIG, CONFIG_201, CONFIG_BROKEN, PROJECT, Node, alive, until

pytestmark = pytest.mark.needs("root", "netns")

DEBIAN_UNIT = Path("/lib/systemd/system/keepalived.service")


def keepalived(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """`keepalived WORDS`, where the name belongs to us."""
    return subprocess.run(
        [PROJECT / "bin" / "hanode", "run", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        cwd=cwd,
    )


def own_places(node: Node) -> list[str]:
    return ["-f", str(node.file), "-i", "NodeA", "--state-dir", str(node.directory / "state"),
            "--run-dir", str(node.directory / "run")]  # fmt: skip


@contextlib.contextmanager
def daemon(node: Node, *more: str, tmp: Path | None = None) -> Iterator[int]:
    """Started into the background; gives its pid, and ends it."""
    words = [sys.executable, "-m", "hanode", "run", *own_places(node), *more]
    env = {**os.environ, "TMPDIR": str(tmp or node.directory), "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        ["ip", "netns", "exec", node.namespace, *words],
        env=env, capture_output=True, text=True, timeout=30, check=False, cwd=PROJECT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pid = int((node.directory / "run" / "keepalived.pid").read_text())
    try:
        yield pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        until(lambda: not alive(pid), within_s=10)


def test_background_gives_the_prompt_back_when_all_runs(node: Node) -> None:
    node.enrolment = None
    with daemon(node, "-g", str(node.directory / "engine.log"), "-G") as pid:
        run = node.directory / "run"
        assert node.answers(), "whoever waited for the command can ask it"
        assert alive(pid)
        assert os.getsid(pid) not in (0, os.getsid(0)), "no terminal's Ctrl-C reaches it"
        # Not the link's text: where /proc is another namespace's, it has another beginning.
        assert Path(f"/proc/{pid}/fd/2").stat().st_rdev == Path(os.devnull).stat().st_rdev
        assert int((run / "vrrp.pid").read_text()) == node.pid("vrrp")
        assert int((run / "checkers.pid").read_text()) == node.pid("checker")
        until(lambda: node.kernel_has("192.168.192.200/24"))
        assert "-> MASTER" in (node.directory / "engine.log").read_text()
    assert not list((node.directory / "run").glob("*.pid"))
    assert not node.kernel_has("192.168.192.200/24")


def test_background_finds_places_that_were_named_from_here(node: Node) -> None:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    words = [sys.executable, "-P", "-m", "hanode", "run", "-f", "NodeA.conf", "-i", "NodeA", "-G"]
    words += ["--state-dir", "state", "--run-dir", "run", "-p", "my.pid"]
    done = subprocess.run(
        ["ip", "netns", "exec", node.namespace, *words],
        env=environment, capture_output=True, text=True, timeout=30, check=False,
        cwd=node.directory,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pid = int((node.directory / "my.pid").read_text())
    try:
        assert node.ask("reload")["ok"], "the file's place too"
    finally:
        os.kill(pid, signal.SIGTERM)
        until(lambda: not alive(pid), within_s=10)
    assert not (node.directory / "my.pid").exists()


def test_background_that_cannot_start_says_so_in_the_terminal(node: Node) -> None:
    node.file.write_text(CONFIG_BROKEN)
    done = keepalived(*own_places(node))
    assert done.returncode == 2
    assert ":4: " in done.stderr
    node.file.write_text(CONFIG)
    deep = node.directory / ("d" * 100)
    late = keepalived(*own_places(node)[:-1], str(deep), "-G")
    assert late.returncode == 2, "found after the terminal was left"
    assert "choose a shorter --run-dir" in late.stderr


@pytest.mark.needs("keepalived")
def test_debians_own_unit_starts_this_engine(node: Node) -> None:
    """Its ExecStart with our name in place, and what systemd does around it."""
    line = re.search(r"^ExecStart=(.*)$", DEBIAN_UNIT.read_text(), re.M)
    assert line is not None
    name = node.directory / "keepalived"
    name.symlink_to(PROJECT / "bin" / "hanode")
    command = line[1].replace("/usr/sbin/keepalived", str(name)).replace("$DAEMON_ARGS", "-D")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(node.directory / "notify"))
        systemd.settimeout(10)
        env = {**os.environ, "NOTIFY_SOCKET": str(node.directory / "notify")}
        words = [*shlex.split(command), *own_places(node)]
        node.process = subprocess.Popen(
            ["ip", "netns", "exec", node.namespace, *words], env=env, start_new_session=True
        )
        said = ""
        while "READY=1" not in said:
            said += systemd.recv(4096).decode() + "\n"
        assert f"MAINPID={node.process.pid}" in said
        assert node.answers()
        until(lambda: node.state() == "MASTER")

        os.kill(node.process.pid, signal.SIGHUP)  # its ExecReload
        while said.count("READY=1") < 2:
            said += systemd.recv(4096).decode() + "\n"
        assert re.search(r"RELOADING=1\nMONOTONIC_USEC=\d+\n", said)
        while "STATUS=HA_Group MASTER" not in said:
            said += systemd.recv(4096).decode() + "\n"
        assert node.stop() == 0
        while "STOPPING=1" not in said:
            said += systemd.recv(4096).decode() + "\n"


def test_dumps_are_where_programs_look_for_them(node: Node) -> None:
    node.enrolment = None
    with daemon(node, "-G") as pid:
        until(lambda: node.state() == "MASTER")
        for name, number in (
            ("data", signal.SIGUSR1),
            ("stats", signal.SIGUSR2),
            ("json", SIGNALS["JSON"]),
        ):
            path = node.directory / f"keepalived.{name}"
            began = time.monotonic()
            os.kill(pid, number)
            until(path.exists, within_s=2)
            assert time.monotonic() - began < 1
            assert path.stat().st_mode & 0o777 == 0o600
        data = (node.directory / "keepalived.data").read_text()
        assert " VRRP Instance = HA_Group\n" in data
        assert "   State = MASTER\n" in data
        (told,) = json.loads((node.directory / "keepalived.json").read_text())
        assert told["data"]["state"] == 2
        stats = node.directory / "keepalived.stats"
        assert "  Became master: 1\n" in stats.read_text()
        os.kill(pid, SIGNALS["STATS_CLEAR"])
        time.sleep(0.3)  # it writes the same once more, and then forgets
        stats.unlink()
        os.kill(pid, signal.SIGUSR2)
        until(stats.exists, within_s=2)
        assert "  Became master: 0\n" in stats.read_text()


def test_included_files_are_run_as_they_were_read(node: Node) -> None:
    (node.directory / "conf.d").mkdir()
    part = node.directory / "conf.d" / "ha.conf"
    part.write_text(CONFIG)
    (node.directory / "conf.d" / "hook.conf").write_text("nonsense {\n")
    (node.directory / "conf.d" / "hook.conf").chmod(0o755)
    node.file.write_text("include conf.d/*.conf\n")
    node.start()
    until(lambda: node.kernel_has("192.168.192.200/24"))
    part.write_text(CONFIG_201)
    node.ask("reload")
    until(lambda: node.kernel_has("192.168.192.201/24"))


def test_missing_include_is_an_error_where_all_are_wanted(node: Node) -> None:
    node.file.write_text(CONFIG + "include absent.conf\n")
    assert keepalived("-t", *own_places(node)).returncode == 5
    refused = keepalived("-e", "-n", *own_places(node))
    assert refused.returncode == 2
    assert "absent.conf" in refused.stderr


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        (CONFIG, 0, ""),
        (CONFIG_BROKEN, 5, ":4: "),
        (CONFIG.replace("state MASTER", "colour red"), 5, "colour"),
        (None, 4, "no such file"),
    ],
)
def test_config_test_has_keepaliveds_exit_codes(
    tmp_path: Path, text: str | None, code: int, word: str
) -> None:
    file = tmp_path / "keepalived.conf"
    if text is not None:
        file.write_text(text)
    done = keepalived("-t", "-f", str(file))
    assert done.returncode == code, done.stderr
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    logged = keepalived(f"-t{tmp_path}/log", "-f", str(file))
    assert logged.returncode == code
    assert logged.stderr == ""
    assert word in (tmp_path / "log").read_text()


@pytest.mark.needs("keepalived")
def test_config_test_agrees_with_keepalived(node: Node) -> None:
    scripted = CONFIG.replace("state MASTER", "state MASTER\n    notify_master /usr/bin/true")
    secure = "global_defs {\n enable_script_security\n script_user root\n}\n"
    texts = {
        "sound": CONFIG,
        "bad value": CONFIG_BROKEN,
        "unknown word": CONFIG.replace("state MASTER", "state MASTER\n    colour red"),
        "script": scripted,
        "secure script": secure + scripted,
    }
    env = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin"}
    codes = {}
    for name, text in texts.items():
        node.file.write_text(text)
        words = ["ip", "netns", "exec", node.namespace, "timeout", "10", "keepalived", "-t"]
        theirs = subprocess.run(
            [*words, "-f", str(node.file)], env=env, capture_output=True, check=False
        )
        ours = keepalived("-t", "-f", str(node.file))
        codes[name] = (ours.returncode, theirs.returncode)
    expected = {"sound": 0, "bad value": 5, "unknown word": 5, "script": 6, "secure script": 0}
    assert codes == {name: (code, code) for name, code in expected.items()}


def test_log_of_the_config_test_never_goes_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "keepalived.conf"
    file.write_text(CONFIG)
    assert "attached" in keepalived("-t", str(file)).stderr
    assert file.read_text() == CONFIG


@pytest.mark.needs("keepalived")
@pytest.mark.parametrize("name", ["STOP", "RELOAD", "DATA", "STATS", "STATS_CLEAR", "JSON"])
def test_signal_numbers_are_keepaliveds(name: str) -> None:
    theirs = subprocess.run(
        ["keepalived", f"--signum={name}"], capture_output=True, text=True, check=True,
        env={**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin"},
    )  # fmt: skip
    assert keepalived(f"--signum={name}").stdout == theirs.stdout


@pytest.mark.needs("keepalived")
def test_every_option_of_keepaliveds_is_known() -> None:
    env = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin"}
    theirs = subprocess.run(
        ["keepalived", "--help"], capture_output=True, text=True, check=False, env=env
    )
    options = re.findall(r"(?<![\w-])--?\w[\w-]*", theirs.stdout + theirs.stderr)
    ours = keepalived("--help").stdout
    missing = {option for option in options if option not in ours} - {"-t", "-configuration"}
    assert len(set(options)) > 50
    assert not missing


def test_unserved_options_are_named_and_the_engine_starts(node: Node) -> None:
    node.start("-x", "--debug=Dv", "-b", "/nowhere/bfd.pid")
    problems = node.status().problems
    assert len([p for p in problems if "is ignored" in p]) == 3
    assert any("SNMP" in p for p in problems)


BAD = {
    "-S 9": "0-7, local0-7, user or daemon",
    "-u abc": "write it like 022",
    "--signum=FLY": "--signum knows no 'FLY'",
    "-s nowhere": "No such file or directory",
    "-T": "no genhash",
    "-P -C": "not allowed with",
    "-n -g /nowhere/at/all": "-g /nowhere/at/all: No such file",
}


@pytest.mark.parametrize("words", BAD)
def test_bad_option_is_one_sentence(node: Node, words: str) -> None:
    done = keepalived(*shlex.split(words), *own_places(node))
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert BAD[words] in done.stderr


def test_namespace_is_entered_and_has_its_own_places(node: Node) -> None:
    words = [sys.executable, "-m", "hanode", "run", "-n", "-s", node.namespace]
    node.process = subprocess.Popen(
        [*words, *own_places(node)], cwd=PROJECT, start_new_session=True
    )
    until(lambda: node.control.exists() and node.answers())
    until(lambda: node.kernel_has("192.168.192.200/24"))


def test_running_keepalived_is_not_fought_with(node: Node, tmp_path: Path) -> None:
    fake = tmp_path / "keepalived"
    fake.write_bytes(Path("/bin/sleep").read_bytes())
    fake.chmod(0o755)
    other = subprocess.Popen([fake, "60"])
    try:
        until(lambda: Path(f"/proc/{other.pid}/comm").read_text() == "keepalived\n")
        (tmp_path / "pid").write_text(f"{other.pid}\n")
        done = keepalived("-n", "-p", str(tmp_path / "pid"), *own_places(node))
    finally:
        other.kill()
        other.wait()
    assert done.returncode == 2
    assert f"keepalived runs here as pid {other.pid}" in done.stderr


def test_addresses_stay_where_the_stop_is_told_to_leave_them(node: Node) -> None:
    node.start("-V")
    until(lambda: node.kernel_has("192.168.192.200/24"))
    assert node.stop() == 0
    assert node.kernel_has("192.168.192.200/24")


def test_syslog_gets_a_daemons_words(node: Node, tmp_path: Path) -> None:
    from hanode.system.log import Log, Syslog

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon_socket:
        path = str(tmp_path / "log")
        log = Log("supervisor", node="NodeA", places=[Syslog("local3", path=path)])
        log.info("nobody listens yet, and nothing happens")
        daemon_socket.bind(path)
        daemon_socket.settimeout(5)
        log.warning("two\nlines")
        lines = [daemon_socket.recv(4096).decode() for _ in range(2)]
    assert lines[0].startswith("<156>"), "local3, warning"
    assert re.search(r"hanode\[\d+\]: NodeA supervisor warning: two$", lines[0])
    assert lines[1].endswith(": lines")


def test_a_key_in_a_file_is_read_at_the_start_and_at_each_reload(node: Node) -> None:
    """auth_hmac `file:`; a start goes on without the key, unsigned, and says so until it is there.

    What is wrong with the file refuses a reload, which then changes nothing.
    """
    path = node.directory / "key"
    signed = f"version 3\n    auth_hmac {{\n        key 7 file:{path}\n        active_key 7\n    }}"
    node.file.write_text(CONFIG.replace("advert_int 1", signed))
    node.start()
    until(lambda: node.state() == "MASTER")
    sentence = f"HA_Group: auth_hmac key 7, {path}: there is no such file; it is the key to sign"
    assert sentence in node.log.read_text()
    assert any(sentence in problem for problem in node.ask("status")["status"]["problems"])
    with pytest.raises(Refused, match="there is no such file"):
        node.ask("reload")
    path.write_text("k" * 32 + "\n")
    assert node.ask("reload")["changed"] == ["HA_Group changed"]
    assert not any(sentence in problem for problem in node.ask("status")["status"]["problems"])
    path.write_text("too short\n")
    with pytest.raises(Refused, match="must have 32 to 64 bytes, and has 9"):
        node.ask("reload")
    assert node.state() == "MASTER"
    path.write_text("hex:" + "0f" * 40)
    assert node.ask("reload")["changed"] == ["HA_Group changed"]
    assert "kkkk" not in node.log.read_text() + (node.directory / "state/events.jsonl").read_text()
