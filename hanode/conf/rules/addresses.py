"""Rules for virtual addresses: family, network, duplicates, and addresses that nodes own already.

PURE.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from hanode.conf.language.values import family
from hanode.conf.model import queries
from hanode.conf.model.model import Address, VrrpInstance
from hanode.conf.rules.base import Case, Rule, problem
from hanode.conf.text.problems import Problem, Severity

MOST_IN_AN_ADVERT = 20
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def addresses(case: Case) -> Iterator[Problem]:
    """Finds addresses that are written twice."""
    holder: dict[tuple[str, str], str] = {}
    for one in case.config.instances:
        for vip in (*one.vips, *one.excluded):
            ip = canonical(vip.ip)
            # A link-local address is one of its link: another interface may have it too.
            link = (vip.dev or one.interface) if ipaddress.ip_address(ip).is_link_local else ""
            key = (ip, link)
            if key in holder:
                yield _twice(case, vip, holder[key], one)
            holder.setdefault(key, one.name)


def _twice(case: Case, vip: Address, holder: str, one: VrrpInstance) -> Problem:
    same = holder == one.name
    message = f"{vip.ip} belongs to {holder} and {one.name}: both move it"
    severity: Severity = "error"
    fix = None
    if same:
        message = (
            f"{vip.ip} stands in {holder} already: its adverts name both, and those of the other "
            "nodes must too"
        )
        severity = "warning"
        fix = case.remove(vip.origin, "remove the line")
    hint = "remove one of the lines" if same else "write another address in one of them"
    if same and vip.origin.macro is not None:
        hint = "write the line without what repeats it"
    return problem(vip.origin, "address-twice", severity, message, hint, fix)


def canonical(ip: str) -> str:
    """The normalised spelling of an address."""
    return str(ipaddress.ip_address(ip)) if ":" in ip else ip


def networks(case: Case) -> Iterator[Problem]:
    """Finds addresses that no machine can have, and addresses outside the interface's networks."""
    static = static_networks(case)
    known: dict[tuple[str, int], Networks] = {}
    for one in case.config.instances:
        for vip in (*one.vips, *one.excluded):
            interface = vip.dev or one.interface
            key = (interface, family(vip.ip))
            if key not in known:
                near = (*case.machine.networks(interface), *static.get(interface, ()))
                known[key] = Networks(n for n in near if n.version == key[1])
            here = known[key]
            found = edge(vip, here)
            if found is not None:
                message = f"{vip} is the {found} of its network: no machine can have it"
                yield problem(vip.origin, "vip-no-host", "warning", message, "use a free address")
                continue
            ip = ipaddress.ip_address(vip.ip)
            if ip.is_link_local:
                continue
            if case.machine.addresses.get(interface) and here and not here.around(ip):
                message = (
                    f"{vip.ip} is outside of the networks of {interface} "
                    f"({here.listed()}): its neighbours there do not look for it"
                )
                yield problem(vip.origin, "vip-outside", "warning", message)
            elif not here and vip.dev in (None, one.interface):
                yield from far_from_source(one, vip)


def far_from_source(one: VrrpInstance, vip: Address) -> Iterator[Problem]:
    """Compares the address with the source address, where the interface's networks are unknown."""
    own = queries.source_ip(one)
    bits = 32 if family(vip.ip) == 4 else 128
    if own is None or family(own[0]) != family(vip.ip) or vip.prefix in (None, 0, bits):
        return
    network = ipaddress.ip_network(f"{vip.ip}/{vip.prefix}", strict=False)
    source = ipaddress.ip_address(own[0])
    if source not in network and not source.is_link_local:
        message = (
            f"{vip} is in another network than {own[0]}, from which {one.name} sends: right only "
            f"where {one.interface or 'the interface'} has an address in both"
        )
        yield problem(vip.origin, "vip-outside", "info", message)


def static_networks(case: Case) -> dict[str, list[Network]]:
    """The networks that static_ipaddress adds, by interface."""
    found: dict[str, list[Network]] = {}
    for address in case.config.static_addresses:
        if address.dev is not None and address.prefix is not None:
            network = ipaddress.ip_network(f"{address.ip}/{address.prefix}", strict=False)
            found.setdefault(address.dev, []).append(network)
    return found


