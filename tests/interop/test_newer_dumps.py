"""The dump files of keepalived 2.3.3 and 2.3.4 beside ours: JSON of version 2, and Stats."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from hanode.cli.run_options import SIGNALS
from hanode.proc.dump.keepalived_json import EXTENSION, MASKED
from tests.interop.releases import RELEASES, Release
from tests.proc.harness import directory, until
from tests.proc.test_dumps import CONFIG, Engine

pytestmark = pytest.mark.needs("root", "netns", "newer")

TRACKED = """\
vrrp_track_process web {
    process no-such-program -g daemon
    param_match partial
    quorum 2
    quorum_max 9
    weight 5
    delay 1
}
vrrp_track_process plain {
    process no-such-program
    weight 3 reverse
    terminate_delay 0.5
}
"""
TEXT = TRACKED + CONFIG.replace("router_id R1\n", "router_id R1\n    json_version 2\n").replace(
    "    nopreempt\n", "    nopreempt\n    track_process {\n        web\n        plain\n    }\n", 1
)
assert "track_process {" in TEXT
OURS = "hanode"


@pytest.fixture(scope="module")
def engines() -> Iterator[dict[str, Engine]]:
    """Ours and each release with the same file, all MASTER of everything."""
    with ExitStack() as stack:
        wanted: dict[str, Release | None] = {OURS: None, **{r.version: r for r in RELEASES}}
        places = {name: stack.enter_context(directory()) for name in wanted}

        def start(name: str) -> tuple[str, Engine]:
            release = wanted[name]
            program = OURS if release is None else "newer"
            return name, Engine(program, places[name], TEXT, release)

        with ThreadPoolExecutor(len(wanted)) as pool:
            running = dict(pool.map(start, wanted))
        for engine in running.values():
            stack.callback(engine.close)
        until(lambda: '"VI_1"' in running[OURS].status(), within_s=30)
        for engine in running.values():
            until(engine.settled, within_s=40)
        yield running


def told(engine: Engine) -> dict[str, Any]:
    """The JSON, without what depends on the moment."""
    found: dict[str, Any] = json.loads(engine.dump("json", SIGNALS["JSON"]))
    for one in found["vrrp"]:
        one["data"]["last_transition"] = 0
        if "auth_data" in one["data"]:
            one["data"]["auth_data"] = MASKED  # since 2.4.0
        one["stats"] = {name: 0 for name in one["stats"] if name not in EXTENSION}
    return found


@pytest.mark.parametrize("release", RELEASES, ids=str)
def test_json_of_version_2_is_what_it_writes(engines: dict[str, Engine], release: Release) -> None:
    """Names, order, types and values; the counters of auth_hmac came with 2.4.0."""
    theirs, ours = told(engines[release.version]), told(engines[OURS])
    for mine, its in zip(ours["vrrp"], theirs["vrrp"], strict=True):
        assert json.dumps(mine) == json.dumps(its)
    assert json.dumps(ours["track_process"]) == json.dumps(theirs["track_process"])
    assert list(ours) == list(theirs)


@pytest.mark.parametrize("release", RELEASES, ids=str)
def test_stats_have_its_lines(engines: dict[str, Engine], release: Release) -> None:
    def labels(name: str) -> list[str]:
        lines = engines[name].dump("stats", signal.SIGUSR2).splitlines()
        return [line.rpartition(":")[0] or line for line in lines]

    newer = ["  Authentication Extension Errors"] + [
        f"    {label}"
        for label in ("Missing", "Malformed", "Unknown Key", "Invalid HMAC", "Stale", "Replay")
    ]
    ours = [line for line in labels(OURS) if line not in newer]
    assert ours == labels(release.version)
