"""Service: a virtual server by address, firewall mark or group, with its IP versions and ports.

PURE. The rules and the diff treat the three forms alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hanode.conf.language.values import family
from hanode.conf.model.model import Config, VirtualServer
from hanode.conf.model.typed.line_values import GroupLine
from hanode.conf.model.typed.lvs import VirtualServerGroup


@dataclass(frozen=True, slots=True)
class Service:
    """A virtual server, and the IP versions and ports that it listens to."""

    server: VirtualServer
    name: str
    """`192.0.2.10:80/TCP`, `fwmark 3`, `group web`."""
    families: frozenset[int]
    """4 and 6; empty if nothing says which."""
    ports: frozenset[int]
    """The ports of its addresses; 0: every port. A mark has no ports."""

    @property
    def by_mark(self) -> bool:
        """Whether it takes packets with a firewall mark."""
        return self.server.fwmark is not None

    @property
    def by_group(self) -> bool:
        """Whether a virtual_server_group holds its addresses."""
        return self.server.group is not None

    @property
    def key(self) -> str:
        """Services with equal keys are one entry in the kernel."""
        return f"{self.name}/{self.server.protocol or 'UDP'}" if self.by_group else self.name


Listens = tuple[frozenset[int], frozenset[int]]
"""IP versions and ports."""


def services(config: Config) -> Iterator[Service]:
    """All virtual servers; those by address first."""
    for server in config.services:
        if server.fwmark is None and server.group is None:
            families, ports = frozenset((family(server.ip),)), frozenset((server.port or 0,))
        else:
            families, ports = _listens(config, server)
        yield Service(server, server.key, families, ports)


def _listens(config: Config, server: VirtualServer) -> Listens:
    families, ports = frozenset[int](), frozenset[int]()
    name = server.group
    if name is not None:
        families, ports = config.once(("listens", name), lambda: _group_listens(config, name))
    if server.ip_family:
        families |= {6 if server.ip_family == "inet6" else 4}
    return families, ports


def _group_listens(config: Config, name: str) -> Listens:
    families: set[int] = set()
    ports: set[int] = set()
    for group in groups_of(config, name):
        for line in group.lines:
            if line.fwmark is None:
                families.add(family(line.ip))
                ports.add(line.port or 0)
            elif line.family is not None:
                families.add(6 if line.family == "inet6" else 4)
    return frozenset(families), frozenset(ports)


def groups_of(config: Config, name: str) -> list[VirtualServerGroup]:
    """The virtual_server_group blocks with that name."""
    return config.once("address_groups", lambda: _groups_by_name(config)).get(name, [])


def _groups_by_name(config: Config) -> dict[str, list[VirtualServerGroup]]:
    found: dict[str, list[VirtualServerGroup]] = {}
    for group in config.virtual_server_groups:
        found.setdefault(group.name, []).append(group)
    return found


def line_of_group(line: GroupLine) -> str:
    """The line as people write it: `192.0.2.10-20 80`, `fwmark 3`."""
    if line.fwmark is not None:
        return " ".join(filter(None, ("fwmark", str(line.fwmark), line.family)))
    text = line.ip if line.prefix is None else f"{line.ip}/{line.prefix}"
    if line.last_ip is not None:
        text += f"-{line.last_ip}"
    return text if line.port is None else f"{text} {line.port}"
