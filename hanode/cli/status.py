"""`hanode status|events|reload|stop`: talk to the engine of this machine.

DRIVER. Prints what the engine says; decides nothing.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from hanode.cli.options import Parser, UsageError, add_run_dir, complain
from hanode.system.ipc import Client, Refused, Unreachable
from hanode.wire import Event, InstanceStatus, NodeStatus, WireError, decode

TIMEOUT_S = 15.0
"""A reload may take the engine's whole patience with its children."""

BOLD, DIM, GREEN, YELLOW, RED, PLAIN = "\033[1m", "\033[2m", "\033[32m", "\033[33m", "\033[31m", ""
END = "\033[0m"

COLOURS = {"MASTER": GREEN, "BACKUP": PLAIN, "FAULT": RED, "INIT": YELLOW}


def main(verb: str, words: list[str]) -> int:
    """The exit code: 0, or 2 with a sentence."""
    parser = Parser(prog=f"hanode {verb}", description=__doc__.split("\n")[0])
    add_run_dir(parser)
    if verb in ("status", "events"):
        parser.add_argument("--json", action="store_true", help="for programs")
    if verb == "events":
        parser.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
        parser.add_argument("-n", type=int, default=20, metavar="N", help="the last N (20)")
    try:
        given = parser.parse_args(words)
        with Client(given.run_dir / "control.sock", timeout_s=TIMEOUT_S) as client:
            if verb == "status":
                _show_status(client.request("status"), as_json=given.json)
            elif verb == "events":
                _show_events(client, given.n, as_json=given.json, follow=given.follow)
            else:
                client.request(verb)
    except (UsageError, Unreachable) as error:
        return complain(verb, str(error))
    except Refused as refused:
        for problem in refused.answer.get("problems", [])[1:]:
            print(problem, file=sys.stderr)
        return complain(verb, str(refused))
    except WireError as error:
        return complain(verb, f"the engine's answer cannot be read ({error}); restart the engine")
    return 0


def _show_status(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(answer["status"], indent=2, ensure_ascii=False))
        return
    status = decode(NodeStatus, answer["status"])
    paint = Paint(sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    print("\n".join(describe(status, paint=paint)))


def _show_events(client: Client, last: int, *, as_json: bool, follow: bool) -> None:
    head = client.request("status")
    end = int(head["seq"])
    after = max(0, end - max(0, last))
    if end == 0 and not follow:
        return
    client.request("subscribe", journal=head["journal"], after=after)
    client.wait_for_ever()
    for message in client.stream():
        event = decode(Event, message.get("event"))
        print(json.dumps(message["event"], ensure_ascii=False) if as_json else _line(event))
        sys.stdout.flush()
        if event.seq >= end and not follow:
            return


def _line(event: Event) -> str:
    clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.wall_us / 1e6))
    millis = event.wall_us // 1000 % 1000
    what = event.subject
    if event.kind == "transition":
        what = f"{event.subject} {event.data.get('from')} → {event.data.get('to')}"
    elif "phase" in event.data:
        what = f"{event.subject} {event.data['phase']}"
    return f"{clock}.{millis:03d}  {event.kind:<12} {what}: {event.cause}"


class Paint:
    """Colours, where a person reads; words carry the meaning without them."""

    def __init__(self, on: bool) -> None:
        self._on = on

    def __call__(self, text: str, colour: str) -> str:
        return f"{colour}{text}{END}" if self._on and colour else text


def describe(status: NodeStatus, *, paint: Paint) -> list[str]:
    """The status as lines for a terminal."""
    now_us = status.wall_us
    revision = f"revision {status.revision}" if status.revision else "its start file"
    if status.revision != status.confirmed_revision:
        revision += f" (not confirmed; {_revision(status.confirmed_revision)} is)"
    up = _ago(now_us - status.started_us)
    lines = [f"{paint(status.name, BOLD)}  runs {revision}, up {up}"]
    if status.stopping:
        lines.append(paint("  the engine is stopping", YELLOW))
    for instance in status.instances:
        lines += _describe_instance(instance, now_us, paint)
    if status.virtual_servers:
        lines += ["", *_describe_servers(status, now_us, paint)]
    lines += ["", _describe_processes(status, paint)]
    lines += [paint(f"  ! {problem}", YELLOW) for problem in status.problems]
    return lines


def _describe_instance(instance: InstanceStatus, now_us: int, paint: Paint) -> list[str]:
    state = paint(f"{instance.state:<7}", COLOURS.get(instance.state, PLAIN))
    since = _ago(now_us - instance.since_us)
    priority = str(instance.effective_priority)
    if instance.effective_priority != instance.base_priority:
        priority += f" (of {instance.base_priority})"
    lines = [
        "",
        f"  {paint(instance.name, BOLD)}  {state} for {since}: {instance.cause}",
        paint(
            f"    {instance.interface}, VRID {instance.vrid}, priority {priority}, "
            f"master {instance.master or 'not known'}",
            DIM,
        ),
    ]
    for vip in instance.vips:
        where = f"on {vip.dev}" if vip.present else f"not on {vip.dev}"
        wrong = vip.present != (instance.state == "MASTER")
        mark = paint("●" if vip.present else "○", RED if wrong else GREEN if vip.present else DIM)
        lines.append(f"    {mark} {vip.address}  {where}")
    return lines


def _describe_servers(status: NodeStatus, now_us: int, paint: Paint) -> list[str]:
    lines = []
    balanced = "balanced by the kernel" if status.ipvs == "kernel" else "not balanced"
    for server in status.virtual_servers:
        word = paint("up", GREEN) if server.up else paint("down", RED)
        how = balanced if server.in_kernel or status.ipvs != "kernel" else "not in the kernel"
        lines.append(f"  {paint(server.key, BOLD)}  {word}, {how}")
        for real in server.real_servers:
            state = {True: ("● up", GREEN), False: ("○ down", RED), None: ("? not checked", DIM)}
            text, colour = state[real.up]
            since = f" for {_ago(now_us - real.since_us)}" if real.up is not None else ""
            cause = f": {real.cause}" if real.cause else ""
            lines.append(
                f"    {paint(text, colour)}  {real.key}  weight {real.weight}{since}{cause}"
            )
    if status.ipvs and status.ipvs != "kernel":
        lines.append(paint(f"    IPVS {status.ipvs}", DIM))
    return lines


def _describe_processes(status: NodeStatus, paint: Paint) -> str:
    words = []
    for process in status.processes:
        text = f"{process.name} {process.pid}" if process.up else f"{process.name} down"
        if process.restarts:
            text += f" (restarted {process.restarts}×)"
        words.append(text if process.up else paint(text, RED))
    return "  " + ", ".join(words)


def _revision(number: int) -> str:
    return f"revision {number}" if number else "the start file"


def _ago(span_us: int) -> str:
    seconds = max(0, span_us) / 1e6
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, hours = seconds / 60, seconds / 3600
    if minutes < 60:
        return f"{int(minutes)} min {int(seconds % 60)} s"
    if hours < 48:
        return f"{int(hours)} h {int(minutes % 60)} min"
    return f"{int(hours / 24)} days"
