"""Compares the nodes of a cluster: problems between nodes that are correct one by one.

PURE. An instance is matched by its number and address, by name, by address, or by its number and
network. Each rule compares one instance on all nodes; a Problem is placed at the node that differs
from the first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import combinations

from hanode.conf.check.neighbours import addresses, networks
from hanode.conf.check.pairs_peers import same_way
from hanode.conf.check.pairs_signing import same_signatures
from hanode.conf.check.pairs_track import opposite, weights
from hanode.conf.check.pairs_words import Group, listed, normalised, two_masters
from hanode.conf.language.values import family, seconds
from hanode.conf.model import queries
from hanode.conf.model.model import Address, Config, VrrpInstance, place
from hanode.conf.model.services import Service, services
from hanode.conf.rules.addresses import canonical
from hanode.conf.rules.base import inserted, problem, rewritten
from hanode.conf.text.problems import Fix, Problem, in_order

Rule = Callable[[str, Group], Iterator[Problem]]


def check_pair(models: dict[str, Config]) -> tuple[Problem, ...]:
    """The problems between nodes. `models` holds two or more, by config id."""
    found: list[Problem] = []
    groups = matched(models)
    for name, group in groups.items():
        found += everywhere(name, group, tuple(models))
        for rule in RULES:
            found += rule(name, group)
    found += same_services(models)
    found += opposite(models)
    return in_order(found)


def matched(models: dict[str, Config]) -> dict[str, Group]:
    """The instances that are one group on several nodes, by the name on the first of them.

    The same number with the same address makes a group whatever the names are; then the same name,
    an address in common, and at last the same number in one network.
    """
    match = _Match()
    for node, config in models.items():
        names = {instance.name for instance in config.instances}
        keys = {id(one): _keys(one) for one in config.instances}
        waiting = list(config.instances)
        for step in range(len(_STEPS)):
            left = []
            for one in waiting:
                name = match.find(step, keys[id(one)][step], node, names)
                if name is None:
                    left.append(one)
                else:
                    match.groups[name].setdefault(node, (config, one))
            waiting = left
        for one in waiting:
            name = one.name if one.name not in match.groups else f"{one.name} of {node}"
            match.groups.setdefault(name, {}).setdefault(node, (config, one))
        for name, group in match.groups.items():
            if node in group:
                match.remember(name, keys[id(group[node][1])])
    return match.groups


_STEPS = ("number and address", "name", "address", "number and network")
_Keys = tuple[tuple[object, ...], ...]


def _keys(one: VrrpInstance) -> _Keys:
    """What identifies the instance, for each of _STEPS."""
    ips = normalised(addresses(one))
    number = () if one.vrid is None else (one.vrid,)
    return (
        tuple((vrid, ip) for vrid in number for ip in ips),
        (one.name,),
        tuple(ips),
        tuple((vrid, network) for vrid in number for network in networks(one)),
    )


class _Match:
    """The groups found so far, and what identifies them."""

    def __init__(self) -> None:
        self.groups: dict[str, Group] = {}
        self.known: tuple[dict[object, str], ...] = tuple({} for _ in _STEPS)

    def find(
        self, step: int, keys: tuple[object, ...], node: str, names: Collection[str]
    ) -> str | None:
        """The group with one of the keys that has no instance of the node yet.

        A group whose name another instance of the node bears is left to that one.
        """
        for key in keys:
            name = self.known[step].get(key)
            if name is None or node in self.groups[name]:
                continue
            if step == 0 or name == key or name not in names:
                return name
        return None

    def remember(self, name: str, keys: _Keys) -> None:
        """Makes the group known by these keys."""
        for known, each in zip(self.known, keys, strict=True):
            for key in each:
                known.setdefault(key, name)


def same_name(name: str, group: Group) -> Iterator[Problem]:
    """keepalived ignores the name, but people and sync groups need it."""
    for node, (_, one) in group.items():
        if one.name != name:
            first = next(iter(group))
            message = f"{name} of {first} is called {one.name} on {node}"
            hint = "use one name on all nodes"
            yield problem(one.origin, "name-differs", "info", message, hint)


def everywhere(name: str, group: Group, nodes: tuple[str, ...]) -> Iterator[Problem]:
    """If only one node has an instance, no other node can take over."""
    missing = [node for node in nodes if node not in group]
    if missing and len(nodes) > 1:
        first = next(iter(group.values()))[1]
        message = f"{name} is not on {' and '.join(missing)}: nobody takes over there"
        yield problem(first.origin, "group-alone", "warning", message)


def same_identity(name: str, group: Group) -> Iterator[Problem]:
    """Nodes with different VRID, version or interval do not receive each other's adverts."""
    (first_node, (first_config, first)), *rest = group.items()
    for node, (config, one) in rest:
        where = f"{name}: {first_node} and {node}"
        like = f" as on {first_node}"
        if one.vrid != first.vrid and one.vrid and first.vrid:
            message = f"{where} have different virtual_router_id {first.vrid} and {one.vrid}"
            at = place(one, "virtual_router_id")
            free = first.vrid not in vrids(config)
            text = f"virtual_router_id {first.vrid}"
            fix = rewritten(at, text, f"write {text}{like}") if free else None
            yield two_masters(at, "vrid-differs", message, fix)
        mine, theirs = queries.version(one, config), queries.version(first, first_config)
        if mine != theirs:
            message = f"{where} speak different VRRP versions {theirs} and {mine}"
            yield two_masters(place(one, "version"), "version-differs", message)
        elif mine == 2 and queries.interval_us(one) != queries.interval_us(first):
            ours, others = (seconds(queries.interval_us(i)) for i in (one, first))
            message = f"{where} have different advert_int {others} and {ours}"
            at = place(one, "advert_int")
            text = f"advert_int {others}"
            fix = None
            if one.advert_int_us is not None:
                fix = rewritten(at, text, f"write {text}{like}")
            yield two_masters(at, "advert-int-differs", message, fix)


