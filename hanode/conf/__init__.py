"""keepalived's configuration language: read, checked, explained, edited, merged, generated.

PURE; standard library only. The public face of the package:

    checked = check(text, node="NodeA")       # problems with their places, and the model
    rendered = render(checked.model)          # keepalived.conf in one layout
    merged = merge({"NodeA": a, "NodeB": b})  # one document with `@NodeA …` lines

No function here raises on any text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hanode.conf.model import (
    Address,
    Config,
    GlobalDefs,
    Note,
    Origin,
    RealServer,
    Statement,
    TcpCheck,
    VirtualServer,
    VrrpInstance,
)
from hanode.conf.problems import Fix, Problem, Severity, apply_fixes, has_errors, in_order

DEFAULT_NAME = "keepalived.conf"
DEFAULT_TARGET = "keepalived-2.2.7"
MASK = "••••••"

Reader = Callable[[str, str], "tuple[tuple[str, str], ...] | None"]
"""read(pattern, including file) -> ((name, text), …), or None where nothing can be read."""


@dataclass(frozen=True, slots=True)
class Document:
    """Thin for now."""

    name: str
    source: str

    def text(self) -> str:
        return self.source


@dataclass(frozen=True, slots=True)
class Checked:
    """A text, what it means, and what is wrong with it."""

    document: Document
    model: Config
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A generated file, and what could not be said for its target."""

    text: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Merged:
    """One document for several nodes."""

    text: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A difference in users' words, and what reloading it does.

    impact: none | adverts | vip_moves | connections | restart
    """

    subject: str
    text: str
    impact: str


def parse(text: str, name: str = DEFAULT_NAME) -> Document:
    """The text as a lossless document: `parse(t).text() == t`."""
    return Document(name, text)


def check(
    text: str,
    *,
    name: str = DEFAULT_NAME,
    node: str | None = None,
    target: str = DEFAULT_TARGET,
    read: Reader | None = None,
) -> Checked:
    """The model of the text as `node` sees it, with every problem at its place."""
    return Checked(parse(text, name), Config(), ())


def expand_for(text: str, node: str, *, name: str = DEFAULT_NAME) -> Checked:
    """A cluster document as one of its nodes sees it."""
    return check(text, node=node, name=name)


def node_ids(text: str) -> tuple[str, ...]:
    """The ids that the text's conditional lines (`@NodeA …`) name, in order."""
    return ()


def render(config: Config, *, target: str | None = DEFAULT_TARGET) -> Rendered:
    """keepalived.conf in one layout; target None keeps every word (for documents)."""
    return Rendered("", ())


def merge(files: dict[str, str]) -> Merged:
    """One document of the files of a cluster's nodes; different lines become conditional."""
    return Merged("", ())


def merge_models(models: dict[str, Config]) -> str:
    """The document of models, all words kept: the inverse of `expand_for(...).model`."""
    return ""


def check_pair(models: dict[str, Config]) -> tuple[Problem, ...]:
    """What is wrong between the nodes of a cluster."""
    return ()


def diff(old: Config, new: Config) -> tuple[Change, ...]:
    """What changes from one to the other."""
    return ()


def mask_secrets(text: str) -> str:
    """The text with passwords and keys replaced by MASK."""
    return text


__all__ = [
    "DEFAULT_TARGET",
    "MASK",
    "Address",
    "Change",
    "Checked",
    "Config",
    "Document",
    "Fix",
    "GlobalDefs",
    "Merged",
    "Note",
    "Origin",
    "Problem",
    "Reader",
    "RealServer",
    "Rendered",
    "Severity",
    "Statement",
    "TcpCheck",
    "VirtualServer",
    "VrrpInstance",
    "apply_fixes",
    "check",
    "check_pair",
    "diff",
    "expand_for",
    "has_errors",
    "in_order",
    "mask_secrets",
    "merge",
    "merge_models",
    "node_ids",
    "parse",
    "render",
]
