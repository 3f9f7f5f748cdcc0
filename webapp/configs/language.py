"""The control plane's one door to keepalived's language (hanode.conf). Decides only."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hanode import conf, wire
from hanode.conf import Change, Config, Problem

DOCUMENT = "keepalived.conf"
TARGET = conf.NEWEST
"""What a cluster is written in: for 2.2.7 a pushed file would lose auth_hmac, and its adverts
their signature."""


@dataclass(frozen=True, slots=True)
class NodeProblem:
    """A problem and the nodes that have it; none named: it is between the nodes."""

    problem: Problem
    nodes: tuple[str, ...]

    @property
    def is_error(self) -> bool:
        """Whether it forbids saving and pushing."""
        return self.problem.severity == "error"

    def as_json(self) -> dict[str, Any]:
        """For the editor: the problem's own fields, and `nodes`."""
        encoded: dict[str, Any] = wire.encode(self.problem)
        return {**encoded, "nodes": list(self.nodes)}


@dataclass(frozen=True, slots=True)
class Understood:
    """A document, what it means on each node, and what is wrong with it."""

    text: str
    models: dict[str, Config]
    problems: tuple[NodeProblem, ...]

    @property
    def refused(self) -> bool:
        """Whether it holds an error."""
        return any(problem.is_error for problem in self.problems)


def understand(text: str, nodes: Iterable[str]) -> Understood:
    """The document as each of its nodes sees it. Never raises on any text."""
    seen = {node: conf.expand_for(text, node, name=DOCUMENT, target=TARGET) for node in nodes}
    return together(text, seen)


def _checked(text: str, node: str) -> conf.Checked:
    return conf.check(text, name=node, node=node, target=TARGET)


def together(text: str, checked: dict[str, conf.Checked]) -> Understood:
    """What the checks of a document for each node say, and what is wrong between the nodes."""
    models = {node: each.model for node, each in checked.items()}
    found: list[tuple[Problem, tuple[str, ...]]] = [
        (problem, (node,)) for node, each in checked.items() for problem in each.problems
    ]
    found += [(problem, ()) for problem in conf.check_pair(models)]
    return Understood(text, models, gathered(found))


def understand_files(files: dict[str, str]) -> Understood:
    """Each node's own file; problems name the node as their file. `text` is the merged document."""
    checked = {node: _checked(text, node) for node, text in files.items()}
    models = {node: each.model for node, each in checked.items()}
    merged = conf.merge(files, keep_macros=False, target=TARGET)  # rows hold values, no macros
    found: list[tuple[Problem, tuple[str, ...]]] = [
        (problem, (node,)) for node, each in checked.items() for problem in each.problems
    ]
    found += [(problem, ()) for problem in (*conf.check_pair(models), *merged.problems)]
    return Understood(merged.text, models, gathered(found))


def with_fixes(files: dict[str, str]) -> dict[str, str]:
    """The files after every offered fix was made."""
    return {
        node: conf.apply_fixes(text, _checked(text, node).problems, file=node)
        for node, text in files.items()
    }


def gathered(found: Iterable[tuple[Problem, tuple[str, ...]]]) -> tuple[NodeProblem, ...]:
    """Each problem once, with all nodes that have it, in the order of their places."""
    nodes: dict[Problem, list[str]] = {}
    for problem, names in found:
        nodes.setdefault(problem, []).extend(names)
    return tuple(NodeProblem(p, tuple(dict.fromkeys(nodes[p]))) for p in conf.in_order(nodes))


TEXT_CHARS_MAX = 4_000_000
"""Twice what 10,000 real servers with their checks take; a check of it takes two seconds a node."""
WORK_CHARS_MAX = 16_000_000
"""The text's length times the nodes: all their models are in memory together, each up to 40 times
the text."""


def chars_max(nodes: int) -> int:
    """How long a document for so many nodes may be."""
    return min(TEXT_CHARS_MAX, WORK_CHARS_MAX // max(1, nodes))


def too_long(text: str, nodes: int) -> NodeProblem | None:
    """The one problem of a text that nobody reads further; None: it is short enough."""
    limit = chars_max(nodes)
    if len(text) <= limit:
        return None
    message = (
        f"the document is longer than {limit:,} characters, the most that is read for {nodes} "
        "nodes; take out what is not this cluster's"
    )
    return whole_document("too-long", message)


SHOWN_MAX = 500
"""Problems on one page; the number of all others is said."""


def shown(problems: tuple[NodeProblem, ...]) -> tuple[tuple[NodeProblem, ...], int]:
    """What a page shows, in order, errors rather than others; and how many it does not show."""
    if len(problems) <= SHOWN_MAX:
        return problems, 0
    by_weight = sorted(range(len(problems)), key=lambda i: not problems[i].is_error)
    kept = sorted(by_weight[:SHOWN_MAX])
    return tuple(problems[i] for i in kept), len(problems) - SHOWN_MAX


def unwritable(error: conf.Unwritable) -> NodeProblem:
    """The one problem of rows that no text can say, such as a name with a line break in it."""
    return whole_document("unwritable", str(error))


INTERFACE_NAME = r"""^[^\s/{}"'#!@$~]+$"""
INTERFACE_CHARS_MAX = 15


def no_interface(name: str) -> NodeProblem | None:
    """The problem of a word that no Linux interface can have as its name; None: it can."""
    if len(name) <= INTERFACE_CHARS_MAX and re.match(INTERFACE_NAME, name):
        return None
    message = (
        f"{name[:40]!r} is no network interface's name; write one word of at most "
        f"{INTERFACE_CHARS_MAX} characters, for example ens33"
    )
    return whole_document("bad-interface", message)


def whole_document(code: str, message: str) -> NodeProblem:
    """An error that has no place of its own."""
    return NodeProblem(Problem(code, "error", DOCUMENT, 1, 1, 1, 1, message), ())


def document_of(models: dict[str, Config]) -> str:
    """One document that means these models, every word kept."""
    return conf.merge_models(models) if models else ""


@dataclass(frozen=True, slots=True)
class NodeFile:
    """A node's keepalived.conf as it is pushed, and what could not be said in it."""

    text: str
    problems: tuple[Problem, ...]


def file_of(model: Config) -> NodeFile:
    """keepalived.conf of one node, for the engine and for keepalived."""
    rendered = conf.render(model, target=TARGET)
    return NodeFile(rendered.text, rendered.problems)


def unified_diff(old: str, new: str, old_name: str, new_name: str) -> str:
    """A unified diff without secrets; a changed secret still shows as a changed line."""
    lines = difflib.unified_diff(
        old.splitlines(), new.splitlines(), old_name, new_name, lineterm=""
    )
    # Masked after the comparison, line by line behind the mark: else a changed password hides.
    return "\n".join(line[:1] + conf.mask_secrets(line[1:]) for line in lines)


def changes(old: str, new: str, node: str) -> tuple[Change, ...]:
    """What the new file changes, in words, and what reloading it does."""
    return conf.diff(_checked(old, node).model, _checked(new, node).model)
