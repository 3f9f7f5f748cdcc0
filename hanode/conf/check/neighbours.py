"""Which files are nodes of one cluster, and where two clusters meet: number, network, address.

PURE. Names alone say nothing: in unrelated files all instances are called VI_1. Nodes of one
cluster share an address, a virtual server, unicast peers, or a name with a virtual_router_id in one
network. Two clusters meet where their nodes hear each other's adverts or move one address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping

from hanode.conf.model import queries
from hanode.conf.model.model import Address, Config, VrrpInstance, place
from hanode.conf.model.services import services
from hanode.conf.rules.addresses import canonical
from hanode.conf.rules.base import problem
from hanode.conf.text.problems import Problem, in_order

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Key = tuple[object, ...]

LIKELY_V4, LIKELY_V6 = 24, 64
"""The usual prefix length of a segment, for addresses that are written without one."""


def addresses(instance: VrrpInstance) -> tuple[Address, ...]:
    """All addresses that the instance moves, the excluded ones included."""
    return (*instance.vips, *instance.excluded)


def networks(instance: VrrpInstance) -> tuple[Network, ...]:
    """The networks of an instance's addresses; without a prefix length /24 and /64 are assumed."""
    return tuple(dict.fromkeys(network_of(address) for address in addresses(instance)))


def network_of(address: Address) -> Network:
    """The network in which the address is expected."""
    ip = ipaddress.ip_address(address.ip)
    likely = LIKELY_V4 if ip.version == 4 else LIKELY_V6
    prefix = address.prefix
    if prefix is None or prefix >= ip.max_prefixlen - 1:
        prefix = likely
    return ipaddress.ip_network((ip, prefix), strict=False)


# --- which files belong together -----------------------------------------------------------------


def together(models: Mapping[str, Config]) -> list[dict[str, Config]]:
    """The files as clusters, in their order; a file that belongs to no other is alone in one."""
    found: list[tuple[set[Key], dict[str, Config]]] = []
    for name, model in models.items():
        keys = set(_keys(model))
        joined = [each for each in found if each[0] & keys]
        apart = [each for each in found if not each[0] & keys]
        nodes = {key: value for _, files in joined for key, value in files.items()}
        found = [*apart, (keys.union(*(each[0] for each in joined)), {**nodes, name: model})]
    order = list(models)
    return sorted((files for _, files in found), key=lambda files: order.index(next(iter(files))))


def _keys(model: Config) -> Iterator[Key]:
    """What only nodes of one cluster have in common."""
    for one in model.instances:
        moved = addresses(one)
        for address in moved:
            yield "address", canonical(address.ip)
        source = queries.source_ip(one)
        if source is not None:
            for peer in queries.peers(one):
                ends = frozenset((canonical(source[0]), canonical(peer.ip)))
                yield "peers", one.vrid, ends
        if one.vrid is None:
            continue
        for network in networks(one):
            yield "number", one.name, one.vrid, network
        for address in moved:
            # One part of an address may be mistyped, and with it the network.
            for part in _with_a_gap(address.ip):
                yield "nearly", one.name, one.vrid, part
    for service in services(model):
        if not service.by_mark or not model.instances:
            yield "service", service.key


def _with_a_gap(ip: str) -> Iterator[tuple[int, ...]]:
    """The address once for each of its parts, which is left out."""
    address = ipaddress.ip_address(ip)
    step = 1 if address.version == 4 else 2
    packed = address.packed
    parts = [int.from_bytes(packed[at : at + step]) for at in range(0, len(packed), step)]
    for gap in range(len(parts)):
        yield tuple(-1 if at == gap else part for at, part in enumerate(parts))


def nothing_in_common(model: Config) -> str:
    """Why a file is compared with no other one."""
    if not model.instances and not model.services:
        return "it has no vrrp_instance and no virtual_server"
    shared = []
    if model.instances:
        shared += ["no address", "no name with its virtual_router_id in one network"]
    if model.services:
        shared.append("no virtual server")
    return f"it has {' and '.join(shared)} in common with them"


# --- where clusters meet -------------------------------------------------------------------------


