"""PURE. Whether the addresses are where the nodes' reports say that they belong.

A push is not done when the last node keeps its file: a changed priority moves the address some
seconds later. A backup that preempts, and has a higher priority than the master, will take over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Member:
    """One instance on one node, from its last report and its file."""

    node: str
    state: str
    """MASTER, BACKUP, FAULT or INIT; `unknown` if the node is not heard."""
    priority: int
    """The effective one."""
    preempts: bool = True
    preempt_delay_s: float = 0.0
    missing: tuple[str, ...] = ()
    """Its virtual addresses that the kernel does not have."""


@dataclass(frozen=True, slots=True)
class Settling:
    """What is not settled yet, as a clause; `text` empty: everything is."""

    text: str = ""
    waits: bool = True
    """Whether it comes right within seconds, if all goes well."""
    bad: bool = False
    """Whether the push has failed if it stays so."""


SETTLED = Settling()

LONG_DELAY_S = 10.0
"""A preempt_delay above this is not waited for: it may be minutes."""


def settling(instances: Mapping[str, Sequence[Member]]) -> Settling:
    """The first instance that is not settled, the worst kind first."""
    found = [one for name, members in instances.items() if (one := _of(name, members)).text]
    found.sort(key=lambda one: (not one.bad, not one.waits))
    return found[0] if found else SETTLED


def _of(name: str, members: Sequence[Member]) -> Settling:
    masters = [one for one in members if one.state == "MASTER"]
    if len(masters) > 1:
        names = " and ".join(one.node for one in masters)
        return Settling(f"{names} are both master of {name}", bad=True)
    if not masters:
        silent = [one.node for one in members if one.state == "unknown"]
        if silent:
            names = " and ".join(silent)
            return Settling(f"no node is known to be master of {name}: {names} is not heard")
        if all(one.state == "FAULT" for one in members):
            return Settling(f"no node is well enough to be master of {name}", waits=False)
        return Settling(f"no node is master of {name}", bad=True)
    master = masters[0]
    if master.missing:
        return Settling(f"{master.node} does not hold {', '.join(master.missing)}", bad=True)
    rivals = [one for one in members if one.state == "BACKUP" and one.preempts]
    rival = max(rivals, key=lambda one: one.priority, default=None)
    if rival is None or rival.priority <= master.priority:
        return SETTLED
    text = f"{rival.node} takes {name} over from {master.node}"
    if rival.preempt_delay_s > LONG_DELAY_S:
        text += f" once its preempt_delay of {rival.preempt_delay_s:g} s is over"
        return Settling(text, waits=False)
    return Settling(text)
