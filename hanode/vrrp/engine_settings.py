"""The settings of the VRRP engine: everything resolved, nothing left to look up.

PURE. Built from the config model by `hanode.build`, travels as JSON (`hanode.wire.encode` and
`decode`) from the supervisor to the vrrp process. Defaults are keepalived's. Times are integer
microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hanode.vrrp.kernel_objects import Address, Route, Rule, pack
from hanode.vrrp.tracking_and_notify import (
    DUMPS_AS_EVER,
    NO_NOTIFY,
    NO_SMTP,
    PROCESS_AS_IT_IS,
    Command,
    DumpSettings,
    FifoSettings,
    FileTracker,
    Linkbeat,
    LinkDelay,
    NotifySettings,
    ProcessSettings,
    ProcessTracker,
    ScriptTracker,
    SmtpSettings,
    Tracked,
)

__all__ = (
    "PRIORITY_OWNER",
    "PRIORITY_STOP",
    "Address",
    "Command",
    "FifoSettings",
    "FileTracker",
    "HmacKey",
    "HmacSettings",
    "InstanceKey",
    "InstanceSettings",
    "Ipvlan",
    "IpvlanMode",
    "LinkDelay",
    "Linkbeat",
    "NotifySettings",
    "Peer",
    "ProcessSettings",
    "ProcessTracker",
    "Route",
    "Rule",
    "ScriptTracker",
    "SmtpSettings",
    "SyncGroupSettings",
    "Tracked",
    "Vmac",
    "VrrpSettings",
)

PRIORITY_OWNER = 255
"""RFC 9568 section 5.2.4: the router that owns the addresses sends this priority."""

NO_INTERFACE = (
    "it has no interface: write `interface` and its name, or, for unicast without one, unicast_peer"
    " and a unicast_src_ip that is not link-local"
)

PRIORITY_STOP = 0
"""RFC 9568 section 5.2.4: the master has stopped taking part."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One line of unicast_peer."""

    ip: str
    min_ttl: int = 0
    max_ttl: int = 255


@dataclass(frozen=True, slots=True)
class HmacKey:
    """One `key` of auth_hmac."""

    id: int
    key: str
    """In hex."""
    path: str = ""
    """The file of the node that it came from, or is still to come from."""


@dataclass(frozen=True, slots=True)
class HmacSettings:
    """auth_hmac (keepalived 2.4.1 and later)."""

    keys: tuple[HmacKey, ...]
    active: int
    """The key to sign with."""
    anti_replay: Literal["time", "monotonic"] = "time"
    """time: an advert must also be of this moment; monotonic: above the sender's last one."""
    window_us: int = 5_000_000
    """time: how far an advert may be from the receiver's clock; whole seconds count."""
    mode: Literal["enforce", "permissive", "receive-only"] = "enforce"
    """enforce: sign, take signed adverts; permissive: sign, take both; receive-only: do not sign,
    take both."""

    def __post_init__(self) -> None:
        if self.active not in {key.id for key in self.keys}:
            raise ValueError(f"auth_hmac has no key {self.active}, which is to sign")


@dataclass(frozen=True, slots=True)
class Vmac:
    """use_vmac: a macvlan on the instance's interface, with the virtual MAC."""

    name: str
    """Its name: `vrrp.51` where the file says none."""
    mac: str | None = None
    """None: 00:00:5e:00:01:VRID, 00:00:5e:00:02:VRID for IPv6."""
    xmit_base: bool = False
    """Adverts go out through the interface below, with its own MAC."""
    netlink_notify_msg: bool = False
    group: str | None = None


IpvlanMode = Literal["bridge", "private", "vepa"]


@dataclass(frozen=True, slots=True)
class Ipvlan:
    """use_ipvlan: adverts leave through an ipvlan above the instance's interface."""

    name: str
    address: Address | None = None
    """Adverts come from this, which it has; None (IPv6 only): from the kernel's link-local one."""
    mode: IpvlanMode = "bridge"
    group: str | None = None


