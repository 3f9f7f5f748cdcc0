"""Which VRRP sockets a configuration needs, and what to open and close for it.

PURE. One socket for each interface and family (and one more where AH is used), whatever the number
of instances. An instance with a virtual MAC has another one on its macvlan: it sends there, and
the kernel delivers a peer's adverts with the same MAC nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from hanode.kernel.facts import Links
from hanode.kernel.virtual_interfaces import mac_of
from hanode.vrrp.effects import PROTOCOL_AH, PROTOCOL_VRRP
from hanode.vrrp.engine_settings import InstanceKey, VrrpSettings


class Place(NamedTuple):
    """Where a socket listens."""

    device: str
    """"": on any interface, for packets to `source`."""
    family: int
    protocol: int
    interface: str
    """The instances' interface: below the device, if that is a macvlan."""
    source: str = ""
    """The only address to receive packets for; "": any."""


@dataclass(slots=True)
class Use:
    """What a socket is needed for."""

    vrids: set[int] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    """Multicast groups to join."""
    source_mac: bytes | None = None
    """The only MAC address to receive frames from; None: any."""
    senders: list[InstanceKey] = field(default_factory=list)
    """The instances whose adverts leave through it."""
    users: dict[InstanceKey, str] = field(default_factory=dict)
    """The instances that cannot do without it, each with its multicast group; "": unicast."""
    filtered: bool = True
    """The kernel drops adverts of other VRIDs, so that they wake nobody."""


Needed = Mapping[Place, Use]


def needed(settings: VrrpSettings) -> dict[Place, Use]:
    """Every socket of a configuration."""
    places: dict[Place, Use] = {}
    for instance in settings.instances:
        # An ipvlan and the interface below both receive what is sent to a group: one is enough.
        device = instance.source_on
        source = instance.mcast_src_ip or "" if instance.roams else ""
        base = Place(device, instance.family, PROTOCOL_VRRP, instance.interface, source)
        listens = [base]
        if instance.auth_type == "AH":
            listens.append(base._replace(protocol=PROTOCOL_AH))
        if instance.vmac is not None and not instance.unicast:
            listens += [place._replace(device=instance.vmac.name) for place in listens]
        for place in listens:
            use = places.setdefault(place, Use())
            use.vrids.add(instance.vrid)
            use.users[instance.key] = "" if instance.unicast else instance.mcast_group
            if not instance.unicast:
                use.groups.add(instance.mcast_group)
            if place.device != device:
                use.source_mac = mac_of(instance)
            use.filtered = not settings.log_unknown_vrids or use.source_mac is not None
        places[base._replace(device=instance.sends_on)].senders.append(instance.key)
    return places


@dataclass(frozen=True, slots=True)
class Refused:
    """What the kernel refused of a socket, each with the reason."""

    socket: str = ""
    """The whole socket; "": it is open."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """Multicast groups that could not be joined."""


def lacking(needed: Needed, refused: Mapping[Place, Refused]) -> dict[InstanceKey, str]:
    """The instances that cannot run without what was refused, each with the reason.

    One group that cannot be joined concerns the instances of that group alone.
    """
    found: dict[InstanceKey, str] = {}
    for place, what in refused.items():
        on = place.device or place.source
        for key, group in needed[place].users.items() if place in needed else ():
            if what.socket:
                reason = f"no VRRP socket could be opened on {on}: {what.socket}"
                found.setdefault(key, reason)
            elif group in what.groups:
                found.setdefault(key, f"{on} could not join {group}: {what.groups[group]}")
    return found


@dataclass(frozen=True, slots=True)
class Close:
    """Close this socket: its interface is gone, or another one bears the name now."""

    place: Place


@dataclass(frozen=True, slots=True)
class Open:
    """Open a socket there, filter it and join its groups."""

    place: Place
    index: int
    """Of the interface; 0: none."""


@dataclass(frozen=True, slots=True)
class Update:
    """Filter an open socket anew, and join and leave groups."""

    place: Place


Step = Close | Open | Update


def configured(needed: Needed, opened: Mapping[Place, int], links: Links) -> list[Step]:
    """From the open sockets (with the index of their interface) to those of new settings.

    What only the old settings needed stays open until `surplus`: a refused configuration must
    leave the old one running.
    """
    return [
        step for place in needed for step in _steps(place, opened.get(place), links, update=True)
    ]


def link_changed(
    device: str, needed: Needed, opened: Mapping[Place, int], links: Links
) -> list[Step]:
    """An interface came, went, or was replaced by another one of the same name."""
    return [
        step
        for place in needed
        if place.device == device
        for step in _steps(place, opened.get(place), links, update=False)
    ]


def again(refused: Iterable[Place], opened: Mapping[Place, int], links: Links) -> list[Step]:
    """Try once more what was refused."""
    return [
        step for place in refused for step in _steps(place, opened.get(place), links, update=True)
    ]


def surplus(needed: Needed, opened: Mapping[Place, int]) -> list[Step]:
    """Close what the settings do not need."""
    return [Close(place) for place in opened if place not in needed]


def _steps(place: Place, old: int | None, links: Links, *, update: bool) -> list[Step]:
    link = links.get(place.device)
    index = 0 if not place.device else None if link is None else link.index
    if index == old:
        return [Update(place)] if update and old is not None else []
    steps: list[Step] = [] if old is None else [Close(place)]
    return steps if index is None else [*steps, Open(place, index)]
