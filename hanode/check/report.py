"""The health machine's state as the messages that leave the node.

PURE.
"""

from __future__ import annotations

from collections.abc import Callable, Set

from hanode.check.health import Health
from hanode.wire import RealServerStatus, VirtualServerStatus


def report(
    health: Health, *, in_kernel: Set[str] | None, to_wall_us: Callable[[int], int]
) -> tuple[VirtualServerStatus, ...]:
    """One status per virtual server, in the order of the configuration.

    `in_kernel` holds the keys of the virtual servers that IPVS has; None: no IPVS here.
    `to_wall_us` turns the machine's monotonic times into the wall times that people read.
    """
    return tuple(
        VirtualServerStatus(
            key=virtual.settings.key,
            up=bool(virtual.quorum),
            in_kernel=None if in_kernel is None else virtual.settings.key in in_kernel,
            real_servers=tuple(
                RealServerStatus(
                    key=server.settings.key,
                    up=server.known,
                    weight=server.settings.weight,
                    since_us=to_wall_us(server.since_us),
                    cause=server.cause,
                )
                for server in virtual.servers.values()
            ),
        )
        for virtual in health.virtual_servers
    )
