"""From a readable socket to the router.

DRIVER. The place where most of a backup's time is spent.
"""

from __future__ import annotations

from collections.abc import Callable

from hanode.proc.common.loop import Loop
from hanode.system.clock import Clock
from hanode.system.monitor import Link
from hanode.system.prestart_listener import PrestartListener
from hanode.system.vrrp_socket import Ipv4Socket, Ipv6Socket
from hanode.vrrp.effects import Effect
from hanode.vrrp.prestart_silence import quiet_since
from hanode.vrrp.router import Router
from hanode.vrrp.settings import InstanceKey, VrrpSettings

PACKETS_AT_ONCE = 64
"""From one socket; then the others have their turn."""
PATIENCE_US = 100_000
"""So long backups wait for packets that have arrived and are not read yet: a Master_Down_Timer must
not fire over an advert that lies in the buffer, and a flood must not hold up a takeover for ever.
Masters do not wait."""


def listened(
    prestart: PrestartListener | None, settings: VrrpSettings, links: dict[str, Link]
) -> dict[InstanceKey, int]:
    """For whom the silence since the engine was started counts, and since when that was."""
    heard = None if prestart is None else prestart.end()
    if heard is None or settings.net_namespace:  # it was in another one
        return {}
    return quiet_since(
        settings,
        {name: link.index for name, link in links.items()},
        since_us=heard.since_us,
        interfaces=heard.interfaces,
        speakers=heard.speakers,
    )


class Receiver:
    """Listens on the sockets that it is given."""

    def __init__(
        self, loop: Loop, clock: Clock, router: Router, carry_out: Callable[[list[Effect]], None]
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._router = router
        self._carry_out = carry_out
        self._more = False
        self._more_since_us: int | None = None

    def behind(self, now_us: int) -> bool:
        """Whether something has arrived that was not read, and may be waited for. Once a round."""
        more, self._more = self._more, False
        if not more:
            self._more_since_us = None
            return False
        if self._more_since_us is None:
            self._more_since_us = now_us
        return now_us - self._more_since_us <= PATIENCE_US

    def watch(self, receiver: Ipv4Socket | Ipv6Socket, interface: str) -> None:
        """Hear what comes in, as if on `interface`."""
        if isinstance(receiver, Ipv4Socket):
            four = receiver
            self._loop.watch(four.fileno(), lambda _: self._hear_ipv4(four, interface))
        else:
            six = receiver
            self._loop.watch(six.fileno(), lambda _: self._hear_ipv6(six, interface))

    def unwatch(self, receiver: Ipv4Socket | Ipv6Socket) -> None:
        """No longer; before it is closed."""
        self._loop.unwatch(receiver.fileno())

    def _tell_time(self) -> None:
        """Signed adverts carry the time of day, and somebody may set the clock."""
        if self._router.signs:
            self._router.wall(self._clock.wall_us(), now_us=self._clock.monotonic_us())

    def _hear_ipv4(self, receiver: Ipv4Socket, interface: str) -> None:
        self._tell_time()
        receive, clock, hear = receiver.receive, self._clock.monotonic_us, self._router.receive_ipv4
        for _ in range(PACKETS_AT_ONCE):
            data = receive()
            if data is None:
                return
            effects = hear(interface, data, now_us=clock())
            if effects:
                self._carry_out(effects)
        self._more = True

    def _hear_ipv6(self, receiver: Ipv6Socket, interface: str) -> None:
        self._tell_time()
        for _ in range(PACKETS_AT_ONCE):
            heard = receiver.receive()
            if heard is None:
                return
            effects = self._router.receive_ipv6(
                interface,
                heard.payload,
                source=heard.source,
                destination=heard.destination,
                hop_limit=heard.ttl,
                now_us=self._clock.monotonic_us(),
            )
            if effects:
                self._carry_out(effects)
        self._more = True
