"""What is wrong with one node's configuration although each word fits.

PURE. The rules are in `rules/`, each a generator of Problems; `codes` says in a line what each
code means.
"""

from __future__ import annotations

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
) -> list[Problem]:
    """All that the rules find. With the source, problems get their fixes."""
    case = Case(config, target, machine, source)
    return [problem for rule in RULES for problem in rule(case)]
