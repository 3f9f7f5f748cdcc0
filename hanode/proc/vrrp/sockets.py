"""The open VRRP sockets, and those that announce addresses.

DRIVER. `hanode.kernel.sockets` decides which to open and close. What the kernel refuses is
remembered: it is the fault of the instances that need it (`lacking`), until a try works.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from hanode.kernel.facts import Links
from hanode.kernel.sockets import (
    Close,
    Needed,
    Open,
    Place,
    Refused,
    Step,
    Update,
    again,
    configured,
    lacking,
    link_changed,
    needed,
    surplus,
)
from hanode.proc.vrrp.receiver import Receiver
from hanode.system import limits
from hanode.system.refusals import why
from hanode.system.vrrp_socket import FrameSocket, Ipv4Socket, Ipv6Socket, packet_socket
from hanode.vrrp.engine_settings import InstanceKey, VrrpSettings

AdvertSocket = Ipv4Socket | Ipv6Socket


class Sockets:
    """The open sockets. `warn` takes an interface and a sentence."""

    def __init__(self, receiver: Receiver, warn: Callable[[str, str], None]) -> None:
        self._receiver = receiver
        self._warn = warn
        self._needed: Needed = {}
        self._sockets: dict[Place, AdvertSocket] = {}
        self._refused: dict[Place, Refused] = {}
        self._frames: dict[str, FrameSocket] = {}
        self._packets: socket.socket | None = None
        self.senders: dict[InstanceKey, AdvertSocket] = {}
        """By instance: the socket that sends its adverts; absent while the interface is."""

    def use(self, settings: VrrpSettings, links: Links) -> None:
        """Open what a configuration needs; what only the old one needed stays until `prune`."""
        self._needed = needed(settings)
        self._refused = {p: what for p, what in self._refused.items() if p in self._needed}
        limits.allow_descriptors(len(self._needed))
        self._carry_out(configured(self._needed, self._opened, links))

    def follow(self, device: str, links: Links) -> None:
        """An interface has changed: open, close, or open anew."""
        self._carry_out(link_changed(device, self._needed, self._opened, links))
        if device not in links:
            self._refused = {p: what for p, what in self._refused.items() if p.device != device}

    def retry(self, links: Links) -> None:
        """Try again what was refused."""
        self._carry_out(again(tuple(self._refused), self._opened, links))

    def lacking(self) -> dict[InstanceKey, str]:
        """The instances that have not the sockets that they need, each with the reason."""
        return lacking(self._needed, self._refused)

    def prune(self) -> None:
        """Close what the configuration does not need."""
        self._carry_out(surplus(self._needed, self._opened))
        for place, use in self._needed.items():
            if (there := self._sockets.get(place)) is not None:
                there.forget(use.senders)

    def frames(self, device: str) -> FrameSocket:
        """What announcements leave through. Raises OSError: there is no socket for them."""
        found = self._frames.get(device)
        if found is None:
            self._packets = self._packets or packet_socket()
            found = self._frames[device] = FrameSocket(self._packets, device)
        return found

    @property
    def send_errors(self) -> dict[str, int]:
        """By device."""
        return {place.device or place.source: s.send_errors for place, s in self._sockets.items()}

    @property
    def _opened(self) -> dict[Place, int]:
        return {place: socket.index for place, socket in self._sockets.items()}

    def _carry_out(self, steps: list[Step]) -> None:
        for step in steps:
            match step:
                case Close(place):
                    self._close(place)
                case Open(place, index):
                    self._open(place, index)
                case Update(place):
                    self._note(place, self._set_up(place, self._sockets[place]))

    def _open(self, place: Place, index: int) -> None:
        made: AdvertSocket | None = None
        try:
            if place.family == 4:
                made = Ipv4Socket(place.device, index, place.protocol, source=place.source)
            else:
                made = Ipv6Socket(place.device, index, source=place.source)
            limits.leave_spare(made.fileno())
            refused = self._set_up(place, made)
        except OSError as error:
            if made is not None:
                made.close()
            refused = Refused(why(error))
        self._note(place, refused)
        if made is not None and not refused.socket:
            self._sockets[place] = made
            self._receiver.watch(made, place.interface)

    def _set_up(self, place: Place, on: AdvertSocket) -> Refused:
        """Filter, join groups, and have the instances send through it. Raises OSError where it
        cannot be used at all.
        """
        use = self._needed[place]
        if use.filtered:
            try:
                on.allow(use.vrids, source_mac=use.source_mac)
            except OSError as error:
                if use.source_mac is not None:
                    raise
                # Without it the adverts of others wake us, and are dropped here.
                self._warn(place.device, f"adverts cannot be filtered by VRID: {why(error)}")
        groups = {group: why(error) for group, error in on.join(use.groups).items()}
        for key in use.senders:
            self.senders[key] = on
        return Refused(groups=groups)

    def _note(self, place: Place, refused: Refused) -> None:
        self._refused.pop(place, None)
        if refused.socket or refused.groups:
            self._refused[place] = refused

    def _close(self, place: Place) -> None:
        gone = self._sockets.pop(place)
        self._refused.pop(place, None)
        self._receiver.unwatch(gone)
        gone.close()
        self.senders = {key: s for key, s in self.senders.items() if s is not gone}
