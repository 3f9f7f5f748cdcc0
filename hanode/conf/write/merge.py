"""Merges the files of a cluster's nodes into one document with conditions (`@NodeA …`).

PURE. Each file becomes a tree of statements in the canonical layout; the trees are aligned, so
that equal lines become common and the others conditional (`@NodeA priority 100`). `@ID` counts
for one line only, so each line of a block that not every node has gets the prefix. For every node
`bind(expand(merge(files), node)) == bind(files[node])`. Each node's own order is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hanode.conf.check.check import DEFAULT_TARGET, Checked, check
from hanode.conf.check.lint import problem
from hanode.conf.model.model import Config, Note, Origin, Statement
from hanode.conf.text.align import Budget, aligned
from hanode.conf.text.expand import expand
from hanode.conf.text.logical import Defined, Reader
from hanode.conf.text.problems import Problem, in_order
from hanode.conf.text.tree import INCLUDES, Kind
from hanode.conf.write.render import INDENT, note
from hanode.conf.write.to_statements import layout
from hanode.conf.write.unexpanded import Written, comments_of, written


@dataclass(frozen=True, slots=True)
class Merged:
    """The document of several nodes, and the problems of the files that it came from."""

    text: str
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class NodeContext:
    """A statement and the nodes that have it."""

    words: tuple[str, ...]
    block: bool
    nodes: list[str]
    comments: list[tuple[str, Note]]
    """By node: the comments of its own line."""
    closing: list[tuple[str, Note]]
    children: list[NodeContext] = field(default_factory=list)

    @property
    def key(self) -> tuple[object, ...]:
        """Statements with equal keys become one line; blocks with equal keys are merged inside."""
        return (self.words, self.block)


def merge(
    files: dict[str, str],
    *,
    read: Reader | None = None,
    keep_macros: bool = True,
    target: str = DEFAULT_TARGET,
) -> Merged:
    """One document made from the files of a cluster's nodes, by config id.

    Problems are those of the files; a problem's `file` is the node's id. A definition is kept for
    the nodes that have it, if the document then still means the same. Otherwise its name is
    replaced by its value, and so is `~SEQ`; a Problem reports that. Includes are replaced by the
    texts that `read` returns for them.
    """
    problems: list[Problem] = []
    checked: dict[str, Checked] = {}
    for node, text in files.items():
        checked[node] = check(text, name=node, node=node, read=read, target=target)
        problems += checked[node].problems
    models = {node: one.model for node, one in checked.items()}
    problems += lonely_includes(models)
    text = ""
    kept: dict[str, Written] = {}
    if (
        keep_macros
        and any("$" in file for file in files.values())
        and all(map(_defined_first, checked.values()))
    ):
        kept = {
            node: written(layout(one.model, None)[0], one.document, node, read)
            for node, one in checked.items()
        }
        text = _document(
            {node: (*one.definitions, *one.statements) for node, one in kept.items()}, models
        )
        if not means(text, models):
            kept = {}
    comments: dict[str, None] = {}
    for node, one in checked.items():
        if node in kept:
            left = kept[node].replaced
        elif "$" in files[node] or read is not None:
            left = tuple(expand(one.document, node=node, read=read).defined)
        else:
            left = ()
        problems += macros_replaced(one, left)
        comments |= dict.fromkeys(comment for gone in left for comment in comments_of(gone))
    text = text if kept else merge_models(models)
    text = "".join(f"{comment}\n" for comment in comments) + text
    return Merged(text, in_order(problems))


def _defined_first(checked: Checked) -> bool:
    """Whether no definition is below a kept include, whose file may define the same name."""
    lines = checked.document.lines
    last = max((line.number for line in lines if line.kind is Kind.DEFINITION), default=0)
    return not any(statement.origin.line < last for statement in _includes(checked.model).values())


def means(text: str, models: dict[str, Config]) -> bool:
    """Whether each node gets its own model from the document."""
    return all(check(text, node=node).model == model for node, model in models.items())


def macros_replaced(checked: Checked, left: Sequence[Defined]) -> Iterator[Problem]:
    """One Problem for each file whose macros were replaced by their values.

    `left` are the definitions that are not in the document.
    """
    source = checked.document.source
    names = [f"${name}" for name in dict.fromkeys(one.name for one in left)]
    repeats = [line for line in checked.document.lines if line.kind is Kind.REPEAT]
    names += dict.fromkeys(source.text[line.body :].partition("(")[0] for line in repeats)
    places = [Origin(one.source, one.start, one.end, one.end) for one in left]
    places += [Origin(source, line.body, line.comment, line.comment) for line in repeats]
    if names:
        shown = ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")
        message = f"replaced by what they stand for: {shown}"
        yield problem(places[0], "macro-replaced", "info", message)


NAMED = 8
"""Names in one message; further names are left out."""


def lonely_includes(models: dict[str, Config]) -> Iterator[Problem]:
    """Reports an include that only some nodes have.

    keepalived follows an include whatever its condition, so it cannot be limited to some nodes.
    """
    found = {node: _includes(model) for node, model in models.items()}
    for node, includes in found.items():
        for key, statement in includes.items():
            having = [other for other in found if key in found[other]]
            if len(having) < len(found):
                message = (
                    f"{' '.join(statement.words)} is in the file of {' and '.join(having)} only, "
                    "and keepalived follows an include on every node"
                )
                hint = (
                    "write the included lines into the file, or give every node this include and "
                    f"put what is {node}'s own behind @{node} in the included file"
                )
                yield problem(statement.origin, "include-lonely", "error", message, hint)


def _includes(model: Config) -> dict[tuple[str, tuple[str, ...]], Statement]:
    """The includes that are kept, by the blocks around them and their words."""
    found: dict[tuple[str, tuple[str, ...]], Statement] = {}

    def walk(statements: tuple[Statement, ...], around: str) -> None:
        for s in statements:
            if s.words and s.words[0] in INCLUDES and s.children is None:
                found.setdefault((around, s.words), s)
            walk(s.children or (), f"{around} {' '.join(s.words)} /")

    walk(layout(model, None)[0], "")
    return found


def merge_models(models: dict[str, Config]) -> str:
    """The document of these models; expanding it for a node gives the node's model."""
    return _document({node: layout(model, None)[0] for node, model in models.items()}, models)


