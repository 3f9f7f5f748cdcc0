"""The kernel's IPVS table, over generic netlink.

SYSTEM. Reads the table and carries out single operations of `hanode.ipvs.types`. Operations are
idempotent, as in keepalived: adding what exists changes it, changing what does not exist adds it,
and removing what is gone succeeds.
"""

from __future__ import annotations

import errno
import os
import socket
from typing import Any, Protocol

from pyroute2 import IPVS, IPVSDest, IPVSService
from pyroute2.netlink.exceptions import NetlinkError

from hanode.ipvs.types import (
    AddDestination,
    AddService,
    Balanced,
    Destination,
    EditDestination,
    EditService,
    Forwarding,
    Operation,
    RemoveDestination,
    RemoveService,
    Service,
    ServiceKey,
)
from hanode.ipvs.types import Protocol as IpProtocol

PERSISTENT = 0x0001
"""IP_VS_SVC_F_PERSISTENT of linux/ip_vs.h; the mask below lets us clear it again."""
ALL_FLAGS = 0xFFFFFFFF

PROTOCOL_NUMBERS: dict[IpProtocol, int] = {
    "TCP": socket.IPPROTO_TCP,
    "UDP": socket.IPPROTO_UDP,
    "SCTP": socket.IPPROTO_SCTP,
}
PROTOCOL_NAMES = {number: name for name, number in PROTOCOL_NUMBERS.items()}

FORWARDING_NUMBERS: dict[Forwarding, int] = {"NAT": 0, "LOCAL": 1, "TUN": 2, "DR": 3, "BYPASS": 4}
"""IP_VS_CONN_F_MASQ … IP_VS_CONN_F_BYPASS of linux/ip_vs.h."""
FORWARDING_NAMES = {number: name for name, number in FORWARDING_NUMBERS.items()}
FORWARDING_MASK = 0x0007


class IpvsAbsent(Exception):
    """There is no IPVS to program here; the text is a clause that says why."""


class IpvsError(Exception):
    """The kernel refused one operation; the text is a sentence."""


class IpvsKernel(Protocol):
    """What the checker process needs of the kernel; tests/fakes has another implementation."""

    def read(self) -> tuple[Balanced, ...]:
        """The whole table, without services that are known by firewall mark. Raises IpvsError."""

    def apply(self, operation: Operation) -> None:
        """Carry out one operation. Raises IpvsError."""

    def close(self) -> None:
        """Leave the table as it is."""


class NetlinkIpvs:
    """IPVS of this network namespace. Raises IpvsAbsent.

    Asking for the netlink family makes the kernel load ip_vs where it is a module.
    """

    def __init__(self) -> None:
        try:
            self._netlink = IPVS()
            # Any user may ask for the family; only this shows whether we may change the table.
            self._netlink.service("dump")
        except NetlinkError as error:
            raise IpvsAbsent(_why_absent(error.code)) from None
        except OSError as error:
            raise IpvsAbsent(_why_absent(error.errno)) from None

    def read(self) -> tuple[Balanced, ...]:
        try:
            services = [_service(message) for message in self._netlink.service("dump")]
            return tuple(
                Balanced(service, self._destinations(service))
                for service in services
                if service is not None
            )
        except (NetlinkError, OSError) as error:
            raise IpvsError(f"the IPVS table cannot be read: {_words(error)}") from None

    def apply(self, operation: Operation) -> None:
        try:
            self._apply(operation)
        except (NetlinkError, OSError) as error:
            raise IpvsError(_sentence(operation, error)) from None

    def close(self) -> None:
        self._netlink.close()

    def _destinations(self, service: Service) -> tuple[Destination, ...]:
        messages = self._netlink.dest("dump", service=_netlink_service(service))
        found = [_destination(message) for message in messages]
        # The kernel lists the newest first.
        return tuple(reversed(found))

    def _apply(self, operation: Operation) -> None:
        match operation:
            case AddService(service):
                self._service(("add", "set"), service, instead_of=errno.EEXIST)
            case EditService(service):
                self._service(("set", "add"), service, instead_of=errno.ESRCH)
            case RemoveService(service):
                self._remove(lambda: self._netlink.service("del", _netlink_service(service)))
            case AddDestination(service, item):
                self._destination(("add", "set"), service, item, instead_of=errno.EEXIST)
            case EditDestination(service, item):
                self._destination(("set", "add"), service, item, instead_of=errno.ENOENT)
            case RemoveDestination(service, item):
                ours, gone = _netlink_service(service), _netlink_destination(item)
                self._remove(lambda: self._netlink.dest("del", ours, gone))

    def _service(self, verbs: tuple[str, str], service: Service, *, instead_of: int) -> None:
        try:
            self._netlink.service(verbs[0], _netlink_service(service))
        except NetlinkError as error:
            if error.code != instead_of:
                raise
            self._netlink.service(verbs[1], _netlink_service(service))

    def _destination(
        self, verbs: tuple[str, str], service: Service, item: Destination, *, instead_of: int
    ) -> None:
        try:
            self._netlink.dest(verbs[0], _netlink_service(service), _netlink_destination(item))
        except NetlinkError as error:
            if error.code != instead_of:
                raise
            self._netlink.dest(verbs[1], _netlink_service(service), _netlink_destination(item))

    def _remove(self, remove: Any) -> None:
        try:
            remove()
        except NetlinkError as error:
            if error.code not in (errno.ENOENT, errno.ESRCH):
                raise


