"""Which sockets the configuration needs, and which of them are open.

DRIVER. One for each interface and family (and one more where AH is spoken), whatever the number of
instances. An instance with a virtual MAC has one of its own on its macvlan: it sends there, and a
peer's adverts that bear the same MAC arrive nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from hanode.proc.vrrp.receiver import Receiver
from hanode.system.monitor import Link
from hanode.kernel.virtual_interfaces import mac_of
from hanode.system.vrrp_socket import FrameSocket, Ipv4Socket, Ipv6Socket
from hanode.vrrp.effects import PROTOCOL_AH, PROTOCOL_VRRP
from hanode.vrrp.settings import InstanceKey, VrrpSettings

Links = dict[str, Link]
AdvertSocket = Ipv4Socket | Ipv6Socket


class Place(NamedTuple):
    """Where a socket listens."""

    device: str
    family: int
    protocol: int
    interface: str
    """The instances' interface: below the device, if that is a macvlan."""
    source: str = ""
    """The only address to hear packets to; "": any."""


@dataclass(slots=True)
class Wanted:
    """What a socket is needed for."""

    vrids: set[int] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    source_mac: bytes | None = None
    senders: list[InstanceKey] = field(default_factory=list)


def needed(settings: VrrpSettings) -> dict[Place, Wanted]:
    """Every socket of a configuration."""
    places: dict[Place, Wanted] = {}
    for instance in settings.instances:
        # What a group is sent, an ipvlan and the interface below get both.
        device = instance.source_on
        source = instance.mcast_src_ip or "" if instance.roams else ""
        base = Place(device, instance.family, PROTOCOL_VRRP, instance.interface, source)
        listens = [base]
        if instance.auth_type == "AH":
            listens.append(base._replace(protocol=PROTOCOL_AH))
        if instance.vmac is not None and not instance.unicast:
            listens += [place._replace(device=instance.vmac.name) for place in listens]
        for place in listens:
            wanted = places.setdefault(place, Wanted())
            wanted.vrids.add(instance.vrid)
            if not instance.unicast:
                wanted.groups.add(instance.mcast_group)
            if place.device != device:
                wanted.source_mac = mac_of(instance)
        places[base._replace(device=instance.sends_on)].senders.append(instance.key)
    return places


class Sockets:
    """The open sockets."""

    def __init__(self, receiver: Receiver) -> None:
        self._ears = receiver
        self._needed: dict[Place, Wanted] = {}
        self._sockets: dict[Place, AdvertSocket] = {}
        self._frames: dict[str, FrameSocket] = {}
        self.senders: dict[InstanceKey, AdvertSocket] = {}
        """By instance: what its adverts are sent with; missing while the interface is."""
        self._unfiltered = False

    def use(self, settings: VrrpSettings, links: Links) -> None:
        """Open what a configuration needs; what only the old one needed stays until `prune`.

        Raises:
            OSError: not allowed; its `filename` is the interface.
        """
        self._needed = needed(settings)
        self._unfiltered = settings.log_unknown_vrids
        for place in self._needed:
            self._open(place, links)

    def follow(self, device: str, links: Links) -> None:
        """An interface has changed: open, close, or open anew. Raises OSError, as `use`."""
        link = links.get(device)
        for place in self._needed:
            if place.device == device:
                there = self._sockets.get(place)
                if there is None or link is None or there.index != link.index:
                    self._open(place, links)
        frames = self._frames.get(device)
        if frames is not None and (link is None or link.index != frames.index):
            del self._frames[device]
            frames.close()

    def prune(self) -> None:
        """Close what the configuration does not need."""
        for place in [place for place in self._sockets if place not in self._needed]:
            self._close(place)
        for place, wanted in self._needed.items():
            if (socket := self._sockets.get(place)) is not None:
                socket.forget(wanted.senders)

    def frames(self, device: str, links: Links) -> FrameSocket | None:
        """What announcements leave through. Raises OSError; None: no such interface."""
        found = self._frames.get(device)
        if found is None and (link := links.get(device)) is not None:
            found = self._frames[device] = FrameSocket(device, link.index)
        return found

    @property
    def send_errors(self) -> dict[str, int]:
        """By device."""
        return {place.device or place.source: s.send_errors for place, s in self._sockets.items()}

    def _open(self, place: Place, links: Links) -> None:
        wanted, link, old = self._needed[place], links.get(place.device), self._sockets.get(place)
        index = 0 if not place.device else None if link is None else link.index
        if old is not None and index != old.index:
            self._close(place)
            old = None
        if index is None:
            return
        made = old
        try:
            if made is None and place.family == 4:
                made = Ipv4Socket(place.device, index, place.protocol, source=place.source)
            made = made or Ipv6Socket(place.device, index, source=place.source)
            if not self._unfiltered or wanted.source_mac is not None:
                made.allow(wanted.vrids, source_mac=wanted.source_mac)
            made.join(wanted.groups)
        except OSError as error:
            if made is not None and old is None:
                made.close()
            where = place.device or place.source
            raise OSError(error.errno, error.strerror, where) from error
        if old is None:
            self._sockets[place] = made
            self._ears.watch(made, place.interface)
        for key in wanted.senders:
            self.senders[key] = made

    def _close(self, place: Place) -> None:
        gone = self._sockets.pop(place)
        self._ears.unwatch(gone)
        gone.close()
        self.senders = {key: s for key, s in self.senders.items() if s is not gone}
