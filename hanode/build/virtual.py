"""Virtual interfaces: those that an instance wants, their names, and the interface of each address.

PURE. Names and interfaces are those of keepalived 2.2.7.
"""

from __future__ import annotations

from dataclasses import dataclass

from hanode.build import route_lines
from hanode.build.site import Site
from hanode.build.virtual_names import Virtuals
from hanode.build.words import Words
from hanode.conf import Address as Line
from hanode.conf import VrrpInstance
from hanode.vrrp.engine_settings import NO_INTERFACE, Ipvlan, IpvlanMode, Vmac, only_on_a_link
from hanode.vrrp.kernel_objects import Address, Family

LINK_SCOPE = 253
IPVLAN_MODES: tuple[IpvlanMode, ...] = ("bridge", "private", "vepa")
VIRTUAL_MAC = {4: "00:00:5e:00:01", 6: "00:00:5e:00:02"}


@dataclass(frozen=True)
class Places:
    """The interfaces of an instance's addresses."""

    name: str
    interface: str
    """"": the instance has none."""
    default: str
    """default_interface, or "": for addresses where neither they nor the instance name one."""
    vrid: int
    family: Family
    vmac: Vmac | None
    ipvlan: Ipvlan | None
    everywhere: bool
    """Whether use_vmac_addr is written."""
    stem: str
    """The beginning of the names of new virtual interfaces."""
    virtuals: Virtuals

    @property
    def source(self) -> str | None:
        """The source address of adverts: an ipvlan's own address, or None."""
        address = None if self.ipvlan is None else self.ipvlan.address
        return None if address is None else address.ip

    @property
    def device(self) -> str:
        """The interface of addresses whose lines name none."""
        return self.interface if self.vmac is None else self.vmac.name

    def address(self, line: Line) -> Address:
        """The address of a line of virtual_ipaddress. Raises ValueError."""
        if line.ip == self.source:
            raise ValueError(
                f"{line.ip} is its ipvlan's own address, which does not move: give the ipvlan"
                " another one"
            )
        base = line.dev or self.interface or self.default
        if not base:
            raise ValueError(
                f"the address {line.ip} names no interface: write `dev` and the interface's name"
                " behind it, since the instance has none either"
            )
        family = route_lines.family_of(line.ip)
        vmac = self.vmac
        if vmac is not None and base == vmac.name:
            return route_lines.address(line, vmac.name)
        at_home = base == self.interface
        if at_home and vmac is not None and family == self.family:
            return route_lines.address(line, vmac.name)
        asked = "use_vmac" in line.flags
        strange = not at_home or family != self.family
        if not asked and not (self.everywhere and strange):
            return route_lines.address(line, base)
        return self._virtual(line, base, family)

    def _virtual(self, line: Line, base: str, family: Family) -> Address:
        said = None if self.vmac is None else self.vmac.mac
        mac = said or f"{VIRTUAL_MAC[family]}:{self.vrid:02x}"
        if self.vmac is not None and self.virtuals.found(base, mac, self.name) == self.vmac.name:
            return route_lines.address(line, self.vmac.name)
        name = self.virtuals.found(base, mac, self.name)
        if name is None:
            name = self.virtuals.name(self.stem, self.vrid, family)
            self.virtuals.claim(name, base, mac, self.name)
        return route_lines.address(line, name, below=base)


def whereabouts(made: VrrpInstance, words: Words, site: Site) -> tuple[str, str | None]:
    """(interface, VRF); unicast from an address that is not link-local needs no interface."""
    vrf = words.text("vrf")
    if made.interface:
        if vrf is not None:
            site.ignored.append(
                f"{made.name}: vrf {vrf} counts only where there is no interface; its own VRF is"
                f" that of {made.interface}"
            )
        return made.interface, None
    source = words.text("unicast_src_ip")
    unicast = words.many("unicast_peers") or words.flag("unicast_fault_no_peer")
    if unicast and not only_on_a_link(source and source.partition("/")[0]):
        return "", vrf
    default = site.overall.text("default_interface")
    if not default:
        raise ValueError(NO_INTERFACE)
    return default, None


