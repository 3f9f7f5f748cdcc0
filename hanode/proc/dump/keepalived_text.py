"""The engine's state as keepalived 2.2.7 writes it for people: keepalived.data and .stats.

PURE. `.stats` is the same line by line. `.data` has keepalived's sections and labels for what this
engine has: global definitions, instances, scripts, sync groups. Programs read these files by their
labels; sections about keepalived's internals (socket pools, kernel interfaces) are left out.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from hanode.proc.dump.keepalived_json import (
    EXTENSION,
    FURTHER,
    MASKED,
    address_line,
    quoted,
    route_line,
    rule_line,
)
from hanode.supervision.cleared_counters import Counters
from hanode.vrrp.engine_settings import Command, InstanceSettings, SyncGroupSettings, VrrpSettings
from hanode.wire import InstanceStatus

UNKNOWN = "0.0.0.0"  # noqa: S104 - keepalived's word for a master that nobody has heard

STATS_LINES = (
    ("  Advertisements:", ""),
    ("    Received", "advert_rcvd"),
    ("    Sent", "advert_sent"),
    ("  Became master", "become_master"),
    ("  Released master", "release_master"),
    ("  Packet Errors:", ""),
    ("    Length", "packet_len_err"),
    ("    TTL", "ip_ttl_err"),
    ("    Invalid Type", "invalid_type_rcvd"),
    ("    Advertisement Interval", "advert_interval_err"),
    ("    Address List", "addr_list_err"),
    ("  Authentication Errors:", ""),
    ("    Invalid Type", "invalid_authtype"),
    ("    Type Mismatch", "authtype_mismatch"),
    ("    Failure", "auth_failure"),
    ("  Priority Zero:", ""),
    ("    Received", "pri_zero_rcvd"),
    ("    Sent", "pri_zero_sent"),
)

FURTHER_LABELS = {
    "own_address_rcvd": "Own Address",
    "version_err": "Version",
    "checksum_err": "Checksum",
    "destination_err": "Destination",
    "unicast_src_err": "Unicast Source",
    "owner_ignored": "Ignored As Owner",
    "replay_err": "AH Replay",
}
"""Counters that no keepalived writes: above 0 only, in a section of their own."""

EXTENSION_LINES = (
    ("  Authentication Extension Errors:", ""),
    ("    Missing", "auth_ext_missing"),
    ("    Malformed", "auth_ext_malformed"),
    ("    Unknown Key", "auth_ext_unknown_key"),
    ("    Invalid HMAC", "auth_ext_invalid_hmac"),
    ("    Stale", "auth_ext_stale"),
    ("    Replay", "auth_ext_replay"),
)
PRIORITY_ZERO_AT = STATS_LINES.index(("  Priority Zero:", ""))
NEWER_LINES = (
    *STATS_LINES[:PRIORITY_ZERO_AT],
    *EXTENSION_LINES,
    *STATS_LINES[PRIORITY_ZERO_AT:],
)
"""keepalived since 2.4.0."""


def dump_stats(settings: VrrpSettings, counters: Counters) -> str:
    """The text of keepalived.stats; for a file that only newer ones read, what 2.4.3 writes."""
    newer = (
        settings.dumps.json_version == 2
        or any(one.hmac for one in settings.instances)
        or any(counted.get(name) for counted in counters.values() for name in EXTENSION)
    )
    lines = []
    for instance in settings.instances:
        if instance.name not in counters:
            continue
        lines.append(f"VRRP Instance: {instance.name}")
        for label, name in NEWER_LINES if newer else STATS_LINES:
            count = counters[instance.name].get(name, 0)
            lines.append(f"{label}: {count}" if name else label)
        lines += _further(counters[instance.name])
    return "\n".join([*lines, ""])


def _further(counted: dict[str, int]) -> list[str]:
    named = (name for name in FURTHER if name not in EXTENSION and counted.get(name))
    found = [(FURTHER_LABELS[name], counted[name]) for name in named]
    told = [f"    {label}: {count}" for label, count in found]
    return ["  Further Packet Errors:", *told] if told else []


def dump_data(settings: VrrpSettings, statuses: Iterable[InstanceStatus], host: str) -> str:
    """The text of keepalived.data."""
    by_name = {status.name: status for status in statuses}
    lines = ["------< Global definitions >------", *_globals(settings, host)]
    lines.append("------< VRRP Topology >------")
    groups = {member: group.name for group in settings.sync_groups for member in group.members}
    for instance in settings.instances:
        if instance.name in by_name:
            lines += _instance(instance, by_name[instance.name], groups.get(instance.name))
    if settings.sync_groups:
        lines.append("------< VRRP Sync groups >------")
        for group in settings.sync_groups:
            lines += _group(group, by_name)
    if settings.scripts:
        lines.append("------< VRRP Scripts >------")
        for script in settings.scripts:
            lines += [
                f" VRRP Script = {script.name}",
                f"   Command = {quoted(script.command)}",
                f"   Interval = {_plain(script.interval_us)} sec",
                f"   Timeout = {_plain(script.timeout_us)} sec",
                f"   Weight = {script.weight}{' reverse' if script.reverse else ''}",
                f"   Rise = {script.rise}",
                f"   Fall = {script.fall}",
            ]
    return "\n".join([*lines, ""])


def _globals(settings: VrrpSettings, host: str) -> Iterator[str]:
    yield f" Network namespace = {settings.net_namespace or '(default)'}"
    yield f" Router ID = {settings.router_id or host}"
    yield f" Script security {'enabled' if settings.script_security else 'disabled'}"
    if settings.smtp.server:
        yield f" SMTP server = {settings.smtp.server}"
        yield f" SMTP server port = {settings.smtp.port}"
    for fifo in settings.fifos:
        yield f" Notify fifo = {fifo.path}"


def _above(instance: InstanceSettings) -> str:
    """`, vmac on eth0` where it sends through a virtual interface; else ""."""
    if instance.sends_on == instance.interface:
        return ""
    return f", {'vmac' if instance.vmac is not None else 'ipvlan'} on {instance.interface}"


def _instance(
    instance: InstanceSettings, status: InstanceStatus, group: str | None
) -> Iterator[str]:
    yield f" VRRP Instance = {instance.name}"
    yield f"   VRRP Version = {instance.version}"
    if instance.family == 6:
        yield "   Using Native IPv6"
    if group:
        yield f"   Sync group = {group}"
    yield f"   State = {status.state}"
    if status.state == "BACKUP":
        yield f"   Master router = {status.master or UNKNOWN}"
        yield f"   Master priority = {status.master_priority}"
    if instance.unicast:
        yield "   Flags:"
        yield "     Using unicast"
    yield f"   Wantstate = {status.wanted or status.state}"
    moment = time.localtime(status.since_us / 1_000_000)
    clock = time.strftime("%a %b %e %H:%M:%S", moment)
    micros = status.since_us % 1_000_000
    yield (
        f"   Last transition = {status.since_us // 1_000_000}.{micros:06d} "
        f"({clock}.{micros:06d} {moment.tm_year})"
    )
    yield from _settings(instance, status)
    yield from _holdings(instance, status)
    yield from _telling(instance)


def _settings(instance: InstanceSettings, status: InstanceStatus) -> Iterator[str]:
    lower = "false" if instance.lower_prio_no_advert else "true"
    higher = "true" if instance.higher_prio_send_advert else "false"
    if instance.sends_on:
        yield f"   Interface = {instance.sends_on}{_above(instance)}"
    if not instance.unicast and instance.family == 4:
        yield f"   Multicast address {instance.mcast_group}"
    yield f"   Gratuitous ARP delay = {_plain(instance.garp_master_delay_us)}"
    yield f"   Gratuitous ARP repeat = {instance.garp_master_repeat}"
    yield f"   Gratuitous ARP refresh = {_plain(instance.garp_master_refresh_us)}"
    yield f"   Gratuitous ARP refresh repeat = {instance.garp_master_refresh_repeat}"
    yield f"   Gratuitous ARP lower priority delay = {_plain(instance.garp_lower_prio_delay_us)}"
    yield f"   Gratuitous ARP lower priority repeat = {instance.garp_lower_prio_repeat}"
    yield f"   Down timer adverts = {instance.down_timer_adverts}"
    yield f"   Send advert after receive lower priority advert = {lower}"
    yield f"   Send advert after receive higher priority advert = {higher}"
    yield f"   Virtual Router ID = {instance.vrid}"
    yield f"   Priority = {instance.priority}"
    yield f"   Effective priority = {status.effective_priority}"
    interval_us = instance.advert_int_us
    whole = interval_us % 1_000_000 == 0
    unit = f"{interval_us // 1_000_000} sec" if whole else f"{_milli(interval_us)} milli-sec"
    yield f"   Advert interval = {unit}"
    yield f"   Accept = {'enabled' if instance.accept else 'disabled'}"
    yield f"   Preempt = {'disabled' if instance.nopreempt else 'enabled'}"
    if instance.preempt_delay_us and not instance.nopreempt:
        yield f"   Preempt delay = {_plain(instance.preempt_delay_us)} secs"
    secondaries = "enabled" if instance.promote_secondaries else "disabled"
    yield f"   Promote_secondaries = {secondaries}"
    if instance.version == 2:
        words = {"NONE": "none", "PASS": "SIMPLE_PASSWORD", "AH": "IPSEC_AH"}
        yield f"   Authentication type = {words[instance.auth_type]}"
        if instance.auth_type != "NONE":
            yield f"   Password = {MASKED}"
    if (keys := instance.hmac) is not None:
        window = f", window = {keys.window_us // 1_000_000} sec"
        yield "   Authentication extension = HMAC-SHA256-128"
        yield f"     Keys = {len(keys.keys)}, active key id = {keys.active}"
        yield f"     Mode = {keys.mode}"
        yield f"     Anti replay = {keys.anti_replay}{window if keys.anti_replay == 'time' else ''}"


def _holdings(instance: InstanceSettings, status: InstanceStatus) -> Iterator[str]:
    present = {(vip.dev, vip.address) for vip in status.vips if vip.present}
    yield f"   Virtual IP ({len(instance.vips)}):"
    for address in instance.vips:
        yield f"     {address_line(instance, address, (address.dev, str(address)) in present)}"
    if instance.excluded:
        yield "   Virtual IP Excluded :"
        for address in instance.excluded:
            yield f"     {address_line(instance, address, (address.dev, str(address)) in present)}"
    if instance.unicast:
        yield "   Unicast Peer :"
        for peer in instance.unicast_peers:
            yield f"     {peer.ip} min_ttl {peer.min_ttl} max_ttl {peer.max_ttl}"
    if instance.routes:
        yield "   Virtual Routes :"
        yield from (f"     {route_line(route)}" for route in instance.routes)
    if instance.rules:
        yield "   Virtual Rules :"
        yield from (f"     {rule_line(rule)}" for rule in instance.rules)


def _telling(instance: InstanceSettings) -> Iterator[str]:
    for kind in ("interface", "script", "process", "file"):
        tracked = [t for t in instance.tracked if t.kind == kind]
        if tracked:
            plural = {"process": "processes"}.get(kind, f"{kind}s")
            yield f"   Tracked {plural} :"
            for one in tracked:
                yield f"     {one.name} weight {one.weight}{' reverse' if one.reverse else ''}"
    notify = instance.notify
    yield f"   Using smtp notification = {'yes' if notify.smtp_alert else 'no'}"
    yield f"   Notify deleted = {'Deleted' if notify.tell_deleted else 'Fault'}"
    scripts: tuple[tuple[str, Command | None], ...] = (
        ("Backup state transition", notify.backup),
        ("Master state transition", notify.master),
        ("Fault state transition", notify.fault),
        ("Stop state transition", notify.stop),
        ("Generic state transition", notify.any),
        ("Master rx lower pri", notify.master_rx_lower_pri),
    )
    for label, command in scripts:
        if command is not None:
            yield f"   {label} script = {quoted(command)}"
    yield f"   Notify priority changes = {'true' if notify.priority_changes else 'false'}"


def _group(group: SyncGroupSettings, by_name: dict[str, InstanceStatus]) -> Iterator[str]:
    states = [by_name[name].state for name in group.members if name in by_name]
    order = ("FAULT", "INIT", "BACKUP", "MASTER")
    state = next((state for state in order if state in states), "INIT")
    yield f" VRRP Sync Group = {group.name}, {state}"
    yield "   VRRP member instances :"
    yield from (f"     {name}" for name in group.members)
    yield f"   Using smtp notification = {'yes' if group.notify.smtp_alert else 'no'}"


def _plain(span_us: int) -> str:
    return f"{span_us / 1_000_000:g}"


def _milli(span_us: int) -> str:
    return f"{span_us / 1_000:g}"