def vrids(config: Config) -> frozenset[int]:
    """The VRIDs that a node uses."""
    return config.once("vrids", lambda: frozenset(one.vrid for one in config.instances))


def same_authentication(name: str, group: Group) -> Iterator[Problem]:
    """Adverts with another password are dropped. No fix: it would reveal the password."""
    (first_node, (first_config, first)), *rest = group.items()
    for node, (config, one) in rest:
        where = f"{name}: {first_node} and {node}"
        if queries.version(one, config) == queries.version(first, first_config) == 2:
            said = [queries.authentication(i) for i in (first, one)]
            if said[0] != said[1]:
                kinds = [kind or "none" for kind, _ in said]
                message = f"{where} have different passwords"
                if kinds[0] != kinds[1]:
                    message = f"{where} have different auth_type {kinds[0]} and {kinds[1]}"
                yield two_masters(place(one, "auth_pass"), "auth-differs", message)


def same_addresses(name: str, group: Group) -> Iterator[Problem]:
    """keepalived refuses an advert with other addresses than its own."""
    (first_node, (_, first)), *rest = group.items()
    for node, (_, one) in rest:
        here, there = normalised(one.vips), normalised(first.vips)
        lacking = [a for a in first.vips if canonical(a.ip) not in here]
        extra = [a for a in one.vips if canonical(a.ip) not in there]
        if lacking or extra:
            at, fix = place(one, "virtual_ipaddress"), None
            said = f"{node} has no {listed(lacking)}" if lacking else ""
            if extra:
                said += f"{' and ' if said else ''}{first_node} has no {listed(extra)}"
            if not extra:
                fix = added(one, lacking, node)
            elif not lacking:
                at, fix = place(first, "virtual_ipaddress"), added(first, extra, first_node)
            message = (
                f"{name}: {first_node} and {node} do not have the same virtual_ipaddress, {said}: "
                "they refuse each other's adverts, and both become master"
            )
            yield problem(at, "vips-differ", "error", message, "write the same on all nodes", fix)
        only = normalised(one.excluded) ^ normalised(first.excluded)
        if only:
            message = (
                f"{name}: {first_node} and {node} move different excluded addresses "
                f"({', '.join(sorted(only))})"
            )
            where = place(one, "virtual_ipaddress_excluded")
            hint = "write the same on all nodes"
            yield problem(where, "vips-differ", "warning", message, hint)


def added(to: VrrpInstance, addresses: list[Address], node: str) -> Fix | None:
    """The edit that adds addresses to one node's own file; None for a document of several nodes."""
    own = queries.source_ip(to)
    taken = {own[0] if own is not None else "", *(peer.ip for peer in queries.peers(to))}
    if not to.vips or addresses[0].origin.file == to.origin.file or normalised(addresses) & taken:
        return None
    versions = {family(a.ip) for a in (*addresses, *to.vips)}
    if len(versions) > 1 or (6 in versions and len(to.vips) == 1):
        return None  # the line goes above the last address; in IPv6 the first one is link-local
    lines = [" ".join((str(a), *(("dev", a.dev) if a.dev else ()), *a.options)) for a in addresses]
    return inserted(to.vips[-1].origin, lines, f"add {listed(addresses)} to {node}")


