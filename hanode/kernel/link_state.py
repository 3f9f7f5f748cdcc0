"""Which interfaces count as up: those whose card says so (linkbeat), and changes that last.

PURE. Stands between what the kernel says about an interface and what the VRRP machines are given:
`linkbeat_use_polling` and `linkbeat_interfaces` ask the network card every second,
`interface_up_down_delays` lets a change count only when it has lasted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hanode.vrrp.engine_settings import LinkDelay, VrrpSettings

POLL_EVERY_US = 1_000_000
"""As keepalived."""

ProbeKind = Literal["any", "MII", "ETHTOOL", "IOCTL"]


@dataclass(slots=True)
class _Polled:
    """An interface whose network card is asked."""

    kind: ProbeKind
    link: bool | None = None
    """The last answer; None: none yet."""


@dataclass(slots=True)
class _Delayed:
    """An interface with interface_up_down_delays."""

    delay: LinkDelay
    reported: bool | None = None
    """What the machines were given last; None: nothing yet."""
    due_us: int | None = None
    """When a change that has begun will count; None: no change has begun."""


class LinkPolicy:
    """Decides which state of each interface the machines are given."""

    def __init__(self) -> None:
        self._polled: dict[str, _Polled] = {}
        self._delayed: dict[str, _Delayed] = {}
        self._poll_us: int | None = None
        self._changed: set[str] = set()

    def use(self, settings: VrrpSettings, *, now_us: int) -> Mapping[str, ProbeKind]:
        """Take new settings; keeps what is known. Returns the interfaces to ask now, and how."""
        kinds: dict[str, ProbeKind] = {}
        if settings.linkbeat_use_polling:
            kinds = dict.fromkeys((i.interface for i in settings.instances if i.interface), "any")
        kinds |= {one.interface: one.kind for one in settings.linkbeat}
        self._polled = {name: _Polled(kind) for name, kind in kinds.items()}
        self._poll_us = now_us + POLL_EVERY_US if kinds else None
        old = self._delayed
        self._delayed = {d.interface: _Delayed(d) for d in settings.link_delays}
        for name, one in self._delayed.items():
            if name in old:
                one.reported, one.due_us = old[name].reported, old[name].due_us
        return kinds

    def polls(self, *, now_us: int) -> Mapping[str, ProbeKind]:
        """The interfaces to ask now, and how; `answered` takes each answer."""
        if self._poll_us is None or now_us < self._poll_us:
            return {}
        self._poll_us = now_us + POLL_EVERY_US
        return {name: one.kind for name, one in self._polled.items()}

    def answered(self, name: str, link: bool | None) -> None:
        """The card's answer; None: it cannot be asked, so the kernel is believed."""
        one = self._polled[name]
        before, one.link = one.link, link is None or link
        if before is not None and one.link != before:
            self._changed.add(name)

    @property
    def deadline_us(self) -> int | None:
        """When `polls` and `due` must be called next."""
        times = [one.due_us for one in self._delayed.values()]
        return min((at for at in (self._poll_us, *times) if at is not None), default=None)

    def up(self, name: str, kernel_says: bool, *, now_us: int) -> bool:
        """The state of an interface that the machines are given."""
        polled = self._polled.get(name)
        link = kernel_says and (polled is None or polled.link is not False)
        one = self._delayed.get(name)
        if one is None:
            return link
        if one.reported is None or one.reported == link:
            one.reported, one.due_us = link, None
            return link
        if one.due_us is None:
            one.due_us = now_us + (one.delay.up_us if link else one.delay.down_us)
        if now_us >= one.due_us:
            one.reported, one.due_us = link, None
        return one.reported

    def due(self, *, now_us: int) -> set[str]:
        """Interfaces whose state may differ from what the machines were given."""
        changed, self._changed = self._changed, set()
        for name, one in self._delayed.items():
            if one.due_us is not None and one.due_us <= now_us:
                changed.add(name)
        return changed