@dataclass(frozen=True, slots=True)
class InstanceSettings:
    """One vrrp_instance."""

    name: str
    interface: str
    """Of the adverts; with `vmac`, the interface below it. "": unicast from `mcast_src_ip`,
    whichever interface has that and wherever the peers are."""
    vrid: int
    priority: int = 100
    vips: tuple[Address, ...] = ()
    """Sent in adverts, in this order."""
    excluded: tuple[Address, ...] = ()
    """Follow the master too, but are not in adverts."""
    advert_int_us: int = 1_000_000
    version: Literal[2, 3] = 2
    family: Literal[4, 6] = 4
    auth_type: Literal["NONE", "PASS", "AH"] = "NONE"
    auth_pass: str = ""
    """PASS and AH: only the first 8 bytes of its UTF-8 form count (RFC 2338 section 5.3.10)."""
    nopreempt: bool = False
    preempt_delay_us: int = 0
    down_timer_adverts: int = 3
    mcast_group: str = "224.0.0.18"
    mcast_src_ip: str | None = None
    """mcast_src_ip or unicast_src_ip. None: the interface's first address that is no virtual
    one; for IPv6 its link-local one."""
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
    garp_interval_us: int = 0
    """Between two gratuitous ARPs on one interface."""
    gna_interval_us: int = 0
    """Between two neighbour advertisements on one interface."""
    garp_group: str = ""
    """Instances of one such name wait for each other's announcements; "": each interface alone."""
    garp_extra_us: int = 0
    """garp_extra_if: how often addresses whose interface sends no adverts are announced; 0: not."""
    garp_extra_all: bool = False
    """All of them; else one for each interface."""
    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()
    promote_secondaries: bool = False
    unicast: bool = False
    """Adverts go to `unicast_peers`, not to `mcast_group`."""
    unicast_peers: tuple[Peer, ...] = ()
    unicast_fault_no_peer: bool = False
    check_unicast_src: bool = False
    ttl: int = 255
    """unicast_ttl; multicast is always 255."""
    track_src_ip: bool = False
    v3_checksum_as_v2: bool = False
    unicast_checksum: Literal["auto", "old", "never"] = "auto"
    """old_unicast_checksum, for v3 over IPv4: old: sent over the multicast group; never: such an
    advert is refused; auto: taken."""
    checksum_group: str = "224.0.0.18"
    """vrrp_mcast_group4: what stands for the destination in such a checksum."""
    hmac: HmacSettings | None = None
    accept: bool = True
    """Packets to the addresses are taken; an owner takes them anyhow."""
    strict: bool = False
    """Adverts without addresses or interval are refused; the rest of strict mode is in the other
    settings."""
    owner_ignore_adverts: bool = False
    """An owner does not listen (RFC 9568 section 7.1); keepalived's does, but in strict mode."""
    state: Literal["MASTER", "BACKUP"] = "BACKUP"
    """The state wished for at the start; only an owner gets it."""
    startup_delay_us: int = 0
    delay_after_boot_us: int = 0
    """vrrp_delay_after_boot (2.4.0): the later of this and startup_delay counts."""
    expired_backup_priority: int | None = None
    """timer_expired_backup: a master later than Master_Down of this priority steps down."""
    vmac: Vmac | None = None
    ipvlan: Ipvlan | None = None
    vrf: str | None = None
    """Unicast without an interface in this VRF; then `interface` is the VRF's."""
    tracked: tuple[Tracked, ...] = ()
    """Its own, and those of its sync group; those that cannot count are left out."""
    follows: tuple[str, ...] = ()
    """track_group: interfaces of static addresses, routes and rules."""
    dont_track_primary: bool = False
    notify: NotifySettings = NO_NOTIFY

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
        if self.family == 6 and self.version == 2:
            raise ValueError(f"{self.name}: VRRPv2 does not know IPv6; it needs version 3")
        if self.family == 6 and self.auth_type == "AH":
            raise ValueError(f"{self.name}: auth_type AH does not exist for IPv6")
        named = [("mcast_group", self.mcast_group)] if not self.unicast else []
        named += [("unicast_peer", peer.ip) for peer in self.unicast_peers]
        if self.mcast_src_ip is not None:
            named.append(("unicast_src_ip" if self.unicast else "mcast_src_ip", self.mcast_src_ip))
        for what, ip in named:
            if not _is_ip(ip, self.family):
                raise ValueError(f"{self.name}: {what} {ip} is no IPv{self.family} address")
        if self.roams and (not self.unicast or only_on_a_link(self.mcast_src_ip)):
            raise ValueError(f"{self.name}: {NO_INTERFACE}")
        if any(address.family != self.family for address in self.vips):
            raise ValueError(f"{self.name}: every virtual_ipaddress must be IPv{self.family}")
        if len(self.vips) > 255:
            raise ValueError(f"{self.name}: an advert holds at most 255 addresses")

    @property
    def key(self) -> InstanceKey:
        """What makes two generations of settings the same instance: its place on the wire."""
        return (self.interface, self.family, self.vrid)

    @property
    def roams(self) -> bool:
        """It has an address to speak from, but no interface of its own."""
        return not self.interface or self.vrf is not None

    @property
    def source_on(self) -> str:
        """The interface whose addresses it may speak from."""
        return self.sends_on if self.ipvlan is not None else self.interface

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Every address that follows the master, in the order in which they are added.

        Each stands here once: an advert names one twice that is written twice, as keepalived's
        does, but the kernel holds it once.
        """
        found: dict[tuple[str, str], Address] = {}
        for address in self.vips + self.excluded:
            found.setdefault((str(address), address.dev), address)
        return tuple(found.values())

    @property
    def device(self) -> str:
        """Where its addresses live unless their lines say otherwise."""
        return self.interface if self.vmac is None else self.vmac.name

    @property
    def sends_on(self) -> str:
        """The interface that its adverts leave through."""
        if (ipvlan := self.ipvlan) is not None:
            own = ipvlan.address is not None and ipvlan.address.ip == self.mcast_src_ip
            return ipvlan.name if own or not self.unicast else self.interface
        if self.vmac is None or self.vmac.xmit_base or self.unicast:
            return self.interface
        return self.vmac.name


InstanceKey = tuple[str, int, int]
"""(interface, family, vrid): as on keepalived's reload, the name does not matter."""


