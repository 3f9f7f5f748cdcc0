"""Puts the filters of strict instances into nf_tables, as their states change.

DRIVER. `hanode.kernel.backup_filter` decides which macvlans are filtered.
"""

from __future__ import annotations

from collections.abc import Callable

from hanode.kernel import backup_filter
from hanode.kernel.backup_filter import Filter
from hanode.system.firewall import Firewall
from hanode.vrrp.effects import State
from hanode.vrrp.engine_settings import InstanceKey
from hanode.vrrp.router import Router


class BackupFilter:
    """Follows the states of strict instances with a macvlan."""

    def __init__(
        self, router: Router, firewall: Firewall, warn: Callable[[str, str], None]
    ) -> None:
        self._router = router
        self._firewall = firewall
        self._warn = warn
        self._plan = backup_filter.BackupFilter()

    def configure(self) -> None:
        """The router has new settings."""
        self._carry_out(self._plan.configure(self._router.settings, self._is_master))

    def state_changed(self, key: InstanceKey) -> None:
        """An instance has another state."""
        self._carry_out(self._plan.state_changed(key, self._is_master))

    def _is_master(self, key: InstanceKey) -> bool:
        machine = self._router.machines.get(key)
        return machine is not None and machine.state is State.MASTER

    def _carry_out(self, steps: list[Filter]) -> None:
        for name, drop in ((step.name, step.drop) for step in steps):
            if not drop:
                self._firewall.take(name)
            elif (why := self._firewall.discard(name)) is not None:
                self._warn(name, f"frames to its MAC are taken as backup too (nf_tables: {why})")
