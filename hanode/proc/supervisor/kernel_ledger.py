"""Writes down what the engine's processes may put into the kernel, before they do.

DRIVER. An engine that is started after a kill removes what is on the list and in no line any more
(`hanode.vrrp.holdings`), and stale addresses before anything else (`hanode.system.leftovers`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hanode.build import Built
from hanode.ipvs.types import ServiceKey
from hanode.system.leftovers import Leftovers, Stale
from hanode.system.log import Log
from hanode.vrrp import holdings
from hanode.vrrp.engine_settings import VrrpSettings
from hanode.vrrp.holdings import NOTHING, Holdings
from hanode.wire import WireError, decode, encode


@dataclass(frozen=True, slots=True)
class Held:
    """What the processes of an engine may have put into the kernel."""

    vrrp: Holdings = NOTHING
    services: tuple[ServiceKey, ...] = ()
    """Virtual servers."""


class KernelLedger:
    """What may be in the kernel: of the engine before us, of the present settings, of the next."""

    def __init__(self, leftovers: Leftovers, log: Log) -> None:
        self._leftovers = leftovers
        self._log = log
        self._stale: list[Stale] = []
        try:
            self._held = decode(Held, leftovers.holdings)
        except WireError:  # another release wrote it
            self._held = Held()

    def left_by(self, child: str) -> Any:
        """For a process that starts: what those before it may have left. None: it has nothing."""
        if child == "vrrp":
            return encode(self._held.vrrp, brief=True)
        return encode(self._held.services) if child == "checker" else None

    def will_run(self, built: Built) -> None:
        """These settings are given to the processes now."""
        new, old = _held(built), self._held
        services = tuple(dict.fromkeys(old.services + new.services))
        self._held = Held(old.vrrp | new.vrrp, services)
        self._stale = list(dict.fromkeys([*self._stale, *_stale(built.vrrp)]))
        self._write(built.vrrp)

    def runs(self, child: str, built: Built) -> None:
        """It has taken them, and removed what they do not have."""
        new = _held(built)
        if child == "vrrp":
            self._held = replace(self._held, vrrp=new.vrrp)
            self._stale = _stale(built.vrrp)
        elif child == "checker":
            self._held = replace(self._held, services=new.services)
        else:
            return
        self._write(built.vrrp)

    def killed(self) -> None:
        """The vrrp process was killed, because it did not stop; its addresses must not stay."""
        self._leftovers.remove_all()

    def stopped(self) -> None:
        """All have ended, and have removed everything."""
        self._leftovers.forget()

    def _write(self, settings: VrrpSettings) -> None:
        held = encode(self._held, brief=True)
        try:
            self._leftovers.write(held, self._stale, settings.net_namespace)
        except OSError as error:
            self._log.error(f"what is put into the kernel cannot be written down: {error}")


def _held(built: Built) -> Held:
    servers = built.checker.virtual_servers
    services = tuple(ServiceKey(one.ip, one.port, one.protocol) for one in servers)
    return Held(holdings.of(built.vrrp), services)


def _stale(settings: VrrpSettings) -> list[Stale]:
    found: list[Stale] = []
    for address, within_us in holdings.stale_after_us(settings):
        peer, _, length = (address.peer or "").partition("/")
        prefix = int(length) if length else address.prefix
        found.append(((address.dev, address.ip, prefix, peer or None), within_us))
    return found
