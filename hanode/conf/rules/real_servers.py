"""Rules for real servers and their checks: duplicates, forwarding methods, and times of checks.

PURE. There may be 50,000 real servers, so what is the same for all is computed once.
"""

from __future__ import annotations

import functools
import heapq
from collections.abc import Iterator

from hanode.conf.language import defaults
from hanode.conf.language.values import family, seconds
from hanode.conf.model.model import Check, RealServer, TcpCheck, VirtualServer, place
from hanode.conf.model.services import Service
from hanode.conf.model.typed.checks import (
    BfdCheck,
    FileCheck,
    HttpCheck,
    MiscCheck,
    SslCheck,
    UdpCheck,
)
from hanode.conf.rules.base import Case, problem
from hanode.conf.text.problems import Fix, Problem, Severity
from hanode.conf.text.source import Origin

DIRECT = ("DR", "TUN")
PORTS_NAMED = 20
CONNECTS = (TcpCheck, HttpCheck, SslCheck, UdpCheck)
"""Checks that connect to the real server's port and have no default of their own."""
SAME_VERSION = "write an address of the same IP version"
ONLY_TUN = f"{SAME_VERSION}, or lb_kind TUN, which can do that"


def real_servers(case: Case, service: Service) -> Iterator[Problem]:
    """Finds duplicate real servers, ports that the method cannot change, and mixed IP versions."""
    first: dict[str, RealServer] = {}
    server = service.server
    own = _kind(server)
    families = service.families
    for real in server.real_servers:
        if real.key in first:
            message = f"real_server {real.key} stands twice in {service.name}: keepalived drops one"
            fix = case.remove(real.origin, "remove the second") if real == first[real.key] else None
            yield problem(real.origin, "server-twice", "error", message, "remove one of them", fix)
        first.setdefault(real.key, real)
        forwarding = real.lvs_method if real.other else None
        method = None if forwarding is None else forwarding.method
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
            hint = SAME_VERSION if service.by_mark else ONLY_TUN
            yield problem(real.origin, "family-mixed", severity, message, hint)
        if method is not None and method != own:
            message = (
                f"{real.key} uses {method}, the others of {service.name} {own}: with NAT the "
                "answers come back through this node, with DR and TUN they do not"
            )
            yield problem(place(real, "lvs_method"), "methods-mixed", "info", message)


def _kind(server: VirtualServer) -> str:
    """The forwarding method: NAT, DR or TUN."""
    forwarding = server.forwarding
    return defaults.LB_KIND if forwarding is None else forwarding.method


def _port(case: Case, service: Service, real: RealServer, kind: str) -> Iterator[Problem]:
    """DR and TUN forward packets unchanged, so they cannot change the port."""
    port = real.port
    if service.by_mark or service.ports <= {0}:
        message = f"lb_kind {kind} cannot change the port: the {port} of {real.key} is not used"
        hint = "leave the port out"
        asks = [c for c in real.checks if isinstance(c, CONNECTS) and c.connect_port is None]
        if asks:
            hint += f", and write connect_port {port} in its checks, which else have none"
        fix = _without_port(case, real, [check.origin for check in asks])
        yield problem(real.origin, "port-kept", "warning", message, hint, fix)
    elif service.ports != {port}:
        (one, *more) = _some(service.ports)
        message = f"lb_kind {kind} cannot change the port: {real.key} is used with port {one}"
        if more or service.by_group:
            ports = " and ".join(str(each) if each else "every port" for each in (one, *more))
            message = f"lb_kind {kind} cannot change the port: {real.key} gets packets for {ports}"
        fix = None if more else case.write_head(real.origin, f"real_server {real.ip} {one}")
        hint = "use the same port, or NAT"
        if more:
            hint = "write a virtual_server_group for each port, or lb_kind NAT"
        yield problem(real.origin, "port-kept", "warning", message, hint, fix)


