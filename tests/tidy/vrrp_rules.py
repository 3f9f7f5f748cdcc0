"""Rules for the vrrp core and the simulator: one file changes an instance, and no class is cut up.

Each takes a path relative to the project and its text, and gives sentences; none: clean.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

STATE_FILE = "hanode/vrrp/machine.py"
STATE_ROOMS = ("hanode/vrrp/", "hanode/sim/", "hanode/simulate/", "hanode/proc/vrrp/")
STATE_ATTRIBUTES = frozenset(
    "state cause since_us main_timer_us _master_down _master_down_us started_us skew_only"
    " discarded".split()
)
"""Of a machine and its Master_Down_Timer. Another class may have one of the name, on its self."""
ASSIGNS_STATE = ("__init__", "_enter")
"""The functions of STATE_FILE that may: the second one asks the table."""

COMPOSED_ROOMS = ("hanode/vrrp/", "hanode/sim/", "hanode/simulate/")
BASES = frozenset("Protocol Enum StrEnum NamedTuple TypedDict Exception ValueError dict".split())
"""What classes of these rooms may inherit from: what Python has, nothing of ours."""
OWN_ERRORS = frozenset({"SimulationError"})
"""A family of exceptions shares no self."""


def state_assigned_elsewhere(path: str, text: str) -> list[str]:
    """Somebody changes an instance's state or timers behind its back, or without the table."""
    if not path.startswith(STATE_ROOMS):
        return []
    if path == STATE_FILE:
        return [
            f"{path}:{line}: only _enter, which asks the table, assigns the state"
            for function, line, name, _ in _assigned(ast.parse(text))
            if name == "state" and function not in ASSIGNS_STATE
        ]
    return [
        f"{path}:{line}: only {STATE_FILE} assigns {name}"
        for _, line, name, of_self in _assigned(ast.parse(text))
        if name in STATE_ATTRIBUTES and not of_self
    ]


def _assigned(tree: ast.AST, function: str = "") -> Iterator[tuple[str, int, str, bool]]:
    """Every attribute that is set or deleted: in which function, where, its name, of self."""
    for node in ast.iter_child_nodes(tree):
        inside = node.name if isinstance(node, ast.FunctionDef) else function
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            yield inside, node.lineno, node.attr, _is_self(node.value)
        elif isinstance(node, ast.Call) and len(node.args) > 1 and "setattr" in _called(node):
            name = node.args[1]
            if isinstance(name, ast.Constant):
                yield inside, node.lineno, str(name.value), _is_self(node.args[0])
        yield from _assigned(node, inside)


def _called(call: ast.Call) -> str:
    return getattr(call.func, "id", "") or getattr(call.func, "attr", "")


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def inherits_from_ours(path: str, text: str) -> list[str]:
    """A class that shares its self with another class of ours: hold that one instead."""
    if not path.startswith(COMPOSED_ROOMS):
        return []
    return [
        f"{path}:{node.lineno}: {node.name} inherits from {ast.unparse(base)}: hold it instead"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if ast.unparse(base).split("[")[0] not in BASES | OWN_ERRORS
    ]
