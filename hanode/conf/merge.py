"""One conditional document of the files of a cluster's nodes.

PURE. Each file is bound and laid out; the statement trees are aligned, so that equal lines become
common and the others conditional (`@NodeA priority 100`). `@ID` counts for one line only, so each
line of a block that not every node has gets the prefix. The law: for every node,
`bind(expand(merge(files), node)) == bind(files[node])`. Each node's own order is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hanode.conf.check import Checked, check
from hanode.conf.expand import Reader
from hanode.conf.layout import layout
from hanode.conf.lint import problem
from hanode.conf.model import Config, Note, Origin, Statement
from hanode.conf.problems import Problem, in_order
from hanode.conf.render import INDENT, note
from hanode.conf.source import Source
from hanode.conf.tree import INCLUDES, Kind


@dataclass(frozen=True, slots=True)
class Merged:
    """One document for several nodes, and the problems of the files it came from."""

    text: str
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class Shared:
    """A statement and the nodes that have it."""

    words: tuple[str, ...]
    block: bool
    nodes: list[str]
    comments: list[tuple[str, Note]]
    """Of its own line, by node."""
    closing: list[tuple[str, Note]]
    children: list[Shared] = field(default_factory=list)

    @property
    def key(self) -> tuple[object, ...]:
        """Equal keys are one line (and for blocks: one block, merged inside)."""
        return (self.words, self.block)


def merge(files: dict[str, str], *, read: Reader | None = None) -> Merged:
    """One document of the files of a cluster's nodes, by config id.

    Problems are those of the files; a problem's `file` is the node's id. Macros (`$NAME`, `~SEQ`)
    are replaced by what they stand for, and includes by what `read` gives for them.
    """
    problems: list[Problem] = []
    models: dict[str, Config] = {}
    for node, text in files.items():
        checked = check(text, name=node, node=node, read=read)
        models[node] = checked.model
        problems += checked.problems
        problems += macros_replaced(checked)
    problems += lonely_includes(models)
    return Merged(merge_models(models), in_order(problems))


def macros_replaced(checked: Checked) -> Iterator[Problem]:
    """The document holds what the macros stand for, not the macros; say so once in a file."""
    for line in checked.document.lines:
        if line.kind in (Kind.DEFINITION, Kind.REPEAT):
            source = checked.document.source
            where = Origin(source, line.body, line.comment)
            message = "definitions and repetitions are replaced by what they stand for"
            yield problem(where, "macro-replaced", "info", message)
            return


def lonely_includes(models: dict[str, Config]) -> Iterator[Problem]:
    """keepalived follows an include whatever its condition: one for some nodes cannot be said."""
    for node, model in models.items():
        for where, words in _includes(model):
            if any((where, words) not in _includes(other) for other in models.values()):
                message = (
                    f"{' '.join(words)} is in {node}'s file only, and keepalived follows an "
                    "include on every node"
                )
                hint = "put the included lines into the file"
                yield problem(Origin(Source(node, "")), "include-lonely", "error", message, hint)


def _includes(model: Config) -> list[tuple[str, tuple[str, ...]]]:
    found: list[tuple[str, tuple[str, ...]]] = []

    def walk(statements: tuple[Statement, ...], around: str) -> None:
        for s in statements:
            if s.keyword in INCLUDES and s.children is None:
                found.append((around, s.words))
            walk(s.children or (), f"{around} {' '.join(s.words)} /")

    walk(layout(model, None)[0], "")
    return found


def merge_models(models: dict[str, Config]) -> str:
    """The document of models, every word kept: the inverse of expanding it for each node."""
    nodes = list(models)
    merged: list[Shared] = []
    tails: list[tuple[str, Note]] = []
    for node, model in models.items():
        statements, _ = layout(model, None)
        merged = join(merged, [shared(s, node) for s in statements])
        tails += [(node, n) for n in model.notes if n.at == "}"]
    lines: list[str] = []
    for number, top in enumerate(merged):
        if number and (top.block or merged[number - 1].block):
            lines.append("")
        lines += write(top, nodes, 0)
    tail = list(above(tails))
    lines += ["", *tail] if tail and lines else tail
    return "\n".join(lines) + "\n" if lines else ""


def shared(statement: Statement, node: str) -> Shared:
    """The statement as one node has it."""
    children = [shared(child, node) for child in statement.children or ()]
    own, closing = note(statement, ""), note(statement, "}")
    return Shared(
        statement.words,
        statement.children is not None,
        [node],
        [(node, own)] if own.before or own.after else [],
        [(node, closing)] if closing.before or closing.after else [],
        children,
    )


def join(left: list[Shared], right: list[Shared]) -> list[Shared]:
    """Both lists in one, equal statements once; the order of each is kept."""
    out: list[Shared] = []
    i = j = 0
    for a, b in [*common(left, right), (len(left), len(right))]:
        out += left[i:a]
        out += right[j:b]
        if a < len(left):
            out.append(unite(left[a], right[b]))
        i, j = a + 1, b + 1
    return out


def unite(one: Shared, other: Shared) -> Shared:
    """One statement of two with equal keys."""
    return Shared(
        one.words,
        one.block,
        one.nodes + other.nodes,
        one.comments + other.comments,
        one.closing + other.closing,
        join(one.children, other.children),
    )


def common(left: Sequence[Shared], right: Sequence[Shared]) -> list[tuple[int, int]]:
    """A longest common subsequence, as pairs of indices; equal ends are taken off first."""
    start, a, b = 0, len(left), len(right)
    while start < min(a, b) and left[start].key == right[start].key:
        start += 1
    while a > start and b > start and left[a - 1].key == right[b - 1].key:
        a, b = a - 1, b - 1
    head = [(i, i) for i in range(start)]
    tail = [(a + k, b + k) for k in range(len(left) - a)]
    middle = _longest([s.key for s in left[start:a]], [s.key for s in right[start:b]])
    return head + [(i + start, j + start) for i, j in middle] + tail


MAX_TABLE = 4_000_000
"""Cells of the alignment's table; beyond it two lists are so different that we do not align."""