@dataclass(frozen=True, slots=True)
class SyncGroupSettings:
    """vrrp_sync_group."""

    name: str
    members: tuple[str, ...]
    """Names of instances."""
    notify: NotifySettings = NO_NOTIFY


@dataclass(frozen=True, slots=True)
class VrrpSettings:
    """Everything one vrrp process runs, and what the processes beside it track and notify."""

    instances: tuple[InstanceSettings, ...] = ()
    sync_groups: tuple[SyncGroupSettings, ...] = ()
    scripts: tuple[ScriptTracker, ...] = ()
    processes: tuple[ProcessTracker, ...] = ()
    files: tuple[FileTracker, ...] = ()
    static_addresses: tuple[Address, ...] = ()
    static_routes: tuple[Route, ...] = ()
    static_rules: tuple[Rule, ...] = ()
    fifos: tuple[FifoSettings, ...] = ()
    """notify_fifo and vrrp_notify_fifo: each gets every line."""
    fifo_states_on_reload: bool = False
    """fifo_write_vrrp_states_on_reload."""
    smtp: SmtpSettings = NO_SMTP
    router_id: str = ""
    """"": the host's name."""
    script_user: str | None = None
    script_group: str | None = None
    script_security: bool = False
    """enable_script_security."""
    net_namespace: str | None = None
    linkbeat: tuple[Linkbeat, ...] = ()
    linkbeat_use_polling: bool = False
    link_delays: tuple[LinkDelay, ...] = ()
    dynamic_interfaces: bool = False
    log_unknown_vrids: bool = False
    disable_local_igmp: bool = False
    process: ProcessSettings = PROCESS_AS_IT_IS
    dumps: DumpSettings = DUMPS_AS_EVER

    def __post_init__(self) -> None:
        seen: dict[InstanceKey, str] = {}
        for instance in self.instances:
            other = seen.setdefault(instance.key, instance.name)
            if other != instance.name:
                where = f"on {instance.interface}" if instance.interface else "without an interface"
                raise ValueError(
                    f"{other} and {instance.name} both use virtual_router_id {instance.vrid}"
                    f" {where}"
                )
        names = {instance.name for instance in self.instances}
        if len(names) != len(self.instances):
            raise ValueError("two instances have the same name")
        grouped: dict[str, str] = {}
        for group in self.sync_groups:
            for member in group.members:
                if member not in names:
                    raise ValueError(f"{group.name}: there is no instance {member}")
                if grouped.setdefault(member, group.name) != group.name:
                    raise ValueError(f"{member} is in two groups: {grouped[member]}, {group.name}")


def only_on_a_link(ip: str | None) -> bool:
    """No address, or one that means nothing without an interface (fe80::/10)."""
    return ip is None or (pack(ip)[0] == 0xFE and pack(ip)[1] & 0xC0 == 0x80)


def _is_ip(text: str, family: int) -> bool:
    try:
        return len(pack(text)) == (4 if family == 4 else 16)
    except ValueError:
        return False
