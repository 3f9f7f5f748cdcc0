"""The VRRP engine of a node: packets, links, trackers, settings and time in; effects out.

PURE. The driver calls it and carries out the effects. The router decides which machine gets a
packet; `machine.py` says what an event does, and `instances.py` what that means for other machines.
"""

from __future__ import annotations

from collections.abc import Mapping

from hanode.vrrp import operator_commands, packet, reload
from hanode.vrrp.deadlines import may_take_over
from hanode.vrrp.effects import Effect, State, Warned
from hanode.vrrp.engine_settings import InstanceKey, VrrpSettings
from hanode.vrrp.events import (
    AddressLost,
    AdvertReceived,
    AdvertRefused,
    LinkChanged,
    LinkState,
    NeedsChanged,
    Stopped,
    TrackerChanged,
)
from hanode.vrrp.holdings import NOTHING, Holdings
from hanode.vrrp.instances import Instances
from hanode.vrrp.machine import Machine
from hanode.vrrp.operator_commands import CommandResult
from hanode.vrrp.packet import Datagram, Reason, Refusal
from hanode.vrrp.reload import Reload
from hanode.vrrp.startup_facts import NOTHING_KNOWN, StartupFacts
from hanode.vrrp.warning_limit import WARN_AGAIN_US

IPV4_OFFSET_TTL = 8
IPV4_OFFSET_SOURCE = 12
IPV4_OFFSET_DESTINATION = 16
IPV4_OFFSET_VRID = packet.IPV4_HEADER_BYTES + 1
PLAIN_IPV4 = 0x45
"""Version 4, a header of 20 bytes."""


