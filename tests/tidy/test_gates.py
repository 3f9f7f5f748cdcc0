"""bin/check, the pre-commit hooks and bin/test run the same checks, and each of them only once."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
CHECK = (PROJECT / "bin" / "check").read_text()
GATES = {
    words[1]: words[2:]
    for words in (shlex.split(line) for line in re.findall(r"^gate \S.*$", CHECK, re.MULTILINE))
}


def test_there_are_gates() -> None:
    assert {"ruff", "mypy", "imports", "pure-tests", "tidy"} <= set(GATES)


def test_each_gate_is_a_hook_of_pre_commit_and_no_hook_is_anything_else() -> None:
    config = (PROJECT / ".pre-commit-config.yaml").read_text()
    hooks = re.findall(r"^ +- \{(.*)\}$", config, re.MULTILINE)
    assert len(hooks) == config.count("id: "), "a hook is one line, so that this test can read it"
    found = []
    for hook in hooks:
        said = dict(re.findall(r'(\w+): ("[^"]*"|[^,]+)', hook))
        assert said["entry"] == f"bin/check {said['id']}"
        assert (said["language"], said["pass_filenames"]) == ("system", "false")
        found.append(said["id"])
    assert sorted(found) == sorted(GATES)


def test_the_rooms_that_bin_check_tests_are_not_tested_again_by_bin_test() -> None:
    tested = {word for words in GATES.values() for word in words if word.startswith("tests/")}
    (left_out,) = re.findall(r'^gates="(.*)"$', (PROJECT / "bin" / "test").read_text(), re.M)
    assert set(left_out.split()) == tested


def test_the_gates_test_the_pure_core_the_wire_and_a_revisions_life() -> None:
    rooms = ("conf", "vrrp", "check", "ipvs", "sim", "wire", "proc/test_apply.py", "tidy")
    tested = {word for words in GATES.values() for word in words}
    assert {f"tests/{room}" for room in rooms} <= tested


def test_every_room_that_bin_check_or_bin_test_names_is_there() -> None:
    named = re.findall(r"tests/[\w/.]+\w", CHECK + (PROJECT / "bin" / "test").read_text())
    assert [name for name in named if not (PROJECT / name).exists()] == []
