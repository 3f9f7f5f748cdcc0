"""What the VRRP engine is told: everything resolved, nothing left to look up.

PURE. Built from the config model by `hanode.build`, travels as JSON (`hanode.wire.encode` and
`decode`) from the supervisor to the vrrp process. Defaults are keepalived's. Times are integer
microseconds.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal

PRIORITY_OWNER = 255
"""RFC 9568 section 5.2.4: the router that owns the addresses sends this priority."""

PRIORITY_STOP = 0
"""RFC 9568 section 5.2.4: the master has stopped taking part."""


@dataclass(frozen=True, slots=True)
class Address:
    """One address that follows the master."""

    ip: str
    """Textual, without prefix: `192.168.192.200`."""
    prefix: int
    """32 or 128 where the file says none, as keepalived has it."""
    dev: str
    """The instance's interface where the file says none."""
    scope: int = 0
    """As rtnetlink numbers it: 0 global, 200 site, 253 link, 254 host."""
    broadcast: str | None = None
    label: str | None = None
    """None: the kernel uses the interface's name."""

    def __post_init__(self) -> None:
        address = ipaddress.ip_address(self.ip)
        if not 0 <= self.prefix <= address.max_prefixlen:
            raise ValueError(f"{self.ip}/{self.prefix}: the prefix length is out of range")

    @property
    def packed(self) -> bytes:
        """4 or 16 bytes in network order."""
        return ipaddress.ip_address(self.ip).packed

    def __str__(self) -> str:
        return f"{self.ip}/{self.prefix}"


@dataclass(frozen=True, slots=True)
class InstanceSettings:
    """One vrrp_instance."""

    name: str
    interface: str
    vrid: int
    priority: int = 100
    vips: tuple[Address, ...] = ()
    """Sent in adverts, in this order."""
    excluded: tuple[Address, ...] = ()
    """Follow the master too, but are not in adverts."""
    advert_int_us: int = 1_000_000
    version: Literal[2, 3] = 2
    family: Literal[4, 6] = 4
    auth_type: Literal["NONE", "PASS"] = "NONE"
    auth_pass: str = ""
    """Only the first 8 bytes of its UTF-8 form are sent (RFC 2338 section 5.3.10)."""
    nopreempt: bool = False
    preempt_delay_us: int = 0
    down_timer_adverts: int = 3
    mcast_group: str = "224.0.0.18"
    mcast_src_ip: str | None = None
    """None: the interface's first address that is no virtual one."""
    skip_check_adv_addr: bool = False
    vip_mismatch: Literal["refuse", "accept"] = "refuse"
    """An advert with other addresses than ours: 2.2.7 refuses the packet, 2.3.3 only logs."""
    lower_prio_no_advert: bool = False
    higher_prio_send_advert: bool = False
    garp_master_delay_us: int = 5_000_000
    garp_master_repeat: int = 5
    garp_master_refresh_us: int = 0
    """0: never."""
    garp_master_refresh_repeat: int = 1
    garp_lower_prio_delay_us: int = 5_000_000
    garp_lower_prio_repeat: int = 5

    def __post_init__(self) -> None:
        if not 1 <= self.vrid <= 255:
            raise ValueError(f"{self.name}: virtual_router_id {self.vrid} is not in 1..255")
        if not 1 <= self.priority <= PRIORITY_OWNER:
            raise ValueError(f"{self.name}: priority {self.priority} is not in 1..255")
        if self.advert_int_us < 10_000:
            raise ValueError(f"{self.name}: advert_int is shorter than 10 ms")
        if self.version == 2 and (
            self.advert_int_us % 1_000_000 or self.advert_int_us > 255_000_000
        ):
            raise ValueError(f"{self.name}: advert_int of VRRPv2 is 1..255 whole seconds")
        if self.version == 3 and (self.advert_int_us % 10_000 or self.advert_int_us > 40_950_000):
            raise ValueError(f"{self.name}: advert_int of VRRPv3 is 0.01..40.95 s in 10 ms steps")
        for what, ip in (("mcast_group", self.mcast_group), ("mcast_src_ip", self.mcast_src_ip)):
            if ip is not None and not _is_ip(ip, self.family):
                raise ValueError(f"{self.name}: {what} {ip} is no IPv{self.family} address")
        if any(not _is_ip(address.ip, self.family) for address in self.vips):
            raise ValueError(f"{self.name}: every virtual_ipaddress must be IPv{self.family}")
        if len(self.vips) > 255:
            raise ValueError(f"{self.name}: an advert holds at most 255 addresses")

    @property
    def key(self) -> InstanceKey:
        """What makes two generations of settings the same instance: its place on the wire."""
        return (self.interface, self.family, self.vrid)

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Every address that follows the master, in the order in which they are added."""
        return self.vips + self.excluded


InstanceKey = tuple[str, int, int]
"""(interface, family, vrid): as on keepalived's reload, the name does not matter."""


@dataclass(frozen=True, slots=True)
class VrrpSettings:
    """Everything one vrrp process runs."""

    instances: tuple[InstanceSettings, ...] = ()

    def __post_init__(self) -> None:
        seen: dict[InstanceKey, str] = {}
        for instance in self.instances:
            if instance.family == 6:
                raise ValueError(f"{instance.name}: this engine does not speak IPv6 yet")
            other = seen.setdefault(instance.key, instance.name)
            if other != instance.name:
                raise ValueError(
                    f"{other} and {instance.name} both use virtual_router_id {instance.vrid}"
                    f" on {instance.interface}"
                )
        names = [instance.name for instance in self.instances]
        if len(set(names)) != len(names):
            raise ValueError("two instances have the same name")


def _is_ip(text: str, family: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == family
    except ValueError:
        return False
