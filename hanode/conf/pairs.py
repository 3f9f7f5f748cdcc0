"""What is wrong between the nodes of a cluster although each is sound by itself.

PURE. Groups are compared by the instance's name. Each rule compares one group as its nodes have
it; a Problem stands at the node that differs from the first one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from hanode.conf import defaults
from hanode.conf.diff import effective_priority
from hanode.conf.lint import problem
from hanode.conf.model import Config, Origin, VrrpInstance, place
from hanode.conf.problems import Problem, in_order
from hanode.conf.values import seconds

Group = dict[str, tuple[Config, VrrpInstance]]
"""A group as each node (by id) has it."""
Rule = Callable[[str, Group], Iterator[Problem]]


def check_pair(models: dict[str, Config]) -> tuple[Problem, ...]:
    """What is wrong between the nodes; two or more, by config id."""
    groups: dict[str, Group] = {}
    for node, config in models.items():
        for instance in config.instances:
            groups.setdefault(instance.name, {}).setdefault(node, (config, instance))
    found: list[Problem] = []
    for name, group in groups.items():
        found += everywhere(name, group, tuple(models))
        for rule in RULES:
            found += rule(name, group)
    found += same_services(models)
    return in_order(found)


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
        if _version(first, first_config) != _version(one, config):
            message = f"{where} speak different VRRP versions"
            yield split(place(one, "version"), "version-differs", message)
        mine, theirs = _interval(one), _interval(first)
        if mine != theirs and _version(one, config) == 2:
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


def one_master(name: str, group: Group) -> Iterator[Problem]:
    """Equal priorities leave the choice to the address; one node only should begin as MASTER."""
    for (a, (_, one)), (b, (_, other)) in combinations(group.items(), 2):
        if effective_priority(one) == effective_priority(other):
            message = (
                f"{name}: {a} and {b} have the same priority {effective_priority(one)}; "
                "the higher IP address wins"
            )
            where = place(other, "priority")
            yield problem(where, "priority-equal", "warning", message, "give one of them more")
        if one.state == other.state == "MASTER":
            message = f"{name}: {a} and {b} both say state MASTER"
            hint = "write BACKUP on all but one"
            yield problem(place(other, "state"), "two-masters", "warning", message, hint)
    for node, (_, one) in group.items():
        highest = max(effective_priority(i) for _, i in group.values())
        if one.state == "MASTER" and effective_priority(one) < highest:
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


def _version(instance: VrrpInstance, config: Config) -> int:
    return instance.version or config.globals.vrrp_version or defaults.VRRP_VERSION


def _interval(instance: VrrpInstance) -> int:
    return defaults.ADVERT_INT_US if instance.advert_int_us is None else instance.advert_int_us


RULES: tuple[Rule, ...] = (same_identity, same_addresses, one_master)