def _longest(a: list[tuple[object, ...]], b: list[tuple[object, ...]]) -> list[tuple[int, int]]:
    if not a or not b or len(a) * len(b) > MAX_TABLE:
        return []
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        row, below = table[i], table[i + 1]
        for j in range(len(b) - 1, -1, -1):
            row[j] = below[j + 1] + 1 if a[i] == b[j] else max(below[j], row[j + 1])
    pairs, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif table[i + 1][j] >= table[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def write(one: Shared, nodes: Sequence[str], depth: int) -> Iterator[str]:
    """The lines of a statement; each line says itself which nodes have it."""
    own, others = side(one.comments)
    indent = INDENT * depth
    for comment in (*above(one.comments), *others):
        yield indent + comment
    text = " ".join(one.words)
    head = f"{text} {{".lstrip() if one.block else text
    for prefix in prefixes(one.nodes, nodes):
        yield _line(indent + prefix + head, own)
    if not one.block:
        return
    for child in one.children:
        yield from write(child, nodes, depth + 1)
    own, others = side(one.closing)
    for comment in (*above(one.closing), *others):
        yield indent + INDENT + comment
    for prefix in prefixes(one.nodes, nodes):
        yield _line(indent + prefix + "}", own)


def _line(text: str, comment: str) -> str:
    return f"{text} {comment}" if comment else text


def prefixes(having: Sequence[str], nodes: Sequence[str]) -> list[str]:
    """How to say that these of all nodes have a line: "" once for all."""
    if set(having) >= set(nodes):
        return [""]
    return [f"@{node} " for node in nodes if node in having]


def side(comments: Sequence[tuple[str, Note]]) -> tuple[str, list[str]]:
    """The comment to put on the line, and those of other nodes, to be put above it."""
    texts = [(node, n.after) for node, n in comments if n.after]
    if not texts:
        return "", []
    first = texts[0][1]
    others = [
        f"{text[0]} {node}: {text[1:].strip()}"
        for node, text in texts
        if text != first and text[1:].strip()
    ]
    return first, list(dict.fromkeys(others))


def above(comments: Sequence[tuple[str, Note]]) -> Iterator[str]:
    """The whole lines of comment above a statement: each once."""
    yield from dict.fromkeys(line for _, n in comments for line in n.before)