class Networks:
    """The networks of an interface; an address is looked up among thousands as among two."""

    SHOWN = 8

    def __init__(self, networks: Iterable[Network]) -> None:
        self._all = tuple(dict.fromkeys(networks))
        self._by_length: dict[int, dict[int, Network]] = {}
        for one in self._all:
            self._by_length.setdefault(one.prefixlen, {})[int(one.network_address)] = one

    def __bool__(self) -> bool:
        return bool(self._all)

    def around(self, ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> list[Network]:
        """The networks that contain the address."""
        number, bits = int(ip), ip.max_prefixlen
        found = (
            networks.get(number >> (bits - length) << (bits - length))
            for length, networks in self._by_length.items()
        )
        return [one for one in found if one is not None]

    def listed(self) -> str:
        """The networks, as many as a message can name."""
        more = len(self._all) - self.SHOWN
        return ", ".join(map(str, self._all[: self.SHOWN])) + (f" and {more} more" * (more > 0))


def edge(vip: Address, near: Networks) -> str | None:
    """ "network address" or "broadcast address" if the address is one of its network; else None."""
    if family(vip.ip) == 6:
        return None
    networks = near.around(ipaddress.ip_address(vip.ip))
    if vip.prefix not in (None, 32):
        networks = [ipaddress.ip_network(f"{vip.ip}/{vip.prefix}", strict=False)]
    for network in networks:
        if network.prefixlen >= 31:
            continue
        if vip.ip == str(network.network_address):
            return "network address"
        if vip.ip == str(network.broadcast_address):
            return "broadcast address"
    return None


def taken(case: Case) -> Iterator[Problem]:
    """Finds virtual addresses that a node owns permanently: they cannot move."""
    static = {canonical(a.ip) for a in case.config.static_addresses}
    for one in case.config.instances:
        own = queries.source_ip(one)
        peers = {peer.ip for peer in queries.peers(one)}
        owner = queries.priority(one) == 255
        for vip in (*one.vips, *one.excluded):
            interface = case.machine.owner_of(vip.ip)
            message, code = "", "vip-is-own"
            if own is not None and vip.ip == own[0]:
                message = f"{vip.ip} is the node's own address, from which {one.name} sends"
            elif canonical(vip.ip) in static:
                message = f"{vip.ip} is the node's own address by static_ipaddress too"
            elif interface is not None and not owner:
                message = (
                    f"{vip.ip} is the node's own address on {interface}: it would be removed when "
                    f"{one.name} becomes BACKUP"
                )
            elif vip.ip in peers:
                message, code = f"{vip.ip} is the address of a peer of {one.name}", "vip-is-peer"
            if message:
                yield problem(vip.origin, code, "warning", message, "use a free address")


def advert(case: Case) -> Iterator[Problem]:
    """Checks how many addresses an advert carries, and that the first is link-local in IPv6."""
    for one in case.config.instances:
        if len(one.vips) > MOST_IN_AN_ADVERT:
            message = (
                f"{one.name} has {len(one.vips)} addresses in its adverts; older programs read "
                f"{MOST_IN_AN_ADVERT}"
            )
            hint = "move those from here on to virtual_ipaddress_excluded, on every node"
            where = one.vips[MOST_IN_AN_ADVERT].origin
            yield problem(where, "vips-many", "info", message, hint)
        if one.vips and family(one.vips[0].ip) == 6 and queries.version(one, case.config) == 3:
            first = one.vips[0]
            if not ipaddress.ip_address(first.ip).is_link_local:
                message = f"the first address of {one.name} should be link-local in VRRPv3"
                severity: Severity = "info"
                if queries.strict(one, case.config) is not None:
                    message = f"in strict mode the first address of {one.name} must be link-local"
                    severity = "warning"
                hint = "write an address such as fe80::1 first"
                yield problem(first.origin, "link-local-first", severity, message, hint)


RULES: tuple[Rule, ...] = (addresses, networks, taken, advert)
