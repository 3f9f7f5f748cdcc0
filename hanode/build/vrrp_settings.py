"""The settings of the vrrp process and of the processes beside it, made from a configuration.

PURE.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hanode.build import static, tracking_and_notify
from hanode.build.instance import instance
from hanode.build.site import THE_FILE, Site, policies
from hanode.build.words import Words, note
from hanode.conf import Config
from hanode.vrrp.engine_settings import (
    InstanceKey,
    InstanceSettings,
    Linkbeat,
    SyncGroupSettings,
    VrrpSettings,
)


def settings(config: Config, errors: list[str], ignored: list[str]) -> VrrpSettings:
    """The settings of the vrrp process, without what `errors` names."""
    root, overall = Words(config), Words(config.globals)
    site = Site(config, root, overall, errors, ignored)
    groups = _groups(site)
    instances = []
    asked = list(tracking_and_notify.linkbeat(root))
    for made in config.instances:
        words = Words(made)
        try:
            instances.append(instance(made, words, site))
        except ValueError as error:
            text = str(error)
            errors.append(text if text.startswith(made.name) else f"{made.name}: {text}")
        polled = words.flag("linkbeat_use_polling")
        if polled and made.interface and made.interface not in {one.interface for one in asked}:
            asked.append(Linkbeat(made.interface))
        note(made.name, words, ignored)
    static_addresses = static.addresses(site)
    static_routes, static_rules = policies(THE_FILE, root, None, site, "static")
    following = static.followed(site, static_addresses, static_routes, static_rules)
    instances = [replace(one, follows=following.get(one.name, ())) for one in instances]
    alone = _apart(instances, errors)
    groups = _of(groups, alone, errors)
    user = overall.many("script_user")
    found = VrrpSettings()
    try:
        found = VrrpSettings(
            instances=alone,
            sync_groups=groups,
            scripts=site.trackers.scripts,
            processes=site.trackers.processes,
            files=site.trackers.files,
            static_addresses=static_addresses,
            static_routes=static_routes,
            static_rules=static_rules,
            fifos=tracking_and_notify.fifos(overall),
            smtp=tracking_and_notify.smtp(overall),
            router_id=config.globals.router_id or "",
            script_user=user[0] if user else None,
            script_group=user[1] if user[1:] else None,
            script_security=bool(overall.flag("enable_script_security")),
            net_namespace=root.text("net_namespace"),
            linkbeat=tuple(asked),
            linkbeat_use_polling=bool(root.flag("linkbeat_use_polling")),
            link_delays=tracking_and_notify.link_delays(root),
            dynamic_interfaces=overall.says("dynamic_interfaces"),
            fifo_states_on_reload=bool(overall.flag("fifo_write_vrrp_states_on_reload")),
            log_unknown_vrids=bool(overall.flag("log_unknown_vrids")),
            disable_local_igmp=bool(overall.flag("disable_local_igmp")),
            process=tracking_and_notify.process_settings(overall),
            dumps=tracking_and_notify.dumps(overall),
        )
    except ValueError as error:
        errors.append(str(error))
    note("global_defs", overall, ignored)
    root.says("net_namespace_ipvs")  # the checker uses it
    note("the file", root, ignored)
    return found


def _groups(site: Site) -> tuple[SyncGroupSettings, ...]:
    known = {made.name for made in site.config.instances}
    found = []
    for group in site.root.many("sync_groups"):
        words = Words(group)
        members = tuple(name for name in words.many("members") if name in known)
        weights = bool(words.flag("sync_group_tracking_weight"))
        words.says("global_tracking")
        tracked = site.trackers.tracked(words)
        for name in members:
            site.groups[name] = (tracked, weights)
        told = tracking_and_notify.notify(words, site.overall, of_instance=False)
        note(f"vrrp_sync_group {group.name}", words, site.ignored)
        if members:
            found.append(SyncGroupSettings(group.name, members, told))
    return tuple(found)


def _apart(
    instances: Iterable[InstanceSettings], errors: list[str]
) -> tuple[InstanceSettings, ...]:
    """The instances without those that repeat a name, or a VRID on the same interface."""
    names: set[str] = set()
    places: dict[InstanceKey, str] = {}
    found = []
    for one in instances:
        other = places.get(one.key)
        if one.name in names:
            errors.append(f"two instances have the name {one.name}")
        elif other is not None:
            errors.append(
                f"{other} and {one.name} both use virtual_router_id {one.vrid} on {one.interface}"
            )
        else:
            names.add(one.name)
            places[one.key] = one.name
            found.append(one)
    return tuple(found)


def _of(
    groups: Iterable[SyncGroupSettings],
    instances: Iterable[InstanceSettings],
    errors: list[str],
) -> tuple[SyncGroupSettings, ...]:
    """The groups without members that do not exist or are in an earlier group."""
    free = {one.name for one in instances}
    grouped: dict[str, str] = {}
    found = []
    for group in groups:
        for name in group.members:
            if grouped.get(name, group.name) != group.name:
                errors.append(f"{name} is in two groups: {grouped[name]}, {group.name}")
        members = tuple(name for name in group.members if name in free)
        grouped |= dict.fromkeys(members, group.name)
        free.difference_update(members)
        if members:
            found.append(replace(group, members=members))
    return tuple(found)
