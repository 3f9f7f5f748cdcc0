"""The units of contrib for the control plane: sound to systemd, and web holds no signing key."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
UNITS = {path.stem.removeprefix("keepsight-"): path for path in PROJECT.glob("contrib/keepsight-*")}


def said(unit: str, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNITS[unit].read_text(), re.MULTILINE)


def variables(unit: str) -> dict[str, str]:
    words = [word for line in said(unit, "Environment") for word in line.split()]
    return dict(word.split("=", 1) for word in words)


def test_there_is_a_unit_for_each_process() -> None:
    assert set(UNITS) == {"web", "worker", "ingest"}


@pytest.mark.parametrize("unit", ["web", "ingest"])
def test_only_the_workers_user_reads_the_signing_key(unit: str) -> None:
    kept = variables("worker")["KEEPSIGHT_DATA_DIR"]
    assert kept == f"/var/lib/{said('worker', 'StateDirectory')[0]}"
    assert said("worker", "StateDirectoryMode") == ["0700"]
    assert said(unit, "User") != said("worker", "User")
    assert variables(unit)["KEEPSIGHT_DATA_DIR"] != kept
    assert said(unit, "InaccessiblePaths") == [f"-{kept}"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_finds_nothing_wrong(unit: str, tmp_path: Path) -> None:
    text = UNITS[unit].read_text().replace("/opt/keepsight/.venv/bin/python", sys.executable)
    copy = tmp_path / UNITS[unit].name
    copy.write_text(re.sub("^(User|Group)=.*$", r"\1=nobody", text, flags=re.MULTILINE))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
    )
    ours = [line for line in done.stderr.splitlines() if copy.name in line]
    assert (done.returncode, ours) == (0, []), done.stderr


def test_every_variable_of_the_example_is_one_of_ours() -> None:
    page = (PROJECT / "docs" / "OPERATING.md").read_text()
    names = re.findall(
        r"^(KEEPSIGHT_\w+)=", (PROJECT / "contrib/keepsight.env.example").read_text(), re.MULTILINE
    )
    assert len(names) >= 6
    for name in names:
        assert f"`{name}`" in page, name
