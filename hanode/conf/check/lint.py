"""Applies the rules to one node's configuration.

PURE. Each rule in `rules/` is a generator of Problems; `codes` has the meaning of each code in
one line.
"""

from __future__ import annotations

from collections.abc import Iterator

from hanode.conf.language.releases import Target
from hanode.conf.model.model import Config
from hanode.conf.rules import RULES
from hanode.conf.rules.base import Case, problem
from hanode.conf.rules.machine import UNKNOWN_MACHINE, MachineFacts
from hanode.conf.text.problems import Problem
from hanode.conf.text.source import Source

__all__ = ["RULES", "lint", "problem"]


def lint(
    config: Config,
    target: Target,
    *,
    machine: MachineFacts = UNKNOWN_MACHINE,
    source: Source | None = None,
) -> Iterator[Problem]:
    """All problems that the rules find. Problems get fixes only if `source` is given."""
    case = Case(config, target, machine, source)
    return (problem for rule in RULES for problem in rule(case))
