"""Asks the lab's control socket to stop, kill and start machines.

SYSTEM. Blocking, one request per connection; the pages' buttons and the acceptance test use it.
"""

from __future__ import annotations

import json
import socket
from typing import Any

_TIMEOUT_S = 15.0


class LabError(Exception):
    """The lab refused, or does not answer; one sentence."""


def ask(path: str, verb: str, target: str = "") -> dict[str, Any]:
    """Send one request; the answer. Raises LabError."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_TIMEOUT_S)
            line.connect(path)
            line.sendall(json.dumps({"verb": verb, "target": target}).encode() + b"\n")
            with line.makefile("rb") as answers:
                reply = json.loads(answers.readline() or b"{}")
    except (OSError, ValueError) as error:
        raise LabError(f"the lab does not answer on {path}: {error}") from None
    if not isinstance(reply, dict) or not reply.get("ok"):
        raise LabError(str(reply.get("error", "the lab gave no answer")))
    return reply
