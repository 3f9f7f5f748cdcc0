"""The machines of the lab: the seed's network as names, addresses and namespaces.

PURE. One switch, two directors, two real servers and one client, all on 192.168.192.0/24 as in
the two configuration files of `hanode/lab/files`. Every run has a tag of its own, so that two
labs never share a namespace.
"""

from __future__ import annotations

from dataclasses import dataclass

DEVICE = "ens33"
"""The device that the two files name; every host has one, and it leads to the switch."""
PREFIX = 24
VIP = "192.168.192.200"
CLIENT = "192.168.192.10"
DIRECTOR_ADDRESSES = ("192.168.192.100", "192.168.192.111")
REAL_SERVER_ADDRESSES = ("192.168.192.112", "192.168.192.114")
REAL_SERVER_PORT = 80
VRID = 51


@dataclass(frozen=True, slots=True)
class Host:
    """One machine of the lab."""

    name: str
    """As the control socket and the pages call it: NodeA, rs1, client."""
    kind: str
    """director, real_server or client."""
    address: str
    namespace: str
    port: str
    """Its port at the switch; a Linux device name, so at most 15 characters."""


@dataclass(frozen=True, slots=True)
class Topology:
    """The machines of one run."""

    tag: str
    switch: str
    directors: tuple[Host, ...]
    real_servers: tuple[Host, ...]
    client: Host

    @property
    def hosts(self) -> tuple[Host, ...]:
        """All machines at the switch."""
        return (*self.directors, *self.real_servers, self.client)

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Every namespace of this run, the switch first."""
        return (self.switch, *(host.namespace for host in self.hosts))

    def find(self, target: str) -> Host | None:
        """The machine called `target`: by its name, its address, or its address and port."""
        address = target.partition(":")[0]
        for host in self.hosts:
            if target == host.name or address == host.address:
                return host
        return None


def topology(tag: str, nodes: tuple[str, str] = ("NodeA", "NodeB")) -> Topology:
    """The lab of the run `tag`; `nodes` are the config ids of master and backup."""
    directors = tuple(
        Host(name, "director", address, f"{tag}-{letter}", f"port-{letter}")
        for name, address, letter in zip(nodes, DIRECTOR_ADDRESSES, "ab", strict=True)
    )
    real_servers = tuple(
        Host(f"rs{n}", "real_server", address, f"{tag}-rs{n}", f"port-rs{n}")
        for n, address in enumerate(REAL_SERVER_ADDRESSES, start=1)
    )
    client = Host("client", "client", CLIENT, f"{tag}-client", "port-client")
    return Topology(tag, f"{tag}-switch", directors, real_servers, client)
