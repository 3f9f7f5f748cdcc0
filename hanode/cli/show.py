"""A node's status and history as lines for a terminal.

DRIVER. Words carry the meaning; colours only help. Ages come from the monotonic clock, so that a
wall clock that jumps makes no instance younger.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from hanode.events import Severity, Transition, sentence
from hanode.wire import Event, InstanceStatus, NodeStatus, from_wire

BOLD, DIM, GREEN, YELLOW, RED, PLAIN = "\033[1m", "\033[2m", "\033[32m", "\033[33m", "\033[31m", ""
END = "\033[0m"

COLOURS = {"MASTER": GREEN, "BACKUP": PLAIN, "FAULT": RED, "INIT": YELLOW}

HISTORY = 3
"""Transitions shown below each instance."""


class Paint:
    """Colours, on a terminal only."""

    def __init__(self, on: bool) -> None:
        self._on = on

    def __call__(self, text: str, colour: str) -> str:
        return f"{colour}{text}{END}" if self._on and colour else text


def describe(status: NodeStatus, events: Sequence[Event], *, paint: Paint) -> list[str]:
    """Everything an operator asks first. `events`: of its transitions, the oldest first."""
    history = _transitions(events)
    revision = f"revision {status.revision}" if status.revision else "its start file"
    if status.revision != status.confirmed_revision:
        revision += f" (not confirmed; {_revision(status.confirmed_revision)} is)"
    up = ago(status.wall_us - status.started_us)
    lines = [f"{paint(status.name, BOLD)}  runs {revision}, up {up}"]
    if status.stopping:
        lines.append(paint("  the engine is stopping", YELLOW))
    if status.maintenance_us:
        since = moment(status.maintenance_us)
        lines.append(
            paint(
                f"  in maintenance since {since}: no address stays or comes here; "
                "`hanode maintenance off` ends it",
                YELLOW,
            )
        )
    for instance in status.instances:
        told = [one for one in history if one[1].subject == instance.name][-HISTORY:]
        lines += _describe_instance(instance, status, told, paint)
    lines += _describe_trackers(status, paint)
    if status.virtual_servers:
        lines += ["", *_describe_servers(status, paint)]
    lines += ["", _describe_processes(status, paint)]
    lines += [paint(f"  ! {problem}", YELLOW) for problem in status.problems]
    return lines


def _describe_instance(
    instance: InstanceStatus, status: NodeStatus, history: Sequence[Moved], paint: Paint
) -> list[str]:
    state = paint(f"{instance.state:<6}", COLOURS.get(instance.state, PLAIN) + BOLD)
    age_us = (
        status.mono_us - instance.since_mono_us
        if instance.since_mono_us
        else status.wall_us - instance.since_us
    )
    master = instance.master or "not known"
    if instance.state == "MASTER":
        master = f"this node ({master})"
    group = f", sync group {instance.group}" if instance.group else ""
    place = instance.interface or "unicast without an interface"
    lines = [
        "",
        f"  {paint(instance.name, BOLD)}  {state}  for {ago(age_us)}: {instance.cause}",
        paint(
            f"    {place}, VRID {instance.vrid}{group}, priority "
            f"{instance.arithmetic or instance.effective_priority}, master {master}",
            DIM,
        ),
    ]
    for vip in instance.vips:
        where = f"on {vip.dev}" if vip.present else f"not on {vip.dev}"
        wrong = vip.present != (instance.state == "MASTER")
        mark = paint("●" if vip.present else "○", RED if wrong else GREEN if vip.present else DIM)
        lines.append(f"    {mark} {vip.address}  {where}")
    lines += [paint(f"    {_history_line(*one)}", DIM) for one in history]
    return lines


def _describe_trackers(status: NodeStatus, paint: Paint) -> list[str]:
    lines = []
    for one in status.trackers:
        words = {True: ("● ok", GREEN), False: ("○ failed", RED), None: ("? not known yet", DIM)}
        text, colour = words[one.up]
        value = f" {one.value}" if one.kind == "file" else ""
        cause = f": {one.cause}" if one.cause else ""
        lines.append(f"  {paint(text, colour)}  {one.kind} {one.name}{value}{cause}")
    return ["", *lines] if lines else []


Moved = tuple[Event, Transition]


def _transitions(events: Sequence[Event]) -> list[Moved]:
    typed = [(event, from_wire(event)) for event in events]
    return [(event, one) for event, one in typed if isinstance(one, Transition)]


def _history_line(event: Event, moved: Transition) -> str:
    """`20:58:31.123  (4711.812345 s)  BACKUP → MASTER  priority 100  start`"""
    return (
        f"{moment(event.wall_us)}  ({event.mono_us / 1_000_000:.6f} s)  {moved.old} → {moved.new}  "
        f"priority {moved.arithmetic or moved.priority}  {moved.cause}"
    )


MARKS: dict[Severity, tuple[str, str]] = {
    "info": ("  ", PLAIN),
    "ok": ("  ", GREEN),
    "warning": ("! ", YELLOW),
    "critical": ("!!", RED),
}
"""What stands before an event of that severity, and its colour where a person reads."""


def event_line(event: Event, paint: Paint) -> str:
    """`2026-07-26 20:58:31.123 !  tracker        script chk failed: exit code 1`"""
    day = time.strftime("%Y-%m-%d", time.localtime(event.wall_us / 1_000_000))
    typed = from_wire(event)
    mark, colour = MARKS[typed.severity]
    words = paint(f"{mark} {typed.kind:<14} {sentence(typed)}", colour)
    return f"{day} {moment(event.wall_us)} {words}"


def moment(wall_us: int) -> str:
    """`20:58:31.123`, in local time."""
    clock = time.strftime("%H:%M:%S", time.localtime(wall_us / 1_000_000))
    return f"{clock}.{wall_us // 1000 % 1000:03d}"


def _describe_servers(status: NodeStatus, paint: Paint) -> list[str]:
    lines = []
    balanced = "balanced by the kernel" if status.ipvs == "kernel" else "not balanced"
    for server in status.virtual_servers:
        word = paint("up", GREEN) if server.up else paint("down", RED)
        how = balanced if server.in_kernel or status.ipvs != "kernel" else "not in the kernel"
        lines.append(f"  {paint(server.key, BOLD)}  {word}, {how}")
        for real in server.real_servers:
            state = {True: ("● up", GREEN), False: ("○ down", RED), None: ("? not checked", DIM)}
            text, colour = state[real.up]
            age = ago(status.wall_us - real.since_us)
            since = f" for {age}" if real.up is not None else ""
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


def ago(span_us: int) -> str:
    """A length of time in two units at most."""
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
