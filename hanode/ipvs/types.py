"""The kernel's balancing table as values: services, their destinations, and changes to them.

PURE. What the checker wants and what the kernel has are both `Balanced` tuples, so that
`hanode.ipvs.plan` can compare them. Only fields that we program are here: the kernel's counters
come and go and are no difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Forwarding = Literal["NAT", "DR", "TUN", "LOCAL", "BYPASS"]
"""We program the first three; the others can be found where somebody else was at work."""

Protocol = Literal["TCP", "UDP", "SCTP"]


@dataclass(frozen=True, slots=True, order=True)
class ServiceKey:
    """What the kernel tells services apart by."""

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
    """0: not persistent."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A real server of a service, as the kernel has it; ip and port tell it apart."""

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
    """Takes its destinations along."""

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
"""One message to the kernel."""


def _endpoint(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
