"""What is wrong between the nodes of a cluster although each is sound by itself.

PURE. Groups are compared by the instance's name, or where that differs by what they are. Each rule
compares one group as its nodes have it; a Problem stands at the node that differs from the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from hanode.conf import facts
from hanode.conf.model import Config, Origin, VrrpInstance, place
from hanode.conf.pairs_track import opposite, weights
from hanode.conf.problems import Problem, in_order
from hanode.conf.rules.base import problem
from hanode.conf.values import seconds

Group = dict[str, tuple[Config, VrrpInstance]]
"""A group as each node (by id) has it."""
Rule = Callable[[str, Group], Iterator[Problem]]


def check_pair(models: dict[str, Config]) -> tuple[Problem, ...]:
    """What is wrong between the nodes; two or more, by config id."""
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
    """The groups by name. One with another name but the same VRID and addresses is the same."""
    groups: dict[str, Group] = {}
    known: dict[tuple[int, frozenset[str]], str] = {}
    for node, config in models.items():
        here = {instance.name for instance in config.instances}
        for instance in config.instances:
            key = (instance.vrid, frozenset(a.ip for a in instance.vips))
            name = instance.name
            twin = known.get(key)
            if name not in groups and instance.vips and twin is not None and twin not in here:
                name = twin
            known.setdefault(key, name)
            groups.setdefault(name, {}).setdefault(node, (config, instance))
    return groups


def same_name(name: str, group: Group) -> Iterator[Problem]:
    """keepalived does not care for the name; people and sync groups do."""
    for node, (_, one) in group.items():
        if one.name != name:
            first = next(iter(group))
            message = f"{name} of {first} is called {one.name} on {node}"
            hint = "use one name on all nodes"
            yield problem(one.origin, "name-differs", "info", message, hint)


def everywhere(name: str, group: Group, nodes: tuple[str, ...]) -> Iterator[Problem]:
    """A group on one node alone has nobody to take over."""
    missing = [node for node in nodes if node not in group]
    if missing and len(nodes) > 1:
        first = next(iter(group.values()))[1]
        message = f"{name} is not on {' and '.join(missing)}: nobody takes over there"
        yield problem(first.origin, "group-alone", "warning", message)


def same_identity(name: str, group: Group) -> Iterator[Problem]:
    """VRID, version, interval, authentication: a node that differs does not hear the others."""
    (first_node, (first_config, first)), *rest = group.items()
    for node, (config, one) in rest:
        where = f"{name}: {first_node} and {node}"
        if one.vrid != first.vrid and one.vrid and first.vrid:
            message = f"{where} have different virtual_router_id {first.vrid} and {one.vrid}"
            yield split(place(one, "virtual_router_id"), "vrid-differs", message)
        if facts.version(first, first_config) != facts.version(one, config):
            message = f"{where} speak different VRRP versions"
            yield split(place(one, "version"), "version-differs", message)
        mine, theirs = facts.interval_us(one), facts.interval_us(first)
        if mine != theirs and facts.version(one, config) == 2:
            message = f"{where} have different advert_int {seconds(theirs)} and {seconds(mine)}"
            yield split(place(one, "advert_int"), "advert-int-differs", message)
        if (one.auth_type, one.auth_bytes) != (first.auth_type, first.auth_bytes):
            message = f"{where} have different authentication"
            yield split(place(one, "auth_pass"), "auth-differs", message)


def split(where: Origin, code: str, message: str) -> Problem:
    """A difference that makes both nodes master."""
    text = f"{message}: they do not hear each other, and both become master"
    return problem(where, code, "error", text, "write the same on all nodes")


def same_addresses(name: str, group: Group) -> Iterator[Problem]:
    """keepalived refuses an advert whose addresses are not its own."""
    (first_node, (_, first)), *rest = group.items()
    for node, (_, one) in rest:
        if {a.ip for a in one.vips} != {a.ip for a in first.vips}:
            only = sorted({a.ip for a in one.vips} ^ {a.ip for a in first.vips})
            message = (
                f"{name}: {first_node} and {node} do not have the same virtual_ipaddress "
                f"({', '.join(only)}): they refuse each other's adverts, and both become master"
            )
            where = place(one, "virtual_ipaddress")
            yield problem(where, "vips-differ", "error", message, "write the same on all nodes")
        if {a.ip for a in one.excluded} != {a.ip for a in first.excluded}:
            message = f"{name}: {first_node} and {node} move different excluded addresses"
            where = place(one, "virtual_ipaddress_excluded")
            yield problem(where, "vips-differ", "warning", message)


def same_way(name: str, group: Group) -> Iterator[Problem]:
    """Unicast on all nodes or on none, and each node among the others' peers."""
    talks = {node: {p.ip for p in facts.peers(one)} for node, (_, one) in group.items()}
    unicast = [node for node, peers in talks.items() if peers]
    if not unicast:
        return
    for node, (_, one) in group.items():
        if not talks[node]:
            message = f"{name}: {unicast[0]} speaks to its peers only and {node} to everybody"
            yield split(one.origin, "unicast-differs", message)
    for node, (_, one) in group.items():
        own = facts.source_ip(one)
        if own is None or not talks[node]:
            continue
        for other, (_, there) in group.items():
            if other != node and talks[other] and own[0] not in talks[other]:
                message = (
                    f"{name}: {node} sends from {own[0]}, which is not among the peers of {other}: "
                    f"{node} hears nothing from it, and both become master"
                )
                where = facts.where(there, "unicast_peer")
                hint = f"write {own[0]} into unicast_peer of {other}"
                yield problem(where, "peers-one-sided", "error", message, hint)


