"""What every kind of event must have, as checks over a registry: each gives the kinds without it.

A reader's words are asked for with an event of that kind, as a node sent it: the golden file.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from hanode import wire

PROJECT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden" / "v1" / "events.jsonl"

Registry = Mapping[str, Any]
"""Kind: its class."""


def golden() -> list[wire.Event]:
    """Events as nodes of version 1 send them, of each kind and form."""
    return [wire.from_json(wire.Event, line) for line in GOLDEN.read_text().splitlines()]


def samples(registry: Registry) -> dict[str, list[Any]]:
    """The typed events of the golden file, by kind."""
    typed = [wire.from_wire(message) for message in golden()]
    return {kind: [e for e in typed if isinstance(e, cls)] for kind, cls in registry.items()}


def without_golden(registry: Registry) -> list[str]:
    """Kinds whose form on the wire nothing holds."""
    return [kind for kind, said in samples(registry).items() if not said]


def without_words(told: Mapping[str, list[Any]], words: Callable[[Any], object]) -> list[str]:
    """Kinds for which a reader has no words, or empty ones."""
    return [
        kind for kind, said in told.items() if not said or not all(_says(words, e) for e in said)
    ]


def _says(words: Callable[[Any], object], event: Any) -> bool:
    try:
        return bool(words(event))
    except AssertionError:  # assert_never: the reader does not know this kind
        return False


def without_producer(registry: Registry, files: Iterable[Path] | None = None) -> list[str]:
    """Kinds that no program of the node builds."""
    if files is None:
        files = (PROJECT / "hanode").rglob("*.py")
    built: set[str] = set()
    for file in files:
        if file != PROJECT / "hanode" / "events.py":
            built |= _called(ast.parse(file.read_text()))
    return [kind for kind, cls in registry.items() if cls.__name__ not in built]


def _called(tree: ast.Module) -> set[str]:
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = {func.id for func in called if isinstance(func, ast.Name)}
    return names | {func.attr for func in called if isinstance(func, ast.Attribute)}
