"""The effects of a takeover that has not come yet, computed by a copy of the machine.

PURE. A takeover is rare, so its code and data are in no cache when its moment comes: the first run
takes three times as long as the second. A driver may run it once before, without consequence.
"""

from __future__ import annotations

from hanode.vrrp.effects import Effect, State
from hanode.vrrp.events import Started
from hanode.vrrp.machine import TIMER_FIRED, Machine
from hanode.vrrp.node_context import NodeContext


def rehearse(machine: Machine, *, now_us: int) -> list[Effect]:
    """The effects of becoming MASTER, by another machine with the same settings and link.

    `machine` is not touched. Empty where the copy would not begin as BACKUP. The effects are to be
    read, not to be carried out: an instance of a sync group waits for the others, and signed
    adverts have numbers of their own.
    """
    context = NodeContext()
    context.trackers = machine.context.trackers
    context.notify_all = machine.context.notify_all
    context.wall_offset_us = machine.context.wall_offset_us
    copy = Machine(machine.settings, context)
    copy.step(Started(machine.link), now_us=now_us)
    if copy.state is not State.BACKUP:
        return []
    return copy.step(TIMER_FIRED, now_us=now_us)
