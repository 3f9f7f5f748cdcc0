"""The virtual addresses: families, networks, duplicates, and whose they are already.

PURE.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from hanode.conf import facts
from hanode.conf.model import Address, VrrpInstance
from hanode.conf.problems import Problem, Severity
from hanode.conf.rules.base import Case, Rule, problem
from hanode.conf.values import family

MOST_IN_AN_ADVERT = 20


def addresses(case: Case) -> Iterator[Problem]:
    """One family in an instance, and no address twice."""
    holder: dict[str, str] = {}
    for one in case.config.instances:
        families = {family(a.ip) for a in one.vips}
        if len(families) > 1:
            wrong = next(a for a in one.vips if family(a.ip) != family(one.vips[0].ip))
            message = f"{one.name} mixes IPv4 and IPv6 in virtual_ipaddress"
            hint = "move the second family to virtual_ipaddress_excluded"
            yield problem(wrong.origin, "family-mixed", "warning", message, hint)
        for vip in (*one.vips, *one.excluded):
            key = canonical(vip.ip)
            if key in holder:
                yield _twice(case, vip, holder[key], one)
            holder.setdefault(key, one.name)


def _twice(case: Case, vip: Address, holder: str, one: VrrpInstance) -> Problem:
    same = holder == one.name
    message = f"{vip.ip} belongs to {holder} and {one.name}: both move it"
    severity: Severity = "error"
    fix = None
    if same:
        message = f"{vip.ip} stands in {holder} already; the second is ignored"
        severity = "warning"
        fix = case.remove(vip.origin, "remove the line")
    return problem(vip.origin, "address-twice", severity, message, "keep one of them", fix)


def canonical(ip: str) -> str:
    """The one spelling of an address."""
    return str(ipaddress.ip_address(ip)) if ":" in ip else ip


def networks(case: Case) -> Iterator[Problem]:
    """An address that no machine can have, and one that no neighbour looks for here."""
    for one in case.config.instances:
        for vip in (*one.vips, *one.excluded):
            found = edge(vip)
            if found is not None:
                message = f"{vip} is the {found} of its network: no machine can have it"
                yield problem(vip.origin, "vip-no-host", "warning", message)
                continue
            interface = vip.dev or one.interface
            here = [n for n in case.around.networks(interface) if n.version == family(vip.ip)]
            ip = ipaddress.ip_address(vip.ip)
            if here and not ip.is_link_local and not any(ip in network for network in here):
                message = (
                    f"{vip.ip} is outside of the networks of {interface} "
                    f"({', '.join(map(str, here))}): its neighbours there do not look for it"
                )
                yield problem(vip.origin, "vip-outside", "warning", message)


def edge(vip: Address) -> str | None:
    """Whether an address is its own network's address, or the broadcast address."""
    if vip.prefix is None or vip.prefix >= 31 or family(vip.ip) == 6:
        return None
    network = ipaddress.ip_network(f"{vip.ip}/{vip.prefix}", strict=False)
    if vip.ip == str(network.network_address):
        return "network address"
    return "broadcast address" if vip.ip == str(network.broadcast_address) else None


def taken(case: Case) -> Iterator[Problem]:
    """An address that a node has by itself cannot move."""
    for one in case.config.instances:
        own = facts.source_ip(one)
        peers = {peer.ip for peer in facts.peers(one)}
        owner = facts.priority(one) == 255
        for vip in (*one.vips, *one.excluded):
            interface = case.around.owner_of(vip.ip)
            if own is not None and vip.ip == own[0]:
                message = f"{vip.ip} is the node's own address, from which {one.name} sends"
                yield problem(vip.origin, "vip-is-own", "warning", message, "use a free address")
            elif interface is not None and not owner:
                message = (
                    f"{vip.ip} is the node's own address on {interface}: it would be removed when "
                    f"{one.name} becomes BACKUP"
                )
                yield problem(vip.origin, "vip-is-own", "warning", message, "use a free address")
            elif vip.ip in peers:
                message = f"{vip.ip} is the address of a peer of {one.name}"
                yield problem(vip.origin, "vip-is-peer", "warning", message, "use a free address")


def advert(case: Case) -> Iterator[Problem]:
    """What an advert can carry, and how it must begin."""
    for one in case.config.instances:
        if len(one.vips) > MOST_IN_AN_ADVERT:
            message = (
                f"{one.name} has {len(one.vips)} addresses in its adverts; older programs read "
                f"{MOST_IN_AN_ADVERT}"
            )
            hint = "move all but a few to virtual_ipaddress_excluded"
            where = one.vips[MOST_IN_AN_ADVERT].origin
            yield problem(where, "vips-many", "warning", message, hint)
        if one.vips and family(one.vips[0].ip) == 6 and facts.version(one, case.config) == 3:
            first = one.vips[0]
            if not ipaddress.ip_address(first.ip).is_link_local:
                message = f"the first address of {one.name} should be link-local in VRRPv3"
                hint = "write an address such as fe80::1 first"
                yield problem(first.origin, "link-local-first", "info", message, hint)


RULES: tuple[Rule, ...] = (addresses, networks, taken, advert)
