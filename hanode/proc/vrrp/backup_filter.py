"""Backups that are strict take no frame that is sent to their virtual MAC address.

DRIVER. RFC 9568 section 6.4.2. The macvlan is there in every state, and a switch that has forgotten
the master floods its frames to all: without this a backup that forwards would forward them too, as
keepalived's does.
"""

from __future__ import annotations

from collections.abc import Callable

from hanode.system.firewall import Firewall
from hanode.vrrp.effects import Effect, State, StateChanged
from hanode.vrrp.router import Router
from hanode.vrrp.settings import InstanceKey


class BackupFilter:
    """Follows the states of instances in strict mode with a macvlan."""

    def __init__(
        self,
        router: Router,
        firewall: Firewall,
        warn: Callable[[str, str], None],
        tell: Callable[[Effect], None],
    ) -> None:
        self._router = router
        self._firewall = firewall
        self._warn = warn
        self._tell = tell
        self._names: dict[InstanceKey, str] = {}
        self._idle: set[str] = set()

    def settle(self) -> None:
        """There are new settings."""
        self._names = {
            i.key: i.vmac.name for i in self._router.settings.instances if i.strict and i.vmac
        }
        for name in self._idle.difference(self._names.values()):
            self._take(name)
        for key in self._names:
            self._look(key)

    def tell(self, effect: Effect) -> None:
        """Hand on what happened; a change of state is what it is all about."""
        if isinstance(effect, StateChanged) and effect.key in self._names:
            self._look(effect.key)
        self._tell(effect)

    def _look(self, key: InstanceKey) -> None:
        name, machine = self._names[key], self._router.machines.get(key)
        if machine is not None and machine.state is State.MASTER:
            self._take(name)
        elif name not in self._idle:
            self._idle.add(name)
            if (why := self._firewall.discard(name)) is not None:
                self._warn(name, f"frames to its MAC are taken as backup too (nf_tables: {why})")

    def _take(self, name: str) -> None:
        if name in self._idle:
            self._idle.discard(name)
            self._firewall.take(name)
