"""What mutmut leaves alone: values at the level of a module or class, and decorated functions.

Limits, defaults and properties stand there. A mutant is the file's text with one expression
replaced; each runs in a pytest of its own.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
}  # fmt: skip
CALLS = {"all": "any", "any": "all", "min": "max", "max": "min"}
LEFT_BY_MUTMUT = ("staticmethod", "classmethod")
"""Decorators of functions that it mutates nevertheless."""


@dataclass(frozen=True)
class Mutant:
    """One change of a file."""

    path: str
    line: int
    before: str
    after: str
    text: str
    """The whole file with the change."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.before}  ->  {self.after}"


def mutants(path: str, text: str) -> list[Mutant]:
    """Every mutant of one file, in the order of its lines."""
    starts = [0]
    for line in text.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    raw, found = text.encode(), []
    for node in sorted(_outside(ast.parse(text)), key=lambda one: (one.lineno, one.col_offset)):
        for changed in _changes(node):
            assert node.end_lineno is not None
            assert node.end_col_offset is not None
            begin = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            before, after = raw[begin:end].decode(), ast.unparse(changed)
            whole = raw[:begin] + f"({after})".encode() + raw[end:]
            found.append(Mutant(path, node.lineno, before, after, whole.decode()))
    return found


def _outside(tree: ast.Module) -> Iterator[ast.expr]:
    """Expressions that run where mutmut does not look; annotations run nowhere."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = [one.id for one in node.decorator_list if isinstance(one, ast.Name)]
            if node.decorator_list and not set(names) & set(LEFT_BY_MUTMUT):
                waiting += node.body
            continue
        if isinstance(node, ast.expr):
            yield node
        if isinstance(node, ast.AnnAssign):
            waiting += [node.value] if node.value is not None else []
        elif isinstance(node, ast.ClassDef):
            waiting += node.body
        elif not isinstance(node, ast.JoinedStr):
            waiting += ast.iter_child_nodes(node)


def _changes(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() | float()):
            yield ast.Constant(node.value + 1)
            if node.value > 1:
                yield ast.Constant(node.value * 2)
        case ast.Compare(ops=[op, *_]) if type(op) in COMPARISONS:
            changed = copy.deepcopy(node)
            changed.ops[0] = COMPARISONS[type(op)]()
            yield changed
        case ast.BoolOp():
            changed_bool = copy.deepcopy(node)
            changed_bool.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
            yield changed_bool
        case ast.BinOp() if type(node.op) in OPERATORS:
            changed_bin = copy.deepcopy(node)
            changed_bin.op = OPERATORS[type(node.op)]()
            yield changed_bin
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            changed_call = copy.deepcopy(node)
            changed_call.func = ast.Name(CALLS[name])
            yield changed_call
        case ast.IfExp():
            yield node.body
            yield node.orelse
