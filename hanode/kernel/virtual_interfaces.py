"""Virtual interfaces: macvlans for virtual MAC addresses (RFC 9568 section 7.3), and ipvlans.

PURE. Which ones the settings want, whether one that exists can be taken over, and which of the
kernel's switches go with it. `hanode.system.vmac` makes and removes them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from hanode.kernel.facts import Link, Links
from hanode.vrrp.engine_settings import InstanceKey, InstanceSettings, VrrpSettings
from hanode.vrrp.kernel_objects import Address, pack

PREFIX = {4: bytes.fromhex("00005e0001"), 6: bytes.fromhex("00005e0002")}
"""The last byte is the VRID."""
MACVLAN, IPVLAN = "macvlan", "ipvlan"


def mac_of(instance: InstanceSettings, family: int | None = None) -> bytes:
    """The file's, or 00:00:5e:00:01:VRID (02 for IPv6). `family` None: the instance's own."""
    mac = instance.vmac.mac if instance.vmac is not None else None
    if mac:
        return bytes.fromhex(mac.replace(":", ""))
    return PREFIX[family or instance.family] + bytes((instance.vrid,))


@dataclass(frozen=True, slots=True)
class Virtual:
    """One virtual interface that an instance wants: a macvlan, or an ipvlan."""

    name: str
    base: str
    family: int
    mac: bytes = b""
    """Of a macvlan; an ipvlan has that of the interface below."""
    group: int | None = None
    six: bool = False
    """It carries IPv6 addresses."""
    source: bytes | None = None
    """The IPv6 address that the instance sends from; None: the link-local one below."""
    mode: str = ""
    """Of an ipvlan: bridge, private, vepa."""
    address: Address | None = None
    """Of an ipvlan: the address that it sends from."""

    @property
    def kind(self) -> str:
        """As the kernel names it."""
        return IPVLAN if self.mode else MACVLAN

    def vrf(self, links: Links) -> int:
        """The index of the VRF to put it in: that of the interface below; 0: none."""
        base = links.get(self.base)
        masters = (link for link in links.values() if base and link.index == base.master)
        return next((link.index for link in masters if link.kind == "vrf"), 0)

    def stands(self, links: Links) -> bool:
        """Whether it exists, in the right VRF and with the right MAC."""
        there = links.get(self.name)
        if there is None or there.master != self.vrf(links):
            return False
        return self.kind == IPVLAN or there.mac == self.mac


def wanted(instance: InstanceSettings) -> list[Virtual]:
    """Every virtual interface of an instance: its own, then those of its addresses."""
    far = any(address.below is not None for address in instance.addresses)
    if instance.vmac is None and instance.ipvlan is None and not far:
        return []
    found: dict[str, Virtual] = {}
    six = {address.dev for address in instance.addresses if address.family == 6}
    own = Virtual("", instance.interface, instance.family, six=instance.family == 6)
    if (vmac := instance.vmac) is not None:
        source = pack(instance.mcast_src_ip) if instance.mcast_src_ip is not None else None
        found[vmac.name] = replace(
            own, name=vmac.name, mac=mac_of(instance), group=_group(vmac.group),
            six=own.six or vmac.name in six, source=source,
        )  # fmt: skip
    if (ipvlan := instance.ipvlan) is not None:
        found[ipvlan.name] = replace(
            own, name=ipvlan.name, group=_group(ipvlan.group), mode=ipvlan.mode,
            address=ipvlan.address,
        )  # fmt: skip
    for address in instance.addresses:
        if address.below is not None and address.dev not in found:
            found[address.dev] = Virtual(
                address.dev, address.below, address.family, mac_of(instance, address.family),
                six=address.dev in six,
            )  # fmt: skip
    return list(found.values())


def _group(group: str | None) -> int | None:
    return int(group) if group is not None and group.isdigit() else None


# What must be done for them


Read = Callable[[int, str, str], "int | None"]
"""Reads one of the kernel's switches: (4 or 6, interface, name) -> value; None: there is none."""

Every = Callable[[], Iterable[str]]
"""Lists each interface that has switches, "all" and "default" among them."""

Switch = tuple[int, str, str, int]
"""A switch to set: (4 or 6, interface, name, value)."""