def _document(statements: dict[str, tuple[Statement, ...]], models: dict[str, Config]) -> str:
    """The text of the nodes' statements, with equal statements once."""
    nodes = list(models)
    merged: list[NodeContext] = []
    tails: list[tuple[str, Note]] = []
    budget = Budget()
    for node, model in models.items():
        merged = join(merged, [shared(s, node) for s in statements[node]], budget)
        tails += [(node, n) for n in model.notes if n.at == "}"]
    lines: list[str] = []
    for number, top in enumerate(merged):
        if number and (top.block or merged[number - 1].block):
            lines.append("")
        lines += write(top, nodes, 0)
    tail = list(above(tails))
    lines += ["", *tail] if tail and lines else tail
    return "\n".join(lines) + "\n" if lines else ""


def shared(statement: Statement, node: str) -> NodeContext:
    """The statement as one node has it."""
    children = [shared(child, node) for child in statement.children or ()]
    own, closing = note(statement, ""), note(statement, "}")
    return NodeContext(
        statement.words,
        statement.children is not None,
        [node],
        [(node, own)] if own.before or own.after else [],
        [(node, closing)] if closing.before or closing.after else [],
        children,
    )


def join(left: list[NodeContext], right: list[NodeContext], budget: Budget) -> list[NodeContext]:
    """Merges two lists of statements: equal statements once, and the order of each list kept."""
    out: list[NodeContext] = []
    i = j = 0
    pairs = aligned([one.key for one in left], [one.key for one in right], budget)
    for a, b in [*pairs, (len(left), len(right))]:
        out += left[i:a]
        out += right[j:b]
        if a < len(left):
            out.append(unite(left[a], right[b], budget))
        i, j = a + 1, b + 1
    return out


def unite(one: NodeContext, other: NodeContext, budget: Budget) -> NodeContext:
    """Merges two statements with equal keys."""
    return NodeContext(
        one.words,
        one.block,
        one.nodes + other.nodes,
        one.comments + other.comments,
        one.closing + other.closing,
        join(one.children, other.children, budget),
    )


def write(one: NodeContext, nodes: Sequence[str], depth: int) -> Iterator[str]:
    """The lines of a statement, each with the conditions for the nodes that have it."""
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
    """The conditions that limit a line to the nodes in `having`; one "" if all nodes have it."""
    if set(having) >= set(nodes):
        return [""]
    return [f"@{node} " for node in nodes if node in having]


def side(comments: Sequence[tuple[str, Note]]) -> tuple[str, list[str]]:
    """The comment to put on the line, and the comments of other nodes to put above it."""
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
    """The whole-line comments above a statement, each once."""
    yield from dict.fromkeys(line for _, n in comments for line in n.before)
