"""What is wrong with one node's configuration although each word fits.

PURE. Each rule is a generator of Problems; `RULES` lists them. A message says what happens, a
hint what to do; no message holds a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hanode.conf import defaults
from hanode.conf.model import Config, Origin, RealServer, VirtualServer, VrrpInstance, find, place
from hanode.conf.problems import Fix, Problem, Severity
from hanode.conf.targets import Target
from hanode.conf.values import family, seconds

Rule = Callable[[Config, Target], Iterator[Problem]]


def lint(config: Config, target: Target) -> list[Problem]:
    """All that the rules find."""
    return [problem for rule in RULES for problem in rule(config, target)]


def problem(
    where: Origin,
    code: str,
    severity: Severity,
    message: str,
    hint: str | None = None,
    fix: Fix | None = None,
) -> Problem:
    """A Problem at the head of a statement."""
    line, column = max(1, where.line), max(1, where.column)
    end = max(column, where.end_column)
    if where.macro is not None:
        message = f"{message} (made by {where.macro})"
        fix = None
    return Problem(code, severity, where.file, line, column, line, end, message, hint, fix)


def instance_needs(config: Config, target: Target) -> Iterator[Problem]:
    """An instance needs a VRID and an interface, and hardly makes sense without an address."""
    for one in config.instances:
        kept = {s.keyword for s in one.other}
        if not one.vrid and "virtual_router_id" not in kept:
            message = f"{one.name} has no virtual_router_id, so keepalived refuses it"
            hint = "write virtual_router_id with a number from 1 to 255"
            yield problem(one.origin, "vrid-missing", "error", message, hint)
        if not one.interface and not kept & {"interface", "unicast_src_ip"}:
            message = f"{one.name} has no interface, so keepalived refuses it"
            yield problem(one.origin, "interface-missing", "error", message, "write interface NAME")
        no_address = kept & {"virtual_ipaddress", "no_virtual_ipaddress"}
        if not one.vips and not one.excluded and not no_address:
            message = f"{one.name} has no virtual_ipaddress: nothing moves when the master changes"
            yield problem(one.origin, "no-address", "warning", message)


def unique_names(config: Config, target: Target) -> Iterator[Problem]:
    """keepalived skips a second instance of the same name."""
    first: dict[str, VrrpInstance] = {}
    for one in config.instances:
        if one.name in first:
            line = first[one.name].origin.line
            message = f"vrrp_instance {one.name} exists already (line {line}); it is skipped"
            yield problem(one.origin, "name-twice", "error", message, "give it another name")
        else:
            first[one.name] = one


def unique_vrids(config: Config, target: Target) -> Iterator[Problem]:
    """Two groups with one VRID on one interface hear each other's adverts."""
    first: dict[tuple[str, int, int], VrrpInstance] = {}
    for one in config.instances:
        if not one.vrid or any(s.keyword in _OWN_PACKETS for s in one.other):
            continue
        key = (one.interface, one.vrid, family(one.vips[0].ip) if one.vips else 4)
        if key in first and first[key].name != one.name:
            message = (
                f"{one.name} and {first[key].name} both use virtual_router_id {one.vrid} on "
                f"{one.interface}: keepalived refuses the second"
            )
            where = place(one, "virtual_router_id")
            yield problem(where, "vrid-twice", "error", message, "use another number")
        first.setdefault(key, one)


_OWN_PACKETS = frozenset(("unicast_peer", "mcast_dst_ip"))


def addresses(config: Config, target: Target) -> Iterator[Problem]:
    """One family in an instance, and no address twice."""
    holder: dict[str, str] = {}
    for one in config.instances:
        families = {family(a.ip) for a in one.vips}
        if len(families) > 1:
            wrong = next(a for a in one.vips if family(a.ip) != family(one.vips[0].ip))
            message = f"{one.name} mixes IPv4 and IPv6 in virtual_ipaddress"
            hint = "move the second family to virtual_ipaddress_excluded"
            yield problem(wrong.origin, "family-mixed", "warning", message, hint)
        for vip in (*one.vips, *one.excluded):
            if vip.ip in holder:
                message = f"{vip.ip} stands in {holder[vip.ip]} already; the second is ignored"
                if holder[vip.ip] != one.name:
                    message = f"{vip.ip} belongs to {holder[vip.ip]} and {one.name}: both move it"
                severity: Severity = "warning" if holder[vip.ip] == one.name else "error"
                yield problem(vip.origin, "address-twice", severity, message, "keep one of them")
            holder.setdefault(vip.ip, one.name)


