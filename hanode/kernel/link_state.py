"""Which links count as up: those that are asked (linkbeat), and changes that have lasted.

DRIVER. Between what the kernel says of an interface and what the machines are told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hanode.system.linkbeat import Kind
from hanode.vrrp.settings import LinkDelay, VrrpSettings

ASK_EVERY_US = 1_000_000
"""As keepalived."""

Ask = Callable[[str, Kind], bool | None]


@dataclass(slots=True)
class _Seen:
    """An interface with interface_up_down_delays."""

    delay: LinkDelay
    told: bool | None = None
    due_us: int | None = None
    """When the change that is under way counts."""


class LinkPolicy:
    """Decides nothing but when to believe."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._asked: dict[str, tuple[Kind, bool]] = {}
        self._delayed: dict[str, _Seen] = {}
        self._ask_us: int | None = None

    def use(self, settings: VrrpSettings, *, now_us: int) -> None:
        """New settings; what was seen stays seen."""
        kinds: dict[str, Kind] = {}
        if settings.linkbeat_use_polling:
            kinds = dict.fromkeys((i.interface for i in settings.instances if i.interface), "any")
        kinds |= {one.interface: one.kind for one in settings.linkbeat}
        self._asked = {name: (kind, self._asks(name, kind)) for name, kind in kinds.items()}
        self._ask_us = now_us + ASK_EVERY_US if kinds else None
        old = self._delayed
        self._delayed = {d.interface: _Seen(d) for d in settings.link_delays}
        for name, seen in self._delayed.items():
            if name in old:
                seen.told, seen.due_us = old[name].told, old[name].due_us

    @property
    def deadline_us(self) -> int | None:
        """When `due` is wanted next."""
        times = [seen.due_us for seen in self._delayed.values()]
        return min((at for at in (self._ask_us, *times) if at is not None), default=None)

    def up(self, name: str, kernel_says: bool, *, now_us: int) -> bool:
        """What the machines are to be told of an interface."""
        link = kernel_says and self._asked.get(name, ("any", True))[1]
        seen = self._delayed.get(name)
        if seen is None:
            return link
        if seen.told is None or seen.told == link:
            seen.told, seen.due_us = link, None
            return link
        if seen.due_us is None:
            seen.due_us = now_us + (seen.delay.up_us if link else seen.delay.down_us)
        if now_us >= seen.due_us:
            seen.told, seen.due_us = link, None
        return seen.told

    def due(self, *, now_us: int) -> set[str]:
        """Interfaces about which there may be news."""
        names = {n for n, s in self._delayed.items() if s.due_us is not None and s.due_us <= now_us}
        if self._ask_us is not None and self._ask_us <= now_us:
            self._ask_us = now_us + ASK_EVERY_US
            for name, (kind, before) in self._asked.items():
                link = self._asks(name, kind)
                if link != before:
                    self._asked[name] = (kind, link)
                    names.add(name)
        return names

    def _asks(self, name: str, kind: Kind) -> bool:
        answer = self._ask(name, kind)
        return answer is None or answer  # who cannot be asked is believed
