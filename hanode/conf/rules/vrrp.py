"""Instances: what they need, what contradicts itself, authentication, peers.

PURE.
"""

from __future__ import annotations

from collections.abc import Iterator

from hanode.conf import facts
from hanode.conf.model import VrrpInstance, place
from hanode.conf.problems import Problem
from hanode.conf.rules.base import Case, Rule, problem
from hanode.conf.values import family, seconds

LONGEST_V3_US = 40_950_000
_OWN_PACKETS = frozenset(("unicast_peer", "mcast_dst_ip"))


def instance_needs(case: Case) -> Iterator[Problem]:
    """An instance needs a VRID and an interface, and hardly makes sense without an address."""
    default = facts.global_statement(case.config, "default_interface")
    for one in case.config.instances:
        kept = {s.keyword for s in one.other}
        if not one.vrid and "virtual_router_id" not in kept:
            message = f"{one.name} has no virtual_router_id, so keepalived refuses it"
            hint = "write virtual_router_id with a number from 1 to 255"
            yield problem(one.origin, "vrid-missing", "error", message, hint)
        if not one.interface and not default and not kept & {"interface", "unicast_src_ip"}:
            message = f"{one.name} has no interface, so keepalived refuses it"
            yield problem(one.origin, "interface-missing", "error", message, "write interface NAME")
        no_address = kept & {"virtual_ipaddress", "no_virtual_ipaddress"}
        if not one.vips and not one.excluded and not no_address:
            message = f"{one.name} has no virtual_ipaddress: nothing moves when the master changes"
            yield problem(one.origin, "no-address", "warning", message)


def unique_names(case: Case) -> Iterator[Problem]:
    """keepalived skips a second instance of the same name."""
    first: dict[str, VrrpInstance] = {}
    for one in case.config.instances:
        if one.name in first:
            line = first[one.name].origin.line
            message = f"vrrp_instance {one.name} exists already (line {line}); it is skipped"
            yield problem(one.origin, "name-twice", "error", message, "give it another name")
        else:
            first[one.name] = one


def unique_vrids(case: Case) -> Iterator[Problem]:
    """Two groups with one VRID on one interface hear each other's adverts."""
    first: dict[tuple[str, int, int], VrrpInstance] = {}
    for one in case.config.instances:
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


def authentication(case: Case) -> Iterator[Problem]:
    """Both words or none; VRRPv3 has no authentication."""
    for one in case.config.instances:
        where = place(one, "auth_pass" if one.auth_pass is not None else "authentication")
        if one.auth_type is not None and not one.auth_pass:
            message = f"{one.name} names an auth_type but no auth_pass: it runs without either"
            yield problem(where, "auth-half", "warning", message, "write auth_pass")
        if one.auth_pass is not None and one.auth_type is None:
            message = f"{one.name} has an auth_pass but no auth_type: it is not used"
            yield problem(where, "auth-half", "warning", message, "write auth_type PASS")
        if one.auth_type is not None and facts.version(one, case.config) == 3:
            message = f"VRRPv3 has no authentication: that of {one.name} is ignored"
            fix = case.remove(place(one, "authentication"), "remove the block")
            yield problem(where, "auth-v3", "warning", message, "remove the block", fix)


def election(case: Case) -> Iterator[Problem]:
    """Words that contradict each other in the election."""
    for one in case.config.instances:
        if one.nopreempt and one.state == "MASTER":
            message = f"{one.name}: nopreempt has no effect with state MASTER"
            hint = "write state BACKUP on every node of a group with nopreempt"
            yield problem(place(one, "nopreempt"), "nopreempt-master", "warning", message, hint)
        elif facts.time_us(one.other, "preempt_delay"):
            why = "nopreempt" if one.nopreempt else "state MASTER" if one.state == "MASTER" else ""
            if why:
                message = f"{one.name}: preempt_delay has no effect with {why}"
                where = facts.where(one, "preempt_delay")
                yield problem(where, "preempt-delay-unused", "warning", message)
        if one.priority == 255 and one.state == "BACKUP":
            message = f"{one.name}: priority 255 owns the addresses; state BACKUP contradicts it"
            hint = "use a priority up to 254, or state MASTER"
            yield problem(place(one, "priority"), "owner-backup", "warning", message, hint)


def interval(case: Case) -> Iterator[Problem]:
    """What of advert_int the version can say."""
    for one in case.config.instances:
        if one.advert_int_us is None:
            continue
        written = one.version or case.config.globals.vrrp_version
        where = place(one, "advert_int")
        if written == 3 and one.advert_int_us > LONGEST_V3_US:
            message = (
                f"advert_int of {one.name} is {seconds(one.advert_int_us)}; VRRPv3 ends at 40.95"
            )
            yield problem(where, "advert-int", "error", message)
        if facts.version(one, case.config) != 3 and one.advert_int_us % 1_000_000:
            message = (
                f"advert_int of {one.name} is {seconds(one.advert_int_us)}; VRRPv2 knows whole "
                "seconds, so keepalived rounds it"
            )
            hint = "write version 3, or whole seconds"
            yield problem(where, "advert-int", "warning", message, hint)


def unicast(case: Case) -> Iterator[Problem]:
    """Peers are the other nodes, each once, and of the addresses' family."""
    for one in case.config.instances:
        own = facts.source_ip(one)
        seen: set[str] = set()
        for peer in facts.peers(one):
            if own is not None and peer.ip == own[0]:
                message = f"{one.name} names its own address {peer.ip} as a peer"
                fix = case.remove(peer.origin, "remove the line")
                hint = "unicast_peer lists the other nodes only"
                yield problem(peer.origin, "peer-is-self", "warning", message, hint, fix)
            if peer.ip in seen:
                message = f"{peer.ip} stands twice among the peers of {one.name}"
                fix = case.remove(peer.origin, "remove the line")
                yield problem(peer.origin, "peer-twice", "warning", message, None, fix)
            seen.add(peer.ip)
            if own is not None and family(peer.ip) != family(own[0]):
                message = f"{one.name} cannot send from {own[0]} to {peer.ip}: other IP version"
                yield problem(peer.origin, "family-mixed", "error", message)


RULES: tuple[Rule, ...] = (
    instance_needs,
    unique_names,
    unique_vrids,
    authentication,
    election,
    interval,
    unicast,
)
