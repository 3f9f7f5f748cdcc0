"""What a pushed configuration runs on a node: whom, and the whole command.

PURE.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hanode.conf import Named, NamedProgram
from hanode.wire import NodePolicy


@dataclass(frozen=True, slots=True)
class Run:
    """A command that the configuration runs."""

    keyword: str
    command: str
    """With its arguments; what is a secret is masked."""
    user: str
    """Empty: whoever the node takes where nobody is named, which it did not say."""
    group: str
    line: int

    @property
    def root(self) -> bool:
        """Whether it certainly runs as root."""
        return self.user in ("root", "0")


def runs(named: Iterable[Named], policy: NodePolicy | None) -> tuple[Run, ...]:
    """Every command, in order; `policy`: what the node said, None: it said nothing."""
    default = policy.script_user if policy is not None else ""
    return tuple(
        Run(
            one.keyword,
            one.shown,
            one.user or default,
            one.group or "",
            one.origin.line,
        )
        for one in named
        if isinstance(one, NamedProgram)
    )
