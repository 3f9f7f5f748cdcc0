"""SYSTEM. Requests to the lab's control socket; only the demo has one."""

from __future__ import annotations

import json
import socket
from typing import Any

from django.conf import settings

TIMEOUT_S = 10
"""The lab starts a director in under a second; a stopping one sends priority 0 first."""

VERBS = ("start", "stop", "kill")


class LabError(Exception):
    """The lab did not carry out the request; the text is a sentence."""


def act(target: str, verb: str) -> None:
    """Start, stop or kill one of the lab's machines. Raises LabError."""
    answer = _ask({"verb": verb, "target": target})
    if not answer.get("ok"):
        raise LabError(str(answer.get("error") or "The lab refused, without saying why."))


def states() -> dict[str, str]:
    """running | stopped, by machine. Raises LabError."""
    targets = _ask({"verb": "state"}).get("targets")
    return {str(k): str(v) for k, v in targets.items()} if isinstance(targets, dict) else {}


def _ask(request: dict[str, str]) -> dict[str, Any]:
    if not settings.LAB_SOCKET:
        raise LabError("There is no lab here.")
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(TIMEOUT_S)
            line.connect(settings.LAB_SOCKET)
            line.sendall(json.dumps(request).encode() + b"\n")
            answer = json.loads(line.makefile("rb").readline())
    except (OSError, ValueError) as error:
        raise LabError(f"The lab does not answer: {error}") from None
    return answer if isinstance(answer, dict) else {}