def meetings(
    ours: Mapping[str, Config], others: Mapping[str, Mapping[str, Config]]
) -> tuple[Problem, ...]:
    """The problems of our cluster, by node, with other ones; their keys are their names.

    One for each instance of ours: the addresses that both move, or the virtual_router_id that both
    use in one network. Instances that send to unicast peers are not heard by the other cluster.
    """
    known = _Known()
    for called, theirs in others.items():
        known.add(called, theirs)
    return in_order(known.met_by(ours))


def all_meetings(clusters: Mapping[str, Mapping[str, Config]]) -> tuple[Problem, ...]:
    """The meetings of every two clusters, which are called by their key; told at the later one."""
    found: list[Problem] = []
    known = _Known()
    for called, nodes in clusters.items():
        found += known.met_by(nodes)
        known.add(called, nodes)
    return in_order(found)


Holder = tuple[str, VrrpInstance]
"""The name of a cluster, and an instance of it."""


class _Known:
    """The instances of some clusters, by address and by number and network."""

    def __init__(self) -> None:
        self.addresses: dict[str, Holder] = {}
        self.numbers: dict[tuple[int, Network], Holder] = {}
        self.wider: dict[tuple[int, Network], Holder] = {}
        """The same by each wider network that contains theirs."""

    def add(self, called: str, nodes: Mapping[str, Config]) -> None:
        """Remembers the instances of a cluster."""
        for config in nodes.values():
            for one in config.instances:
                for address in addresses(one):
                    self.addresses.setdefault(canonical(address.ip), (called, one))
                if one.vrid is None or queries.peers(one):
                    continue
                for network in networks(one):
                    self.numbers.setdefault((one.vrid, network), (called, one))
                    for wider in _wider(network):
                        self.wider.setdefault((one.vrid, wider), (called, one))

    def met_by(self, nodes: Mapping[str, Config]) -> list[Problem]:
        """One problem for each instance, by name, that meets one of them."""
        found: dict[str, Problem] = {}
        for config in nodes.values():
            for one in config.instances:
                if one.name not in found and (met := self.met(one)) is not None:
                    found[one.name] = met
        return list(found.values())

    def met(self, one: VrrpInstance) -> Problem | None:
        """Where an instance meets one of another cluster."""
        both = [a for a in addresses(one) if canonical(a.ip) in self.addresses]
        if both:
            return _same_address(one, both, self.addresses[canonical(both[0].ip)])
        if one.vrid is None or queries.peers(one):
            return None
        for network in networks(one):
            for key in ((one.vrid, n) for n in (network, *_wider(network))):
                if key in self.numbers:
                    return _same_number(one, network, self.numbers[key])
            if (one.vrid, network) in self.wider:
                return _same_number(one, network, self.wider[one.vrid, network])
        return None


def _wider(network: Network) -> Iterator[Network]:
    for prefix in range(network.prefixlen - 1, 0, -1):
        yield network.supernet(new_prefix=prefix)


def _same_address(one: VrrpInstance, both: list[Address], holder: Holder) -> Problem:
    called, other = holder
    ips = [address.ip for address in both[:3]]
    belong = "belongs" if len(ips) == 1 else "belong"
    message = (
        f"{one.name}: {' and '.join(ips)} {belong} to {other.name} of {called} too, so two "
        "machines answer"
    )
    if one.vrid is not None and one.vrid == other.vrid:
        message += f"; both use virtual_router_id {one.vrid}"
    hint = "use it in one of them only; if both are one cluster, keep one of the two"
    return problem(both[0].origin, "address-elsewhere", "warning", message, hint)


def _same_number(one: VrrpInstance, network: Network, holder: Holder) -> Problem:
    called, other = holder
    message = (
        f"{one.name} uses virtual_router_id {one.vrid} in {network}, as does {other.name} of "
        f"{called} with other addresses: each hears the other's adverts"
    )
    hint = "two groups need two numbers; nodes of one group need the same addresses"
    return problem(place(one, "virtual_router_id"), "vrid-elsewhere", "warning", message, hint)
