"""The vrrp process without privileges, and with a supervisor that sends nonsense."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, TextIO

import pytest

from hanode import wire
from hanode.vrrp.engine_settings import Address, InstanceSettings, VrrpSettings
from tests.kernel.harness import PROJECT

PR_CAPBSET_DROP = 24
CAPABILITIES = (12, 13, 14, 23)
"""CAP_NET_ADMIN, CAP_NET_RAW, CAP_IPC_LOCK, CAP_SYS_NICE."""
SETTINGS = VrrpSettings(
    (InstanceSettings("VI", "lo", 51, vips=(Address("192.0.2.10", 24, "lo"),)),)
)


def drop() -> None:
    """Runs in the child: it stays root, but loses the capabilities for the network."""
    libc = ctypes.CDLL(None)
    for capability in CAPABILITIES:
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


@pytest.fixture
def talk() -> Iterator[TextIO]:
    """The supervisor's end of a vrrp process without capabilities."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-m", "hanode.proc.vrrp"],
        cwd=PROJECT,
        pass_fds=[theirs.fileno()],
        env={**os.environ, "HANODE_IPC_FD": str(theirs.fileno())},
        preexec_fn=drop if os.geteuid() == 0 else None,
        stderr=subprocess.PIPE,
        text=True,
    )
    theirs.close()
    ours.settimeout(10)
    with ours.makefile("rw") as lines:
        yield lines
    ours.close()
    _, errors = process.communicate(timeout=5)
    assert (process.returncode, errors) == (0, "")


def heard(talk: TextIO, kind: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = json.loads(talk.readline())
        if message["kind"] == kind:
            return message


def say(talk: TextIO, message: object) -> None:
    talk.write((message if isinstance(message, str) else json.dumps(message)) + "\n")
    talk.flush()


def test_what_is_not_allowed_is_said_in_sentences(talk: TextIO) -> None:
    causes = [heard(talk, "event")["event"]["cause"] for _ in range(2)]
    assert causes[0].startswith("SCHED_FIFO was refused")
    assert causes[1].startswith("mlockall was refused")
    say(talk, {"verb": "configure", "revision": 1, "settings": wire.encode(SETTINGS)})
    assert heard(talk, "configured")["error"] is None, "a need that is not met is a FAULT"
    say(talk, {"verb": "status", "id": 1})
    (instance,) = heard(talk, "status")["status"]["instances"]
    assert (instance["state"], instance["cause"]) == (
        "FAULT",
        "no VRRP socket could be opened on lo: Operation not permitted"
        " (CAP_NET_RAW and CAP_NET_ADMIN are needed)",
    )


@pytest.mark.parametrize(
    "nonsense", ["nonsense", "[]", "{}", "7", '{"verb":7}', '{"verb":"dance"}', "[" * 100_000]
)
def test_nonsense_is_answered_and_survived(talk: TextIO, nonsense: str) -> None:
    say(talk, nonsense)
    while "the supervisor" not in heard(talk, "event")["event"]["cause"]:
        pass
    say(talk, {"verb": "status", "id": 3})
    assert heard(talk, "status")["status"]["instances"] == []


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (None, "VrrpSettings: expected an object, got null"),
        ({"instances": 7}, "VrrpSettings.instances: expected a list"),
        ({"instances": [{"name": "x", "interface": "lo", "vrid": 0}]}, "is not in 1..255"),
        (
            {
                "instances": [
                    {
                        "name": "x",
                        "interface": "lo",
                        "vrid": 1,
                        "family": 6,
                        "mcast_group": "ff02::12",
                    }
                ]
            },
            "VRRPv2 does not know IPv6",
        ),
        (
            {"instances": [{"name": "x", "interface": "lo", "vrid": 1, "mcast_group": "x"}]},
            "mcast_group",
        ),
        (
            {
                "instances": [
                    {
                        "name": "x",
                        "interface": "lo",
                        "vrid": 1,
                        "vips": [{"ip": "192.0.2.1", "prefix": 33, "dev": "lo"}],
                    }
                ]
            },
            "out of range",
        ),
    ],
)
def test_settings_that_cannot_be_run_are_refused(
    talk: TextIO, settings: object, sentence: str
) -> None:
    say(talk, {"verb": "configure", "revision": 4, "settings": settings})
    answer = heard(talk, "configured")
    assert answer["revision"] == 4
    assert sentence in answer["error"]


def test_started_by_hand_it_says_how_it_is_started() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hanode.proc.vrrp"],
        cwd=PROJECT,
        env={k: v for k, v in os.environ.items() if k != "HANODE_IPC_FD"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
