"""The faults of `hanode simulate`, as a person writes them: `kill NodeA at 10s`.

DRIVER. A text is parsed into one of the simulator's verbs with its moment; a text that cannot be
parsed gets one sentence that says what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from hanode.cli.options import UsageError
from hanode.sim.world import World

FORMS = (
    "kill NODE",
    "kill-vrrp NODE",
    "stop NODE",
    "start NODE",
    "freeze NODE for TIME",
    "link NODE [INTERFACE] down|up",
    "cut NODE…",
    "heal",
    "loss PERCENT%",
    "delay TIME",
    "priority NODE NUMBER",
    "script|process NODE NAME fails|works",
    "file NODE NAME NUMBER",
    "steal NODE",
    "reload NODE",
    "release NODE",
    "take NODE",
    "maintenance NODE on|off",
)
"""What can be done, each followed by `at TIME`."""

PLAIN = {
    "kill": "crash",
    "kill-vrrp": "respawn",
    "stop": "stop",
    "start": "start",
    "steal": "steal",
    "reload": "reload",
    "release": "release",
    "take": "take",
}
"""Words that need a node and nothing more: the simulator's verb."""

DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Deed:
    """One verb of the simulator at its moment."""

    at_us: int
    said: str
    verb: str
    names: tuple[str, ...] = ()
    value: float = 0


def span_us(text: str) -> int:
    """`10s`, `500ms`, `2min`, `1h`, or seconds without a unit. Raises ValueError."""
    match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*(us|ms|s|min|h)?", text)
    if match is None:
        raise ValueError(f"{text!r} is no time; write 10s, 500ms or 2min")
    unit_us = {"us": 1, "ms": 1_000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000}
    length_us = round(float(match[1]) * unit_us[match[2] or "s"])
    if length_us > DAY_US:
        raise ValueError(f"{text} is longer than a day, which nobody would read")
    return length_us


def deed(text: str, world: World) -> Deed:
    """What a `--fault` asks for. Raises UsageError."""
    try:
        what, separator, when = text.rpartition(" at ")
        if not separator:
            raise ValueError("it does not say when; end it with `at 10s`")
        at_us = span_us(when.strip())
        verb, names, value = _what(what.split(), world)
    except ValueError as error:
        raise UsageError(f"--fault {text!r}: {error}") from None
    return Deed(at_us, " ".join(what.split()), verb, names, value)


def _what(words: list[str], world: World) -> tuple[str, tuple[str, ...], float]:
    match words:
        case [word, node] if word in PLAIN:
            return PLAIN[word], (_node(node, world),), 0.5 if word == "kill-vrrp" else 0
        case ["freeze", node, "for", length]:
            return "freeze", (_node(node, world),), span_us(length) / 1e6
        case ["link", node, ("down" | "up") as way]:
            return _plug(way), (_node(node, world),), 0
        case ["link", node, interface, ("down" | "up") as way]:
            known = world.nodes[_node(node, world)].ips
            return _plug(way), (node, _one_of(interface, known, f"{node} has no interface")), 0
        case ["cut", *nodes] if nodes:
            return "cut", tuple(_node(node, world) for node in nodes), 0
        case ["heal"]:
            return "heal", (), 0
        case ["loss", share]:
            return "loss", (), _share(share)
        case ["delay", length]:
            return "lag", (), span_us(length) / 1e6
        case ["priority", node, number]:
            return "priority", (_node(node, world),), _number(number, 1, 255)
        case [("script" | "process") as kind, node, name, ("fails" | "works") as how]:
            _tracker(kind, node, name, world)
            return "track", (node, kind, name), float(how == "works")
        case ["file", node, name, number]:
            _tracker("file", node, name, world)
            return "track", (node, "file", name), _number(number, -(1 << 31), 1 << 31)
        case ["maintenance", node, ("on" | "off") as way]:
            return "maintenance", (_node(node, world),), float(way == "on")
    said = " ".join(words) or "nothing"
    raise ValueError(f"{said!r} is no fault; a fault is {', '.join(FORMS)}, each with `at TIME`")


def _plug(way: str) -> str:
    return "plug" if way == "up" else "unplug"


def _node(name: str, world: World) -> str:
    return _one_of(name, list(world.nodes), "there is no node")


def _tracker(kind: str, node: str, name: str, world: World) -> None:
    settings = world.nodes[_node(node, world)].settings
    known = {
        "script": [s.name for s in settings.scripts],
        "process": [p.name for p in settings.processes],
        "file": [f.name for f in settings.files],
    }
    _one_of(name, known[kind], f"{node} tracks no {kind}")


def _one_of(name: str, known: Collection[str], sentence: str) -> str:
    if name not in known:
        raise ValueError(f"{sentence} {name}; there is {', '.join(known) or 'none'}")
    return name


def _share(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)%", text)
    if match is None or float(match[1]) > 100:
        raise ValueError(f"{text!r} is no share of the packets; write 20%")
    return float(match[1]) / 100


def _number(text: str, least: int, most: int) -> float:
    if not re.fullmatch(r"-?\d+", text) or not least <= int(text) <= most:
        raise ValueError(f"{text!r} is no whole number from {least} to {most}")
    return float(text)
