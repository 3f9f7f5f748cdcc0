"""What a node lets pushed configurations do: users, programs, files, interfaces, addresses.

PURE. `read` makes a `NodePolicy` of the node's own files, `judge` applies it to what a
configuration names (`hanode.conf.named`). The node gives the facts about its users and files;
without them, as on the page of a push, only the text is judged.
"""

from __future__ import annotations

from hanode.policy.judge import CODE, OWN, Facts, judge, present
from hanode.policy.read import DEFAULT, DEFAULT_PATH, PolicyError, from_toml
from hanode.policy.runs import Run, runs

__all__ = [
    "CODE",
    "DEFAULT",
    "DEFAULT_PATH",
    "OWN",
    "Facts",
    "PolicyError",
    "Run",
    "from_toml",
    "judge",
    "present",
    "runs",
]
