"""What a backup is about to want, said by an understudy.

PURE. A takeover is rare, so its code and data are in no cache when its moment comes: played for the
first time it takes three times as long as for the second. Whoever drives the machines may have it
played once before.
"""

from __future__ import annotations

from hanode.vrrp.effects import Effect, State
from hanode.vrrp.events import Started
from hanode.vrrp.machine import TIMER_FIRED, Machine
from hanode.vrrp.node_context import NodeContext


def rehearse(machine: Machine, *, now_us: int) -> list[Effect]:
    """The effects of becoming MASTER, by another machine with the same settings and link.

    `machine` is not touched. Empty where the understudy would not begin as BACKUP. To be looked
    at, not to be done: an instance of a sync group waits for the others, and signed adverts have
    numbers of their own.
    """
    context = NodeContext()
    context.trackers = machine.context.trackers
    context.tell_all = machine.context.tell_all
    context.wall_offset_us = machine.context.wall_offset_us
    understudy = Machine(machine.settings, context)
    understudy.step(Started(machine.link), now_us=now_us)
    if understudy.state is not State.BACKUP:
        return []
    return understudy.step(TIMER_FIRED, now_us=now_us)