def not_a_node(name: str, group: Group) -> Iterator[Problem]:
    """An address that a node owns permanently cannot move."""
    own = {node: queries.source_ip(one) for node, (_, one) in group.items()}
    for node, (_, one) in group.items():
        for vip in (*one.vips, *one.excluded):
            for other, source in own.items():
                if other != node and source is not None and source[0] == vip.ip:
                    message = f"{name}: {vip.ip} is the own address of {other}"
                    hint = "use a free address, the same on all nodes"
                    yield problem(vip.origin, "vip-is-peer", "error", message, hint)


def one_master(name: str, group: Group) -> Iterator[Problem]:
    """Priorities should differ, and only one node should start as MASTER."""
    for (a, (_, one)), (b, (_, other)) in combinations(group.items(), 2):
        if queries.priority(one) == queries.priority(other):
            message = (
                f"{name}: {a} and {b} have the same priority {queries.priority(one)}; "
                "the higher IP address wins"
            )
            where = place(other, "priority")
            hint = "write a higher priority on one of them"
            yield problem(where, "priority-equal", "warning", message, hint)
        if one.state == other.state == "MASTER":
            message = f"{name}: {a} and {b} both say state MASTER"
            hint = "write BACKUP on all but one"
            lower = one if queries.priority(one) < queries.priority(other) else other
            where = place(lower, "state")
            yield problem(where, "two-masters", "warning", message, hint, state_backup(lower))
    for node, (_, one) in group.items():
        highest = max(queries.priority(i) for _, i in group.values())
        if one.state == "MASTER" and queries.priority(one) < highest:
            message = (
                f"{name}: {node} says state MASTER, but its priority {queries.priority(one)} is "
                f"below {highest} of another node, which wins"
            )
            if sum(i.state == "MASTER" for _, i in group.values()) == 1:
                hint = "write state BACKUP here"
                where = place(one, "state")
                yield problem(where, "master-lower", "warning", message, hint, state_backup(one))


def state_backup(one: VrrpInstance) -> Fix | None:
    """The edit that writes state BACKUP, if the priority is written and not 255."""
    if one.priority in (None, 255):
        return None
    return rewritten(place(one, "state"), "state BACKUP")


def same_services(models: dict[str, Config]) -> Iterator[Problem]:
    """The backup needs the same virtual servers, or connections end when it takes over."""
    if len(models) < 2:
        return
    servers = {n: {s.key: s for s in services(config)} for n, config in models.items()}
    for node, here in servers.items():
        for key, service in here.items():
            missing = [other for other, there in servers.items() if key not in there]
            if missing:
                message = (
                    f"virtual_server {service.name} of {node} is not on {' and '.join(missing)}: "
                    "who takes over there does not answer"
                )
                yield problem(service.server.origin, "service-alone", "warning", message)
    (first_node, first), *rest = servers.items()
    for node, there in rest:
        for key in first.keys() & there.keys():
            yield from same_service(first_node, first[key], node, there[key])


def same_service(a: str, one: Service, b: str, other: Service) -> Iterator[Problem]:
    """Clients should find the same real servers and methods on every node."""
    mine = {real.key: real for real in one.server.real_servers}
    theirs = {real.key: real for real in other.server.real_servers}
    only = [*(f"{b} lacks {k}" for k in mine if k not in theirs)]
    only += [f"{a} lacks {k}" for k in theirs if k not in mine]
    where = other.server.origin
    if only:
        more = f" and {len(only) - 3} more" if len(only) > 3 else ""
        message = (
            f"virtual_server {one.name} has other real servers on {b} than on {a}: "
            f"{', '.join(only[:3])}{more}"
        )
        yield problem(where, "service-differs", "warning", message, "write the same on all nodes")
    for word in ("lb_algo", "lb_kind", "persistence_timeout"):
        said = [getattr(service.server, word) for service in (one, other)]
        if said[0] != said[1]:
            message = (
                f"virtual_server {one.name}: {word} is {said[0] or 'not written'} on {a} and "
                f"{said[1] or 'not written'} on {b}"
            )
            at = place(other.server, word)
            yield problem(at, "service-differs", "info", message, "write the same on all nodes")


RULES: tuple[Rule, ...] = (
    same_name,
    same_identity,
    same_authentication,
    same_signatures,
    same_addresses,
    same_way,
    not_a_node,
    one_master,
    weights,
)
