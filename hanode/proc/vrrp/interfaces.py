"""The node as the machines see it: its interfaces, real and virtual, and the sockets on them.

DRIVER. Follows what the kernel says; makes macvlans for virtual MACs, and makes them again when
somebody deletes one.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from hanode.kernel.link_state import LinkPolicy
from hanode.proc.vrrp.sockets import Sockets
from hanode.system import sysctl
from hanode.system.firewall import Firewall
from hanode.system.linkbeat import LinkProbe
from hanode.system.monitor import NOTHING, Change, Monitor
from hanode.kernel.virtual_interfaces import MACVLAN, Virtual, wanted
from hanode.system.vrrp_socket import FrameSocket
from hanode.vrrp import arp, ndisc
from hanode.vrrp.effects import AnnounceAddresses
from hanode.vrrp.events import ABSENT, LinkState
from hanode.vrrp.settings import Address, VrrpSettings

if TYPE_CHECKING:
    from hanode.system.rtnl import Commands
    from hanode.system.vmac import Vmacs

LINK_LOCAL_BITS = 64
IGMP_REPORTS = "igmp_link_local_mcast_reports"
MAC_BYTES = 6
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}


class Interfaces:
    """Interfaces, and what is opened on them."""

    def __init__(
        self,
        monitor: Monitor,
        commands: Commands,
        sockets: Sockets,
        firewall: Firewall,
        warn: Callable[[str, str], None],
    ) -> None:
        self.monitor = monitor
        self.sockets = sockets
        self.watch = LinkPolicy(LinkProbe().has_link)
        self._commands = commands
        self._made: Vmacs | None = None
        self._reports: int | None = None
        """igmp_link_local_mcast_reports, as it was before us."""
        self._firewall = firewall
        self._warn = warn
        self._virtual: dict[str, Virtual] = {}
        self._missed = NOTHING
        self._sources: dict[str, set[bytes]] = {}
        """What instances without an interface speak from; by VRF, or ""."""
        self._ours: dict[str, set[bytes]] = {}
        """By device: the addresses that instances have there."""
        self._routers: dict[str, bool] = {}
        """Whether an interface forwards IPv6: neighbour advertisements say so."""
        self._frames: dict[tuple[str, bytes, bytes], bytes] = {}

    def use(self, settings: VrrpSettings, *, now_us: int) -> None:
        """Make ready what a configuration needs. Raises OSError; its filename: the interface."""
        self.watch.use(settings, now_us=now_us)
        self._routers.clear()
        self._frames.clear()
        self._virtual = {}
        self._sources = {}
        self._join_in_silence(settings.disable_local_igmp)
        for instance in settings.instances:
            self._virtual |= {virtual.name: virtual for virtual in wanted(instance)}
            if instance.roams:
                source = socket.inet_pton(FAMILIES[instance.family], instance.mcast_src_ip or "")
                self._sources.setdefault(instance.interface, set()).add(source)
            elif instance.promote_secondaries:
                self._set(4, instance.interface, "promote_secondaries", 1)
        if self._made is not None and (outdated := self._made.outdated(self._virtual)):
            for name in outdated:
                self._remove_virtual(name)
            self._missed += self.monitor.drain()
        if failed := self._make_virtual(self._virtual):
            # Without it the adverts of a master would go nowhere, and a second one would appear.
            raise OSError(0, failed[0])
        self.sockets.use(settings, self.monitor.links)
        self._ours = {}
        for address in (a for i in settings.instances for a in i.addresses):
            self._ours.setdefault(address.dev, set()).add(address.packed)
        for device in self._ours:
            # Now, and not at the first failover: opening a socket may wait.
            self._frames_of(device)

    @property
    def _vmacs(self) -> Vmacs:
        """Only where a file needs them: their messages take 10 ms to import."""
        if self._made is None:
            from hanode.system.vmac import Vmacs

            self._made = Vmacs()
        return self._made

    def missed(self) -> Change:
        """What the kernel has said while virtual interfaces were made; once."""
        said, self._missed = self._missed, NOTHING
        return said

    def missed_of_others(self) -> Change:
        """The same, without addresses that went with virtual interfaces: a reload puts them in."""
        ours = {*self._virtual, *(self._made.made if self._made is not None else ())}
        return self.missed().apart_from(ours)

    @property
    def apart(self) -> tuple[str, ...]:
        """VRFs (or "") whose instances have an address that any interface may lose or get."""
        return tuple(self._sources)

    def _join_in_silence(self, wanted: bool) -> None:
        """disable_local_igmp: no report for groups like ours, in the whole namespace."""
        if wanted and self._reports is None:
            self._reports = sysctl.read(4, "", IGMP_REPORTS)
        if wanted or self._reports is not None:
            value = 0 if wanted else self._reports or 0
            if (why := sysctl.write(4, "", IGMP_REPORTS, value)) is not None:
                self._warn("vrrp", why)
        if not wanted:
            self._reports = None

    def prune(self) -> None:
        """Close and remove what the configuration does not need."""
        self.sockets.prune()
        for name in self._made.unwanted(self._virtual) if self._made is not None else ():
            self._remove_virtual(name)

    def end(self) -> None:
        """The virtual interfaces go with us."""
        self._join_in_silence(False)
        for name in list(self._made.made) if self._made is not None else ():
            self._remove_virtual(name)

    def follow(self, name: str) -> None:
        """An interface has changed."""
        again = [
            virtual.name
            for virtual in self._virtual.values()
            if name in (virtual.name, virtual.base)
        ]
        for sentence in self._make_virtual(again):
            self._warn(name, sentence)
        for device in {name, *again}:
            self._routers.pop(device, None)
            try:
                self.sockets.follow(device, self.monitor.links)
            except OSError as error:  # it is already gone again
                self._warn(name, f"no VRRP socket could be opened on {name}: {error.strerror}")

    def names(self, settings: VrrpSettings) -> list[str]:
        """Every interface that there is, and those that the settings ask for besides."""
        named = [i.interface for i in settings.instances]
        named += [t.name for i in settings.instances for t in i.tracked if t.kind == "interface"]
        named += [name for i in settings.instances for name in i.follows]
        addresses = [a for i in settings.instances for a in i.addresses]
        named += [i.ipvlan.name for i in settings.instances if i.ipvlan is not None]
        named += [dev for a in addresses for dev in (a.dev, a.below) if dev is not None]
        return list(dict.fromkeys([*self.monitor.links, *named]))

    def link(self, name: str, *, now_us: int) -> LinkState:
        """An interface, as the machines want to know it."""
        link = self.monitor.links.get(name)
        sources = self._sources.get(name)
        if sources is not None and (link is not None or not name):
            there = self.monitor.addresses_within(0 if link is None else link.index)
            return LinkState(link is None or link.up, addresses=tuple(sorted(sources & there)))
        if link is None:
            return ABSENT
        up = self.watch.up(name, link.up, now_us=now_us)
        # Without those that we put there: or each of them would be news to all its instances.
        addresses = self.monitor.addresses(name, self._ours.get(name, ()))
        return LinkState(up=up, mac=link.mac, addresses=addresses)

    def announce(self, effect: AnnounceAddresses) -> None:
        """Gratuitous ARP and neighbour advertisements: the list, `repeat` times over."""
        frames = self.prepare(effect)
        for _ in range(effect.repeat):
            for sender, frame in frames:
                sender.send(frame)

    def prepare(self, effect: AnnounceAddresses) -> list[tuple[FrameSocket, bytes]]:
        """The frames of an announcement, each with its way out; kept for the next time."""
        frames = []
        for address in effect.addresses:
            link = self.monitor.links.get(address.dev)
            sender = self._frames_of(address.dev)
            if link is None or sender is None or len(link.mac) != MAC_BYTES:
                continue
            ip = address.packed
            known = (address.dev, link.mac, ip)
            frame = self._frames.get(known)
            if frame is None:
                frame = self._frames[known] = self._frame(address.dev, link.mac, ip)
            frames.append((sender, frame))
        return frames

    def _frame(self, dev: str, mac: bytes, ip: bytes) -> bytes:
        if len(ip) == 4:
            return arp.gratuitous_arp(mac=mac, address=ip)
        if dev not in self._routers:
            self._routers[dev] = bool(sysctl.read(6, dev, "forwarding"))
        return ndisc.neighbour_advert(mac=mac, address=ip, router=self._routers[dev])

    def _frames_of(self, device: str) -> FrameSocket | None:
        try:
            return self.sockets.frames(device, self.monitor.links)
        except OSError as error:  # it went away while we looked
            why = f"nothing can be announced on {device}: {error.strerror}"
            self._warn(device, why)
            return None

    # Virtual interfaces

    def _make_virtual(self, names: Iterable[str]) -> list[str]:
        """Make those that are not there; sentences about what failed."""
        made, failed = False, []
        new = [
            name
            for name in names
            if self._virtual[name].kind == MACVLAN and name not in self._vmacs.made
        ]
        if new and (why := self._firewall.quieten(new)) is not None:
            self._warn(new[0], f"IGMP with a virtual MAC could not be stopped: {why}")
        for name in names:
            virtual = self._virtual[name]
            if self._vmacs.made.get(name) != virtual or not virtual.stands(self.monitor.links):
                made = True
                failed += self._vmacs.ensure(virtual, self.monitor.links)
        if made:
            self._missed += self.monitor.drain()
        for name in names:
            self._give_addresses(self._virtual[name])
        return failed

    def _give_addresses(self, virtual: Virtual) -> None:
        """What it speaks from: an ipvlan's own; above IPv6 the one of the interface below."""
        if virtual.address is not None:
            if not self.monitor.has(virtual.name, str(virtual.address)):
                self._add(virtual.address)
        elif virtual.kind == MACVLAN and virtual.family == 6:
            self._give_link_local(virtual)

    def _add(self, address: Address) -> None:
        link = self.monitor.links.get(address.dev)
        added = [(address, address, link.index)] if link is not None else []
        for _, why in self._commands.add(added):
            self._warn(address.dev, f"{address.ip} could not be added to {address.dev}: {why}")

    def _give_link_local(self, virtual: Virtual) -> None:
        source = virtual.source or self._link_local_below(virtual.base)
        if source is None or source in self.monitor.addresses(virtual.name):
            return
        text = socket.inet_ntop(socket.AF_INET6, source)
        # Deprecated, as keepalived has it: nobody else is to speak from it. No DAD: it is below.
        self._add(Address(text, LINK_LOCAL_BITS, virtual.name, scope=253, preferred_lft_s=0))

    def _link_local_below(self, base: str) -> bytes | None:
        there = self.monitor.addresses(base)
        return next((ip for ip in there if len(ip) == 16 and ip[:2] == b"\xfe\x80"), None)

    def _remove_virtual(self, name: str) -> None:
        link = self.monitor.links.get(name)
        why = self._vmacs.remove(name, link.index) if link is not None else None
        if why is not None:
            self._warn(name, why)

    def _set(self, family: int, interface: str, name: str, value: int) -> None:
        if (sysctl.read(family, interface, name) or 0) != value:
            why = sysctl.write(family, interface, name, value)
            if why is not None:
                self._warn(interface, why)
