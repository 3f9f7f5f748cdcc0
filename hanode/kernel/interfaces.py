"""How the kernel's interfaces look to the VRRP machines.

PURE. Which interfaces matter to a configuration, which state and addresses each has for them,
and which of the kernel's switches follow from the settings.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from hanode.kernel.facts import Link, Links
from hanode.kernel.link_state import LinkPolicy, ProbeKind
from hanode.vrrp import arp, ndisc
from hanode.vrrp.engine_settings import VrrpSettings
from hanode.vrrp.events import ABSENT, LinkState
from hanode.vrrp.kernel_objects import pack

MAC_BYTES = 6


class Addresses(Protocol):
    """What the kernel says about addresses; all are packed."""

    def addresses(self, name: str, without: Collection[bytes] = ()) -> tuple[bytes, ...]:
        """Those of an interface; `without`: leave these out where they carry our mark."""
        ...

    def addresses_within(self, vrf: int) -> set[bytes]:
        """Those of all interfaces in a VRF; 0: in none."""
        ...


class InterfaceView:
    """Turns interfaces of the kernel into the `LinkState` that the machines are given."""

    def __init__(self) -> None:
        self.policy = LinkPolicy()
        self._sources: dict[str, set[bytes]] = {}
        """By VRF, or "": the addresses that instances without an interface send from."""
        self._virtual: dict[str, set[bytes]] = {}
        """By device: the addresses that follow a master there."""

    def use(self, settings: VrrpSettings, *, now_us: int) -> Mapping[str, ProbeKind]:
        """Take new settings. Returns the network cards to ask now, and how."""
        self._sources, self._virtual = {}, {}
        for instance in settings.instances:
            if instance.roams:
                source = pack(instance.mcast_src_ip or "")
                self._sources.setdefault(instance.interface, set()).add(source)
            for address in instance.addresses:
                self._virtual.setdefault(address.dev, set()).add(address.packed)
        return self.policy.use(settings, now_us=now_us)

    @property
    def vrfs(self) -> tuple[str, ...]:
        """VRFs (or "") whose instances have an address that any interface may lose or get."""
        return tuple(self._sources)

    @property
    def devices(self) -> tuple[str, ...]:
        """Where virtual addresses live, and so are announced."""
        return tuple(self._virtual)

    def state(self, name: str, link: Link | None, kernel: Addresses, *, now_us: int) -> LinkState:
        """An interface, a VRF, or "" (all interfaces outside of VRFs)."""
        sources = self._sources.get(name)
        if sources is not None and (link is not None or not name):
            there = kernel.addresses_within(0 if link is None else link.index)
            return LinkState(link is None or link.up, addresses=tuple(sorted(sources & there)))
        if link is None:
            return ABSENT
        up = self.policy.up(name, link.up, now_us=now_us)
        # Without those that we add ourselves: each of them would concern all its instances.
        addresses = kernel.addresses(name, self._virtual.get(name, ()))
        return LinkState(up=up, mac=link.mac, addresses=addresses)


def relevant(settings: VrrpSettings, links: Links) -> list[str]:
    """Every interface that exists, and those that the settings name besides."""
    named = [i.interface for i in settings.instances]
    named += [t.name for i in settings.instances for t in i.tracked if t.kind == "interface"]
    named += [name for i in settings.instances for name in i.follows]
    named += [i.ipvlan.name for i in settings.instances if i.ipvlan is not None]
    addresses = [a for i in settings.instances for a in i.addresses]
    named += [dev for a in addresses for dev in (a.dev, a.below) if dev is not None]
    return list(dict.fromkeys([*links, *named]))


def promoting(settings: VrrpSettings) -> list[str]:
    """Interfaces whose secondary addresses must survive the removal of the primary one."""
    instances = (i for i in settings.instances if i.promote_secondaries and not i.roams)
    return list(dict.fromkeys(i.interface for i in instances))


class IgmpReports:
    """disable_local_igmp: no IGMP report for groups like VRRP's, in the whole namespace."""

    def __init__(self) -> None:
        self._before: int | None = None

    def use(self, disable: bool, read: Callable[[], int | None]) -> int | None:
        """The value to give igmp_link_local_mcast_reports; None: leave it.

        The first time that it is disabled, `read` gives the value to restore later.
        """
        if disable:
            if self._before is None:
                self._before = read()
            return 0
        before, self._before = self._before, None
        return before


def announcement(mac: bytes, address: bytes, *, router: bool) -> bytes:
    """The frame that tells the neighbours where an address is: gratuitous ARP, or for IPv6 an
    unsolicited neighbour advertisement, which says whether the sender is a router.
    """
    if len(address) == 4:
        return arp.gratuitous_arp(mac=mac, address=address)
    return ndisc.neighbour_advert(mac=mac, address=address, router=router)
