"""The kernel's IPVS table as values: services, their destinations, and operations on them.

PURE. The table that the checker wants and the table in the kernel are both `Balanced` tuples, so
that `hanode.ipvs.plan` can compare them. Only fields that we program are here: the kernel's
counters change all the time and are no difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Forwarding = Literal["NAT", "DR", "TUN", "LOCAL", "BYPASS"]
"""We program the first three; the others appear in tables that another program changed."""

Protocol = Literal["TCP", "UDP", "SCTP"]


@dataclass(frozen=True, slots=True, order=True)
class ServiceKey:
    """The values by which the kernel distinguishes services."""

    ip: str
    port: int
    protocol: Protocol

    def __str__(self) -> str:
        return f"{_endpoint(self.ip, self.port)}/{self.protocol}"


@dataclass(frozen=True, slots=True)
class Service:
    """A virtual service without its destinations."""

    key: ServiceKey
    scheduler: str = "wlc"
    persistence_s: int = 0
    """persistence_timeout in seconds; 0: not persistent."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A real server of a service, as the kernel has it; ip and port identify it."""

    ip: str
    port: int
    weight: int = 1
    forwarding: Forwarding = "NAT"

    @property
    def key(self) -> tuple[str, int]:
        return self.ip, self.port

    def __str__(self) -> str:
        return _endpoint(self.ip, self.port)


@dataclass(frozen=True, slots=True)
class Balanced:
    """A service with its destinations."""

    service: Service
    destinations: tuple[Destination, ...] = ()


@dataclass(frozen=True, slots=True)
class AddService:
    service: Service


@dataclass(frozen=True, slots=True)
class EditService:
    service: Service


@dataclass(frozen=True, slots=True)
class RemoveService:
    """Removes the service with its destinations."""

    service: Service


@dataclass(frozen=True, slots=True)
class AddDestination:
    service: Service
    destination: Destination


@dataclass(frozen=True, slots=True)
class EditDestination:
    service: Service
    destination: Destination


@dataclass(frozen=True, slots=True)
class RemoveDestination:
    service: Service
    destination: Destination


Operation = (
    AddService | EditService | RemoveService | AddDestination | EditDestination | RemoveDestination
)
"""One request to the kernel."""


def _endpoint(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
