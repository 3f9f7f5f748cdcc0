"""A node's status at one moment, collected from the processes that know it.

DRIVER. The children report their own state; the kernel says which addresses exist; the
revisions' lifecycle says what runs. `hanode.supervision` puts them together: what nobody answers
for is left out and named in `problems`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from hanode.apply import RevisionLifecycle
from hanode.build import Built
from hanode.proc.supervisor.engine import Engine
from hanode.proc.supervisor.node_policy import PolicyKeeper
from hanode.proc.supervisor.operator_commands import OperatorCommands
from hanode.supervision.kernel_addresses import AddressChange, KernelAddresses, stopped
from hanode.supervision.start_time import StartTime
from hanode.system import sysctl
from hanode.system.addresses import AddressWatch
from hanode.system.journal import Journal
from hanode.vrrp.engine_settings import VrrpSettings
from hanode.wire import InstanceStatus, NodeStatus, ProcessStatus

if TYPE_CHECKING:
    from hanode.proc.supervisor.agent_child import AgentChild
    from hanode.proc.supervisor.options import Options


class StatusCollector:
    """Asks whoever knows a part of the status."""

    def __init__(
        self,
        options: Options,
        lifecycle: RevisionLifecycle,
        engine: Engine,
        commands: OperatorCommands,
        watch: AddressWatch,
        built: Built,
    ) -> None:
        self._options = options
        self._lifecycle = lifecycle
        self._engine = engine
        self._commands = commands
        self._watch = watch
        self._built = built
        self._addresses = KernelAddresses(built.vrrp)
        self._started = StartTime(time.time_ns() // 1_000, time.monotonic_ns() // 1_000)
        self._cannot = sysctl.cannot()
        self._last_instances: tuple[InstanceStatus, ...] = ()
        self.stopping = False
        self.policy = PolicyKeeper(options)
        self.read_addresses: Callable[[], None] = watch.read
        """Reads the watch. Whoever reports the changes puts itself here, to miss none."""

    def runs(self, built: Built) -> None:
        """The engine has taken these settings."""
        self._built = built
        self._addresses.configure(built.vrrp)

    async def collect(self, agent: AgentChild, journal: Journal) -> NodeStatus:
        """Ask everybody now."""
        state, enrolment = self._lifecycle.state, self._options.enrolment
        children = await self._engine.status()
        instances, problems = children.status.instances, list(children.problems)
        if self.stopping:
            instances, problems = stopped(self._last_instances), []
        else:
            self._last_instances = instances
        self.read_addresses()
        addresses = self._watch.addresses()
        problems += [*self._options.unserved, *self._built.left_out]
        problems += [*self._built.ignored, *agent.problems()]
        problems += self.policy.problems(self._lifecycle)
        if journal.fault:
            problems.append(journal.fault)
        wall_us, mono_us = time.time_ns() // 1_000, time.monotonic_ns() // 1_000
        return NodeStatus(
            node=enrolment.node if enrolment else "",
            name=self._options.name,
            wall_us=wall_us,
            mono_us=mono_us,
            revision=state.live.revision,
            confirmed_revision=state.confirmed.revision,
            newest_revision=max(state.newest, state.live.revision),
            config_sha256=state.live.sha256,
            started_us=self._started.on_the_wall(wall_us, mono_us),
            instances=self._addresses.whole(instances, addresses),
            virtual_servers=children.status.virtual_servers,
            addresses=addresses,
            ipvs=children.status.ipvs,
            processes=(
                ProcessStatus("supervisor", os.getpid(), True),
                *self._engine.processes(),
                *agent.processes(),
            ),
            problems=tuple(problems),
            stopping=self.stopping,
            trackers=children.status.trackers,
            maintenance_us=self._commands.since_us,
            strays=children.status.strays,
            cannot=self._cannot,
            policy=self.policy.now,
        )

    @property
    def vrrp(self) -> VrrpSettings:
        """What the vrrp process runs."""
        return self._built.vrrp

    def seen_by_kernel(self, instances: tuple[InstanceStatus, ...]) -> tuple[InstanceStatus, ...]:
        """These, with what the kernel says of their addresses now."""
        self.read_addresses()
        return self._addresses.whole(instances, self._watch.addresses())

    def address_changes(self) -> list[AddressChange]:
        """What came and went since the last call, as far as an operator should see it."""
        self._watch.read()
        if not self._watch.complete:
            return []
        return self._addresses.worth_reporting(self._watch.changes())
