"""Rules for virtual servers: completeness, duplicates, weights, quorum and scheduling.

PURE. Most rules look at a single virtual server. There may be 50,000 real servers, so each rule
costs. The rules for real servers are in `real_servers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hanode.conf.language import defaults
from hanode.conf.model import queries
from hanode.conf.model.attributes import written
from hanode.conf.model.model import RealServer, place
from hanode.conf.model.services import Service, groups_of, line_of_group, services
from hanode.conf.rules import real_servers
from hanode.conf.rules.base import Case, Rule, problem
from hanode.conf.text.problems import Problem

_NEW_SCHEDULERS = {"mh": "1.4", "twos": "2.2.3"}


def all_services(case: Case) -> Iterator[Problem]:
    """Finds duplicate virtual servers, and applies the rules for one virtual server to each."""
    first: dict[str, Service] = {}
    for service in services(case.config):
        if service.key in first:
            line = first[service.key].server.origin.line
            message = (
                f"virtual_server {service.name} exists already (line {line}): both are one entry "
                "in the kernel, and quarrel over it"
            )
            hint = "join the two blocks"
            yield problem(service.server.origin, "service-twice", "warning", message, hint)
        first.setdefault(service.key, service)
        for rule in SERVICE_RULES:
            yield from rule(case, service)


def complete(case: Case, service: Service) -> Iterator[Problem]:
    """A virtual server needs real servers, and should name what keepalived otherwise chooses."""
    server = service.server
    kept = {s.keyword for s in server.other}
    if not server.real_servers and not kept & {"real_server", "sorry_server"}:
        message = f"virtual_server {service.name} has no real_server, so keepalived ignores it"
        yield problem(server.origin, "no-real-server", "error", message, "write a real_server")
    for words, value, default in (
        (("protocol",), server.protocol, defaults.PROTOCOL),
        (("lb_algo", "lvs_sched"), server.lb_algo, defaults.LB_ALGO),
        (("lb_kind", "lvs_method"), server.lb_kind, defaults.LB_KIND),
    ):
        word = words[0]
        if value is not None or kept.intersection(words):
            continue
        if word != "protocol" or service.ports:
            message = f"virtual_server {service.name} names no {word}: keepalived takes {default}"
            text = f"{word} {default}"
            fix = case.insert(server.origin, text)
            yield problem(server.origin, "default-taken", "warning", message, f"write {text}", fix)
    if service.by_mark and server.protocol is not None:
        where = place(server, "protocol")
        message = f"{service.name} balances what is marked, whatever its protocol: it is ignored"
        fix = case.remove(where, "remove the line")
        yield problem(where, "protocol-ignored", "warning", message, "remove the line", fix)


def weights(case: Case, service: Service) -> Iterator[Problem]:
    """The quorum can be reached, and real servers have a weight above 0."""
    server = service.server
    if not server.real_servers:
        return
    default = defaults.WEIGHT if server.weight is None else server.weight
    total = 0
    idle: list[RealServer] = []
    for real in server.real_servers:
        weight = default if real.weight is None else real.weight
        total += weight
        if weight == 0:
            idle.append(real)
    for real in idle if total else ():
        message = f"{real.key} has weight 0: it gets no new connections"
        yield problem(place(real, "weight"), "weight-zero", "info", message)
    if total == 0:
        message = f"all real servers of {service.name} have weight 0: nobody answers"
        hint = "write weight 1 in one of them"
        yield problem(server.origin, "weight-zero-all", "warning", message, hint)
    quorum = server.quorum
    if quorum is not None and quorum > total > 0:
        where = place(server, "quorum")
        message = (
            f"quorum {quorum} of {service.name} is above the sum of the weights, {total}: "
            f"keepalived lowers it to {total}"
        )
        fix = case.write(where, f"quorum {total}")
        yield problem(where, "quorum-high", "warning", message, None, fix)
    hysteresis = server.hysteresis
    least = min(1 if quorum is None else quorum, total)
    if hysteresis is not None and hysteresis >= least > 0:
        where = place(server, "hysteresis")
        message = (
            f"hysteresis {hysteresis} of {service.name} is not below its quorum {least}: "
            f"keepalived lowers it to {least - 1}"
        )
        fix = case.write(where, f"hysteresis {least - 1}")
        yield problem(where, "hysteresis-high", "warning", message, None, fix)


def scheduling(case: Case, service: Service) -> Iterator[Problem]:
    """Persistence, one-packet scheduling, port 0, and schedulers that the target lacks."""
    server = service.server
    if server.ops:
        where = place(server, "ops")
        if server.protocol not in ("UDP", None) and not service.by_mark:
            message = f"ops is for UDP; keepalived ignores it in {service.name}"
            fix = case.remove(where, "remove the line")
            yield problem(where, "ops-protocol", "warning", message, None, fix)
        elif written(server, "persistence_timeout"):
            message = f"{service.name}: ops chooses anew for each packet, so nothing persists"
            hint = "keep one of ops and persistence_timeout"
            yield problem(where, "ops-persistence", "warning", message, hint)
    if 0 in service.ports and not written(server, "persistence_timeout"):
        message = (
            f"{service.name} takes every port, which needs persistence: keepalived adds "
            "persistence_timeout 360"
        )
        text = "persistence_timeout 360"
        fix = case.insert(server.origin, text)
        yield problem(server.origin, "any-port", "warning", message, f"write {text}", fix)
    since = _NEW_SCHEDULERS.get(server.lb_algo or "")
    if since and not case.target.has(since):
        message = (
            f"{case.target} does not know the scheduler {server.lb_algo}, which came with "
            f"keepalived {since}"
        )
        hint = "write another scheduler, such as wlc"
        yield problem(place(server, "lb_algo"), "scheduler-unknown", "error", message, hint)


def groups(case: Case) -> Iterator[Problem]:
    """The groups that virtual servers name exist, are not empty, and contain each line once."""
    if queries.incomplete(case.config):
        return
    used = {s.group: s for s in case.config.services if s.group is not None}
    for name, server in used.items():
        if not groups_of(case.config, name):
            message = (
                f"there is no virtual_server_group {name}, so keepalived ignores the virtual server"
            )
            yield problem(
                server.origin, "service-group-unknown", "warning", message, "write the group"
            )
    for group in case.config.virtual_server_groups:
        if not group.other:
            message = f"virtual_server_group {group.name} names no address; keepalived removes it"
            yield problem(group.origin, "service-group-empty", "warning", message)
        elif group.name not in used:
            message = f"no virtual_server uses virtual_server_group {group.name}"
            yield problem(group.origin, "service-group-unused", "info", message)
        seen: dict[str, int] = {}
        for line in group.lines:
            text = line_of_group(line)
            if text in seen:
                message = f"{text} stands in {group.name} already (line {seen[text]})"
                fix = case.remove(line.origin, "remove the line")
                yield problem(line.origin, "service-twice", "warning", message, None, fix)
            seen.setdefault(text, line.origin.line)


ServiceRule = Callable[[Case, Service], Iterator[Problem]]
SERVICE_RULES: tuple[ServiceRule, ...] = (
    complete,
    weights,
    scheduling,
    *real_servers.RULES,
)
"""The rules that look at one virtual server."""

RULES: tuple[Rule, ...] = (all_services, groups)