def authentication(config: Config, target: Target) -> Iterator[Problem]:
    """Both words or none; VRRPv3 has no authentication."""
    for one in config.instances:
        where = place(one, "auth_pass" if one.auth_pass is not None else "authentication")
        version = one.version or config.globals.vrrp_version or defaults.VRRP_VERSION
        if one.auth_type is not None and not one.auth_pass:
            message = f"{one.name} names an auth_type but no auth_pass: it runs without either"
            yield problem(where, "auth-half", "warning", message, "write auth_pass")
        if one.auth_pass is not None and one.auth_type is None:
            message = f"{one.name} has an auth_pass but no auth_type: it is not used"
            yield problem(where, "auth-half", "warning", message, "write auth_type PASS")
        if one.auth_type is not None and version == 3:
            message = f"VRRPv3 has no authentication: that of {one.name} is ignored"
            yield problem(where, "auth-v3", "warning", message, "remove the block")


def election(config: Config, target: Target) -> Iterator[Problem]:
    """Words that contradict each other in the election."""
    for one in config.instances:
        if one.nopreempt and one.state == "MASTER":
            message = f"{one.name}: nopreempt has no effect with state MASTER"
            hint = "write state BACKUP on every node of a group with nopreempt"
            yield problem(place(one, "nopreempt"), "nopreempt-master", "warning", message, hint)
        interval, version = one.advert_int_us, one.version or config.globals.vrrp_version
        if interval is None:
            continue
        where = place(one, "advert_int")
        if version == 3 and interval > 40_950_000:
            message = f"advert_int of {one.name} is {seconds(interval)}; VRRPv3 ends at 40.95"
            yield problem(where, "advert-int", "error", message)
        if version != 3 and interval % 1_000_000:
            message = (
                f"advert_int of {one.name} is {seconds(interval)}; VRRPv2 knows whole seconds, "
                "so keepalived rounds it"
            )
            yield problem(
                where, "advert-int", "warning", message, "write version 3, or whole seconds"
            )


def tracked_names(config: Config, target: Target) -> Iterator[Problem]:
    """What an instance tracks must exist."""
    openers = {
        "track_script": ("vrrp_script",),
        "track_process": ("vrrp_track_process",),
        "track_file": ("track_file", "vrrp_track_file"),
        "track_bfd": ("bfd_instance",),
    }
    for keyword, kinds in openers.items():
        names = {s.words[1] for s in config.other if s.keyword in kinds and len(s.words) > 1}
        for one in config.instances:
            for tracked in find(one.other, keyword):
                for line in tracked.children or ():
                    if line.words and line.words[0] not in names:
                        message = (
                            f"{one.name} tracks {line.words[0]}, but there is no {kinds[0]} "
                            f"of that name; keepalived ignores it"
                        )
                        yield problem(line.origin, "tracked-unknown", "error", message)


def services(config: Config, target: Target) -> Iterator[Problem]:
    """A virtual server needs real servers, and should say what keepalived would choose for it."""
    first: dict[str, VirtualServer] = {}
    for server in config.virtual_servers:
        if server.key in first:
            message = (
                f"virtual_server {server.key} exists already (line {first[server.key].origin.line})"
            )
            yield problem(server.origin, "service-twice", "error", message, "join the two blocks")
        first.setdefault(server.key, server)
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
        yield from real_servers(server)


def real_servers(server: VirtualServer) -> Iterator[Problem]:
    """No real server twice, no port that the method cannot change, one family."""
    first: dict[str, RealServer] = {}
    for real in server.real_servers:
        if real.key in first:
            message = f"real_server {real.key} stands twice in {server.key}; the second is dropped"
            yield problem(real.origin, "server-twice", "error", message, "remove one of them")
        first.setdefault(real.key, real)
        direct = server.lb_kind in ("DR", "TUN")
        if direct and real.port and server.port and real.port != server.port:
            message = (
                f"lb_kind {server.lb_kind} cannot change the port: {real.key} is used with "
                f"port {server.port}"
            )
            yield problem(real.origin, "port-kept", "warning", message, "use the same port, or NAT")
        if family(real.ip) != family(server.ip) and server.lb_kind != "TUN":
            message = f"{real.key} and {server.key} are of different IP versions"
            yield problem(real.origin, "family-mixed", "error", message, "only TUN can do that")


RULES: tuple[Rule, ...] = (
    instance_needs,
    unique_names,
    unique_vrids,
    addresses,
    authentication,
    election,
    tracked_names,
    services,
)