class Router:
    """Nothing here knows a socket, a clock or a file."""

    def __init__(self) -> None:
        self.instances = Instances()
        self.machines = self.instances.machines
        """By key; always the same dict, as are the next three."""
        self.groups = self.instances.sync_groups.groups
        self.context = self.instances.context
        self._by_vrid = self.instances.by_vrid
        self.signs = False
        """Adverts are signed with the time of day: `wall` must be called before each of them."""
        self.unknown_vrids = 0
        """Packets that named no instance of ours."""
        self.short_packets = 0
        """Packets too short to name one."""
        self._unknown_us: dict[InstanceKey, int] = {}
        """When each was warned of last; at most 255 for each interface and family."""

    @property
    def settings(self) -> VrrpSettings:
        """Those of the last `configure`."""
        return self.instances.settings

    @property
    def interfaces(self) -> tuple[str, ...]:
        """Every interface that an instance runs on."""
        return tuple(dict.fromkeys(m.settings.interface for m in self.machines.values()))

    # Settings and operators

    def configure(
        self,
        settings: VrrpSettings,
        *,
        now_us: int,
        startup: StartupFacts = NOTHING_KNOWN,
        before: Holdings = NOTHING,
    ) -> Reload:
        """New settings, for the first time or by a reload. `before`: what a killed run of ours may
        have left in the kernel.
        """
        self.signs = any(instance.hmac is not None for instance in settings.instances)
        return reload.configure(self.instances, settings, startup, before=before, now_us=now_us)

    def release(self, name: str = "", *, now_us: int, by: str = "operator") -> CommandResult:
        """Give up the mastership of an instance or group; "": of all."""
        return operator_commands.release(self.instances, name, by, now_us)

    def take(self, name: str = "", *, now_us: int, by: str = "operator") -> CommandResult:
        """Become master, where the election allows it."""
        return operator_commands.take(self.instances, name, by, now_us)

    def announce(self, name: str = "", *, now_us: int) -> CommandResult:
        """Announce the addresses of masters once more."""
        return operator_commands.announce(self.instances, name, now_us)

    def maintenance(self, on: bool, *, now_us: int, by: str = "operator") -> CommandResult:
        """On: every instance is in FAULT."""
        return operator_commands.maintenance(self.instances, on, by, now_us)

    def stop(self, cause: str, *, now_us: int) -> list[Effect]:
        """End everything: priority 0 where we are master, addresses away."""
        effects: list[Effect] = []
        for machine in self.machines.values():
            effects += machine.step(Stopped(cause), now_us=now_us)
        effects += self.instances.sync_groups.stop()
        self.instances.clear()
        return effects

    # Time

    @property
    def deadline_us(self) -> int | None:
        """When `tick` is wanted next."""
        heap, pacer = self.instances.deadlines.heap, self.instances.garp_pacer
        heap_us = heap[0][0] if heap else None
        if not pacer.active:
            return heap_us
        times = [at for at in (heap_us, pacer.deadline_us) if at is not None]
        return min(times, default=None)

    def wake_us(self, before_us: int) -> int | None:
        """`deadline_us`, or so much earlier if a BACKUP may become MASTER then."""
        due_us, heap = self.deadline_us, self.instances.deadlines.heap
        if due_us is None or not heap:
            return due_us
        queued_us, _, machine = heap[0]
        early_us = queued_us - before_us
        if queued_us == due_us and may_take_over(machine, queued_us, early_us):
            return early_us
        return due_us

    def imminent(self, *, now_us: int, within_us: int) -> Machine | None:
        """The next to fire, if it is a BACKUP that misses its master and fires so soon."""
        return self.instances.deadlines.next_takeover(now_us=now_us, within_us=within_us)

    def wall(self, wall_us: int, *, now_us: int) -> None:
        """The time of day, for signed adverts."""
        self.context.wall_offset_us = wall_us - now_us

    def tick(self, *, now_us: int, unread: bool = False) -> list[Effect]:
        """Fire every deadline that has come; `unread`: there are packets not handed over yet."""
        return self.instances.fire(now_us=now_us, unread=unread)

    # The node's surroundings

    def link(self, name: str, state: LinkState, *, now_us: int) -> list[Effect]:
        """Interface `name` is now like this."""
        links = self.context.links
        before = links.get(name)
        if before == state:
            return []
        links[name] = state
        machines = list(self.machines.values())
        plain = [m for m in machines if m.settings.interface == name and m.settings.ipvlan is None]
        effects = self.instances.step_all(plain, LinkChanged(state), now_us)
        for machine in machines:
            one = machine.settings
            if one.ipvlan is not None and name in (one.interface, one.source_on):
                news = LinkChanged(self.context.link_of(one))
                effects += self.instances.step_all([machine], news, now_us)
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
        return self.instances.step_all(self.instances.watchers.get(key, []), change, now_us)

    def needs(self, unmet: Mapping[InstanceKey, str], *, now_us: int) -> list[Effect]:
        """What this node refuses the instances, each with the reason; it holds for instances that
        `configure` adds later, too.
        """
        context = self.context
        before, context.unmet = context.unmet, dict(unmet)
        changed = [m for k, m in self.machines.items() if before.get(k) != unmet.get(k)]
        return self.instances.step_all(changed, NeedsChanged(), now_us) if changed else []

    def lost(self, missing: Mapping[tuple[str, str], str], *, now_us: int) -> list[Effect]:
        """These (device, `ip/prefix`) are gone from the kernel, and not by our doing; each with
        who removed it, or "".
        """
        effects: list[Effect] = []
        for machine in list(self.machines.values()):
            if machine.state is not State.MASTER:
                continue
            for address in machine.settings.addresses:
                by = missing.get((address.dev, str(address)))
                if by is not None:
                    effects += self.instances.step(machine, AddressLost(address, by), now_us)
        return self.instances.paced(effects, now_us)

    # Packets

    def receive_ipv4(self, interface: str, data: bytes, *, now_us: int) -> list[Effect]:
        """A packet with its IP header came in on `interface`."""
        by_vrid = self._by_vrid.get((interface, 4))
        if by_vrid is not None and len(data) > IPV4_OFFSET_VRID and data[0] == PLAIN_IPV4:
            machine = by_vrid.get(data[IPV4_OFFSET_VRID])
            if (
                machine is not None
                and data[IPV4_OFFSET_SOURCE:] == machine.repeatable_tail
                and data[IPV4_OFFSET_TTL] == packet.TTL
            ):
                machine.receive_same(now_us)
                return []
        datagram = packet.read_ipv4(data)
        if isinstance(datagram, Refusal):
            source, vrid = data[IPV4_OFFSET_SOURCE:IPV4_OFFSET_DESTINATION], packet.vrid_at(data)
            return self._receive_short(interface, vrid, source, datagram, now_us)
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
            return self._receive_short(interface, vrid, source, short, now_us)
        datagram = Datagram(source, destination, hop_limit, payload)
        machine = self._by_vrid.get((interface, 6), {}).get(payload[1])
        tail = source + destination + payload
        if machine is not None and tail == machine.repeatable_tail and hop_limit == packet.TTL:
            machine.receive_same(now_us)
            return []
        return self._receive(interface, 6, datagram, tail, now_us)

    def _receive(
        self, interface: str, family: int, datagram: Datagram, tail: bytes, now_us: int
    ) -> list[Effect]:
        machine = self._by_vrid.get((interface, family), {}).get(datagram.payload[1])
        if machine is None:
            self.unknown_vrids += 1
            return self._unknown(interface, family, datagram, now_us)
        wall_us = now_us + self.context.wall_offset_us
        verdict = machine.receiver.judge(datagram, wall_us=wall_us)
        if isinstance(verdict, Refusal):
            return self.instances.step(machine, AdvertRefused(datagram.source, verdict), now_us)
        effects = self.instances.step(machine, AdvertReceived(datagram.source, verdict), now_us)
        if machine.repeatable and not machine.receiver.signed:
            machine.repeatable_tail = tail
        return self.instances.paced(effects, now_us)

    def _receive_short(
        self, interface: str, vrid: int | None, source: bytes, refusal: Refusal, now_us: int
    ) -> list[Effect]:
        """A packet without a whole VRRP header: its instance's fault, where that can be read."""
        family = 4 if len(source) == 4 else 6
        machine = None
        if vrid is not None:
            machine = self._by_vrid.get((interface, family), {}).get(vrid)
        if machine is None:
            self.short_packets += 1
            return []
        return self.instances.step(machine, AdvertRefused(source, refusal), now_us)

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
