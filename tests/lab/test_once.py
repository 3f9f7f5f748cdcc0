"""The acceptance test itself, as `bin/demo --once` runs it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from hanode.lab.acceptance import Step
from hanode.lab.install import PROJECT
from hanode.lab.once import table, to_json

pytestmark = pytest.mark.timeout(300)


@pytest.mark.needs("root", "netns", "valkey")
def test_every_step_of_the_acceptance_test_holds(tmp_path: Path) -> None:
    file = tmp_path / "table.json"
    done = subprocess.run(
        [PROJECT / "bin/demo", "--once", "--port", "18400", "--json", file],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    written = json.loads(file.read_text())
    assert written["ok"]
    assert len(written["steps"]) >= 12
    assert all(step["ok"] for step in written["steps"])


def test_a_step_that_did_not_hold_is_seen_in_table_and_json() -> None:
    steps = [
        Step("fast", "within 100 ms", 100, 50.4, True),
        Step("slow", "within 100 ms", 100, 150.0, False, note="the reason"),
        Step("never", "within 100 ms", 100, None, False),
    ]
    shown = table(steps)
    assert "50 ms" in shown
    assert "150 ms" in shown
    assert "never" in shown
    assert "slow: the reason" in shown
    rows = json.loads(to_json(steps, ok=False))
    assert rows["ok"] is False
    assert [row["ok"] for row in rows["steps"]] == [True, False, False]
    assert {"name", "limit_ms", "measured_ms", "ok"} <= set(rows["steps"][0])
