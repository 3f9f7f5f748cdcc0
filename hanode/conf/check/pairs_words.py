"""What the rules between nodes share: an instance on all nodes, and sentences.

PURE.
"""

from __future__ import annotations

from collections.abc import Iterable

from hanode.conf.model.model import Address, Config, VrrpInstance
from hanode.conf.rules.addresses import canonical
from hanode.conf.rules.base import problem
from hanode.conf.text.problems import Fix, Problem
from hanode.conf.text.source import Origin

Group = dict[str, tuple[Config, VrrpInstance]]
"""One instance as each node has it, by the node's config id."""


def two_masters(
    where: Origin,
    code: str,
    message: str,
    fix: Fix | None = None,
    *,
    hint: str = "write the same on all nodes",
) -> Problem:
    """A difference that makes both nodes master."""
    text = f"{message}: they do not hear each other, and both become master"
    return problem(where, code, "error", text, hint, fix)


def normalised(addresses: Iterable[Address]) -> set[str]:
    """The addresses, normalised."""
    return {canonical(address.ip) for address in addresses}


def listed(addresses: list[Address]) -> str:
    """The addresses, joined by "and"."""
    return " and ".join(a.ip for a in addresses)


def both(words: Iterable[str]) -> str:
    """The words, joined by "and"."""
    return " and ".join(words)
