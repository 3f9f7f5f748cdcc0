"""Computes the IPVS operations that turn the kernel's balancing table into the one we want.

PURE. `plan` is idempotent: planned again after its operations were applied, it gives none. It
touches only services that we want or once made (`owned`), never those of other programs.
"""

from __future__ import annotations

from collections.abc import Iterable, Set

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


def plan(
    desired: Iterable[Balanced],
    actual: Iterable[Balanced],
    *,
    owned: Set[ServiceKey] = frozenset(),
) -> tuple[Operation, ...]:
    """The operations that turn `actual` into `desired`, in the order to apply them.

    Services that go are removed first, because a new one may want their address. Within a service
    destinations are added before others are removed, so that it is never without a destination
    while it changes from one set of servers (or the sorry server) to another.
    """
    wanted = {item.service.key: item for item in desired}
    present = {item.service.key: item for item in actual}
    operations: list[Operation] = [
        RemoveService(item.service)
        for key, item in present.items()
        if key in owned and key not in wanted
    ]
    for key, item in wanted.items():
        operations += _plan_service(item, present.get(key))
    return tuple(operations)


def _plan_service(wanted: Balanced, present: Balanced | None) -> list[Operation]:
    service = wanted.service
    if present is None:
        first: list[Operation] = [AddService(service)]
        return first + [AddDestination(service, item) for item in wanted.destinations]
    operations: list[Operation] = []
    if present.service != service:
        operations.append(EditService(service))
    return operations + _plan_destinations(service, wanted.destinations, present.destinations)


def _plan_destinations(
    service: Service, wanted: tuple[Destination, ...], present: tuple[Destination, ...]
) -> list[Operation]:
    have = {item.key: item for item in present}
    keep = {item.key for item in wanted}
    operations: list[Operation] = []
    for item in wanted:
        found = have.get(item.key)
        if found is None:
            operations.append(AddDestination(service, item))
        elif found != item:
            operations.append(EditDestination(service, item))
    operations += [RemoveDestination(service, item) for item in present if item.key not in keep]
    return operations


def apply_to(actual: Iterable[Balanced], operations: Iterable[Operation]) -> tuple[Balanced, ...]:
    """The table after `operations`: what the kernel has if it accepted them all.

    The driver uses it to follow the kernel without dumping the table again; tests check `plan` by
    it.
    """
    services = {item.service.key: item.service for item in actual}
    rows = {
        item.service.key: {destination.key: destination for destination in item.destinations}
        for item in actual
    }
    for operation in operations:
        key = operation.service.key
        match operation:
            case AddService() | EditService():
                services[key] = operation.service
                rows.setdefault(key, {})
            case RemoveService():
                services.pop(key, None)
                rows.pop(key, None)
            case AddDestination() | EditDestination():
                rows[key][operation.destination.key] = operation.destination
            case RemoveDestination():
                rows[key].pop(operation.destination.key, None)
    return tuple(Balanced(service, tuple(rows[key].values())) for key, service in services.items())
