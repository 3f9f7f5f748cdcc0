"""Rules for one vrrp_instance: required keywords, contradictions, authentication and peers.

PURE.
"""

from __future__ import annotations

from collections.abc import Iterator

from hanode.conf.language.values import family, seconds
from hanode.conf.model import queries
from hanode.conf.model.attributes import written
from hanode.conf.model.model import VrrpInstance, place
from hanode.conf.rules.base import Case, Rule, problem
from hanode.conf.text.problems import Fix, Problem

LONGEST_V3_US = 40_950_000
_OWN_PACKETS = ("unicast_peer", "mcast_dst_ip")


def instance_needs(case: Case) -> Iterator[Problem]:
    """An instance needs a VRID and an interface, and should have an address."""
    default = case.config.globals.default_interface
    for one in case.config.instances:
        kept = {s.keyword for s in one.other}
        if not one.vrid and "virtual_router_id" not in kept:
            message = f"{one.name} has no virtual_router_id, so keepalived refuses it"
            hint = "write virtual_router_id with a number from 1 to 255"
            yield problem(one.origin, "vrid-missing", "error", message, hint)
        if not one.interface and not default and not kept & {"interface", "unicast_src_ip"}:
            message = f"{one.name} has no interface, so keepalived refuses it"
            yield problem(one.origin, "interface-missing", "error", message, "write interface NAME")
        if one.interface == "lo":
            message = f"{one.name} uses the loopback interface, so keepalived refuses it"
            hint = "write the interface on which the other nodes are reached"
            where = place(one, "interface")
            yield problem(where, "interface-loopback", "error", message, hint)
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
    """Two instances with one VRID on one interface receive each other's adverts."""
    first: dict[tuple[str, int, int], VrrpInstance] = {}
    for one in case.config.instances:
        if not one.vrid or any(written(one, word) for word in _OWN_PACKETS):
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
    """auth_type needs auth_pass and vice versa; VRRPv3 has no authentication; AH is for IPv4."""
    for one in case.config.instances:
        where = place(one, "auth_pass" if one.auth_pass is not None else "auth_type")
        if one.auth_type is not None and not one.auth_pass:
            message = f"{one.name} names an auth_type but no auth_pass: it runs without either"
            yield problem(where, "auth-half", "warning", message, "write auth_pass")
        if one.auth_pass is not None and one.auth_type is None:
            message = f"{one.name} has an auth_pass but no auth_type: it is not used"
            block = place(one, "authentication")
            fix = None if block is one.origin else case.insert(block, "auth_type PASS")
            yield problem(where, "auth-half", "warning", message, "write auth_type PASS", fix)
        if one.auth_type is not None and queries.version(one, case.config) == 3:
            message = f"VRRPv3 has no authentication: that of {one.name} is ignored"
            block = place(one, "authentication")
            fix = None if block is one.origin else case.remove(block, "remove the block")
            yield problem(where, "auth-v3", "warning", message, "remove the block", fix)
        elif one.auth_type == "AH" and queries.instance_family(one) == 6:
            message = f"{one.name}: auth_type AH is for IPv4; keepalived ignores it"
            where = place(one, "auth_type")
            yield problem(where, "auth-ah", "warning", message, "remove the authentication block")


