"""Advice for a shell: it is run, and then the machine has no such problem."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hanode.cli.machine_facts import file_facts, has_user
from hanode.conf import MachineFacts, Problem
from hanode.conf.check.check import check
from tests.conf.cases import machine
from tests.conf.cases.base import Case

pytestmark = pytest.mark.needs("root")

CODES = ("script-missing", "script-not-executable", "script-writable", "secret-readable")
ADVISED = [c for c in machine.CASES if c.code in CODES]


def found(text: str, path: Path) -> list[Problem]:
    facts = MachineFacts(stat=file_facts, has_user=has_user)
    return list(check(text, name=str(path), machine=facts).problems)


@pytest.mark.parametrize("case", ADVISED, ids=str)
def test_the_command_of_a_hint_mends_the_machine(case: Case, tmp_path: Path) -> None:
    """The case's files are made below a folder, and its text names them there."""
    for name, facts in machine.FILES.items():
        path = tmp_path / name.lstrip("/")
        if not facts.regular:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("#!/bin/sh\n")
    for name, facts in machine.FILES.items():
        path = tmp_path / name.lstrip("/")
        path.chmod(facts.mode)
        subprocess.run(["chown", str(facts.owner), str(path)], check=True)
    text = case.text
    for folder in ("/usr/bin", "/open", "/sticky"):
        text = text.replace(f" {folder}", f" {tmp_path}{folder}").replace(
            f'"{folder}', f'"{tmp_path}{folder}'
        )
    config = tmp_path / "keepalived.conf"
    config.write_text(text)
    config.chmod(0o644 if case.code == "secret-readable" else 0o640)
    before = [p for p in found(text, config) if p.code == case.code]
    assert before
    for problem in before:
        if problem.hint is not None and problem.hint.startswith(("chmod", "chown")):
            subprocess.run(["sh", "-c", problem.hint], check=True)
            codes = {p.code for p in found(text, config)}
            assert not codes & {"script-writable", "script-not-executable", "secret-readable"}
