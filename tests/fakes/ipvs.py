"""FakeIpvs: an IPVS table in memory that accepts and refuses operations like the kernel's.

tests/uml/test_ipvs_kernel.py runs the same operations against this fake and against Linux.
"""

from __future__ import annotations

from hanode.ipvs.plan import apply_to
from hanode.ipvs.types import (
    AddDestination,
    AddService,
    Balanced,
    EditDestination,
    EditService,
    Operation,
    RemoveService,
)
from hanode.system.ipvs_kernel import IpvsError

SCHEDULERS = frozenset("rr wrr lc wlc lblc lblcr sh mh dh fo ovf sed nq twos".split())


class FakeIpvs:
    """An IpvsKernel without a kernel."""

    def __init__(self, table: tuple[Balanced, ...] = ()) -> None:
        self.table = table
        self.operations: list[Operation] = []
        """All operations that were carried out, in order."""
        self.refuse: dict[Operation, str] = {}
        """Operations to refuse, each with the error's text."""
        self.closed = False

    def read(self) -> tuple[Balanced, ...]:
        return self.table

    def apply(self, operation: Operation) -> None:
        if operation in self.refuse:
            raise IpvsError(self.refuse[operation])
        keys = {item.service.key for item in self.table}
        service = operation.service
        match operation:
            case AddService() | EditService():
                if service.scheduler not in SCHEDULERS:
                    raise IpvsError(f"the kernel refused {service.key}: no such scheduler")
            case AddDestination() | EditDestination():
                if service.key not in keys:
                    raise IpvsError(f"the kernel refused a destination of {service.key}")
            case RemoveService():
                pass
            case _ if service.key not in keys:
                self.operations.append(operation)
                return
        self.table = apply_to(self.table, (operation,))
        self.operations.append(operation)

    def close(self) -> None:
        self.closed = True
