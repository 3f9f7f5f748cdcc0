"""The engine's state in the words and order of keepalived's JSON dump.

PURE. What keepalived 2.2.7 writes on SIGRTMIN+2, field by field and type by type, so that a reader
of its file can read ours; in its second form (json_version 2) what 2.4.3 writes. Only the password
is masked, as keepalived does since 2.4.0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from hanode.supervision.cleared_counters import Counters
from hanode.vrrp.counters import COUNTERS
from hanode.vrrp.engine_settings import (
    Address,
    Command,
    InstanceSettings,
    Route,
    Rule,
    VrrpSettings,
)
from hanode.vrrp.tracking_and_notify import ProcessCount, ProcessTracker
from hanode.watch.processes import by_command_line
from hanode.wire import InstanceStatus

MASKED = "********"
STATES = {"INIT": 0, "BACKUP": 1, "MASTER": 2, "FAULT": 3}
AUTH_TYPES = {"NONE": 0, "PASS": 1, "AH": 2}
SCOPES = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}

STATS = (
    "advert_rcvd",
    "advert_sent",
    "become_master",
    "release_master",
    "packet_len_err",
    "advert_interval_err",
    "ip_ttl_err",
    "invalid_type_rcvd",
    "addr_list_err",
    "invalid_authtype",
    "authtype_mismatch",
    "auth_failure",
    "pri_zero_rcvd",
    "pri_zero_sent",
)

EXTENSION = tuple(name for name in COUNTERS if name.startswith("auth_ext_"))
"""Of auth_hmac. keepalived has them since 2.4.0."""
NEWER_STATS = (*STATS[:-2], *EXTENSION, *STATS[-2:])

FURTHER = tuple(name for name in COUNTERS if name not in STATS)
"""Counters that keepalived 2.2.7 does not have, or does not write. Only those above 0 are written:
without such faults the file is byte for byte as keepalived's."""


def dump_json(
    settings: VrrpSettings,
    statuses: Iterable[InstanceStatus],
    counters: Counters,
    counts: Mapping[str, ProcessCount] = MappingProxyType({}),
) -> str:
    """The text of keepalived.json. `counts`: of each tracked process, by its block's name.

    With json_version 2 (keepalived since 2.2.8) it also has the tracked processes, and the
    counters of auth_hmac.
    """
    by_name = {status.name: status for status in statuses}
    commands = {script.name: script.command for script in settings.scripts}
    newer = settings.dumps.json_version == 2
    instances = [
        {
            "data": _data(instance, by_name[instance.name], commands, newer=newer),
            "stats": _stats(counters[instance.name], newer=newer),
        }
        for instance in settings.instances
        if instance.name in by_name
    ]
    told: object = instances
    if newer:
        tracked = [
            _process(process, counts.get(process.name) or ProcessCount(process.name))
            for process in settings.processes
        ]
        told = {"vrrp": instances, "track_process": tracked}
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=False)
    # Its writer escapes the slash, which JSON allows; in our text it occurs in strings only.
    return text.replace("/", "\\/") + "\n"


def _process(process: ProcessTracker, now: ProcessCount) -> dict[str, Any]:
    said: dict[str, Any] = {"process": process.name}
    if process.params:
        said["parameters"] = " ".join(process.params)
    said |= {"param_match": process.param_match, "min_processes": process.quorum}
    if process.quorum_max is not None:
        said["max_processes"] = process.quorum_max
    return said | {
        "current_processes": now.count,
        "have_quorum": now.enough,
        "weight": -process.weight if process.reverse else process.weight,
        "terminate_delay": seconds(process.terminate_delay_us),
        "fork_delay": seconds(process.fork_delay_us),
        "fork_delay_timer_running": now.grows,
        "terminate_delay_timer_running": now.shrinks,
        "full_command": by_command_line(process),
    }


def _stats(counted: dict[str, int], *, newer: bool) -> dict[str, int]:
    told = {name: counted.get(name, 0) for name in (NEWER_STATS if newer else STATS)}
    further = (name for name in FURTHER if name not in told and counted.get(name))
    return told | {name: counted[name] for name in further}


