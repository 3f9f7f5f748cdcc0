"""Documents of a cluster in keepalived's language: every check and every text of them is made here.

Decides only; the language itself is `hanode.conf`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from hanode import conf, wire
from hanode.conf import Change, Config, Problem

DOCUMENT = "keepalived.conf"
TARGET = conf.NEWEST
"""The release whose language is written. In that of 2.2.7 a pushed file would lose auth_hmac, and
its adverts their signature."""


@dataclass(frozen=True, slots=True)
class NodeProblem:
    """A problem and the nodes whose files have it. No nodes: the problem is between the nodes."""

    problem: Problem
    nodes: tuple[str, ...]

    @property
    def is_error(self) -> bool:
        """Whether the problem forbids saving and pushing."""
        return self.problem.severity == "error"

    def as_json(self) -> dict[str, Any]:
        """The problem's own fields and `nodes`, for the editor."""
        encoded: dict[str, Any] = wire.encode(self.problem)
        return {**encoded, "nodes": list(self.nodes)}


@dataclass(frozen=True, slots=True)
class Understood:
    """A document, its meaning on each node, and its problems."""

    text: str
    models: dict[str, Config]
    problems: tuple[NodeProblem, ...]

    @property
    def refused(self) -> bool:
        """Whether the document has an error."""
        return any(problem.is_error for problem in self.problems)


def understand(text: str, nodes: Iterable[str]) -> Understood:
    """Check the document for each of its nodes. Raises on no text."""
    seen = {node: conf.expand_for(text, node, name=DOCUMENT, target=TARGET) for node in nodes}
    return together(text, seen)


def _checked(text: str, node: str) -> conf.Checked:
    return conf.check(text, name=node, node=node, target=TARGET)


def together(text: str, checked: dict[str, conf.Checked]) -> Understood:
    """Combine the checks of a document for each node, and check the nodes against each other."""
    models = {node: each.model for node, each in checked.items()}
    found: list[tuple[Problem, tuple[str, ...]]] = [
        (problem, (node,)) for node, each in checked.items() for problem in each.problems
    ]
    found += [(problem, ()) for problem in conf.check_pair(models)]
    return Understood(text, models, gathered(found))


def understand_files(files: dict[str, str]) -> Understood:
    """Check each node's own file, which problems call by its node. `text`: the merged document."""
    checked = {node: _checked(text, node) for node, text in files.items()}
    models = {node: each.model for node, each in checked.items()}
    merged = conf.merge(files, keep_macros=False, target=TARGET)  # rows hold values, no macros
    found: list[tuple[Problem, tuple[str, ...]]] = [
        (problem, (node,)) for node, each in checked.items() for problem in each.problems
    ]
    found += [(problem, ()) for problem in (*conf.check_pair(models), *merged.problems)]
    return Understood(merged.text, models, gathered(found))


def with_fixes(files: dict[str, str]) -> dict[str, str]:
    """The files with every offered fix applied."""
    return {
        node: conf.apply_fixes(text, _checked(text, node).problems, file=node)
        for node, text in files.items()
    }


def gathered(found: Iterable[tuple[Problem, tuple[str, ...]]]) -> tuple[NodeProblem, ...]:
    """Each problem once, with all nodes that have it, in the order of lines."""
    nodes: dict[Problem, list[str]] = {}
    for problem, names in found:
        nodes.setdefault(problem, []).extend(names)
    return tuple(NodeProblem(p, tuple(dict.fromkeys(nodes[p]))) for p in conf.in_order(nodes))


TEXT_CHARS_MAX = 4_000_000
"""Twice the text of 10,000 real servers with checks. Checking so much takes two seconds a node."""
WORK_CHARS_MAX = 16_000_000
"""The length of the text times the number of nodes. All their models are in memory together, and
each takes up to 40 times the text."""


