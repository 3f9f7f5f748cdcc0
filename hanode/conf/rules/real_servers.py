"""Real servers and their checks: each once, reached as packets can go, and checked in time.

PURE. With 50,000 real servers each question costs: what all of them share is asked once.
"""

from __future__ import annotations

from collections.abc import Iterator

from hanode.conf.language import defaults
from hanode.conf.language.values import family, seconds
from hanode.conf.model import queries
from hanode.conf.model.model import RealServer, Statement, VirtualServer, place
from hanode.conf.model.services import Service
from hanode.conf.rules.base import Case, problem
from hanode.conf.text.problems import Problem, Severity
from hanode.conf.text.source import Origin

DIRECT = ("DR", "TUN")
CONNECTING = frozenset(
    ("TCP_CHECK", "HTTP_GET", "SSL_GET", "SMTP_CHECK", "DNS_CHECK", "UDP_CHECK", "PING_CHECK")
)
"""Checks that last as long as connect_timeout says."""


def real_servers(case: Case, service: Service) -> Iterator[Problem]:
    """No real server twice, no port that the method cannot change, one family."""
    first: dict[str, RealServer] = {}
    server = service.server
    own = server.lb_kind or defaults.LB_KIND
    families = service.families
    for real in server.real_servers:
        if real.key in first:
            message = f"real_server {real.key} stands twice in {service.name}: keepalived drops one"
            fix = case.remove(real.origin, "remove the second") if real == first[real.key] else None
            yield problem(real.origin, "server-twice", "error", message, "remove one of them", fix)
        first.setdefault(real.key, real)
        method = _method(real.other) if real.other else None
        kind = own if method is None else method
        if kind in DIRECT and real.port:
            yield from _port(case, service, real, kind)
        version = family(real.ip)
        if not families:
            families = frozenset((version,))
        elif version not in families and kind != "TUN":
            message = f"{real.key} and {service.name} are of different IP versions"
            if service.by_mark:
                message = f"{real.key} is of another IP version than the rest of {service.name}"
            severity: Severity = "warning" if service.by_group else "error"
            yield problem(real.origin, "family-mixed", severity, message, "only TUN can do that")
        if method is not None and method != own:
            message = f"{real.key} uses {method}, the others of {service.name} {own}"
            hint = "with NAT the answers come back through this node, with DR and TUN they do not"
            where = queries.last(real.other, "lvs_method", "lb_kind")
            yield problem(
                where.origin if where else real.origin, "methods-mixed", "info", message, hint
            )


def _method(statements: tuple[Statement, ...]) -> str | None:
    return queries.value(statements, "lvs_method")


def _port(case: Case, service: Service, real: RealServer, kind: str) -> Iterator[Problem]:
    """DR and TUN pass packets on as they are."""
    port = real.port
    if service.by_mark or not service.ports:
        message = f"lb_kind {kind} cannot change the port: the {port} of {real.key} is not used"
        fix = case.write_head(real.origin, f"real_server {real.ip}")
        yield problem(real.origin, "port-kept", "warning", message, "leave the port out", fix)
    elif port not in service.ports and 0 not in service.ports:
        (one, *more) = sorted(service.ports)
        message = f"lb_kind {kind} cannot change the port: {real.key} is used with port {one}"
        if more or service.by_group:
            ports = " and ".join(map(str, (one, *more)))
            message = f"lb_kind {kind} cannot change the port: {real.key} gets packets for {ports}"
        fix = None if more else case.write_head(real.origin, f"real_server {real.ip} {one}")
        hint = "use the same port, or NAT"
        yield problem(real.origin, "port-kept", "warning", message, hint, fix)


def sorry(case: Case, service: Service) -> Iterator[Problem]:
    """The sorry server is reached as the others are."""
    server = service.server
    found = queries.last(server.other, "sorry_server")
    ip = queries.value(server.other, "sorry_server")
    if found is None or ip is None:
        return
    method = queries.value(server.other, "sorry_server_lvs_method") or server.lb_kind
    families = service.families or {family(real.ip) for real in server.real_servers[:1]}
    if families and family(ip) not in families and method != "TUN":
        message = f"sorry_server {ip} and {service.name} are of different IP versions"
        yield problem(found.origin, "family-mixed", "error", message, "only TUN can do that")
    port = queries.whole(found.words[2]) if len(found.words) > 2 else None
    ports = service.ports
    if method in DIRECT and port and ports and 0 not in ports and port not in ports:
        listed = " and ".join(map(str, sorted(ports)))
        message = f"lb_kind {method} cannot change the port: the sorry server gets {listed}"
        fix = None
        if len(ports) == 1 and len(found.words) == 3:
            fix = case.write(found.origin, f"sorry_server {ip} {listed}")
        yield problem(
            found.origin, "port-kept", "warning", message, "use the same port, or NAT", fix
        )


def slow_checks(case: Case, service: Service) -> Iterator[Problem]:
    """A try that may last longer than the time between two; of equal ones the first is shown."""
    server = service.server
    loop = server.delay_loop_us or defaults.DELAY_LOOP_US
    usual = queries.time_us(server.other, "connect_timeout") or defaults.CONNECT_TIMEOUT_US
    seen: dict[tuple[str, int, int], list[tuple[Origin, str]]] = {}
    for real in server.real_servers:
        every, timeout = loop, usual
        if real.other:
            every = queries.time_us(real.other, "delay_loop") or every
            timeout = queries.time_us(real.other, "connect_timeout") or timeout
        check = real.check
        if check is not None:
            limit = timeout if check.connect_timeout_us is None else check.connect_timeout_us
            due = queries.time_us(check.other, "delay_loop") or every if check.other else every
            if limit > due:
                where = place(check, "connect_timeout")
                seen.setdefault(("TCP_CHECK", limit, due), []).append((where, real.key))
        for block in real.other:
            if block.children is not None:
                found = _slow(block, every, timeout)
                if found is not None:
                    where, limit, due = found
                    seen.setdefault((block.keyword, limit, due), []).append((where, real.key))
    for (name, limit, due), places in seen.items():
        yield _late(server, name, limit, due, places)


def _slow(block: Statement, every: int, timeout: int) -> tuple[Origin, int, int] | None:
    """Where it is said how long a check may last, if that is longer than the time between two."""
    inside = block.children or ()
    due = queries.time_us(inside, "delay_loop") or every
    if block.keyword == "MISC_CHECK":
        said, limit = (
            queries.last(inside, "misc_timeout"),
            queries.time_us(inside, "misc_timeout") or 0,
        )
    elif block.keyword in CONNECTING:
        said = queries.last(inside, "connect_timeout")
        limit = queries.time_us(inside, "connect_timeout") or timeout
    else:
        return None
    return None if limit <= due else (block.origin if said is None else said.origin, limit, due)


def _late(
    server: VirtualServer, name: str, limit: int, due: int, places: list[tuple[Origin, str]]
) -> Problem:
    where, first = places[0]
    others = len(places) - 1
    whose = first if not others else f"{first} and {others} more"
    message = (
        f"{name} may last {seconds(limit)} s, but is due every {seconds(due)} s: a failure of "
        f"{whose} is noticed that much later"
    )
    hint = f"write a connect_timeout of at most {seconds(due)}, or a longer delay_loop"
    if name == "MISC_CHECK":
        hint = f"write a misc_timeout of at most {seconds(due)}, or a longer delay_loop"
    return problem(where, "check-slow", "info", message, hint)


RULES = (real_servers, sorry, slow_checks)