def election(case: Case) -> Iterator[Problem]:
    """Finds keywords that contradict each other in the election of the master."""
    for one in case.config.instances:
        stays = queries.nopreempt(one)
        if stays and one.priority == 255:
            where = place(one, "nopreempt")
            message = f"{one.name}: nopreempt has no effect with priority 255, the owner's"
            fix = case.remove(where, "remove nopreempt")
            yield problem(
                where, "nopreempt-owner", "warning", message, "use a priority up to 254", fix
            )
        elif stays and one.state == "MASTER":
            message = f"{one.name}: nopreempt has no effect with state MASTER"
            hint = "write state BACKUP on every node of a group with nopreempt"
            fix = _backup(case, one) if one.priority is not None else None
            where = place(one, "nopreempt")
            yield problem(where, "nopreempt-master", "warning", message, hint, fix)
        elif one.preempt_delay_us:
            why = "nopreempt" if stays else "state MASTER" if one.state == "MASTER" else ""
            if why:
                message = f"{one.name}: preempt_delay has no effect with {why}"
                where = place(one, "preempt_delay")
                fix = case.remove(where, "remove preempt_delay")
                hint = "write state BACKUP, or remove it"
                if stays:
                    hint = "remove one of the two"
                elif one.priority not in (None, 255):
                    fix = _backup(case, one)
                yield problem(where, "preempt-delay-unused", "warning", message, hint, fix)
        if one.priority == 255 and one.state == "BACKUP":
            message = f"{one.name}: priority 255 owns the addresses; state BACKUP contradicts it"
            hint = "use a priority up to 254, or state MASTER"
            yield problem(place(one, "priority"), "owner-backup", "warning", message, hint)


def _backup(case: Case, one: VrrpInstance) -> Fix | None:
    """The edit that writes state BACKUP, so that the priority decides the election."""
    return case.write(place(one, "state"), "state BACKUP")


def interval(case: Case) -> Iterator[Problem]:
    """Finds an advert_int that the VRRP version cannot express."""
    for one in case.config.instances:
        us = one.advert_int_us
        if us is None:
            continue
        where = place(one, "advert_int")
        version = queries.version(one, case.config)
        said = f"advert_int of {one.name} is {seconds(us)}"
        if version == 3 and us > LONGEST_V3_US:
            message = f"{said}; VRRPv3 ends at 40.95"
            fix = case.write(where, "advert_int 40.95")
            yield problem(where, "advert-int", "error", message, "write 40.95 or less", fix)
        elif version != 3 and us % 1_000_000:
            rounded = f"advert_int {max(1, (us + 500_000) // 1_000_000)}"
            message = f"{said}; VRRPv2 knows whole seconds, so keepalived rounds it"
            hint = f"write version 3, or {rounded}"
            yield problem(where, "advert-int", "warning", message, hint, case.write(where, rounded))
        elif version == 3 and us % 10_000:
            rounded = f"advert_int {seconds(max(10_000, (us + 5_000) // 10_000 * 10_000))}"
            message = f"{said}; VRRPv3 counts in hundredths of a second, so keepalived rounds it"
            fix = case.write(where, rounded)
            yield problem(where, "advert-int", "warning", message, f"write {rounded}", fix)


def unicast(case: Case) -> Iterator[Problem]:
    """unicast_peer lists the other nodes, each once."""
    for one in case.config.instances:
        own = queries.source_ip(one)
        seen: set[str] = set()
        peers = queries.peers(one)
        said = written(one, "unicast_peer") or written(one, "unicast_ttl")
        if written(one, "unicast_peer") and not peers and not one.unicast_fault_no_peer:
            message = f"unicast_peer of {one.name} names nobody: it sends multicast"
            hint = "write the other nodes' addresses into it"
            if not written(one, "unicast_src_ip"):
                hint += ", or remove the block"
            where = place(one, "unicast_peer")
            yield problem(where, "unicast-without-peers", "warning", message, hint)
        if written(one, "unicast_src_ip") and not said:
            message = f"{one.name} names a unicast_src_ip but no unicast_peer: it sends multicast"
            hint = "write unicast_peer with the other nodes' addresses"
            where = place(one, "unicast_src_ip")
            yield problem(where, "unicast-without-peers", "warning", message, hint)
        if written(one, "mcast_dst_ip") and peers:
            where = place(one, "mcast_dst_ip")
            message = f"{one.name} sends to its unicast_peer, so mcast_dst_ip is ignored"
            fix = case.remove(where, "remove the line")
            yield problem(where, "mcast-unused", "warning", message, None, fix)
        for peer in peers:
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


RULES: tuple[Rule, ...] = (
    instance_needs,
    unique_names,
    unique_vrids,
    authentication,
    election,
    interval,
    unicast,
)
