"""All VRRP instances of a node: who gets a packet, and whose deadline comes next.

PURE. The driver feeds settings, packets, links, trackers and the time; it gets effects.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from hanode.vrrp import packet
from hanode.vrrp.counters import WARN_AGAIN_US
from hanode.vrrp.effects import Effect, State, Warned
from hanode.vrrp.events import (
    AddressLost,
    AdvertReceived,
    AdvertRefused,
    LinkChanged,
    LinkState,
    Stopped,
    TrackerChanged,
)
from hanode.vrrp.machine import TIMER_FIRED, Machine
from hanode.vrrp.operator_commands import Verbs
from hanode.vrrp.packet import Datagram, Reason, Refusal
from hanode.vrrp.reload import Reload as Reload

IPV4_OFFSET_TTL = 8
IPV4_OFFSET_SOURCE = 12
IPV4_OFFSET_DESTINATION = 16
IPV4_OFFSET_VRID = packet.IPV4_HEADER_BYTES + 1
UNREAD_US = 3_000
"""After so long a backup whose time has come asks again whether everything was read."""
PLAIN_IPV4 = 0x45
"""Version 4, a header of 20 bytes."""


class Router(Verbs):
    """Owns the machines. Nothing here knows a socket, a clock or a file."""

    @property
    def interfaces(self) -> tuple[str, ...]:
        """Every interface that an instance runs on."""
        return tuple(dict.fromkeys(m.settings.interface for m in self.machines.values()))

    @property
    def deadline_us(self) -> int | None:
        """When `tick` is wanted next."""
        heap_us = self._heap[0][0] if self._heap else None
        if not self._paces:
            return heap_us
        times = [at for at in (heap_us, self._pacer.deadline_us) if at is not None]
        return min(times, default=None)

    def wake_us(self, before_us: int) -> int | None:
        """`deadline_us`, or so much earlier if a BACKUP may become MASTER then."""
        due_us = self.deadline_us
        if due_us is None or not self._heap:
            return due_us
        queued_us, _, machine = self._heap[0]
        early_us = queued_us - before_us
        if queued_us == due_us and _may_take_over(machine, queued_us, early_us):
            return early_us
        return due_us

    def imminent(self, *, now_us: int, within_us: int) -> Machine | None:
        """The next to fire, if it is a BACKUP that misses its master and fires so soon."""
        heap = self._heap
        while heap:
            queued_us, serial, machine = heap[0]
            if queued_us - now_us > within_us or machine.state is not State.BACKUP:
                return None
            due_us = machine.deadline_us
            if queued_us != machine.queued_us or due_us is None:
                heapq.heappop(heap)
                if queued_us == machine.queued_us:
                    machine.queued_us = None
            elif due_us > queued_us:  # an advert has moved it since it was queued
                machine.queued_us = due_us
                heapq.heapreplace(heap, (due_us, serial, machine))
            else:
                return machine if _may_take_over(machine, queued_us, now_us) else None
        return None

    def wall(self, wall_us: int, *, now_us: int) -> None:
        """The time of day, for signed adverts."""
        self.context.wall_offset_us = wall_us - now_us

    # What happens

    def link(self, name: str, state: LinkState, *, now_us: int) -> list[Effect]:
        """Interface `name` is now like this."""
        before = self._links.get(name)
        if before == state:
            return []
        self._links[name] = state
        machines = list(self.machines.values())
        plain = [m for m in machines if m.settings.interface == name and m.settings.ipvlan is None]
        effects = self._step_all(plain, LinkChanged(state), now_us)
        for machine in machines:
            one = machine.settings
            if one.ipvlan is not None and name in (one.interface, one.source_on):
                news = LinkChanged(self._link_of(one))
                effects += self._step_all([machine], news, now_us)
        if before is None or (before.up, before.exists) != (state.up, state.exists):
            cause = "" if state.exists else "does not exist"
            effects += self.tracker(
                TrackerChanged("interface", name, state.up, cause=cause), now_us=now_us
            )
        return effects

    def tracker(self, change: TrackerChanged, *, now_us: int) -> list[Effect]:
        """A script, process, file or interface is now like this."""
        key = (change.kind, change.name)
        if self.context.trackers.get(key) == change:
            return []
        self.context.trackers[key] = change
        return self._step_all(self._watchers.get(key, []), change, now_us)

    def receive_ipv4(self, interface: str, data: bytes, *, now_us: int) -> list[Effect]:
        """A packet with its IP header came in on `interface`."""
        table = self._tables.get((interface, 4))
        if table is not None and len(data) > IPV4_OFFSET_VRID and data[0] == PLAIN_IPV4:
            machine = table.get(data[IPV4_OFFSET_VRID])
            if (
                machine is not None
                and data[IPV4_OFFSET_SOURCE:] == machine.heard_tail
                and data[IPV4_OFFSET_TTL] == packet.TTL
            ):
                machine.hear_same(now_us)
                return []
        datagram = packet.read_ipv4(data)
        if isinstance(datagram, Refusal):
            source, vrid = data[IPV4_OFFSET_SOURCE:IPV4_OFFSET_DESTINATION], packet.vrid_at(data)
            return self._cut_short(interface, vrid, source, datagram, now_us)
        return self._receive(interface, 4, datagram, data[IPV4_OFFSET_SOURCE:], now_us)

    def receive_ipv6(
        self,
        interface: str,
        payload: bytes,
        *,
        source: bytes,
        destination: bytes,
        hop_limit: int,
        now_us: int,
    ) -> list[Effect]:
        """What followed the IPv6 header of a packet on `interface`."""
        if len(payload) < packet.HEADER_BYTES:
            short = Refusal(Reason.LENGTH, f"it has only {len(payload)} bytes")
            vrid = payload[1] if len(payload) > 1 else None
            return self._cut_short(interface, vrid, source, short, now_us)
        datagram = Datagram(source, destination, hop_limit, payload)
        machine = self._tables.get((interface, 6), {}).get(payload[1])
        tail = source + destination + payload
        if machine is not None and tail == machine.heard_tail and hop_limit == packet.TTL:
            machine.hear_same(now_us)
            return []
        return self._receive(interface, 6, datagram, tail, now_us)

    def _receive(
        self, interface: str, family: int, datagram: Datagram, tail: bytes, now_us: int
    ) -> list[Effect]:
        machine = self._tables.get((interface, family), {}).get(datagram.payload[1])
        if machine is None:
            self.unknown_vrids += 1
            return self._unknown(interface, family, datagram, now_us)
        wall_us = now_us + self.context.wall_offset_us
        verdict = machine.receiver.judge(datagram, wall_us=wall_us)
        if isinstance(verdict, Refusal):
            return self._step(machine, AdvertRefused(datagram.source, verdict), now_us)
        effects = self._step(machine, AdvertReceived(datagram.source, verdict), now_us)
        if machine.repeatable and not machine.receiver.signed:
            machine.heard_tail = tail
        return self._paced(effects, now_us)

    def _cut_short(
        self, interface: str, vrid: int | None, source: bytes, refusal: Refusal, now_us: int
    ) -> list[Effect]:
        """A packet without a whole VRRP header: its instance's fault, where that can be read."""
        family = 4 if len(source) == 4 else 6
        machine = None
        if vrid is not None:
            machine = self._tables.get((interface, family), {}).get(vrid)
        if machine is None:
            self.short_packets += 1
            return []
        return self._step(machine, AdvertRefused(source, refusal), now_us)

    def _unknown(
        self, interface: str, family: int, datagram: Datagram, now_us: int
    ) -> list[Effect]:
        """log_unknown_vrids: said at most once a minute for each."""
        key = (interface, family, datagram.payload[1])
        last_us = self._unknown_us.get(key)
        if not self.settings.log_unknown_vrids or (
            last_us is not None and now_us - last_us < WARN_AGAIN_US
        ):
            return []
        self._unknown_us[key] = now_us
        sender = packet.text(datagram.source)
        cause = f"{sender} sends adverts of virtual_router_id {key[2]}, which is not configured"
        return [Warned(key, interface, "unknown vrid", cause)]

    def lost(self, missing: Iterable[tuple[str, str]], *, now_us: int) -> list[Effect]:
        """These (device, `ip/prefix`) are gone from the kernel, and not by our doing."""
        gone = set(missing)
        effects: list[Effect] = []
        for machine in list(self.machines.values()):
            if machine.state is not State.MASTER:
                continue
            for address in machine.settings.addresses:
                if (address.dev, str(address)) in gone:
                    effects += self._step(machine, AddressLost(address), now_us)
        return self._paced(effects, now_us)

    def tick(self, *, now_us: int, unread: bool = False) -> list[Effect]:
        """Fire every deadline that has come.

        `unread`: packets have arrived that were not handed over yet. An advert may be among them,
        so only masters, which have to speak, do not wait.
        """
        effects: list[Effect] = []
        heap = self._heap
        while heap and heap[0][0] <= now_us:
            queued_us, serial, machine = heap[0]
            due_us = machine.deadline_us if queued_us == machine.queued_us else None
            if due_us is None:  # removed, or with nothing to wait for, or queued anew earlier
                heapq.heappop(heap)
                if queued_us == machine.queued_us:
                    machine.queued_us = None
                continue
            if due_us <= now_us:
                if machine.state is State.MASTER:
                    effects += machine.beat(now_us)
                elif unread:
                    machine.queued_us = now_us + UNREAD_US
                    heapq.heapreplace(heap, (machine.queued_us, serial, machine))
                    continue
                else:
                    effects += self._step(machine, TIMER_FIRED, now_us, queue=False)
                due_us = machine.deadline_us
            if due_us is None:
                heapq.heappop(heap)
                machine.queued_us = None
            else:
                machine.queued_us = due_us
                heapq.heapreplace(heap, (due_us, serial, machine))
        if self._paces:
            return self._paced(effects, now_us) + self._pacer.due(now_us)
        return effects

    def stop(self, cause: str, *, now_us: int) -> list[Effect]:
        """End everything: priority 0 where we are master, addresses away."""
        effects: list[Effect] = []
        for machine in self.machines.values():
            effects += machine.step(Stopped(cause), now_us=now_us)
        for group in self.groups.values():
            effects += group.notify("STOP", tell_all=self.context.tell_all)
            group.part()
        self.machines.clear()
        self.groups.clear()
        self._heap.clear()
        self._index()
        return effects


def _may_take_over(machine: Machine, queued_us: int, now_us: int) -> bool:
    """Whether it is likely to fire; not one that only waits until everything is read."""
    return (
        machine.state is State.BACKUP
        and machine.deadline_us is not None
        and machine.deadline_us >= queued_us
        and machine.misses_its_master(now_us)
    )
