"""How often one thing may be put back: at once, but not for ever at once.

PURE. Two programs that disagree, each of which answers the other, must not fill a core with it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping

AT_ONCE = 10
"""So many times in a row without waiting."""
EVERY_US = 1_000_000
"""After that once in so long; as much time without a loss gives one of `AT_ONCE` back."""


class Allowance:
    """When each thing may be put back next."""

    def __init__(self) -> None:
        self._full_us: dict[Hashable, int] = {}
        """When each has its whole allowance again."""

    def next_us(self, thing: Hashable, now_us: int) -> int:
        """When it may be put back: now, or later."""
        return max(now_us, self._full_us.get(thing, now_us) - (AT_ONCE - 1) * EVERY_US)

    def use(self, thing: Hashable, now_us: int) -> None:
        """It is put back."""
        self._full_us[thing] = max(self._full_us.get(thing, now_us), now_us) + EVERY_US

    def forget(self, thing: Hashable) -> None:
        """It need not be there any more."""
        self._full_us.pop(thing, None)


Place = tuple[str, str]
"""(device, `ip/prefix`)."""


class LostAddresses:
    """Addresses of masters that others have removed, until they are told to the machines."""

    def __init__(self) -> None:
        self._allowance = Allowance()
        self._ours: frozenset[Place] = frozenset()
        self._lost: dict[Place, str] = {}
        self.deadline_us: int | None = None
        """When `due` must be called next; None: nothing waits."""

    def use(self, ours: Iterable[Place]) -> None:
        """These follow a master; any others that are lost are nobody's business here."""
        old, self._ours = self._ours, frozenset(ours)
        for place in old - self._ours:
            self._allowance.forget(place)
            self._lost.pop(place, None)

    def ours(self, removed: Iterable[Place]) -> list[Place]:
        """Those that follow a master."""
        return [place for place in removed if place in self._ours]

    def lost(self, removed: Mapping[Place, str]) -> None:
        """These of ours are gone; each with who removed it ("": nobody knows)."""
        self._lost |= removed

    def due(self, *, up: Callable[[str], bool], now_us: int) -> dict[Place, str]:
        """Those whose turn it is. On an interface that is down, which may have lost them for
        that, they wait until it is up.
        """
        found, later = {}, []
        for place, by in self._lost.items():
            if not up(place[0]):
                continue
            at_us = self._allowance.next_us(place, now_us)
            if at_us <= now_us:
                found[place] = by
            else:
                later.append(at_us)
        for place in found:
            del self._lost[place]
            self._allowance.use(place, now_us)
        self.deadline_us = min(later, default=None)
        return found
