"""`hanode status|events`: what the engine of this machine does, and what happened.

DRIVER. Prints what the engine reports.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from typing import Any

from hanode.cli import events_page
from hanode.cli.options import Parser, UsageError, add_run_dir, complain
from hanode.cli.show import Paint, describe, event_line
from hanode.events import Transition
from hanode.system.ipc import Client, Refused, Unreachable
from hanode.wire import Event, NodeStatus, WireError, decode

TIMEOUT_S = 5.0

LOOK_S = 0.5
"""How often --watch looks: a person cannot read faster."""

HISTORY = 50
"""How many transitions are asked for."""

ALTERNATE, NORMAL = "\033[?1049h\033[?25l", "\033[?25h\033[?1049l"
HOME, CLEAR_LINE, CLEAR_BELOW = "\033[H", "\033[K", "\033[J"


def main(verb: str, words: list[str]) -> int:
    """The exit code: 0, or 2 with a sentence."""
    try:
        given = _parser(verb).parse_args(words)
        if verb == "events" and given.markdown:
            print(events_page.markdown(), end="")
        elif verb == "events":
            with Client(given.run_dir / "control.sock", timeout_s=TIMEOUT_S) as client:
                _show_events(client, given.n, as_json=given.json, follow=given.follow)
        elif given.watch:
            _watch(given)
        else:
            with Client(given.run_dir / "control.sock", timeout_s=TIMEOUT_S) as client:
                print("\n".join(_look(client, as_json=given.json)))
    except (UsageError, Unreachable) as error:
        return complain(verb, str(error))
    except Refused as refused:
        return complain(verb, str(refused))
    except WireError as error:
        return complain(verb, f"the engine's answer cannot be read ({error}); restart the engine")
    return 0


def _parser(verb: str) -> Parser:
    what = {
        "status": "Show what the engine of this machine does, and why.",
        "events": "Show what happened on this machine.",
    }
    parser = Parser(prog=f"hanode {verb}", description=what[verb])
    add_run_dir(parser)
    parser.add_argument("--json", action="store_true", help="for programs")
    if verb == "events":
        parser.add_argument("--markdown", action="store_true", help="print the page of all kinds")
        parser.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
        parser.add_argument("-n", type=_count, default=20, metavar="N", help="the last N (20)")
    else:
        parser.add_argument(
            "-w", "--watch", action="store_true", help="go on until Ctrl-C; with --json: lines"
        )
    return parser


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of events")
    return int(text)


def _look(client: Client, *, as_json: bool, one_line: bool = False) -> list[str]:
    """The status now, as lines."""
    answer = client.request("status")
    history = client.request("history", kind=Transition.kind, limit=HISTORY)["events"]
    if as_json:
        whole = {**answer["status"], "transitions": history}
        return [json.dumps(whole, indent=None if one_line else 2, ensure_ascii=False)]
    status = decode(NodeStatus, answer["status"])
    return describe(status, [decode(Event, event) for event in history], paint=_paint())


def _paint() -> Paint:
    return Paint(sys.stdout.isatty() and "NO_COLOR" not in os.environ)


def _watch(given: argparse.Namespace) -> None:
    """Show the status again and again; an engine that is away may come back."""
    on_screen = sys.stdout.isatty() and not given.json
    with _screen(on_screen):
        while True:
            try:
                with Client(given.run_dir / "control.sock", timeout_s=TIMEOUT_S) as client:
                    while True:
                        _draw(_look(client, as_json=given.json, one_line=True), on_screen)
                        time.sleep(LOOK_S)
            except (Unreachable, OSError) as error:
                if isinstance(error, BrokenPipeError):
                    raise
                _draw(_away(str(error), given.json), on_screen)
                time.sleep(LOOK_S)


def _away(sentence: str, as_json: bool) -> list[str]:
    return [json.dumps({"error": sentence}) if as_json else sentence]


@contextlib.contextmanager
def _screen(on: bool) -> Iterator[None]:
    """Use the terminal's alternate screen, so that the normal one is unchanged afterwards."""
    if not on:
        yield
        return
    sys.stdout.write(ALTERNATE)
    try:
        yield
    finally:
        sys.stdout.write(NORMAL)
        sys.stdout.flush()


def _draw(lines: list[str], on_screen: bool) -> None:
    if on_screen:
        rows = max(2, shutil.get_terminal_size().lines - 1)
        if len(lines) > rows:
            lines = [*lines[: rows - 1], f"… and {len(lines) - rows + 1} lines more"]
        sys.stdout.write(HOME + "".join(f"{line}{CLEAR_LINE}\n" for line in lines) + CLEAR_BELOW)
    else:
        sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _show_events(client: Client, last: int, *, as_json: bool, follow: bool) -> None:
    head, paint = client.request("status"), _paint()
    end = int(head["seq"])
    if (end == 0 or last == 0) and not follow:
        return
    client.request("subscribe", journal=head["journal"], after=max(0, end - last))
    client.wait_for_ever()
    for message in client.stream():
        event = decode(Event, message.get("event"))
        print(_plain(message) if as_json else event_line(event, paint))
        sys.stdout.flush()
        if event.seq >= end and not follow:
            return


def _plain(message: dict[str, Any]) -> str:
    return json.dumps(message["event"], ensure_ascii=False)
