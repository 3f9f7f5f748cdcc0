"""A node's status at one moment, put together from who knows it.

DRIVER. The children tell their own state; the kernel tells which addresses are there; the
revisions' life tells what runs. What nobody answers for is left out and named in `problems`:
an old answer is never passed off as a new one.
"""

from __future__ import annotations

import functools
import hashlib
import ipaddress
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from hanode.apply import RevisionLifecycle
from hanode.build import Built
from hanode.proc.supervisor.engine import Engine
from hanode.proc.supervisor.operator_commands import OperatorCommands
from hanode.system.addresses import AddressWatch
from hanode.system.journal import Journal
from hanode.vrrp.settings import VrrpSettings
from hanode.wire import InstanceStatus, KernelAddress, NodeStatus, ProcessStatus

if TYPE_CHECKING:
    from hanode.proc.supervisor.agent_child import AgentChild
    from hanode.proc.supervisor.options import Options


class StatusCollector:
    """Knows whom to ask."""

    def __init__(
        self,
        options: Options,
        lifecycle: RevisionLifecycle,
        engine: Engine,
        operator: OperatorCommands,
        watch: AddressWatch,
        built: Built,
    ) -> None:
        self._options = options
        self._lifecycle = lifecycle
        self._engine = engine
        self._commands = operator
        self._watch = watch
        self.runs(built)
        self._started_us = time.time_ns() // 1_000
        self._looked = False
        self._last_instances: tuple[InstanceStatus, ...] = ()
        self.stopping = False
        self.on_look: Callable[[], None] = watch.read
        """Reads the watch; whoever tells of changes puts itself here, to miss none."""

    def runs(self, built: Built) -> None:
        """The engine has taken these settings."""
        self._built = built
        self._owners = {
            _same(str(vip)): instance.name
            for instance in built.vrrp.instances
            for vip in instance.addresses
        }
        self._groups = {m: group.name for group in built.vrrp.sync_groups for m in group.members}

    async def take(self, agent: AgentChild, journal: Journal) -> NodeStatus:
        """Ask everybody now."""
        state, enrolment = self._lifecycle.state, self._options.enrolment
        instances, servers, problems = await self._engine.status()
        if self.stopping:
            instances, problems = self._ending(), []
        else:
            self._last_instances = instances
        self.on_look()
        addresses = self._watch.addresses()
        problems += [*self._options.unserved, *self._built.left_out]
        problems += [*self._built.ignored, *agent.problems()]
        if journal.fault:
            problems.append(journal.fault)
        return NodeStatus(
            node=enrolment.node if enrolment else "",
            name=self._options.name,
            wall_us=time.time_ns() // 1_000,
            mono_us=time.monotonic_ns() // 1_000,
            revision=state.live.revision,
            confirmed_revision=state.confirmed.revision,
            config_sha256=hashlib.sha256(state.live.text.encode()).hexdigest(),
            started_us=self._started_us,
            instances=self._whole(instances, addresses),
            virtual_servers=servers,
            addresses=addresses,
            ipvs=self._engine.ipvs,
            processes=(
                ProcessStatus("supervisor", os.getpid(), True),
                *self._engine.processes(),
                *agent.processes(),
            ),
            problems=tuple(problems),
            stopping=self.stopping,
            trackers=self._engine.trackers,
            maintenance_us=self._commands.since_us,
            strays=self._engine.strays,
        )

    @property
    def vrrp(self) -> VrrpSettings:
        """What the vrrp process runs."""
        return self._built.vrrp

    def seen_by_kernel(self, instances: tuple[InstanceStatus, ...]) -> tuple[InstanceStatus, ...]:
        """With what the kernel says of their addresses now."""
        self.on_look()
        addresses = self._watch.addresses()
        return self._whole(instances, addresses)

    def _whole(
        self, instances: tuple[InstanceStatus, ...], addresses: tuple[KernelAddress, ...]
    ) -> tuple[InstanceStatus, ...]:
        """With what the kernel says of their addresses, and their groups."""
        there = {(a.dev, _same(a.address)) for a in addresses}
        return tuple(
            replace(
                instance,
                vips=tuple(
                    replace(v, present=(v.dev, _same(v.address)) in there) for v in instance.vips
                ),
                group=self._groups.get(instance.name, ""),
            )
            for instance in instances
        )

    def address_changes(self) -> list[tuple[KernelAddress, bool, str]]:
        """What came and went since the last call, with the instance it belongs to.

        At the first call only a configured address is news: it was left by an engine that was
        killed, or set by hand.
        """
        self._watch.read()
        if not self._watch.complete:
            return []
        changes = [
            (address, present, self._owners.get(_same(address.address), ""))
            for address, present in self._watch.changes()
        ]
        first, self._looked = not self._looked, True
        return [
            change
            for change in changes
            if change[2] or not (first or _uninteresting(change[0].address))
        ]

    def _ending(self) -> tuple[InstanceStatus, ...]:
        return tuple(
            replace(i, state="INIT", cause="the engine was stopped", master=None)
            for i in self._last_instances
        )


@functools.lru_cache(maxsize=65_536)
def _same(address: str) -> str:
    """One spelling for an address with its prefix."""
    try:
        return str(ipaddress.ip_interface(address))
    except ValueError:
        return address


def _uninteresting(address: str) -> bool:
    """Addresses that every host has, and that come with every link."""
    try:
        ip = ipaddress.ip_interface(address).ip
    except ValueError:
        return False
    return ip.is_link_local or ip.is_loopback
