"""Virtual MAC addresses (RFC 9568 section 7.3), and the virtual interfaces that instances want.

SYSTEM. Apart from vmac.py, which needs pyroute2's messages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hanode.system.monitor import Link
from hanode.vrrp.kernel_objects import Address, pack
from hanode.vrrp.settings import InstanceSettings

PREFIX = {4: bytes.fromhex("00005e0001"), 6: bytes.fromhex("00005e0002")}
"""The last byte is the VRID."""
MACVLAN, IPVLAN = "macvlan", "ipvlan"


def mac_of(instance: InstanceSettings, family: int | None = None) -> bytes:
    """What the file says, or 00:00:5e:00:01:VRID (02 for IPv6); of the instance's own family."""
    said = instance.vmac.mac if instance.vmac is not None else None
    if said:
        return bytes.fromhex(said.replace(":", ""))
    return PREFIX[family or instance.family] + bytes((instance.vrid,))


@dataclass(frozen=True, slots=True)
class Virtual:
    """One virtual interface that an instance wants: a macvlan, or an ipvlan."""

    name: str
    base: str
    family: int
    mac: bytes = b""
    """Of a macvlan; an ipvlan has the one of the interface below."""
    group: int | None = None
    six: bool = False
    """IPv6 addresses live there."""
    source: bytes | None = None
    """The IPv6 address that the instance is to speak from; None: the link-local one below."""
    mode: str = ""
    """Of an ipvlan: bridge, private, vepa."""
    address: Address | None = None
    """An ipvlan's own."""

    @property
    def kind(self) -> str:
        """As the kernel names it."""
        return IPVLAN if self.mode else MACVLAN

    def vrf(self, links: dict[str, Link]) -> int:
        """The index of the VRF that it belongs into: that of the interface below; 0: none."""
        base = links.get(self.base)
        masters = (link for link in links.values() if base and link.index == base.master)
        return next((link.index for link in masters if link.kind == "vrf"), 0)

    def stands(self, links: dict[str, Link]) -> bool:
        """Whether it is there, and as it should be."""
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


def _group(said: str | None) -> int | None:
    return int(said) if said is not None and said.isdigit() else None
