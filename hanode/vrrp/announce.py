"""When a master announces its addresses to the neighbours: at once, later, and regularly.

PURE. keepalived's garp settings: a block of announcements on becoming master, one more block
after garp_master_delay, a refresh every garp_master_refresh, and every garp_extra_if for
addresses on interfaces that no advert leaves through.
"""

from __future__ import annotations

from hanode.vrrp.effects import AnnounceAddresses, Effect
from hanode.vrrp.engine_settings import Address, InstanceSettings


class Announcements:
    """The three timers of one master, and the announcements that are due at each."""

    __slots__ = ("_extra_us", "_later", "_later_repeat", "_later_us", "_refresh_us", "deadline_us")

    def __init__(self) -> None:
        self.deadline_us: int | None = None
        self._later_us: int | None = None
        self._later: tuple[Address, ...] = ()
        self._later_repeat = 0
        self._refresh_us: int | None = None
        self._extra_us: int | None = None

    def begin(self, settings: InstanceSettings, now_us: int) -> list[Effect]:
        """We have become master."""
        self.end()
        effects = self.block(
            settings,
            settings.addresses,
            settings.garp_master_repeat,
            settings.garp_master_delay_us,
            now_us,
        )
        self.refresh_every(settings.garp_master_refresh_us, now_us)
        self.extra_every(settings.garp_extra_us, now_us)
        return effects

    def end(self) -> None:
        """We are no longer master."""
        self.deadline_us = self._later_us = self._refresh_us = self._extra_us = None
        self._later = ()

    def refresh_every(self, every_us: int, now_us: int) -> None:
        """Begin, change or (0) end the refresh."""
        self._refresh_us = now_us + every_us if every_us else None
        self._set_deadline()

    def extra_every(self, every_us: int, now_us: int) -> None:
        """Begin, change or (0) end garp_extra_if."""
        self._extra_us = now_us + every_us if every_us else None
        self._set_deadline()

    def block(
        self,
        settings: InstanceSettings,
        addresses: tuple[Address, ...],
        repeat: int,
        delay_us: int,
        now_us: int,
    ) -> list[Effect]:
        """Announce now, and once more after `delay_us`; later blocks that overlap become one."""
        if not repeat or not addresses:
            return []
        if delay_us:
            known = self._later
            self._later = known + tuple(a for a in addresses if a not in known)
            self._later_repeat = repeat
            self._later_us = now_us + delay_us
            self._set_deadline()
        return [AnnounceAddresses(settings.key, addresses, repeat)]

    def forget(self, addresses: tuple[Address, ...]) -> None:
        """These are ours no longer."""
        self._later = tuple(address for address in self._later if address not in addresses)

    def due(self, settings: InstanceSettings, now_us: int) -> list[Effect]:
        """The announcements whose time has come."""
        effects: list[Effect] = []
        if self._later_us is not None and now_us >= self._later_us:
            if self._later:
                effects.append(AnnounceAddresses(settings.key, self._later, self._later_repeat))
            self._later_us, self._later = None, ()
        if self._refresh_us is not None and now_us >= self._refresh_us:
            self._refresh_us = now_us + settings.garp_master_refresh_us
            repeat = settings.garp_master_refresh_repeat
            if repeat and settings.addresses:
                effects.append(AnnounceAddresses(settings.key, settings.addresses, repeat))
        if self._extra_us is not None and now_us >= self._extra_us:
            self._extra_us = now_us + settings.garp_extra_us
            if elsewhere := _elsewhere(settings):
                effects.append(AnnounceAddresses(settings.key, elsewhere, 1))
        self._set_deadline()
        return effects

    def _set_deadline(self) -> None:
        times = [at for at in (self._later_us, self._refresh_us, self._extra_us) if at is not None]
        self.deadline_us = min(times, default=None)


def _elsewhere(settings: InstanceSettings) -> tuple[Address, ...]:
    """Addresses on other interfaces than that of our adverts: one for each interface, or all."""
    there = [a for a in settings.addresses if a.dev != settings.sends_on]
    if settings.garp_extra_all:
        return tuple(there)
    return tuple({a.dev: a for a in reversed(there)}.values())
