"""One simulated machine: its clock, its cables, its kernel, and the real engine on it.

PURE. What a crash leaves (addresses), what a watch process knows (trackers) and what the operator
has asked for (maintenance) belong to the machine and outlive its engine.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from hanode.vrrp.effects import State
from hanode.vrrp.engine_settings import Address, InstanceKey, InstanceSettings, VrrpSettings
from hanode.vrrp.events import LinkState, TrackerChanged
from hanode.vrrp.machine import Machine
from hanode.vrrp.router import Router

PPM = 1_000_000


@dataclass
class Node:
    """One simulated machine."""

    name: str
    settings: VrrpSettings
    ips: dict[str, tuple[str, ...]]
    """Interface -> its own addresses."""
    drift_ppm: int = 0
    """Its clock gains so many microseconds each second."""
    epoch_us: int = 0
    """What its clock shows when the world begins."""
    wall_off_us: int = 0
    """How far its time of day is from the world's."""
    router: Router | None = None
    """None: not running."""
    unplugged: set[str] = field(default_factory=set)
    kernel: set[Address] = field(default_factory=set)
    trackers: dict[tuple[str, str], TrackerChanged] = field(default_factory=dict)
    """What its watch process knows."""
    told_trackers: dict[tuple[str, str], TrackerChanged] = field(default_factory=dict)
    """Those that the running engine has been told."""
    maintenance: bool = False
    frozen: bool = False
    """Its processes do not run (SIGSTOP); its kernel does."""
    thaw_us: int = 0
    """When they go on."""
    advert_sent_us: dict[InstanceKey, int] = field(default_factory=dict)
    """When each instance sent its last advert."""
    last_masters: list[InstanceSettings] = field(default_factory=list)
    """`masters()` when the world's last step was done."""
    idle_us: int = 0
    """Since when it has no engine, and its cables are as they are."""
    arrived_us: dict[InstanceKey, int] = field(default_factory=dict)
    """When the last advert of each instance came, whether an engine ran or not."""
    received: dict[InstanceKey, tuple[int, int, int]] = field(default_factory=dict)
    """When the last advert came that listed our addresses, its priority, and its interval."""

    @property
    def runs(self) -> bool:
        """Whether its engine runs and can do something."""
        return self.router is not None and not self.frozen

    @property
    def instances(self) -> tuple[InstanceSettings, ...]:
        """What it is to run."""
        return self.settings.instances

    def instance(self, name: str = "") -> InstanceSettings:
        """By name; "": the first."""
        return next(i for i in self.settings.instances if not name or i.name == name)

    def machine(self, key: InstanceKey) -> Machine | None:
        """The running instance."""
        return self.router.machines.get(key) if self.router is not None else None

    def state(self, key: InstanceKey) -> State | None:
        """None: not running."""
        machine = self.machine(key)
        return machine.state if machine is not None else None

    def masters(self) -> list[InstanceSettings]:
        """Its instances that are MASTER."""
        if self.router is None:
            return []
        machines = self.router.machines
        return [
            one
            for one in self.settings.instances
            if (found := machines.get(one.key)) is not None and found.state is State.MASTER
        ]

    def silent_since_us(self, now_us: int, listened_us: int) -> dict[InstanceKey, int]:
        """The instances of which no advert has come since it began to listen; its clock then."""
        since_us = max(now_us - listened_us, self.idle_us)
        keys = [one.key for one in self.instances]
        return {
            key: self.local_us(since_us) for key in keys if self.arrived_us.get(key, -1) < since_us
        }

    def link_state(self, interface: str) -> LinkState:
        """The interface as its kernel has it."""
        addresses = tuple(ipaddress.ip_address(ip).packed for ip in self.ips[interface])
        return LinkState(
            up=interface not in self.unplugged, mac=b"\x02" + bytes(5), addresses=addresses
        )

    # Its clock

    def local_us(self, world_us: int) -> int:
        """What its clock shows then."""
        return self.epoch_us + world_us + world_us * self.drift_ppm // PPM

    def world_us(self, local_us: int) -> int:
        """The first moment at which its clock shows at least that."""
        estimate = (local_us - self.epoch_us) * PPM // (PPM + self.drift_ppm)
        while self.local_us(estimate) < local_us:
            estimate += 1
        while estimate > 0 and self.local_us(estimate - 1) >= local_us:
            estimate -= 1
        return estimate

    @property
    def due_us(self) -> int | None:
        """When, by the world's time, its engine wants to be woken."""
        if self.router is None or self.frozen or self.router.deadline_us is None:
            return None
        return max(0, self.world_us(self.router.deadline_us))
