"""`hanode reload|stop|release|take|announce|maintenance`: the operator's commands.

DRIVER. Asks the engine, and prints its answer.
"""

from __future__ import annotations

import argparse
from typing import Any

from hanode.cli.options import Parser, UsageError, add_run_dir, complain, tell
from hanode.cli.show import moment
from hanode.system.ipc import Client, Refused, Unreachable

TIMEOUT_S = 15.0
"""A reload may take as long as the engine waits for its children, twice."""

WHAT = {
    "reload": "Make the engine read its file again. A file with errors changes nothing; an "
    "instance that did not change is not touched.",
    "stop": "Stop the engine of this machine; another node takes over at once.",
    "release": "Give up mastership: another node takes over within its skew time, and this one "
    "is BACKUP until that master is gone or an operator says `hanode take`.",
    "take": "Become MASTER now, where the election allows it: no node that is heard has a "
    "higher priority.",
    "announce": "Tell the neighbours again where the addresses are (gratuitous ARP, unsolicited "
    "neighbour advertisements).",
    "maintenance": "on: hand over and take no part in the election, after a restart too. "
    "off: take part again. Without a word: say which it is.",
}


def main(verb: str, words: list[str]) -> int:
    """The exit code: 0, or 2 with a sentence."""
    parser = Parser(prog=f"hanode {verb}", description=WHAT[verb])
    add_run_dir(parser)
    if verb in ("release", "take", "announce"):
        parser.add_argument("instance", nargs="?", default="", help="or a sync group; none: all")
    if verb == "maintenance":
        parser.add_argument("on", nargs="?", choices=("on", "off"))
    try:
        given = parser.parse_args(words)
        with Client(given.run_dir / "control.sock", timeout_s=TIMEOUT_S) as client:
            for line in _do(client, verb, given):
                print(line)
    except (UsageError, Unreachable) as error:
        return complain(verb, str(error))
    except Refused as refused:
        for problem in refused.answer.get("problems", [])[1:]:
            tell(problem)
        return complain(verb, str(refused))
    return 0


def _do(client: Client, verb: str, given: argparse.Namespace) -> list[str]:
    if verb == "reload":
        return _changes(client.request(verb))
    if verb == "stop":
        client.request(verb)
        return []
    if verb == "maintenance" and given.on is None:
        since_us = client.request("status")["status"]["maintenance_us"]
        return [f"on since {moment(since_us)}" if since_us else "off"]
    if verb == "maintenance":
        answer = client.request(verb, on=given.on == "on")
    else:
        answer = client.request(verb, instance=given.instance)
    return [str(line) for line in answer.get("done") or [answer.get("said", "nothing to do")]]


def _changes(answer: dict[str, Any]) -> list[str]:
    changed = answer.get("changed", [])
    return [str(line) for line in changed] or ["no instance changed"]