def places(
    made: VrrpInstance, words: Words, interface: str, family: Family, site: Site, *, strict: bool
) -> Places:
    """The virtual interfaces of an instance. Raises ValueError."""
    stem = site.overall.text("vmac_prefix") or "vrrp"
    return Places(
        made.name, interface, site.overall.text("default_interface") or "", made.vrid, family,
        vmac=_vmac(made, words, interface, family, site, stem=stem, strict=strict),
        ipvlan=_ipvlan(made, words, interface, family, site),
        everywhere=bool(words.flag("use_vmac_addr")),
        stem=site.overall.text("vmac_addr_prefix") or stem,
        virtuals=site.virtuals,
    )  # fmt: skip


def _ipvlan(
    made: VrrpInstance, words: Words, interface: str, family: Family, site: Site
) -> Ipvlan | None:
    """The interface of use_ipvlan. Raises ValueError."""
    said = words.any("use_ipvlan")
    if said is None:
        return None
    if words.says("use_vmac"):
        site.ignored.append(f"{made.name}: use_ipvlan is not used, since it has use_vmac")
        return None
    if not interface:
        site.ignored.append(
            f"{made.name}: use_ipvlan needs an interface below it, and the instance has none"
        )
        return None
    stem = site.overall.text("vmac_prefix") or "vrrp"
    name = said.name or site.virtuals.name(stem, made.vrid, family)
    mode: IpvlanMode = next((mode for mode in IPVLAN_MODES if mode in said.options), "bridge")
    site.virtuals.claim(name, interface, f"as {name}", made.name, f"an ipvlan in mode {mode}")
    group = None if said.group is None else str(said.group)
    return Ipvlan(name, _own_address(said.address, name, family), mode, group)


def _own_address(said: str | None, name: str, family: Family) -> Address | None:
    """The own address of an ipvlan. Raises ValueError."""
    if said is None and family == 6:
        return None
    if said is None or route_lines.family_of(said) != family:
        raise ValueError(
            f"its ipvlan {name} needs an IPv{family} address of its own to speak from: write it"
            f" behind the name (use_ipvlan {name} ADDRESS/PREFIX)"
        )
    ip, _, prefix = said.partition("/")
    if prefix and not prefix.isdecimal():
        raise ValueError(f"{said} is no address for its ipvlan {name}: write ADDRESS/PREFIX")
    bits = int(prefix) if prefix else 32 if family == 4 else 128
    link_local = only_on_a_link(ip) and family == 6
    deprecated = 0 if family == 6 else None
    scope = LINK_SCOPE if link_local else 0
    return Address(ip, bits, name, scope=scope, preferred_lft_s=deprecated)


def _vmac(
    made: VrrpInstance, words: Words, interface: str, family: Family, site: Site,
    *, stem: str, strict: bool,
) -> Vmac | None:  # fmt: skip
    """The interface of use_vmac. Raises ValueError."""
    base = bool(words.flag("vmac_xmit_base"))
    said = words.any("use_vmac")
    if said is None:
        return None
    if not interface:
        site.ignored.append(
            f"{made.name}: use_vmac needs an interface below it, and the instance has none"
        )
        return None
    mac = said.mac
    if mac is not None and mac.count(":") == 4:
        mac = f"{mac}:{made.vrid:02x}"
    if strict:  # keepalived's strict_mode wants the virtual MAC, and adverts from it
        base, mac = False, None
    name = said.name or site.virtuals.name(stem, made.vrid, family)
    if name in site.virtuals.names:
        what = f"{made.name}: its virtual interface {name} belongs to another instance already"
        site.errors.append(f"{what}; it gets a name of its own")
        name = site.virtuals.name(stem, made.vrid, family)
    site.virtuals.claim(name, interface, mac or f"{VIRTUAL_MAC[family]}:{made.vrid:02x}", made.name)
    group = None if said.group is None else str(said.group)
    return Vmac(name, mac, base, "netlink_notify_msg" in said.options, group)
