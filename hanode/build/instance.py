"""The settings of a vrrp_instance, made from a configuration.

PURE. An instance's own word counts before the one of global_defs (`vrrp_…`), and that before
keepalived's default; strict mode overrules some.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hanode.build import hmac, route_lines, tracking_and_notify, virtual
from hanode.build.site import Site, policies
from hanode.build.virtual import Places
from hanode.build.words import Words
from hanode.conf import VrrpInstance, queries
from hanode.vrrp.engine_settings import (
    PRIORITY_OWNER,
    Address,
    InstanceSettings,
    Peer,
    Tracked,
)
from hanode.vrrp.kernel_objects import Family

ADVERT_MOST = 255
"""An advert counts its addresses in one byte."""
ADVERT_INT_MAX_US = {2: 255_000_000, 3: 40_950_000}
ADVERT_INT_STEP_US = {2: 1_000_000, 3: 10_000}
IPV6_HOPS = 64
"""The kernel's own hop limit, which keepalived leaves to unicast adverts over IPv6."""


def instance(made: VrrpInstance, words: Words, site: Site) -> InstanceSettings:
    """The settings of one vrrp_instance. Raises ValueError."""
    overall = site.overall
    family = _family(made, words)
    interface, vrf = virtual.whereabouts(made, words, site)
    version = 3 if family == 6 else queries.version(made, site.config)
    strict = queries.strict(made, site.config) is not None
    words.says("strict_mode"), overall.says("vrrp_strict")
    places = virtual.places(made, words, interface, family, site, strict=bool(strict))
    vmac, dev = places.vmac, places.device
    vips, excluded = _addresses(made, family, places, site)
    priority = queries.priority(made)
    routes, rules = policies(made.name, words, dev, site, "virtual")
    peers = words.many("unicast_peers")
    told: dict[str, Any] = {
        **_timing(words, overall),
        **_unicast(words, overall, peers, family, places.source),
        **_preempt(made, words),
        **_extra(words, overall),
    }
    garp_us, gna_us, garp_group = site.paces.get(interface, site.paces[""])
    found = InstanceSettings(
        name=made.name,
        interface=vrf or interface,
        vrf=vrf,
        vrid=made.vrid,
        priority=priority,
        vips=vips,
        excluded=excluded,
        advert_int_us=_interval(queries.interval_us(made), version),
        version=3 if version == 3 else 2,
        family=family,
        mcast_group=words.text("mcast_dst_ip")
        or overall.text(f"vrrp_mcast_group{family}")
        or ("224.0.0.18" if family == 4 else "ff02::12"),
        garp_interval_us=garp_us,
        gna_interval_us=gna_us,
        garp_group=garp_group,
        routes=routes,
        rules=rules,
        promote_secondaries=bool(words.flag("promote_secondaries")),
        track_src_ip=bool(words.flag("track_src_ip")),
        v3_checksum_as_v2=bool(_own(words, overall, "v3_checksum_as_v2", common="")),
        hmac=hmac.settings(made, words, strict=bool(strict)),
        accept=_accepts(made, words, strict),
        strict=strict,
        owner_ignore_adverts=bool(
            strict if (ignores := _own(words, overall, "owner_ignore_adverts")) is None else ignores
        ),
        state="MASTER" if made.state == "MASTER" else "BACKUP",
        vmac=vmac,
        ipvlan=places.ipvlan,
        tracked=_tracked(made.name, words, site, own={interface, dev}),
        dont_track_primary=bool(words.flag("dont_track_primary")),
        notify=tracking_and_notify.notify(words, overall, of_instance=True),
        **_auth(made, version, told),
    )
    words.says("no_virtual_ipaddress")
    return _strict(found) if strict else found


def _accepts(made: VrrpInstance, words: Words, strict: bool) -> bool:
    """The last of accept and no_accept counts; else strict mode accepts only for an owner."""
    words.says("accept"), words.says("no_accept")
    said = [s.keyword for s in made.other if s.keyword in ("accept", "no_accept")]
    owner = made.priority == PRIORITY_OWNER
    return said[-1] == "accept" if said else owner or not strict


def _addresses(
    made: VrrpInstance, family: Family, places: Places, site: Site
) -> tuple[tuple[Address, ...], tuple[Address, ...]]:
    vips = [places.address(line) for line in made.vips]
    excluded = [places.address(line) for line in made.excluded]
    # keepalived: the first address decides the family; the others are left out.
    same = tuple(a for a in vips if a.family == family)
    others = [str(a) for a in vips if a.family != family]
    if others:
        site.ignored.append(
            f"{made.name}: {', '.join(others)} is left out: the instance is for IPv{family}"
        )
    more = same[ADVERT_MOST:]
    if more:
        site.ignored.append(
            f"{made.name}: an advert holds {ADVERT_MOST} addresses; it does not name the"
            f" {len(more)} from {more[0]} on (as virtual_ipaddress_excluded)"
        )
    return same[:ADVERT_MOST], (*more, *excluded)


def _family(made: VrrpInstance, words: Words) -> Family:
    peers = words.many("unicast_peers")
    ips = [a.ip for a in made.vips[:1]] or [p.ip for p in peers[:1]]
    if words.says("native_ipv6") and not ips:
        return 6
    return route_lines.family_of(ips[0]) if ips else 4


