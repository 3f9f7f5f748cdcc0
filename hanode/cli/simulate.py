"""`hanode simulate FILES --fault 'kill NodeA at 10s'`: what would happen, in virtual time.

DRIVER. Runs the real machines of every node on a simulated network, and prints what they do and
why, and how long an address had no master, or two. It takes a file per node, or one document with
`@NODE` lines. The same files, faults and seed give the same transcript.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path

from hanode import conf
from hanode.cli.fault_words import FORMS, Deed, deed, span_us
from hanode.cli.options import Parser, UsageError, complain, tell
from hanode.cli.sim_world import Ledger, made_world
from hanode.proc.supervisor.options import built_of, errors_of, read_start_file
from hanode.sim.verbs import perform
from hanode.sim.world import World
from hanode.vrrp.settings import VrrpSettings

AFTERWARDS_US = 15_000_000
"""Without --for: so long after the last fault nothing changes any more."""

LEAST_US = 30_000_000


def main(verb: str, words: list[str]) -> int:
    """The exit code: 0, or 2 with a sentence."""
    parser = Parser(
        prog=f"hanode {verb}",
        description="What these files' nodes would do, in virtual time: the real machines on a "
        "simulated network, with the cause of each move, and how long an address had no master.",
        epilog=f"TEXT is one of {', '.join(FORMS)}; each followed by `at TIME` (10s, 500ms).",
    )
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="NodeA.conf, or NAME=FILE, or one document")
    add(
        "--fault",
        action="append",
        default=[],
        metavar="TEXT",
        help="'kill NodeA at 10s'; as often as you like",
    )
    add("--for", dest="length", metavar="TIME", help="how long (15s after the last fault)")
    add("--seed", type=int, default=1, metavar="N", help="chance of the network (1)")
    add("--json", action="store_true", help="for programs")
    try:
        return _simulate(parser.parse_args(words))
    except UsageError as error:
        return complain(verb, str(error))


def _simulate(given: argparse.Namespace) -> int:
    settings = dict(_nodes(given.files))
    ledger = Ledger()
    world = made_world(settings, random.Random(given.seed).random, ledger)  # noqa: S311 - no secret
    deeds = sorted((deed(text, world) for text in given.fault), key=lambda d: d.at_us)
    until_us = _length_us(given.length, deeds)
    for name in world.nodes:
        perform(world, "start", name)
    for one in deeds:
        world.run(one.at_us)
        told = len(world.trace)
        perform(world, one.verb, *one.names, value=one.value)
        # In the words of the command line.
        world.trace[told : told + 1] = [f"{one.at_us / 1e6:11.6f} fault: {one.said}"]
    world.run(until_us)
    ledger.close(world)
    if given.json:
        print(json.dumps(_plain(given, world, ledger), ensure_ascii=False, indent=2))
    else:
        print("\n".join([*world.trace, "", *ledger.lines(world)]))
    return 0


def _length_us(text: str | None, deeds: list[Deed]) -> int:
    last_us = deeds[-1].at_us if deeds else 0
    if text is None:
        return max(LEAST_US, last_us + AFTERWARDS_US)
    try:
        length_us = span_us(text)
    except ValueError as error:
        raise UsageError(f"--for: {error}") from None
    if last_us > length_us:
        raise UsageError(f"--for {text} ends before the fault `{deeds[-1].said}`")
    return length_us


def _nodes(words: list[str]) -> Iterator[tuple[str, VrrpSettings]]:
    """Every node with its settings. Raises UsageError."""
    seen: set[str] = set()
    for word in words:
        name, separator, path = word.partition("=")
        file = Path(path if separator else word)
        text = _text(file)
        ids = conf.node_ids(text)
        names = (name,) if separator else ids if len(words) == 1 and ids else (file.stem,)
        for node in names:
            if node in seen:
                raise UsageError(f"two files are called {node}; name them: NodeB={file}")
            seen.add(node)
            yield node, _settings(file, node)


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None


def _settings(path: Path, node: str) -> VrrpSettings:
    file = read_start_file(path, node)
    assert file is not None, "it was just read"
    errors = errors_of(file, node)
    if errors:
        for sentence in errors[1:]:
            tell(sentence)
        raise UsageError(errors[0])
    settings = built_of(file, node).vrrp
    if not settings.instances:
        raise UsageError(f"{path}: {node} has no vrrp_instance, so there is nothing to simulate")
    return settings


def _plain(given: argparse.Namespace, world: World, ledger: Ledger) -> dict[str, object]:
    transcript = []
    for line in world.trace:
        at, _, text = line.strip().partition(" ")
        transcript.append({"at_s": float(at), "text": text})
    return {
        "seed": given.seed,
        "until_s": world.now_us / 1e6,
        "nodes": list(world.nodes),
        "transcript": transcript,
        "instances": ledger.plain(world),
    }
