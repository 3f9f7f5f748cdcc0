"""Writes down what the vrrp process may put into the kernel, before it does.

DRIVER. An engine that is started after a kill removes what is on the list and in no line any more
(`hanode.vrrp.holdings`), and stale addresses before anything else (`hanode.system.leftovers`).
"""

from __future__ import annotations

from typing import Any

from hanode.system.leftovers import Leftovers, Stale
from hanode.system.log import Log
from hanode.vrrp import holdings
from hanode.vrrp.engine_settings import VrrpSettings
from hanode.vrrp.holdings import NOTHING, Holdings
from hanode.wire import WireError, decode, encode


class KernelLedger:
    """What may be in the kernel: of the engine before us, of the present settings, of the next."""

    def __init__(self, leftovers: Leftovers, log: Log) -> None:
        self._leftovers = leftovers
        self._log = log
        self._stale: list[Stale] = []
        try:
            self._held = decode(Holdings, leftovers.holdings)
        except WireError:  # another release wrote it
            self._held = NOTHING

    @property
    def held(self) -> Any:
        """For a vrrp process that starts: what those before it may have left."""
        return encode(self._held, brief=True)

    def will_run(self, settings: VrrpSettings) -> None:
        """These settings are given to the vrrp process now."""
        self._held |= holdings.of(settings)
        self._stale = list(dict.fromkeys([*self._stale, *_stale(settings)]))
        self._write(settings)

    def runs(self, settings: VrrpSettings) -> None:
        """It has taken them, and removed what they do not have."""
        self._held = holdings.of(settings)
        self._stale = _stale(settings)
        self._write(settings)

    def killed(self) -> None:
        """The vrrp process was killed, because it did not stop; its addresses must not stay."""
        self._leftovers.remove_all()

    def stopped(self) -> None:
        """It has ended, and has removed everything."""
        self._leftovers.forget()

    def _write(self, settings: VrrpSettings) -> None:
        try:
            self._leftovers.write(self.held, self._stale, settings.net_namespace)
        except OSError as error:
            self._log.error(f"what is put into the kernel cannot be written down: {error}")


def _stale(settings: VrrpSettings) -> list[Stale]:
    found: list[Stale] = []
    for address, within_us in holdings.stale_after_us(settings):
        peer, _, length = (address.peer or "").partition("/")
        prefix = int(length) if length else address.prefix
        found.append(((address.dev, address.ip, prefix, peer or None), within_us))
    return found
