"""`check`: from text to document, logical lines and model, with every problem found on the way.

PURE. Nothing here raises on any text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hanode.conf.check.causes import may_hide, merged, pasted
from hanode.conf.check.lint import lint
from hanode.conf.language.releases import Target
from hanode.conf.language.releases import target as target_of
from hanode.conf.model.model import Config, GlobalDefs
from hanode.conf.read.bind import bind
from hanode.conf.read.misread_braces import misread
from hanode.conf.rules.machine import UNKNOWN_MACHINE, MachineFacts
from hanode.conf.text.expand import expand
from hanode.conf.text.line_checks import nothing_left
from hanode.conf.text.logical import Reader
from hanode.conf.text.problems import Collected, Problem, in_order, too_many
from hanode.conf.text.tree import Document, parse

DEFAULT_NAME = "keepalived.conf"
DEFAULT_TARGET = "keepalived-2.2.7"
NEWEST = "keepalived-2.4.3"
"""The release whose keywords our engine reads, and so the target of a cluster of its nodes."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A text's document and model, and the problems found in it."""

    document: Document
    model: Config
    problems: tuple[Problem, ...]


def check(
    text: str,
    *,
    name: str = DEFAULT_NAME,
    node: str | None = None,
    target: str = DEFAULT_TARGET,
    read: Reader | None = None,
    machine: MachineFacts = UNKNOWN_MACHINE,
) -> Checked:
    """The model of the text as `node` reads it, and every problem with its place.

    Without `node` the lines of `@NodeA …` are left out, as on a node that no line names; see
    `node_ids`. `machine` is what is known of the node's machine. Raises ValueError only for an
    unknown `target`.
    """
    program = target_of(target)

    def once(text: str) -> Checked:
        document = parse(text, name, program.reading)
        model, problems = bind(expand(document, node=node, read=read), program)
        return judged(document, model, problems, program, machine, node)

    return with_causes(text, once, (once,) * MENDED)


MENDED = 3
"""How often a text is mended and checked again: a misspelt block may be in one with a BOM."""


def with_causes(
    text: str, once: Callable[[str], Checked], again: Sequence[Callable[[str], Checked]]
) -> Checked:
    """Checks a text, with one problem for each cause. `again` check the text once it is mended."""
    checked = once(text)
    reading = checked.document.reading
    found = pasted(text, reading)
    if not again or not (found or may_hide(checked.problems)):
        return checked

    def mended(text: str) -> Sequence[Problem]:
        return with_causes(text, again[0], again[1:]).problems

    problems = merged(checked.document.source, checked.problems, found, reading, mended)
    return replace(checked, problems=problems)


def judged(
    document: Document,
    model: Config,
    problems: Collected,
    program: Target,
    machine: MachineFacts = UNKNOWN_MACHINE,
    node: str | None = None,
) -> Checked:
    """Applies the rules to the whole model, and sorts all problems."""
    if not (model.instances or model.services or model.other or model.globals != GlobalDefs()):
        problems += nothing_left(document, node, "warning")
    found = lint(model, program, machine=machine, source=document.source)
    if misread(problems):
        # keepalived's model of such a file differs from ours, so a rule's error may not be one.
        found = (replace(p, severity="warning") if p.severity == "error" else p for p in found)
    problems += found
    if problems.left_out:
        problems.insert(0, too_many(document.name, problems.left_out))
    return Checked(document, model, in_order(problems))


def expand_for(
    text: str, node: str, *, name: str = DEFAULT_NAME, target: str = DEFAULT_TARGET
) -> Checked:
    """Checks a cluster's document as one of its nodes reads it."""
    return check(text, node=node, name=name, target=target)


def node_ids(text: str) -> tuple[str, ...]:
    """The ids that the text's conditional lines (`@NodeA …`) name, in order."""
    return parse(text).node_ids() if "@" in text else ()
