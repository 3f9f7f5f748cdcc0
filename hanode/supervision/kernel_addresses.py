"""The kernel's addresses beside the configured ones: who has which, and which changes to report.

PURE. Addresses are written in many ways; they are compared in one.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace

from hanode.vrrp.engine_settings import VrrpSettings
from hanode.wire import InstanceStatus, KernelAddress


@dataclass(frozen=True, slots=True)
class AddressChange:
    """An address came or went."""

    address: KernelAddress
    present: bool
    instance: str
    """Whose it is; "": no instance's."""


class KernelAddresses:
    """Compares what the kernel has with what is configured."""

    def __init__(self, settings: VrrpSettings) -> None:
        self._first = True
        self._configured: set[str] = set()
        """Every address that was ever configured: one that a reload takes away is news too."""
        self.configure(settings)

    def configure(self, settings: VrrpSettings) -> None:
        """The engine runs these settings."""
        self._owners = {
            spelling(str(vip)): instance.name
            for instance in settings.instances
            for vip in instance.addresses
        }
        self._configured |= self._owners.keys()
        self._configured |= {spelling(str(address)) for address in settings.static_addresses}
        self._devices = _devices(settings)
        self._groups = {m: group.name for group in settings.sync_groups for m in group.members}

    def worth_reporting(self, changes: Iterable[tuple[KernelAddress, bool]]) -> list[AddressChange]:
        """Those of the changes since the last call that an operator should see.

        The first time only a configured address is: it was left by an engine that was killed, or
        set by hand. Addresses that every host has are never, nor are those of interfaces that the
        configuration does not name: a host of containers has thousands.
        """
        first, self._first = self._first, False
        found = [
            AddressChange(address, present, self._owners.get(spelling(address.address), ""))
            for address, present in changes
        ]
        return [
            one for one in found if one.instance or (not first and self._concerns_us(one.address))
        ]

    def _concerns_us(self, address: KernelAddress) -> bool:
        if spelling(address.address) in self._configured:
            return True
        return address.dev in self._devices and not _on_every_host(address.address)

    def whole(
        self, instances: Iterable[InstanceStatus], addresses: Iterable[KernelAddress]
    ) -> tuple[InstanceStatus, ...]:
        """The status of instances, with their sync groups and what the kernel has of their VIPs."""
        there = {(a.dev, spelling(a.address)) for a in addresses}
        return tuple(
            replace(
                instance,
                vips=tuple(
                    replace(v, present=(v.dev, spelling(v.address)) in there) for v in instance.vips
                ),
                group=self._groups.get(instance.name, ""),
            )
            for instance in instances
        )


def _devices(settings: VrrpSettings) -> set[str]:
    """Interfaces that adverts leave through, or that carry addresses of ours."""
    found = {address.dev for address in settings.static_addresses}
    for one in settings.instances:
        found |= {one.interface, one.source_on, one.sends_on, one.device}
        found |= {dev for a in one.addresses for dev in (a.dev, a.below) if dev is not None}
    return found - {""}


def stopped(instances: Iterable[InstanceStatus]) -> tuple[InstanceStatus, ...]:
    """The last status of instances whose engine was stopped since."""
    return tuple(
        replace(one, state="INIT", cause="the engine was stopped", master=None) for one in instances
    )


@functools.lru_cache(maxsize=65_536)
def spelling(address: str) -> str:
    """One spelling for an address with its prefix."""
    try:
        return str(ipaddress.ip_interface(address))
    except ValueError:
        return address


def _on_every_host(address: str) -> bool:
    """Whether every host has such an address: it comes with every link."""
    try:
        ip = ipaddress.ip_interface(address).ip
    except ValueError:
        return False
    return ip.is_link_local or ip.is_loopback