VIRTUAL_MAC_PREFIXES = tuple(PREFIX.values())
UPPER = (("arp_ignore", 1), ("accept_local", 1), ("rp_filter", 0), ("promote_secondaries", 1))
"""On the macvlan: answer ARP for its own addresses only, and accept our own packets."""
LOWER = (("arp_ignore", 1), ("arp_filter", 1))
"""On the interface below: no answers for the macvlan's addresses with the wrong MAC."""
LINK_LOCAL_BITS, SCOPE_LINK = 64, 253
MARK = "hanode:"
"""Begins the alias of an interface that an engine has made; the engine's own name follows."""


@dataclass(frozen=True, slots=True)
class Make:
    """Remove these interfaces (name and index), then create the virtual one unless it exists."""

    remove: tuple[tuple[str, int], ...]
    create: bool


class VirtualInterfaces:
    """Which virtual interfaces the settings want, and which of them this process has made."""

    def __init__(self, owner: str = "") -> None:
        """`owner` names this engine, so that two in one namespace know theirs."""
        self.mark = MARK + owner
        self.wanted: dict[str, Virtual] = {}
        self._users: dict[str, list[InstanceKey]] = {}
        self._untracked: set[InstanceKey] = set()
        """dont_track_primary: it is master whatever its interface does."""
        self.made: dict[str, Virtual] = {}
        self._before: dict[tuple[str, str], int] = {}
        """(interface below, switch): the value before ours."""

    def configure(self, settings: VrrpSettings) -> list[str]:
        """Want those of these settings. Returns those of ours to remove before any is made.

        They occupy a name or a MAC address that another one is to have, or stand on another
        interface than before.
        """
        self.wanted, self._users = {}, {}
        self._untracked = {one.key for one in settings.instances if one.dont_track_primary}
        for instance in settings.instances:
            for virtual in wanted(instance):
                self.wanted[virtual.name] = virtual
                self._users.setdefault(virtual.name, []).append(instance.key)
        owners = {(v.base, v.mac): name for name, v in self.wanted.items() if v.mac}
        kinds = {v.base: (v.kind, v.mode) for v in self.wanted.values()}
        return [
            name
            for name, old in self.made.items()
            if owners.get((old.base, old.mac), name) != name
            or (name in self.wanted and _must_be_replaced(self.wanted[name], old))
            or kinds.get(old.base, (old.kind, old.mode)) != (old.kind, old.mode)
        ]

    def unwanted(self, links: Links) -> list[str]:
        """Those of ours that the settings do not want, and those that a killed run of ours left."""
        left = (name for name, link in links.items() if link.alias == self.mark)
        return [name for name in {**self.made, **dict.fromkeys(left)} if name not in self.wanted]

    def lacking(self, failed: Mapping[str, str], links: Links) -> dict[InstanceKey, str]:
        """The instances that want what could not be made, or was set down, with the reason.

        Whoever set it down sets it up again: it may be meant.
        """
        down = {
            key: f"{name} is down"
            for name, users in self._users.items()
            if (link := links.get(name)) is not None and link.switched_off
            for key in users
            if key not in self._untracked
        }
        return down | {
            key: reason for name, reason in failed.items() for key in self._users.get(name, ())
        }

    def affected(self, changed: str) -> list[str]:
        """Those that may have to be made again, because an interface has changed."""
        return [v.name for v in self.wanted.values() if changed in (v.name, v.base)]

    def without_mac_traffic(self, names: Iterable[str]) -> list[str]:
        """Macvlans that are new: their IGMP and MLD must be stopped before they exist."""
        macvlans = [name for name in names if self.wanted[name].kind == MACVLAN]
        return [name for name in macvlans if name not in self.made]

    def missing(self, names: Iterable[str], links: Links) -> list[Virtual]:
        """Those that do not exist, or not as they should."""
        found = (self.wanted[name] for name in names)
        return [v for v in found if self.made.get(v.name) != v or not v.stands(links)]

    def make(self, virtual: Virtual, links: Links) -> Make | str | None:
        """How to make one; a sentence: it cannot be made; None: the interface below is missing.

        An interface of that name is taken over if it is ours, or was left by a killed run.
        """
        base, there = links.get(virtual.base), links.get(virtual.name)
        if base is None:
            return None
        if there is None:
            return Make(self._same_mac(virtual, base, links), create=True)
        if self._of_another(there):
            return f"{virtual.name} is there already, and belongs to another engine"
        has_virtual_mac = there.kind == MACVLAN and there.mac[:5] in VIRTUAL_MAC_PREFIXES
        ours = has_virtual_mac or virtual.name in self.made
        if there.kind != virtual.kind or (there.below != base.index and not ours):
            return f"{virtual.name} is there already, and is no {virtual.kind} on {virtual.base}"
        other_mac = virtual.kind == MACVLAN and there.mac != virtual.mac
        # An ipvlan carries its own address alone; the one of a killed run may have another.
        left_over = virtual.address is not None and virtual.name not in self.made
        if other_mac or left_over or there.below != base.index:
            remove = ((there.name, there.index), *self._same_mac(virtual, base, links))
            return Make(remove, create=True)
        return Make((), create=False)

    def _same_mac(self, virtual: Virtual, base: Link, links: Links) -> tuple[tuple[str, int], ...]:
        """What a killed run left under another name: only one macvlan can have the MAC."""
        if virtual.mac[:5] not in VIRTUAL_MAC_PREFIXES:
            return ()
        return tuple(
            (other.name, other.index)
            for other in links.values()
            if (other.kind, other.below, other.mac) == (MACVLAN, base.index, virtual.mac)
            and not self._of_another(other)
        )

    def _of_another(self, link: Link) -> bool:
        """Whether another engine has made it; what bears no mark keepalived may have left."""
        return link.alias.startswith(MARK) and link.alias != self.mark

    def switches(self, virtual: Virtual, read: Read, every: Every) -> list[Switch]:
        """The kernel's switches to set for one that exists now, as keepalived sets them.

        Call it once the interface exists: the kernel makes its switches with it.
        """
        self.made[virtual.name] = virtual
        name, found = virtual.name, list[Switch]()
        macvlan = virtual.kind == MACVLAN
        if virtual.family == 4 and macvlan:
            found += [(4, name, switch, value) for switch, value in UPPER]
        elif macvlan:
            # keepalived leaves it: then this MAC answers for IPv4 addresses beside it.
            found.append((4, name, "arp_ignore", 1))
        if virtual.six:
            found.append((6, name, "disable_ipv6", 0))
            if macvlan:
                found.append((6, name, "accept_ra", 0))
        elif read(6, name, "disable_ipv6") is not None:
            found.append((6, name, "disable_ipv6", 1))
        for switch, value in LOWER if virtual.family == 4 and macvlan else ():
            now = read(4, virtual.base, switch)
            if now is not None and now < value:
                self._before.setdefault((virtual.base, switch), now)
                found.append((4, virtual.base, switch, value))
        return found + (self._reverse_paths(read, every) if macvlan else [])

    def _reverse_paths(self, read: Read, every: Every) -> list[Switch]:
        """all.rp_filter holds for every interface: give each its own, so that ours can be 0."""
        overall = read(4, "all", "rp_filter") or 0
        if not overall:
            return []
        others = [
            (4, name, "rp_filter", overall)
            for name in sorted(every())
            if name != "all"
            and name not in self.made
            and (read(4, name, "rp_filter") or 0) < overall
        ]
        return [*others, (4, "all", "rp_filter", 0)]

    def removed(self, name: str) -> list[Switch]:
        """One of ours is removed. Returns what to give back to the interface below.

        While another one stands on that interface, its switches stay.
        """
        old = self.made.pop(name, None)
        if old is None or any(other.base == old.base for other in self.made.values()):
            return []
        mine = [key for key in self._before if key[0] == old.base]
        return [(4, base, switch, self._before.pop((base, switch))) for base, switch in mine]

    def own_address(
        self, virtual: Virtual, there: Collection[tuple[bytes, int]], below: Iterable[bytes]
    ) -> Address | None:
        """The address to add so that the interface can send; None: it has one, or needs none.

        An ipvlan sends from the address of its line; a macvlan of IPv6 from the instance's
        source, or from the first link-local address of the interface below. `there`: the
        addresses of the virtual interface, packed and with their prefix length. `below`: the
        packed addresses of the interface below.
        """
        if (address := virtual.address) is not None:
            return None if (address.packed, address.prefix) in there else address
        if virtual.kind != MACVLAN or virtual.family != 6:
            return None
        link_local = (ip for ip in below if len(ip) == 16 and ip[:2] == b"\xfe\x80")
        source = virtual.source or next(link_local, None)
        if source is None or any(ip == source for ip, _ in there):
            return None
        # Deprecated, as keepalived has it: no other program is to send from it. No duplicate
        # address detection: the interface below has the same address.
        text = str(ipaddress.IPv6Address(source))
        return Address(text, LINK_LOCAL_BITS, virtual.name, scope=SCOPE_LINK, preferred_lft_s=0)


def _must_be_replaced(new: Virtual, old: Virtual) -> bool:
    """It stands on another interface, or an ipvlan has another address."""
    return (new.base, new.address) != (old.base, old.address)
