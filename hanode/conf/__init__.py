"""keepalived's configuration language: read, checked, explained, edited, merged, generated.

PURE; standard library only. The public face of the package:

    checked = check(text, node="NodeA")       # problems with their places, and the model
    rendered = render(checked.model)          # keepalived.conf in one layout
    merged = merge({"NodeA": a, "NodeB": b})  # one document with `@NodeA …` lines

No function here raises on any text.
"""

from __future__ import annotations

from dataclasses import dataclass

from hanode.conf.check import DEFAULT_TARGET, Checked, check, expand_for, node_ids
from hanode.conf.expand import Reader
from hanode.conf.merge import Merged, merge, merge_models
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
from hanode.conf.render import Rendered, render
from hanode.conf.tree import Document, parse

MASK = "••••••"


@dataclass(frozen=True, slots=True)
class Change:
    """A difference in users' words, and what reloading it does.

    impact: none | adverts | vip_moves | connections | restart
    """

    subject: str
    text: str
    impact: str


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