def _interval(us: int, version: int) -> int:
    """Rounds an advert_int as keepalived does."""
    step = ADVERT_INT_STEP_US[version]
    return min(max((us + step // 2) // step * step, step), ADVERT_INT_MAX_US[version])


def _auth(made: VrrpInstance, version: int, told: dict[str, Any]) -> dict[str, Any]:
    # keepalived: auth_hmac, even one that it then switches off, takes the place of authentication.
    if version == 2 and made.auth_type in ("PASS", "AH") and made.auth_hmac is None:
        told |= {"auth_type": made.auth_type, "auth_pass": made.auth_pass or ""}
    return told


def _preempt(made: VrrpInstance, words: Words) -> dict[str, Any]:
    """The settings that count for state BACKUP only: keepalived clears them with MASTER."""
    words.says("preempt")
    stays = queries.nopreempt(made)
    delay_us = words.number("preempt_delay_us") or 0
    if made.state == "MASTER":
        return {"nopreempt": False, "preempt_delay_us": 0}
    late = "timer_expired_backup" if words.says("timer_expired_backup") else "thread_timer_expired"
    expired = (words.number(late) or PRIORITY_OWNER - 1) if words.says(late) else None
    return {
        "nopreempt": stays,
        "preempt_delay_us": delay_us,
        "expired_backup_priority": expired if stays else None,
    }


def _unicast(
    words: Words, overall: Words, peers: tuple[Any, ...], family: Family, own: str | None
) -> dict[str, Any]:
    """`own`: the source address where no keyword says one."""
    lonely = bool(words.flag("unicast_fault_no_peer"))
    multicast_source, source = words.text("mcast_src_ip"), words.text("unicast_src_ip")
    ttl, checks = words.number("unicast_ttl"), words.flag("check_unicast_src")
    old = words.says("old_unicast_checksum")
    if not peers and not lonely:
        return {"mcast_src_ip": _plain(multicast_source) or own}
    bounded = any(p.min_ttl is not None or p.max_ttl is not None for p in peers)
    standard = 255 if family == 4 else IPV6_HOPS
    return {
        "unicast": True,
        "mcast_src_ip": _plain(source or multicast_source) or own,
        "unicast_peers": tuple(Peer(p.ip, p.min_ttl or 0, _upper(p.max_ttl)) for p in peers),
        "unicast_fault_no_peer": lonely,
        "check_unicast_src": bool(checks or bounded or overall.flag("vrrp_check_unicast_src")),
        "ttl": standard if ttl is None else ttl,
        "unicast_checksum": (words.text("old_unicast_checksum") or "old") if old else "auto",
        "checksum_group": overall.text("vrrp_mcast_group4") or "224.0.0.18",
    }


def _plain(ip: str | None) -> str | None:
    """The address without its prefix length, which keepalived ignores."""
    return None if ip is None else ip.partition("/")[0]


def _upper(ttl: int | None) -> int:
    return 255 if ttl is None else ttl


def _timing(words: Words, overall: Words) -> dict[str, Any]:
    """The instance's word, else that of global_defs (`vrrp_…`), else the engine's default."""
    names = (
        "garp_master_delay_us garp_master_repeat garp_master_refresh_us garp_master_refresh_repeat "
        "garp_lower_prio_delay_us garp_lower_prio_repeat down_timer_adverts lower_prio_no_advert "
        "higher_prio_send_advert"
    ).split()
    chosen = {name: _own(words, overall, name) for name in names}
    chosen["startup_delay_us"] = overall.number("vrrp_startup_delay_us")
    chosen["delay_after_boot_us"] = overall.number("vrrp_delay_after_boot_us")
    # keepalived: the keyword in an instance switches it on, whatever follows it.
    common = bool(overall.flag("vrrp_skip_check_adv_addr"))
    chosen["skip_check_adv_addr"] = words.says("skip_check_adv_addr") or common
    least = {"delay_us": 0, "repeat": 1} if overall.flag("vrrp_min_garp") else {}
    for suffix in ("delay_us", "repeat"):
        common_garp = overall.number(f"vrrp_garp_master_{suffix}")
        common_garp = least.get(suffix) if common_garp is None else common_garp
        # keepalived: the value of global_defs, even if the instance has garp_master_… of its own.
        for name in (f"garp_master_{suffix}", f"garp_lower_prio_{suffix}"):
            if chosen[name] is None:
                chosen[name] = common_garp
    return {name: value for name, value in chosen.items() if value is not None}


def _own(words: Words, overall: Words, name: str, *, common: str = "vrrp_") -> Any:
    """The instance's own value, else that of global_defs; None where neither is written."""
    own, shared = words.any(name), overall.any(common + name)
    return shared if own is None else own


def _extra(words: Words, overall: Words) -> dict[str, Any]:
    said = words.any("garp_extra_if") or overall.any("vrrp_garp_extra_if")
    if not said:
        return {}
    return {"garp_extra_all": bool(said[0]), "garp_extra_us": int(said[1]) * 1_000_000}


def _tracked(name: str, words: Words, site: Site, *, own: set[str | None]) -> tuple[Tracked, ...]:
    """What the instance and its sync group track; weights count in a group only if it says so.

    `own`: its interfaces. keepalived follows them anyway, and ignores lines about them.
    """
    lines = site.trackers.tracked(words)
    for kind, missing in site.trackers.missing(words):
        site.ignored.append(f"{name}: it tracks the {kind} {missing}, which nothing defines")
    common, weights = site.groups.get(name, ((), True))
    both = {(t.kind, t.name): t for t in (*lines, *common)}
    others = [t for t in both.values() if t.kind != "interface" or t.name not in own]
    return tuple(t for t in others if weights or not t.weight)


def _strict(found: InstanceSettings) -> InstanceSettings:
    """Overrules settings as keepalived's strict_mode does."""
    return replace(
        found,
        auth_type="NONE",
        auth_pass="",
        preempt_delay_us=0,
        garp_lower_prio_repeat=0,
        lower_prio_no_advert=True,
        higher_prio_send_advert=False,
        down_timer_adverts=3,
    )
