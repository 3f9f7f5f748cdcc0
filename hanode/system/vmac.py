"""Virtual interfaces: macvlan in private mode for virtual MAC addresses, and ipvlan in mode L2.

SYSTEM. RFC 9568 section 7.3. `ensure` makes one or takes over one that a former run has left, with
the switches that keepalived sets, in the VRF of the interface below; `remove` takes it away. What
the interface below had is remembered and given back.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pyroute2.netlink import nla
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from hanode.system import sysctl
from hanode.system.monitor import Link
from hanode.system.netlink import (
    BUFFER_BYTES,
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_REQUEST,
    NLMSG_ERROR,
    messages,
    opened,
)
from hanode.kernel.virtual_interfaces import IPVLAN, MACVLAN, PREFIX, Virtual

RTM_NEWLINK, RTM_DELLINK = 16, 17
NLM_F_EXCL = 0x200
IFF_UP = 0x1
MACVLAN_PRIVATE = 1
IPVLAN_L2 = 0
IPVLAN_FLAGS = {"bridge": 0, "private": 1, "vepa": 2}
IN6_ADDR_GEN_MODE_NONE = 1
UPPER = (
    (4, "arp_ignore", 1),
    (4, "accept_local", 1),
    (4, "rp_filter", 0),
    (4, "promote_secondaries", 1),
)
"""On the virtual interface: answer ARP for its own addresses only, and believe our own packets."""
VIRTUAL_PREFIXES = tuple(PREFIX.values())
LOWER = (("arp_ignore", 1), ("arp_filter", 1))
"""Below it: no answers for the addresses of the virtual interface with the wrong MAC."""


class _IpvlanData(nla):  # type: ignore[misc]  # pyroute2 has no types
    """IFLA_INFO_DATA of an ipvlan; pyroute2's lacks the flags."""

    prefix = "IFLA_"
    nla_map = (
        ("IFLA_IPVLAN_UNSPEC", "none"),
        ("IFLA_IPVLAN_MODE", "uint16"),
        ("IFLA_IPVLAN_FLAGS", "uint16"),
    )


ifinfmsg.ifinfo.register_link_kind(module={IPVLAN: _IpvlanData})


@dataclass(slots=True)
class Vmacs:
    """The virtual interfaces of this process."""

    made: dict[str, Virtual] = field(default_factory=dict)
    _before: dict[tuple[str, str], int] = field(default_factory=dict)
    """(interface below, switch): what it was."""

    def ensure(self, wanted: Virtual, links: dict[str, Link]) -> list[str]:
        """Make the interface, or take over one that is there; sentences about what failed."""
        base, there = links.get(wanted.base), links.get(wanted.name)
        if base is None:
            return []
        failed = []
        if there is not None:
            virtual = there.kind == MACVLAN and there.mac[:5] in VIRTUAL_PREFIXES
            ours = virtual or wanted.name in self.made
            if there.kind != wanted.kind or (there.below != base.index and not ours):
                kind = wanted.kind
                return [f"{wanted.name} is there already, and is no {kind} on {wanted.base}"]
            other_mac = wanted.kind == MACVLAN and there.mac != wanted.mac
            # Nothing lives on an ipvlan but its own address; a killed run's may be another.
            left = wanted.address is not None and wanted.name not in self.made
            if other_mac or left or there.below != base.index:
                self.remove(wanted.name, there.index)
                there = None
        if there is None:
            self._free(wanted, base, links)
            error = _ask(_link(wanted, base.index), RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL)
            if error and error != errno.EEXIST:
                return [f"{wanted.name} could not be made on {wanted.base}: {os.strerror(error)}"]
            if wanted.kind == MACVLAN:  # an ipvlan over IPv6 speaks from the kernel's own
                _ask(_without_addresses(wanted.name), RTM_NEWLINK, 0)  # fails where IPv6 is off
        self.made[wanted.name] = wanted
        failed += self._switches(wanted)
        vrf = wanted.vrf(links)
        if vrf != (0 if there is None else there.master) and (
            error := _ask(_into(wanted.name, vrf), RTM_NEWLINK, 0)
        ):
            why = os.strerror(error)
            failed.append(f"{wanted.name} could not follow {wanted.base} into its VRF: {why}")
        # Only now up: with the switches as they were it would have made addresses of its own.
        if error := _ask(_link_up(wanted.name), RTM_NEWLINK, 0):
            failed.append(f"{wanted.name} could not be switched on: {os.strerror(error)}")
        return failed

    def _free(self, wanted: Virtual, base: Link, links: dict[str, Link]) -> None:
        """A killed run may have left the virtual MAC there under another name; one has it only."""
        for other in list(links.values()):
            same = (other.kind, other.below, other.mac) == (MACVLAN, base.index, wanted.mac)
            if same and other.name != wanted.name and wanted.mac[:5] in VIRTUAL_PREFIXES:
                self.remove(other.name, other.index)

    def _switches(self, wanted: Virtual) -> list[str]:
        asked = []
        macvlan = wanted.kind == MACVLAN
        if wanted.family == 4 and macvlan:
            asked += [(family, wanted.name, name, value) for family, name, value in UPPER]
        elif macvlan:
            # keepalived leaves it: then this MAC answers for IPv4 addresses that live beside it.
            asked.append((4, wanted.name, "arp_ignore", 1))
        if wanted.six:
            asked.append((6, wanted.name, "disable_ipv6", 0))
            if macvlan:
                asked.append((6, wanted.name, "accept_ra", 0))
        elif sysctl.read(6, wanted.name, "disable_ipv6") is not None:
            asked.append((6, wanted.name, "disable_ipv6", 1))
        for name, value in LOWER if wanted.family == 4 and macvlan else ():
            now = sysctl.read(4, wanted.base, name)
            if now is not None and now < value:
                self._before.setdefault((wanted.base, name), now)
                asked.append((4, wanted.base, name, value))
        if macvlan:
            asked += self._reverse_paths()
        return [error for words in asked if (error := sysctl.write(*words))]

    def _reverse_paths(self) -> list[tuple[int, str, str, int]]:
        """all.rp_filter holds for every interface: give each its own, so that ours can be 0."""
        overall = sysctl.read(4, "all", "rp_filter") or 0
        if not overall:
            return []
        asked = []
        others = sorted(os.listdir(sysctl.ROOT / "ipv4" / "conf"))
        for name in others:
            own = sysctl.read(4, name, "rp_filter") or 0
            if name != "all" and name not in self.made and own < overall:
                asked.append((4, name, "rp_filter", overall))
        return [*asked, (4, "all", "rp_filter", 0)]

    def remove(self, name: str, index: int) -> str | None:
        """Take an interface of ours away; why that failed, or None."""
        vmac = self.made.pop(name, None)
        gone = ifinfmsg()
        gone["index"] = index
        gone["attrs"] = []
        error = _ask(gone, RTM_DELLINK, 0)
        if vmac is not None and all(v.base != vmac.base for v in self.made.values()):
            for name_below, value in [
                (n, v) for (base, n), v in self._before.items() if base == vmac.base
            ]:
                sysctl.write(4, vmac.base, name_below, value)
                del self._before[vmac.base, name_below]
        if error and error != errno.ENODEV:
            return f"{name} could not be removed: {os.strerror(error)}"
        return None

    def unwanted(self, names: Iterable[str]) -> list[str]:
        """Those of ours that are not among `names`."""
        return [name for name in self.made if name not in set(names)]

    def outdated(self, wanted: Mapping[str, Virtual]) -> list[str]:
        """Those of ours that stand in the way: of their name, or of their MAC address."""
        places = {(new.base, new.mac): name for name, new in wanted.items() if new.mac}
        kinds = {new.base: (new.kind, new.mode) for new in wanted.values()}
        return [
            name
            for name, old in self.made.items()
            if places.get((old.base, old.mac), name) != name
            or (name in wanted and _differs(wanted[name], old))
            or kinds.get(old.base, (old.kind, old.mode)) != (old.kind, old.mode)
        ]