def _netlink_service(service: Service) -> Any:
    key = service.key
    persistent = service.persistence_s > 0
    return IPVSService(
        addr=key.ip,
        port=key.port,
        protocol=PROTOCOL_NUMBERS[key.protocol],
        sched_name=service.scheduler,
        timeout=service.persistence_s,
        # For IPv6 the kernel reads these four bytes as a prefix length in host order.
        netmask=_prefix_as_ipv4(128) if ":" in key.ip else "255.255.255.255",
        flags={"flags": PERSISTENT if persistent else 0, "mask": ALL_FLAGS},
    )


def _prefix_as_ipv4(prefix: int) -> str:
    return socket.inet_ntoa(prefix.to_bytes(4, _byte_order()))


def _byte_order() -> Any:
    return "little" if socket.htons(1) != 1 else "big"


def _netlink_destination(item: Destination) -> Any:
    return IPVSDest(
        addr=item.ip,
        port=item.port,
        weight=item.weight,
        fwd_method=FORWARDING_NUMBERS[item.forwarding],
    )


def _service(message: Any) -> Service | None:
    """One service of a dump; None: of a kind that this engine does not handle."""
    body = message.get_attr("IPVS_CMD_ATTR_SERVICE")
    protocol = PROTOCOL_NAMES.get(body.get_attr("IPVS_SVC_ATTR_PROTOCOL"))
    if body.get_attr("IPVS_SVC_ATTR_FWMARK") or protocol is None:
        return None
    flags = body.get_attr("IPVS_SVC_ATTR_FLAGS")["flags"]
    return Service(
        key=ServiceKey(
            ip=body.get_attr("IPVS_SVC_ATTR_ADDR"),
            port=body.get_attr("IPVS_SVC_ATTR_PORT"),
            protocol=protocol,
        ),
        # The kernel omits the name while the service has no scheduler.
        scheduler=body.get_attr("IPVS_SVC_ATTR_SCHED_NAME") or "none",
        persistence_s=body.get_attr("IPVS_SVC_ATTR_TIMEOUT") if flags & PERSISTENT else 0,
    )


def _destination(message: Any) -> Destination:
    body = message.get_attr("IPVS_CMD_ATTR_DEST")
    method = body.get_attr("IPVS_DEST_ATTR_FWD_METHOD") & FORWARDING_MASK
    return Destination(
        ip=body.get_attr("IPVS_DEST_ATTR_ADDR"),
        port=body.get_attr("IPVS_DEST_ATTR_PORT"),
        weight=body.get_attr("IPVS_DEST_ATTR_WEIGHT"),
        forwarding=FORWARDING_NAMES[method],
    )


def _why_absent(code: int | None) -> str:
    match code:
        case errno.ENOENT:
            return "this kernel has no ip_vs, and no module of that name could be loaded"
        case errno.EPERM | errno.EACCES:
            return "this process may not program IPVS; it needs CAP_NET_ADMIN"
        case errno.EPROTONOSUPPORT | errno.EAFNOSUPPORT:
            return "this kernel has no generic netlink"
        case _:
            return f"IPVS does not answer: {os.strerror(code or 0)}"


def _sentence(operation: Operation, error: NetlinkError | OSError) -> str:
    service = operation.service
    match operation:
        case AddService() | EditService():
            what = f"the service {service.key} with scheduler {service.scheduler}"
        case RemoveService():
            what = f"the removal of the service {service.key}"
        case AddDestination() | EditDestination():
            what = f"the destination {operation.destination} of {service.key}"
        case RemoveDestination():
            what = f"the removal of {operation.destination} from {service.key}"
    reason = _words(error)
    match operation, _code(error):
        case (AddService() | EditService(), errno.ENOENT):
            reason = f"it has no such scheduler; load ip_vs_{service.scheduler} or choose another"
        case (AddDestination() | EditDestination(), errno.ESRCH):
            reason = "it has no such service"
    return f"the kernel refused {what}: {reason}"


def _code(error: NetlinkError | OSError) -> int:
    return int(error.code) if isinstance(error, NetlinkError) else int(error.errno or 0)


def _words(error: NetlinkError | OSError) -> str:
    return os.strerror(_code(error))
