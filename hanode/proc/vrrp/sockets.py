"""The open VRRP sockets, and those that announce addresses.

DRIVER. `hanode.kernel.sockets` decides which to open and close.
"""

from __future__ import annotations

from hanode.kernel.facts import Links
from hanode.kernel.sockets import (
    Close,
    Needed,
    Open,
    Place,
    Step,
    Update,
    configured,
    link_changed,
    needed,
    surplus,
)
from hanode.proc.vrrp.receiver import Receiver
from hanode.system.vrrp_socket import FrameSocket, Ipv4Socket, Ipv6Socket
from hanode.vrrp.engine_settings import InstanceKey, VrrpSettings

AdvertSocket = Ipv4Socket | Ipv6Socket


class Sockets:
    """The open sockets."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._needed: Needed = {}
        self._sockets: dict[Place, AdvertSocket] = {}
        self._frames: dict[str, FrameSocket] = {}
        self.senders: dict[InstanceKey, AdvertSocket] = {}
        """By instance: the socket that sends its adverts; absent while the interface is."""

    def use(self, settings: VrrpSettings, links: Links) -> None:
        """Open what a configuration needs; what only the old one needed stays until `prune`.

        Raises:
            OSError: not allowed; its `filename` is the interface.
        """
        self._needed = needed(settings)
        self._carry_out(configured(self._needed, self._opened, links))

    def follow(self, device: str, links: Links) -> None:
        """An interface has changed: open, close, or open anew. Raises OSError, as `use`."""
        self._carry_out(link_changed(device, self._needed, self._opened, links))
        link, frames = links.get(device), self._frames.get(device)
        if frames is not None and (link is None or link.index != frames.index):
            del self._frames[device]
            frames.close()

    def prune(self) -> None:
        """Close what the configuration does not need."""
        self._carry_out(surplus(self._needed, self._opened))
        for place, use in self._needed.items():
            if (socket := self._sockets.get(place)) is not None:
                socket.forget(use.senders)

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
                    self._set_up(place, self._sockets[place])

    def _open(self, place: Place, index: int) -> None:
        made: AdvertSocket | None = None
        try:
            if place.family == 4:
                made = Ipv4Socket(place.device, index, place.protocol, source=place.source)
            else:
                made = Ipv6Socket(place.device, index, source=place.source)
            self._set_up(place, made)
        except OSError as error:
            if made is not None:
                made.close()
            raise _at(place, error) from error
        self._sockets[place] = made
        self._receiver.watch(made, place.interface)

    def _set_up(self, place: Place, socket: AdvertSocket) -> None:
        """Filter, join groups, and have the instances send through it."""
        use = self._needed[place]
        try:
            if use.filtered:
                socket.allow(use.vrids, source_mac=use.source_mac)
            socket.join(use.groups)
        except OSError as error:
            raise _at(place, error) from error
        for key in use.senders:
            self.senders[key] = socket

    def _close(self, place: Place) -> None:
        gone = self._sockets.pop(place)
        self._receiver.unwatch(gone)
        gone.close()
        self.senders = {key: s for key, s in self.senders.items() if s is not gone}


def _at(place: Place, error: OSError) -> OSError:
    """The same error, with the interface as its filename."""
    return OSError(error.errno, error.strerror, place.device or place.source)
