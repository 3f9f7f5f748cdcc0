"""Virtual servers and their real servers.

PURE. All but one rule look at a single virtual server; with 50,000 real servers each costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hanode.conf import defaults, facts
from hanode.conf.model import RealServer, VirtualServer, place
from hanode.conf.problems import Problem
from hanode.conf.rules.base import Case, Rule, problem
from hanode.conf.values import family, seconds

_NEW_SCHEDULERS = {"mh": "1.4", "twos": "2.2.3"}


def services(case: Case) -> Iterator[Problem]:
    """Each once; and what is said of each alone."""
    first: dict[str, VirtualServer] = {}
    for server in case.config.virtual_servers:
        if server.key in first:
            message = (
                f"virtual_server {server.key} exists already (line {first[server.key].origin.line})"
            )
            yield problem(server.origin, "service-twice", "error", message, "join the two blocks")
        first.setdefault(server.key, server)
        for rule in SERVICE_RULES:
            yield from rule(case, server)


def complete(case: Case, server: VirtualServer) -> Iterator[Problem]:
    """A virtual server needs real servers, and should say what keepalived would choose for it."""
    kept = {s.keyword for s in server.other}
    if not server.real_servers and not kept & {"real_server", "sorry_server"}:
        message = f"virtual_server {server.key} has no real_server, so keepalived ignores it"
        yield problem(server.origin, "no-real-server", "error", message, "write a real_server")
    for word, value, default in (
        ("protocol", server.protocol, defaults.PROTOCOL),
        ("lb_algo", server.lb_algo, defaults.LB_ALGO),
        ("lb_kind", server.lb_kind, defaults.LB_KIND),
    ):
        if value is None and word not in kept:
            message = f"virtual_server {server.key} names no {word}: keepalived takes {default}"
            hint = f"write {word} {default}"
            yield problem(server.origin, "default-taken", "warning", message, hint)


def real_servers(case: Case, server: VirtualServer) -> Iterator[Problem]:
    """No real server twice, no port that the method cannot change, one family."""
    first: dict[str, RealServer] = {}
    direct = server.lb_kind in ("DR", "TUN")
    version = family(server.ip)
    for real in server.real_servers:
        if real.key in first:
            message = f"real_server {real.key} stands twice in {server.key}; the second is dropped"
            fix = case.remove(real.origin, "remove the second") if real == first[real.key] else None
            yield problem(real.origin, "server-twice", "error", message, "remove one of them", fix)
        first.setdefault(real.key, real)
        method = facts.value(real.other, "lvs_method") if real.other else None
        goes_direct = direct if method is None else method in ("DR", "TUN")
        if goes_direct and real.port and server.port and real.port != server.port:
            message = (
                f"lb_kind {method or server.lb_kind} cannot change the port: {real.key} is used "
                f"with port {server.port}"
            )
            yield problem(real.origin, "port-kept", "warning", message, "use the same port, or NAT")
        if family(real.ip) != version and (method or server.lb_kind) != "TUN":
            message = f"{real.key} and {server.key} are of different IP versions"
            yield problem(real.origin, "family-mixed", "error", message, "only TUN can do that")
        own = server.lb_kind or defaults.LB_KIND
        if method is not None and method != own:
            message = f"{real.key} uses {method}, the others of {server.key} {own}"
            hint = "with NAT the answers come back through this node, with DR and TUN they do not"
            where = facts.last(real.other, "lvs_method")
            yield problem(
                where.origin if where else real.origin, "methods-mixed", "info", message, hint
            )


def weights(case: Case, server: VirtualServer) -> Iterator[Problem]:
    """A quorum that can be reached, and servers that get connections."""
    if not server.real_servers:
        return
    default = facts.number(server.other, "weight")
    default = defaults.WEIGHT if default is None else default
    total = 0
    for real in server.real_servers:
        weight = default if real.weight is None else real.weight
        total += weight
        if weight == 0:
            message = f"{real.key} has weight 0: it gets no new connections"
            yield problem(place(real, "weight"), "weight-zero", "info", message)
    if total == 0:
        message = f"all real servers of {server.key} have weight 0: nobody answers"
        yield problem(server.origin, "weight-zero-all", "warning", message, "give one a weight")
    quorum = facts.number(server.other, "quorum")
    if quorum is not None and quorum > total > 0:
        where = facts.last(server.other, "quorum")
        message = (
            f"quorum {quorum} of {server.key} is above the sum of the weights, {total}: "
            f"keepalived lowers it to {total}"
        )
        assert where is not None
        fix = case.write(where.origin, f"quorum {total}", f"write quorum {total}")
        yield problem(where.origin, "quorum-high", "warning", message, None, fix)
    hysteresis = facts.number(server.other, "hysteresis")
    least = min(1 if quorum is None else quorum, total)
    if hysteresis is not None and hysteresis >= least > 0:
        where = facts.last(server.other, "hysteresis")
        message = f"hysteresis {hysteresis} of {server.key} is not below its quorum {least}"
        assert where is not None
        hint = "keepalived lowers it; write a smaller one"
        yield problem(where.origin, "hysteresis-high", "warning", message, hint)


def scheduling(case: Case, server: VirtualServer) -> Iterator[Problem]:
    """Persistence, one-packet scheduling and port 0."""
    persistent = facts.last(server.other, "persistence_timeout")
    one_packet = facts.last(server.other, "ops")
    if one_packet is not None and server.protocol not in ("UDP", None):
        message = f"ops is for UDP; keepalived ignores it in {server.key}"
        fix = case.remove(one_packet.origin, "remove the line")
        yield problem(one_packet.origin, "ops-protocol", "warning", message, None, fix)
    elif one_packet is not None and persistent is not None:
        message = f"{server.key}: ops chooses anew for each packet, so nothing persists"
        hint = "keep one of ops and persistence_timeout"
        yield problem(one_packet.origin, "ops-persistence", "warning", message, hint)
    if not server.port and persistent is None:
        message = (
            f"{server.key} takes every port, which needs persistence: keepalived adds "
            "persistence_timeout 360"
        )
        yield problem(
            server.origin, "any-port", "warning", message, "write persistence_timeout 360"
        )
    since = _NEW_SCHEDULERS.get(server.lb_algo or "")
    if since and not case.target.has(since):
        message = f"{case.target} does not know the scheduler {server.lb_algo}"
        yield problem(place(server, "lb_algo"), "scheduler-unknown", "error", message)


def sorry(case: Case, server: VirtualServer) -> Iterator[Problem]:
    """The sorry server is reached as the others are."""
    found = facts.last(server.other, "sorry_server")
    ip = facts.value(server.other, "sorry_server")
    if found is None or ip is None:
        return
    method = facts.value(server.other, "sorry_server_lvs_method") or server.lb_kind
    if family(ip) != family(server.ip) and method != "TUN":
        message = f"sorry_server {ip} and {server.key} are of different IP versions"
        yield problem(found.origin, "family-mixed", "error", message, "only TUN can do that")
    port = facts.whole(found.words[2]) if len(found.words) > 2 else None
    if method in ("DR", "TUN") and port and server.port and port != server.port:
        message = f"lb_kind {method} cannot change the port: the sorry server gets {server.port}"
        yield problem(found.origin, "port-kept", "warning", message, "use the same port, or NAT")


def slow_checks(case: Case, server: VirtualServer) -> Iterator[Problem]:
    """A try that may last longer than the time between two."""
    loop = server.delay_loop_us
    if loop is None:
        return
    for real in server.real_servers:
        every = loop if not real.other else facts.time_us(real.other, "delay_loop") or loop
        check = real.check
        written = None if check is None else getattr(check, "connect_timeout_us", None)
        if check is not None and written is not None and written > every:
            message = (
                f"a try may last {seconds(written)} s, but one is due every {seconds(every)} s: "
                f"a failure of {real.key} is noticed that much later"
            )
            yield problem(place(check, "connect_timeout"), "check-slow", "info", message)
        for block in real.other:
            for keyword in ("connect_timeout", "misc_timeout") if block.children else ():
                found = facts.last(block.children or (), keyword)
                limit = facts.time_us(block.children or (), keyword)
                if found is not None and limit is not None and limit > every:
                    message = (
                        f"{block.keyword} may last {seconds(limit)} s, but is due every "
                        f"{seconds(every)} s: a failure of {real.key} is noticed that much later"
                    )
                    yield problem(found.origin, "check-slow", "info", message)


ServiceRule = Callable[[Case, VirtualServer], Iterator[Problem]]
SERVICE_RULES: tuple[ServiceRule, ...] = (
    complete,
    real_servers,
    weights,
    scheduling,
    sorry,
    slow_checks,
)
"""Each looks at one virtual server."""

RULES: tuple[Rule, ...] = (services,)