def chars_max(nodes: int) -> int:
    """How long a document for so many nodes may be."""
    return min(TEXT_CHARS_MAX, WORK_CHARS_MAX // max(1, nodes))


def too_long(text: str, nodes: int) -> NodeProblem | None:
    """The problem of a text that is too long to be checked. None: it is short enough."""
    limit = chars_max(nodes)
    if len(text) <= limit:
        return None
    message = (
        f"the document is longer than {limit:,} characters, the most that is read for {nodes} "
        "nodes; take out what is not this cluster's"
    )
    return whole_document("too-long", message)


SHOWN_MAX = 500
"""Problems on one page; the page gives the number of the others."""
WORDS_CHARS_MAX = 600
"""Of one message; a word of a text may have a million characters."""
FIX_CHARS_MAX = 20_000
"""A longer fix is not offered on a page."""


@dataclass(frozen=True, slots=True)
class Found:
    """The problems of a document as pages show them."""

    problems: tuple[NodeProblem, ...]
    """In the order of lines; of too many, errors come before others."""
    more: int = 0
    """Problems that are left out."""
    errors: int = 0
    """All errors, also those that are left out."""

    @property
    def refused(self) -> bool:
        """Whether the document has an error."""
        return self.errors > 0

    def as_json(self) -> dict[str, Any]:
        """{"problems": [NodeProblem.as_json()], "more": int}."""
        return {"problems": [each.as_json() for each in self.problems], "more": self.more}


def found_of(problems: tuple[NodeProblem, ...]) -> Found:
    """As many of the problems as a page shows, and how many more there are."""
    by_weight = sorted(range(len(problems)), key=lambda i: not problems[i].is_error)
    kept = sorted(by_weight[:SHOWN_MAX])
    return Found(
        tuple(_shortened(problems[i]) for i in kept),
        len(problems) - len(kept),
        sum(each.is_error for each in problems),
    )


def with_more(found: Found, others: tuple[NodeProblem, ...]) -> Found:
    """The same with further problems, as far as a page shows them."""
    joined = found_of((*found.problems, *others))
    return replace(
        joined,
        more=found.more + joined.more,
        errors=found.errors + sum(each.is_error for each in others),
    )


def _shortened(found: NodeProblem) -> NodeProblem:
    problem = found.problem
    fix = problem.fix
    if fix is not None:
        long = len(fix.text) > FIX_CHARS_MAX
        fix = None if long else replace(fix, label=_cut(fix.label))
    hint = None if problem.hint is None else _cut(problem.hint)
    return replace(
        found, problem=replace(problem, message=_cut(problem.message), hint=hint, fix=fix)
    )


def _cut(text: str) -> str:
    return text if len(text) <= WORDS_CHARS_MAX else f"{text[:WORDS_CHARS_MAX]}…"


def unwritable(error: conf.Unwritable) -> NodeProblem:
    """The problem of rows that no text can express, such as a name with a line break."""
    return whole_document("unwritable", str(error))


INTERFACE_NAME = r"""^[^\s/{}"'#!@$~]+$"""
INTERFACE_CHARS_MAX = 15


def no_interface(name: str) -> NodeProblem | None:
    """The problem of a word that cannot be the name of a Linux interface. None: it can."""
    if len(name) <= INTERFACE_CHARS_MAX and re.match(INTERFACE_NAME, name):
        return None
    message = (
        f"{name[:40]!r} is no network interface's name; write one word of at most "
        f"{INTERFACE_CHARS_MAX} characters, for example ens33"
    )
    return whole_document("bad-interface", message)


def whole_document(code: str, message: str) -> NodeProblem:
    """An error of the document as a whole, placed at its first line."""
    return NodeProblem(Problem(code, "error", DOCUMENT, 1, 1, 1, 1, message), ())


def document_of(models: dict[str, Config]) -> str:
    """The one document of these models. It keeps every word."""
    return conf.merge_models(models) if models else ""


@dataclass(frozen=True, slots=True)
class NodeFile:
    """A node's keepalived.conf as it is pushed, and problems of writing it."""

    text: str
    problems: tuple[Problem, ...]


def file_of(model: Config) -> NodeFile:
    """Write the keepalived.conf of one node, for the engine and for keepalived."""
    rendered = conf.render(model, target=TARGET)
    return NodeFile(rendered.text, rendered.problems)


def unified_diff(old: str, new: str, old_name: str, new_name: str) -> str:
    """A unified diff without secrets; a changed secret still shows as a changed line."""
    a, b = old.splitlines(), new.splitlines()
    lines = [f"--- {old_name}", f"+++ {new_name}"] if a != b else []
    # Masked after the comparison: two masked passwords are equal, and would hide a change.
    lines += (line[:1] + conf.mask_secrets(line[1:]) for line in _hunks(a, b))
    return "\n".join(lines)


def _hunks(a: list[str], b: list[str]) -> Iterator[str]:
    """The lines of a unified diff. difflib would compare them; its cost knows no bound."""
    for group in _Compared(a, b).get_grouped_opcodes():
        (_, i1, _, j1, _), (_, _, i2, _, j2) = group[0], group[-1]
        yield f"@@ -{_range(i1, i2)} +{_range(j1, j2)} @@"
        for tag, i, i_end, j, j_end in group:
            if tag == "equal":
                yield from (f" {line}" for line in a[i:i_end])
                continue
            yield from (f"-{line}" for line in a[i:i_end])
            yield from (f"+{line}" for line in b[j:j_end])


class _Compared(difflib.SequenceMatcher[str]):
    """Groups the differences as difflib does, and finds them with a bounded cost."""

    def __init__(self, a: list[str], b: list[str]) -> None:
        super().__init__(None, "", "")
        self._codes = _opcodes(a, b)

    def get_opcodes(self) -> list[Any]:
        """The differences that were found."""
        return self._codes


def _opcodes(a: list[str], b: list[str]) -> list[tuple[str, int, int, int, int]]:
    """How `a` becomes `b`, as difflib writes it."""
    codes: list[tuple[str, int, int, int, int]] = []
    i = j = 0
    for x, y in [*conf.aligned(a, b, conf.Budget()), (len(a), len(b))]:
        if i < x or j < y:
            tag = "insert" if i == x else "delete" if j == y else "replace"
            codes.append((tag, i, x, j, y))
        if x < len(a) and codes and codes[-1][0] == "equal":
            codes[-1] = ("equal", codes[-1][1], x + 1, codes[-1][3], y + 1)
        elif x < len(a):
            codes.append(("equal", x, x + 1, y, y + 1))
        i, j = x + 1, y + 1
    return codes


def _range(start: int, stop: int) -> str:
    """A span of lines as unified diffs write it."""
    length = stop - start
    if length == 1:
        return f"{start + 1}"
    return f"{start + 1 if length else start},{length}"


def changes(old: dict[str, str], new: dict[str, str]) -> dict[str, tuple[Change, ...]]:
    """By node whose file changes: the changes in words, each with its effect on the whole.

    A node's priority moves an address or not beside what the other nodes have and get.
    """
    changed = [node for node in new if old[node] != new[node]]
    if not changed:
        return {}
    before = models_of({node: old[node] for node in new})
    after = models_of(new)
    return {
        node: conf.diff(
            before[node],
            after[node],
            others=[after[other] for other in new if other != node],
            others_before=[before[other] for other in new if other != node],
        )
        for node in changed
    }


def models_of(files: dict[str, str]) -> dict[str, Config]:
    """By node: what its file means there."""
    return {node: _checked(text, node).model for node, text in files.items()}


def preemption(text: str, node: str) -> dict[str, tuple[bool, float]]:
    """By instance of a node's file: whether it preempts, and its preempt_delay in seconds."""
    instances = _checked(text, node).model.instances
    return {
        one.name: (
            not conf.queries.does_not_preempt(one),
            (one.preempt_delay_us or 0) / 1_000_000,
        )
        for one in instances
    }
