"""Reads adverts from the sockets and gives them to the router.

DRIVER. A backup spends most of its time here.
"""

from __future__ import annotations

from collections.abc import Callable

from hanode.kernel.facts import Links
from hanode.proc.common.loop import Loop
from hanode.system.clock import Clock
from hanode.system.prestart_listener import PrestartListener
from hanode.system.vrrp_socket import Ipv4Socket, Ipv6Socket
from hanode.vrrp.backlog import Backlog
from hanode.vrrp.effects import Effect
from hanode.vrrp.engine_settings import InstanceKey, VrrpSettings
from hanode.vrrp.prestart_silence import silent_since
from hanode.vrrp.router import Router

PACKETS_AT_ONCE = 64
"""From one socket; then the others have their turn."""


def silent_since_start(
    prestart: PrestartListener | None, settings: VrrpSettings, links: Links
) -> dict[InstanceKey, int]:
    """For which instances the silence since the engine was started counts, and since when."""
    heard = None if prestart is None else prestart.end()
    if heard is None or settings.net_namespace:  # it listened in another namespace
        return {}
    return silent_since(
        settings,
        {name: link.index for name, link in links.items()},
        since_us=heard.since_us,
        interfaces=heard.interfaces,
        speakers=heard.speakers,
    )


class Receiver:
    """Receives on the sockets that it is given."""

    def __init__(
        self, loop: Loop, clock: Clock, router: Router, carry_out: Callable[[list[Effect]], None]
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._router = router
        self._carry_out = carry_out
        self.backlog = Backlog()

    def watch(self, socket: Ipv4Socket | Ipv6Socket, interface: str) -> None:
        """Receive what arrives, as if on `interface`."""
        if isinstance(socket, Ipv4Socket):
            four = socket
            self._loop.watch(four.fileno(), lambda _: self._receive_ipv4(four, interface))
        else:
            six = socket
            self._loop.watch(six.fileno(), lambda _: self._receive_ipv6(six, interface))

    def unwatch(self, socket: Ipv4Socket | Ipv6Socket) -> None:
        """Stop receiving on it; before it is closed."""
        self._loop.unwatch(socket.fileno())

    def _update_time(self) -> None:
        """Signed adverts carry the time of day, and somebody may set the clock."""
        if self._router.signs:
            self._router.wall(self._clock.wall_us(), now_us=self._clock.monotonic_us())

    def _receive_ipv4(self, socket: Ipv4Socket, interface: str) -> None:
        self._update_time()
        receive, clock, give = socket.receive, self._clock.monotonic_us, self._router.receive_ipv4
        for _ in range(PACKETS_AT_ONCE):
            data = receive()
            if data is None:
                return
            effects = give(interface, data, now_us=clock())
            if effects:
                self._carry_out(effects)
        self.backlog.more()

    def _receive_ipv6(self, socket: Ipv6Socket, interface: str) -> None:
        self._update_time()
        for _ in range(PACKETS_AT_ONCE):
            received = socket.receive()
            if received is None:
                return
            effects = self._router.receive_ipv6(
                interface,
                received.payload,
                source=received.source,
                destination=received.destination,
                hop_limit=received.ttl,
                now_us=self._clock.monotonic_us(),
            )
            if effects:
                self._carry_out(effects)
        self.backlog.more()