def not_a_node(name: str, group: Group) -> Iterator[Problem]:
    """An address that a node has by itself cannot be shared."""
    own = {node: facts.source_ip(one) for node, (_, one) in group.items()}
    for node, (_, one) in group.items():
        for vip in (*one.vips, *one.excluded):
            for other, source in own.items():
                if other != node and source is not None and source[0] == vip.ip:
                    message = f"{name}: {vip.ip} is the own address of {other}"
                    yield problem(vip.origin, "vip-is-peer", "error", message, "use a free address")


def one_master(name: str, group: Group) -> Iterator[Problem]:
    """Equal priorities leave the choice to the address; one node only should begin as MASTER."""
    for (a, (_, one)), (b, (_, other)) in combinations(group.items(), 2):
        if facts.priority(one) == facts.priority(other):
            message = (
                f"{name}: {a} and {b} have the same priority {facts.priority(one)}; "
                "the higher IP address wins"
            )
            where = place(other, "priority")
            yield problem(where, "priority-equal", "warning", message, "give one of them more")
        if one.state == other.state == "MASTER":
            message = f"{name}: {a} and {b} both say state MASTER"
            hint = "write BACKUP on all but one"
            yield problem(place(other, "state"), "two-masters", "warning", message, hint)
    for node, (_, one) in group.items():
        highest = max(facts.priority(i) for _, i in group.values())
        if one.state == "MASTER" and facts.priority(one) < highest:
            message = f"{name}: {node} says state MASTER, but its priority is not the highest"
            yield problem(place(one, "state"), "master-lower", "warning", message)


def same_services(models: dict[str, Config]) -> Iterator[Problem]:
    """The backup needs the virtual servers too, or connections end when it takes over."""
    if len(models) < 2:
        return
    for node, config in models.items():
        for other, there in models.items():
            keys = {s.key for s in there.virtual_servers}
            for server in config.virtual_servers:
                if server.key not in keys:
                    message = f"virtual_server {server.key} of {node} is not on {other}"
                    yield problem(server.origin, "service-alone", "warning", message)


RULES: tuple[Rule, ...] = (
    same_name,
    same_identity,
    same_addresses,
    same_way,
    not_a_node,
    one_master,
    weights,
)