def _data(
    instance: InstanceSettings,
    status: InstanceStatus,
    commands: dict[str, Command],
    *,
    newer: bool,
) -> dict[str, Any]:
    said: dict[str, Any] = {
        "iname": instance.name,
        "dont_track_primary": int(instance.dont_track_primary),
        "skip_check_adv_addr": int(instance.skip_check_adv_addr),
        "strict_mode": int(instance.strict),
        "vmac_ifname": virtual.name if (virtual := instance.vmac or instance.ipvlan) else "",
        "ifp_ifname": instance.sends_on,
        "master_priority": status.master_priority,
        "last_transition": status.since_us / 1_000_000,
        "garp_delay": seconds(instance.garp_master_delay_us),
        "garp_refresh": seconds(instance.garp_master_refresh_us),
        "garp_rep": instance.garp_master_repeat,
        "garp_refresh_rep": instance.garp_master_refresh_repeat,
        "garp_lower_prio_delay": seconds(instance.garp_lower_prio_delay_us),
        "garp_lower_prio_rep": instance.garp_lower_prio_repeat,
        "lower_prio_no_advert": int(instance.lower_prio_no_advert),
        "higher_prio_send_advert": int(instance.higher_prio_send_advert),
        "vrid": instance.vrid,
        "base_priority": instance.priority,
        "effective_priority": status.effective_priority,
        "vipset": status.state == "MASTER",
        "promote_secondaries": instance.promote_secondaries,
        "adver_int": seconds(instance.advert_int_us),
        "master_adver_int": seconds(status.master_advert_int_us or instance.advert_int_us),
        "accept": int(instance.accept),
        "nopreempt": instance.nopreempt,
        "preempt_delay": 0 if instance.nopreempt else seconds(instance.preempt_delay_us),
        "state": STATES.get(status.state, 0),
        "wantstate": STATES.get(status.wanted or status.state, 0),
        "version": instance.version,
        "smtp_alert": instance.notify.smtp_alert,
        "notify_deleted": instance.notify.tell_deleted,
    }
    said |= _scripts(instance)
    said |= _lists(instance, status, commands, newer=newer)
    if newer and (processes := [t.name for t in instance.tracked if t.kind == "process"]):
        said["track_process"] = processes
    said["auth_type"] = AUTH_TYPES[instance.auth_type]
    if instance.auth_type != "NONE":
        said["auth_data"] = MASKED
    return said


def _scripts(instance: InstanceSettings) -> dict[str, str]:
    """The configured notify scripts, in keepalived's order."""
    notify = instance.notify
    named = {
        "script_backup": notify.backup,
        "script_master": notify.master,
        "script_fault": notify.fault,
        "script_stop": notify.stop,
        "script_deleted": notify.deleted,
        "script": notify.any,
        "script_master_rx_lower_pri": notify.master_rx_lower_pri,
    }
    return {name: quoted(command) for name, command in named.items() if command is not None}


def _lists(
    instance: InstanceSettings,
    status: InstanceStatus,
    commands: dict[str, Command],
    *,
    newer: bool,
) -> dict[str, list[str]]:
    """The lists of an instance; empty ones are left out."""
    present = {(vip.dev, vip.address) for vip in status.vips if vip.present}
    lists = {
        "vips": [address_line(instance, a, (a.dev, str(a)) in present) for a in instance.vips],
        "evips": [address_line(instance, a, (a.dev, str(a)) in present) for a in instance.excluded],
        "vroutes": [route_line(route, newer=newer) for route in instance.routes],
        "vrules": [rule_line(rule) for rule in instance.rules],
        "track_ifp": [t.name for t in instance.tracked if t.kind == "interface"],
        "track_script": [
            quoted(commands[t.name])
            for t in instance.tracked
            if t.kind == "script" and t.name in commands
        ],
    }
    return {name: lines for name, lines in lists.items() if lines}


def seconds(span_us: int) -> int | float:
    """5, or 0.5: whole numbers have no point."""
    return span_us // 1_000_000 if span_us % 1_000_000 == 0 else span_us / 1_000_000


def quoted(command: Command) -> str:
    """'/usr/bin/true' '-x' '1'"""
    return " ".join(f"'{word}'" for word in command.argv)