def _differs(new: Virtual, old: Virtual) -> bool:
    """Whether it must be made anew: what it stands on, or an ipvlan's address, is another."""
    return (new.base, new.address) != (old.base, old.address)


def _link(wanted: Virtual, base_index: int) -> ifinfmsg:
    said = ifinfmsg()
    said["family"] = socket.AF_UNSPEC
    data = [("IFLA_MACVLAN_MODE", MACVLAN_PRIVATE)]
    if wanted.kind == IPVLAN:
        flags = IPVLAN_FLAGS[wanted.mode]
        data = [("IFLA_IPVLAN_MODE", IPVLAN_L2), ("IFLA_IPVLAN_FLAGS", flags)]
    attrs = [
        ("IFLA_IFNAME", wanted.name),
        ("IFLA_LINK", base_index),
        (
            "IFLA_LINKINFO",
            {"attrs": [("IFLA_INFO_KIND", wanted.kind), ("IFLA_INFO_DATA", {"attrs": data})]},
        ),
    ]
    if wanted.mac:
        attrs.append(("IFLA_ADDRESS", ":".join(f"{byte:02x}" for byte in wanted.mac)))
    if wanted.group is not None:
        attrs.append(("IFLA_GROUP", wanted.group))
    said["attrs"] = attrs
    return said


def _into(name: str, master: int) -> ifinfmsg:
    """Into a VRF (0: out of any)."""
    said = ifinfmsg()
    said["family"] = socket.AF_UNSPEC
    said["attrs"] = [("IFLA_IFNAME", name), ("IFLA_MASTER", master)]
    return said


def _without_addresses(name: str) -> ifinfmsg:
    """No link-local address of its own making. The kernel takes this only of a link that is."""
    said = ifinfmsg()
    said["family"] = socket.AF_UNSPEC
    mode = {"attrs": [("IFLA_INET6_ADDR_GEN_MODE", IN6_ADDR_GEN_MODE_NONE)]}
    said["attrs"] = [
        ("IFLA_IFNAME", name),
        ("IFLA_AF_SPEC", {"attrs": [("AF_INET6", mode)]}),
    ]
    return said


def _link_up(name: str) -> ifinfmsg:
    said = ifinfmsg()
    said["flags"] = said["change"] = IFF_UP
    said["attrs"] = [("IFLA_IFNAME", name)]
    return said


def _ask(said: ifinfmsg, kind: int, flags: int) -> int:
    """Send one message and wait for its answer: an errno, or 0."""
    said["header"]["type"] = kind
    said["header"]["flags"] = NLM_F_REQUEST | NLM_F_ACK | flags
    said["header"]["sequence_number"] = 1
    said.encode()
    with opened(groups=0) as asking:
        asking.send(bytes(said.data))
        for reply, _, _, body in messages(asking.recv(BUFFER_BYTES)):
            if reply == NLMSG_ERROR:
                return -int(struct.unpack_from("=i", body)[0])
    return 0
