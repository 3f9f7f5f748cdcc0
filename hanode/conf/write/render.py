"""Renders a model as keepalived.conf in one canonical layout.

PURE. Four spaces for each level, one statement on a line, an empty line between root blocks.
`bind(parse(render(m))) == m`, except for what a target cannot express, which is a Problem.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hanode.conf.language.releases import target as target_of
from hanode.conf.model.model import Config, Note, Statement
from hanode.conf.text.problems import Problem, in_order
from hanode.conf.write.to_statements import layout

INDENT = "    "


@dataclass(frozen=True, slots=True)
class Rendered:
    """A generated file, and Problems for what its target cannot express."""

    text: str
    problems: tuple[Problem, ...]


def render(config: Config, *, target: str | None = "keepalived-2.2.7") -> Rendered:
    """The file for a target; None leaves nothing out (for documents that people edit)."""
    statements, problems = layout(config, None if target is None else target_of(target))
    tail = next((note.before for note in config.notes if note.at == "}"), ())
    text = join_blocks(statements, tail)
    return Rendered(text, in_order(problems))


def join_blocks(statements: Iterable[Statement], tail: Iterable[str] = ()) -> str:
    """The text of root statements, with an empty line around blocks."""
    parts: list[str] = []
    previous: Statement | None = None
    for statement in statements:
        if previous is not None and (
            previous.children is not None or statement.children is not None
        ):
            parts.append("")
        parts += lines_of(statement)
        previous = statement
    end = list(tail)
    if end and parts:
        parts.append("")
    parts += end
    return "\n".join(parts) + "\n" if parts else ""


def lines_of(statement: Statement, depth: int = 0) -> Iterator[str]:
    """The lines of a statement and of all statements inside it."""
    indent = INDENT * depth
    head = note(statement, "")
    for comment in head.before:
        yield indent + comment
    words = " ".join(statement.words)
    if statement.children is None:
        yield _with(indent + words, head.after)
        return
    yield _with(indent + f"{words} {{".lstrip(), head.after)
    for child in statement.children:
        yield from lines_of(child, depth + 1)
    tail = note(statement, "}")
    for comment in tail.before:
        yield indent + INDENT + comment
    yield _with(indent + "}", tail.after)


def note(statement: Statement, at: str) -> Note:
    """The statement's comments at that place; an empty Note if there are none."""
    return next((n for n in statement.notes if n.at == at), Note(at))


def _with(line: str, comment: str) -> str:
    return f"{line} {comment}" if comment else line