def address_line(instance: InstanceSettings, address: Address, present: bool) -> str:
    """`192.0.2.10/24 dev d0 scope global label d0:1 set`"""
    six = address.family == 6
    whole = address.prefix == (128 if six else 32) or address.peer is not None
    words = [address.ip if whole else str(address)]
    if address.broadcast:
        words += ["brd", address.broadcast]
    at_home = instance.vmac is not None and address.dev == instance.vmac.name
    below = instance.interface if at_home else address.below
    dev = address.dev if below is None else f"{address.dev}@{below}"
    words += ["dev", dev, "scope", SCOPES.get(address.scope, str(address.scope))]
    if address.label:
        words += ["label", address.label]
    if address.peer:
        ip, _, length = address.peer.partition("/")
        words += ["peer", f"{ip}/{length or (128 if six else 32)}"]
    words += ["home"] if address.home else []
    words += ["-nodad"] if six and not address.nodad else []
    flags = ("mngtmpaddr", "noprefixroute", "autojoin")
    words += [flag for flag in flags if getattr(address, flag)]
    if six and address.preferred_lft_s == 0:
        words.append("deprecated")
    elif six:
        left = address.preferred_lft_s
        words += ["preferred_lft", "forever" if left is None else str(left)]
    if address.no_track:
        words.append("no_track")
    if present:
        words.append("set")
    return " ".join(words)


def route_line(route: Route, *, newer: bool = False) -> str:
    """`prepend 198.51.100.0/24 via inet 192.0.2.1 dev d0 table 100 proto 18`

    `newer`: as 2.3.3 says it of a route that is not unicast.
    """
    special = route.kind != "unicast"
    alone = route.dev is None and route.via is None and not newer
    untracked = route.no_track or alone
    words = ["append" if route.append else "add" if special and not newer else "prepend"]
    words += [route.kind] if special else []
    words.append(route.destination)
    for name, value in (
        ("from", route.from_),
        ("src", route.source),
        ("tos", route.tos),
        ("via", route.via and f"inet{'6' if ':' in route.via else ''} {route.via}"),
        ("dev", route.dev),
        ("table", route.table),
        # An explicit no_track leaves the route without our mark.
        ("proto", None if route.no_track else route.protocol),
        ("scope", route.scope),
        ("metric", route.metric),
    ):
        words += [name, str(value)] if value is not None else []
    words += ["onlink"] if route.onlink else []
    for metric in route.metrics:
        words += [metric.name, *(["lock"] if metric.lock else []), str(metric.value)]
    words += ["pref", route.preference] if route.preference else []
    for hop in route.nexthops:
        words.append("nexthop")
        words += ["via", "inet6" if ":" in hop.via else "inet", hop.via] if hop.via else []
        words += ["dev", hop.dev] if hop.dev else []
        words += ["weight", str(hop.weight)]
    return " ".join([*words, "no_track"] if untracked else words)


def rule_line(rule: Rule) -> str:
    """`from 192.0.2.10 priority 500 tos 0x0 protocol 18 lookup 100`"""
    words = ["not"] if rule.invert else []
    words += ["from", _host(rule.source) if rule.source else "all"]
    words += ["to", _host(rule.destination)] if rule.destination else []
    words += ["priority", str(rule.priority)] if rule.priority is not None else []
    words += ["tos", f"{rule.tos or 0:#x}"]
    if rule.fwmark is not None:
        mask = "" if rule.fwmask is None else f"/{rule.fwmask:#x}"
        words += ["fwmark", f"{rule.fwmark:#x}{mask}"]
    if rule.suppress_prefixlength is not None:
        words += ["suppress_prefixlen", str(rule.suppress_prefixlength)]
    for name, value in (("iif", rule.iif), ("oif", rule.oif)):
        words += [name, value] if value else []
    words += [] if rule.no_track else ["protocol", str(rule.protocol)]
    actions = {"lookup": f"lookup {rule.table}", "goto": f"goto {rule.goto}"}
    words.append(actions.get(rule.action, f"type {rule.action}"))
    return " ".join([*words, "no_track"] if rule.no_track else words)


def _host(network: str) -> str:
    """A whole address has no prefix length."""
    length = "/128" if ":" in network else "/32"
    return network.removesuffix(length)
