"""Rules for who has an address: several sources, broadcast addresses, shared routes, services.

PURE.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from hanode.conf.model import queries
from hanode.conf.model.model import Address, VrrpInstance, place
from hanode.conf.model.services import Service, groups_of, services
from hanode.conf.model.typed.routes import Route
from hanode.conf.rules.addresses import canonical
from hanode.conf.rules.base import Case, Rule, problem
from hanode.conf.text.problems import Problem, Severity

MAIN_TABLE = ("main", "254")


def sources(case: Case) -> Iterator[Problem]:
    """The instances of one interface normally send from one address of each IP version."""
    first: dict[tuple[str, bool], tuple[VrrpInstance, str]] = {}
    for one in case.config.instances:
        said = queries.source_ip(one)
        if said is None or not one.interface:
            continue
        ip, where = said
        own = case.machine.addresses.get(one.interface, ())
        here = {str(ipaddress.ip_interface(address).ip) for address in own}
        other, theirs = first.setdefault((one.interface, ":" in ip), (one, ip))
        if canonical(ip) == canonical(theirs) or {canonical(ip), canonical(theirs)} <= here:
            continue
        message = (
            f"{one.name} sends from {ip} and {other.name} from {theirs}, both on {one.interface}: "
            "right only where the interface has both addresses"
        )
        word = "unicast_src_ip" if one.unicast_src_ip is not None else "mcast_src_ip"
        text = f"{word} {theirs}"
        fix = case.write(where, text)
        yield problem(where, "sources-differ", "info", message, f"write {text}", fix)


def broadcasts(case: Case) -> Iterator[Problem]:
    """An address cannot be its own broadcast address, nor may that be outside of its network."""
    for one in case.config.instances:
        for vip in (*one.vips, *one.excluded):
            yield from _broadcast(case, vip)
    for address in case.config.static_addresses:
        yield from _broadcast(case, address)


def _broadcast(case: Case, vip: Address) -> Iterator[Problem]:
    said = vip.broadcast
    if said in (None, "", "+", "-") or ":" in vip.ip:
        return
    assert said is not None
    network = ipaddress.ip_network(f"{vip.ip}/{32 if vip.prefix is None else vip.prefix}", False)
    try:
        inside = ipaddress.ip_address(said) in network
    except ValueError:
        return
    if said == vip.ip:
        message = f"{said} is {vip} itself and cannot be its broadcast address too"
    elif not inside and network.prefixlen < 31:
        message = f"the broadcast address {said} is outside of {network}"
    else:
        return
    hint = "write brd +, which takes that of the network"
    if network.prefixlen > 30:
        hint = "leave brd out"
    yield problem(vip.origin, "broadcast-wrong", "warning", message, hint)


def routes(case: Case) -> Iterator[Problem]:
    """One route of two instances is removed by the first of them that is no longer master."""
    holder: dict[tuple[str, ...], VrrpInstance] = {}
    for one in case.config.instances:
        for route in one.virtual_routes:
            other = holder.setdefault(_identity(route), one)
            if other is one or _together(case, one, other):
                continue
            message = (
                f"the route to {route.to} is in {other.name} and in {one.name}: whichever of them "
                "is no longer master removes it"
            )
            hint = "keep it in one of them, or write a metric of its own behind each"
            yield problem(route.origin, "route-twice", "warning", message, hint)


def _together(case: Case, one: VrrpInstance, other: VrrpInstance) -> bool:
    """Whether two instances become and cease to be master together."""
    group = queries.group_of(one, case.config)
    theirs = queries.group_of(other, case.config)
    return group is not None and theirs is not None and group.name == theirs.name


def _identity(route: Route) -> tuple[str, ...]:
    """What the kernel tells routes apart by."""
    table = route.table or "main"
    family = "6" if ":" in route.to or route.to == "default6" else "4"
    return (
        family,
        route.to,
        "main" if table in MAIN_TABLE else table,
        route.metric or "0",
        route.option("tos") or "0",
    )


def unheld(case: Case) -> Iterator[Problem]:
    """A virtual server listens to an address that a vrrp_instance of the file moves."""
    config = case.config
    if queries.incomplete(config) or not any(one.vips or one.excluded for one in config.instances):
        return
    held = {canonical(a.ip) for one in config.instances for a in (*one.vips, *one.excluded)}
    held |= {canonical(a.ip) for a in config.static_addresses}
    for service in services(config):
        missing = [ip for ip in listens_to(case, service) if canonical(ip) not in held]
        missing = [ip for ip in missing if case.machine.owner_of(ip) is None]
        if missing:
            message = (
                f"no vrrp_instance here holds {missing[0]} of virtual_server {service.name}: "
                "its packets do not follow the master"
            )
            hint = f"write {missing[0]} into a virtual_ipaddress, unless it is routed to this node"
            yield problem(service.server.origin, "service-unheld", "info", message, hint)


def listens_to(case: Case, service: Service) -> Iterator[str]:
    """The single addresses of a virtual server; of a range or a network none."""
    if service.server.ip:
        yield service.server.ip
    elif service.server.group is not None:
        for group in groups_of(case.config, service.server.group):
            for line in group.lines:
                if line.ip and line.last_ip is None and line.prefix is None:
                    yield line.ip


def sorry_servers(case: Case) -> Iterator[Problem]:
    """The sorry server stands in when all real servers are gone, so it is none of them."""
    for service in services(case.config):
        server = service.server
        if server.sorry_server is None:
            continue
        ip, port = server.sorry_server
        same = [r for r in server.real_servers if canonical(r.ip) == canonical(ip)]
        if any(port is None or r.port is None or r.port == port for r in same):
            where = place(server, "sorry_server")
            message = (
                f"the sorry_server of {service.name} is one of its real servers: when all of them "
                "are gone, it is gone too"
            )
            hint = "remove the line, or write another server"
            fix = case.remove(where, "remove the line")
            yield problem(where, "sorry-is-real", "warning", message, hint, fix)


def quorum_scripts(case: Case) -> Iterator[Problem]:
    """quorum_down runs when the quorum is lost, also where a sorry server then answers."""
    for service in services(case.config):
        server = service.server
        run = server.quorum_down
        if server.sorry_server is None or run is None or not run.argv:
            continue
        drops = bool(DROPS & set(" ".join(run.argv).replace("/", " ").split()))
        message = (
            f"quorum_down of {service.name} runs when the quorum is lost, although its "
            "sorry_server answers then"
        )
        hint = None
        severity: Severity = "info"
        if drops:
            severity = "warning"
            message += f": what takes the address away there ({run}) leaves it without packets"
            hint = "leave quorum_down out, or sorry_server"
        where = place(server, "quorum_down")
        yield problem(where, "quorum-down-sorry", severity, message, hint)


DROPS = frozenset("ip ifconfig systemctl service killall pkill kill keepalived".split())
"""Words of commands with which an address or VRRP itself is taken away."""


RULES: tuple[Rule, ...] = (quorum_scripts, sources, broadcasts, routes, unheld, sorry_servers)
