"""`hanode simulate FILES --fault 'kill NodeA at 10s'`: what would happen, in virtual time.

DRIVER. Reads the files and prints what `hanode.simulate` tells of them: what the machines do and
why, and how long an address had no master, or two. A file per node, or one document with `@NODE`
lines. Same files, faults and seed: same transcript.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path

from hanode import conf
from hanode.cli.options import Parser, UsageError, complain, tell
from hanode.proc.supervisor.options import errors_of, model_of, read_start_file
from hanode.simulate import (
    FAULT_FORMS,
    ConfigurationError,
    FaultError,
    Simulation,
    SimulationError,
    Span,
    TooShortError,
    duration_us,
    simulate,
)


def main(verb: str, words: list[str]) -> int:
    """The exit code: 0, or 2 with a sentence."""
    parser = Parser(
        prog=f"hanode {verb}",
        description="What these files' nodes would do, in virtual time: the real machines on a "
        "simulated network, with the cause of each move, and how long an address had no master.",
        epilog=f"TEXT is one of {', '.join(FAULT_FORMS)}; each followed by `at TIME` (10s, 500ms).",
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
    chance = random.Random(given.seed).random  # noqa: S311 - no secret
    files = dict(_nodes(given.files))
    configurations = {node: _configuration(file, node) for node, file in files.items()}
    length_us = _length_us(given.length)
    try:
        told = simulate(configurations, given.fault, chance=chance, length_us=length_us)
    except FaultError as error:
        raise UsageError(f"--fault {error}") from None
    except TooShortError as error:
        raise UsageError(f"--for {given.length} ends before the fault `{error.fault}`") from None
    except ConfigurationError as error:
        raise UsageError(f"{files[error.node]}: {error}") from None
    except SimulationError as error:
        raise UsageError(str(error)) from None
    if given.json:
        print(json.dumps(_plain(given.seed, told), ensure_ascii=False, indent=2))
    else:
        print("\n".join([*map(str, told.transcript), "", *_lines(told)]))
    return 0


def _length_us(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return duration_us(text)
    except ValueError as error:
        raise UsageError(f"--for: {error}") from None


def _nodes(words: list[str]) -> Iterator[tuple[str, Path]]:
    """Every node with its file. Raises UsageError."""
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
            yield node, file


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None


def _configuration(path: Path, node: str) -> conf.Config:
    file = read_start_file(path, node)
    assert file is not None, "it was just read"
    errors = errors_of(file, node, keys=False)  # its key files are another machine's
    if errors:
        for sentence in errors[1:]:
            tell(sentence)
        raise UsageError(errors[0])
    return model_of(file, node)


def _lines(told: Simulation) -> Iterator[str]:
    """The outcome, for people."""
    for one in told.instances:
        yield f"{one.name} ({one.interface or 'unicast without an interface'}, VRID {one.vrid})"
        for node in one.nodes:
            why = f": {node.cause}" if node.state is not None else ""
            yield f"  {node.node:<12} {node.state or 'not running'}{why}"
        yield f"  no MASTER    {_spans(one.no_master)}"
        yield f"  two at once  {_spans(one.several_masters)}"


def _spans(spans: tuple[Span, ...]) -> str:
    """`3.609 s (10.000 to 13.609), …`"""
    if not spans:
        return "never"
    return ", ".join(f"{(b - a) / 1e6:.3f} s ({a / 1e6:.3f} to {b / 1e6:.3f})" for a, b in spans)


def _plain(seed: int, told: Simulation) -> dict[str, object]:
    """The whole story, for programs."""
    return {
        "seed": seed,
        "until_s": told.until_us / 1e6,
        "nodes": list(told.nodes),
        "transcript": [{"at_s": at_us / 1e6, "text": text} for at_us, text in told.transcript],
        "instances": [
            {
                "name": one.name,
                "interface": one.interface,
                "vrid": one.vrid,
                "states": dict.fromkeys(told.nodes) | {n.node: n.state for n in one.nodes},
                "no_master_s": [[a / 1e6, b / 1e6] for a, b in one.no_master],
                "several_masters_s": [[a / 1e6, b / 1e6] for a, b in one.several_masters],
            }
            for one in told.instances
        ],
    }