@functools.lru_cache(maxsize=8)
def _some(ports: frozenset[int]) -> tuple[int, ...]:
    """The lowest ports, as many as a message can name."""
    return tuple(heapq.nsmallest(PORTS_NAMED, ports))


def _without_port(case: Case, real: RealServer, checks: list[Origin]) -> Fix | None:
    """The edit that takes the port from a real server and gives it to its checks."""
    port = real.port
    head = case.write_head(real.origin, f"real_server {real.ip}")
    if head is None or not checks:
        return head
    places = [case.insert(check, f"connect_port {port}") for check in checks]
    text, end, source = head.text, head.end, case.source
    assert source is not None
    for place_ in sorted((p for p in places if p is not None), key=lambda p: p.start):
        text += source.text[end : place_.start] + place_.text
        end = place_.end
    if None in places:
        return None
    return Fix(f"{head.label}, connect_port {port} in its checks", head.start, end, text)


def sorry(case: Case, service: Service) -> Iterator[Problem]:
    """The sorry server must be reachable by the method, like the real servers."""
    server = service.server
    if server.sorry_server is None:
        return
    ip, port = server.sorry_server
    where = place(server, "sorry_server")
    own = server.sorry_server_lvs_method
    method = _kind(server) if own is None else own.method
    families = service.families or {family(real.ip) for real in server.real_servers[:1]}
    if families and family(ip) not in families and method != "TUN":
        message = f"sorry_server {ip} and {service.name} are of different IP versions"
        hint = SAME_VERSION if service.by_mark else ONLY_TUN
        yield problem(where, "family-mixed", "error", message, hint)
    ports = service.ports
    if method in DIRECT and port and ports and 0 not in ports and port not in ports:
        listed = " and ".join(map(str, _some(ports)))
        message = f"lb_kind {method} cannot change the port: the sorry server gets {listed}"
        fix = case.write(where, f"sorry_server {ip} {listed}") if len(ports) == 1 else None
        yield problem(where, "port-kept", "warning", message, "use the same port, or NAT", fix)


def slow_checks(case: Case, service: Service) -> Iterator[Problem]:
    """Checks that may last longer than the time between two; equal ones are reported once."""
    server = service.server
    loop = server.delay_loop_us or defaults.DELAY_LOOP_US
    usual = server.connect_timeout_us or defaults.CONNECT_TIMEOUT_US
    seen: dict[tuple[str, int, int], list[tuple[Origin, str]]] = {}
    for real in server.real_servers:
        every, timeout = loop, usual
        if real.other:
            every = real.delay_loop_us or every
            timeout = real.connect_timeout_us or timeout
        only = real.check
        # Nearly every real server is like this; with 50,000 of them the questions below would cost.
        if (
            only is not None
            and not (only.other or real.other or real.further_checks)
            and (timeout if only.connect_timeout_us is None else only.connect_timeout_us) <= every
        ):
            continue
        for check in real.checks:
            found = _slow(check, every, timeout)
            if found is not None:
                where, limit, due = found
                seen.setdefault((check.BLOCK, limit, due), []).append((where, real.key))
    for (name, limit, due), places in seen.items():
        yield _late(server, name, limit, due, places)


def _slow(check: Check, every: int, timeout: int) -> tuple[Origin, int, int] | None:
    """The place of the time limit, the limit and the interval (us), if the limit is longer."""
    if isinstance(check, FileCheck | BfdCheck):
        return None
    due = (check.delay_loop_us if check.other else None) or every
    if isinstance(check, MiscCheck):
        word, limit = "misc_timeout", check.misc_timeout_us or 0
    else:
        own = check.connect_timeout_us
        word, limit = "connect_timeout", timeout if own is None else own
    return None if limit <= due else (place(check, word), limit, due)


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
    word = "misc_timeout" if name == "MISC_CHECK" else "connect_timeout"
    hint = f"write a {word} of at most {seconds(due)}, or a delay_loop of at least {seconds(limit)}"
    return problem(where, "check-slow", "info", message, hint)


RULES = (real_servers, sorry, slow_checks)
