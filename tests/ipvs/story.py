"""One sequence of changes to an IPVS table, run against Linux and against the fake alike.

The result of each step is given as plain values, so that a guest can print it as JSON.
"""

from __future__ import annotations

from typing import Any

from hanode.ipvs.plan import plan
from hanode.ipvs.types import (
    AddDestination,
    AddService,
    Balanced,
    Destination,
    EditDestination,
    EditService,
    Operation,
    RemoveDestination,
    RemoveService,
    Service,
    ServiceKey,
)
from hanode.system.ipvs_kernel import IpvsError, IpvsKernel
from hanode.wire import encode

WEB = Service(ServiceKey("192.168.192.200", 80, "TCP"), "rr")
WEB_SHUFFLED = Service(WEB.key, "sh", persistence_s=50)
NAMES = Service(ServiceKey("2001:db8::1", 53, "UDP"), "wrr", persistence_s=300)
NOWHERE = Service(ServiceKey("192.0.2.99", 1, "TCP"))

A = Destination("192.168.192.112", 80, 1, "DR")
A_HEAVY = Destination("192.168.192.112", 80, 65_535, "NAT")
B = Destination("192.168.192.114", 80, 0, "TUN")
C = Destination("192.168.192.115", 8080, 3, "NAT")
UNKNOWN = Service(ServiceKey("192.0.2.1", 1, "TCP"), "nosuch")

D = Destination("2001:db8::2", 53, 2, "DR")
E = Destination("2001:db8::3", 53)

WANTED = (Balanced(WEB, (A, B, C)), Balanced(NAMES, (D,)))

STEPS: tuple[tuple[str, Operation], ...] = (
    ("adding a service that is there changes it", AddService(WEB_SHUFFLED)),
    ("and back, clearing what made it persistent", EditService(WEB)),
    ("adding a destination that is there changes it", AddDestination(WEB, A_HEAVY)),
    (
        "changing one that is not there adds it",
        EditDestination(NAMES, Destination("2001:db8::3", 53)),
    ),
    ("removing a destination", RemoveDestination(WEB, B)),
    ("removing it again is done already", RemoveDestination(WEB, B)),
    ("removing from a service that is not there, too", RemoveDestination(NOWHERE, A)),
    ("and removing that service", RemoveService(NOWHERE)),
    ("changing a service that is not there adds it", EditService(NOWHERE)),
    ("a service goes with its destinations", RemoveService(NAMES)),
    ("no such scheduler is refused", AddService(UNKNOWN)),
    ("no such service is refused", AddDestination(NAMES, D)),
)


def tell(kernel: IpvsKernel) -> list[list[Any]]:
    """(the step, the table after it or REFUSED) for every step."""
    told: list[list[Any]] = []
    for operation in plan(WANTED, kernel.read()):
        kernel.apply(operation)
    told.append(["as wanted", _table(kernel)])
    told.append(["nothing is left to do", encode(plan(WANTED, kernel.read()))])
    for words, operation in STEPS:
        try:
            kernel.apply(operation)
            told.append([words, _table(kernel)])
        except IpvsError:
            told.append([words, "REFUSED"])
    return told


def _table(kernel: IpvsKernel) -> Any:
    """The table, sorted: the kernel hashes services."""
    table = sorted(kernel.read(), key=lambda item: str(item.service.key))
    return [
        [encode(item.service), sorted((encode(one) for one in item.destinations), key=str)]
        for item in table
    ]
