"""Rules of style that a program can check, as functions of a path and its text.

Each takes a path relative to the project and the text, and returns sentences; none: clean.
"""

from __future__ import annotations

import ast
import re
from pathlib import PurePosixPath

FUNCTION_LINES = 60
FILE_LINES = 400
LARGER_FILES = {"hanode/vrrp/machine.py": 800}
"""The state machine of an instance: whoever reads it must see every change of state and every timer
in one place, so it is not cut in two for the budget's sake."""
ELEMENT_LINES = 80

PURE_ROOMS = ("build", "conf", "vrrp", "check", "ipvs", "watch", "kernel", "supervision", "sim",
              "simulate")  # fmt: skip
PURE_FILES = ("codec.py", "events.py", "wire.py", "apply.py", "version.py")
PURE_IMPORTS = frozenset(
    "__future__ abc bisect collections dataclasses enum functools hashlib heapq hmac ipaddress "
    "itertools json math re struct types typing unicodedata".split()
)
PURE_CALLS = frozenset({"open", "print", "input", "eval", "exec"})
CELERY_ROOMS = re.compile(
    r"hanode/proc/agent/\w+\.py|webapp/(celery|settings|__init__)\.py|webapp/\w+/tasks\.py|"
    r"webapp/rollout/transport\.py"
)
REGISTRY = re.compile(
    r"https?://[\w.-]*(pypi|pythonhosted|npmjs|debian)\.(org|com)/\S*(whl|tgz|gz|deb)"
)
MACHINE_PATH = re.compile(r"(?<![\w.])/(root|work)/[\w.]")


def is_pure(path: str) -> bool:
    """Whether the file belongs to a pure room of the node."""
    parts = PurePosixPath(path).parts
    if parts[:1] != ("hanode",) or len(parts) < 2:
        return False
    return parts[1] in PURE_ROOMS or (len(parts) == 2 and parts[1] in PURE_FILES)


def long_functions(path: str, text: str) -> list[str]:
    """Functions that are too long, docstring and decorators included."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                found.append(
                    f"{path}:{node.lineno}: {node.name} has {lines} lines, {FUNCTION_LINES} at most"
                )
    return found


def long_file(path: str, text: str) -> list[str]:
    """A file that is too long; tables of keywords are data and exempt."""
    limit = ELEMENT_LINES if path.startswith("static/js/") else LARGER_FILES.get(path, FILE_LINES)
    lines = text.count("\n")
    if lines <= limit or path.startswith("hanode/conf/keywords/"):
        return []
    return [f"{path}: {lines} lines, {limit} at most: split it along the design"]


def impure(path: str, text: str) -> list[str]:
    """Imports and calls that a pure file must not have."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            rooms = node.module == "hanode"  # `from hanode import events` is about hanode.events
            names = [f"hanode.{a.name}" for a in node.names] if rooms else [node.module or ""]
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in PURE_CALLS
        ):
            found.append(f"{path}:{node.lineno}: a pure file may not call {node.func.id}()")
            continue
        else:
            continue
        found += [
            f"{path}:{node.lineno}: a pure file may not import {name}"
            for name in names
            if name.split(".")[0] not in PURE_IMPORTS and not is_pure_module(name)
        ]
    return found


def is_pure_module(name: str) -> bool:
    """Whether a dotted name is one of the node's own pure modules."""
    parts = name.split(".")
    if parts[0] != "hanode" or len(parts) < 2:
        return False
    return parts[1] in PURE_ROOMS or f"{parts[1]}.py" in PURE_FILES


def kind_not_said(path: str, text: str) -> list[str]:
    """A module of the node whose docstring does not name its kind (PURE, SYSTEM or DRIVER)."""
    if path.endswith(("__init__.py", "__main__.py")):
        return []
    said = ast.get_docstring(ast.parse(text)) or ""
    if re.search(r"\b(PURE|SYSTEM|DRIVER)\b", said):
        return []
    return [f"{path}: the docstring does not say PURE, SYSTEM or DRIVER"]


def celery_out_of_place(path: str, text: str) -> list[str]:
    """Uses of Celery outside the four kinds of file that may import it."""
    if CELERY_ROOMS.fullmatch(path):
        return []
    found = []
    for node in ast.walk(ast.parse(text)):
        names = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and node.level == 0
            else []
        )
        if any(name.split(".")[0] in ("celery", "kombu") for name in names):
            found.append(f"{path}:{node.lineno}: Celery has no place here")
    return found


def foreign_addresses(path: str, text: str) -> list[str]:
    """Download addresses of registries, and paths of one machine."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if REGISTRY.search(line):
            found.append(f"{path}:{number}: a registry's download address")
        if MACHINE_PATH.search(line):
            found.append(f"{path}:{number}: a path of one machine")
    return found


def inline_script(path: str, text: str) -> list[str]:
    """Scripts and handlers inside a template: the content security policy forbids them."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"<script(?![^>]*\b(src|type=.application/json))", line):
            found.append(f"{path}:{number}: inline script")
        if re.search(r"\son(click|load|submit|change|input)\s*=", line):
            found.append(f"{path}:{number}: inline handler")
    return found
