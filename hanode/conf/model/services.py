"""Virtual servers by whatever they are named, and to what addresses and ports they listen.

PURE. The rules and the diff look at those by address, by firewall mark and by group alike.
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
    """A virtual server, and to what it listens."""

    server: VirtualServer
    name: str
    """`192.0.2.10:80/TCP`, `fwmark 3`, `group web`."""
    families: frozenset[int]
    """4, 6, or none where nothing says it."""
    ports: frozenset[int]
    """Those of its addresses; 0: every port. A mark has none."""

    @property
    def by_mark(self) -> bool:
        """Whether it takes what the firewall marked."""
        return self.server.fwmark is not None

    @property
    def by_group(self) -> bool:
        """Whether a virtual_server_group says its addresses."""
        return self.server.group is not None

    @property
    def key(self) -> str:
        """Equal keys are the same entry in the kernel."""
        return f"{self.name}/{self.server.protocol or 'UDP'}" if self.by_group else self.name


def services(config: Config) -> Iterator[Service]:
    """All virtual servers; those by address first."""
    for server in config.services:
        if server.fwmark is None and server.group is None:
            families, ports = frozenset((family(server.ip),)), frozenset((server.port or 0,))
        else:
            families, ports = _listens(config, server)
        yield Service(server, server.key, families, ports)


def _listens(config: Config, server: VirtualServer) -> tuple[frozenset[int], frozenset[int]]:
    families = {6 if server.ip_family == "inet6" else 4} if server.ip_family else set()
    ports: set[int] = set()
    for group in groups_of(config, server.group) if server.group is not None else ():
        for line in group.lines:
            if line.fwmark is None:
                families.add(family(line.ip))
                ports.add(line.port or 0)
            elif line.family is not None:
                families.add(6 if line.family == "inet6" else 4)
    return frozenset(families), frozenset(ports)


def groups_of(config: Config, name: str) -> list[VirtualServerGroup]:
    """The virtual_server_group blocks of that name."""
    return [group for group in config.virtual_server_groups if group.name == name]


def line_of_group(line: GroupLine) -> str:
    """The line as people write it: `192.0.2.10-20 80`, `fwmark 3`."""
    if line.fwmark is not None:
        return " ".join(filter(None, ("fwmark", str(line.fwmark), line.family)))
    text = line.ip if line.prefix is None else f"{line.ip}/{line.prefix}"
    if line.last_ip is not None:
        text += f"-{line.last_ip}"
    return text if line.port is None else f"{text} {line.port}"
