"""From what a configuration says to what the engines are told.

PURE. `build` chooses between an object's own word, the enclosing block's and keepalived's
default, so that the engines have nothing left to look up. What the engine cannot do is never
dropped in silence: where running without it would be dangerous it is an error, else `ignored`
names it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast

from hanode.check.settings import (
    CheckerSettings,
    RealServerSettings,
    SorryServerSettings,
    TcpCheckSettings,
    VirtualServerSettings,
)
from hanode.conf import defaults
from hanode.conf.model import (
    Address,
    Config,
    RealServer,
    Statement,
    TcpCheck,
    VirtualServer,
    VrrpInstance,
)
from hanode.vrrp.settings import PRIORITY_OWNER, InstanceSettings, VrrpSettings
from hanode.vrrp.settings import Address as VrrpAddress

Forwarding = Literal["NAT", "DR", "TUN"]

SCOPES = {"global": 0, "universe": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}

DANGEROUS = {
    "unicast_peer": "unicast adverts; by multicast the peers would not hear it",
    "auth_hmac": "HMAC authentication; its peers would refuse what it sends",
    "use_vmac": "virtual MAC addresses; its peers' neighbours would keep the old address",
}
"""Words of an instance whose absence makes a pair disagree."""

FLAG_OFF = frozenset({"off", "no", "false", "0"})


@dataclass(frozen=True, slots=True)
class Built:
    """What the two engines run, and what of the file they do not."""

    vrrp: VrrpSettings
    checker: CheckerSettings
    errors: tuple[str, ...] = ()
    """Not empty: this node cannot run the file."""
    ignored: tuple[str, ...] = ()


class _Rest:
    """The statements of a block that have no field; remembers which of them were used."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._statements = tuple(statements)
        self._used: set[str] = set()

    def words(self, keyword: str) -> tuple[str, ...] | None:
        """The last such statement's words after the keyword, as keepalived takes the last."""
        found = None
        for statement in self._statements:
            if statement.keyword == keyword:
                self._used.add(keyword)
                found = statement.words[1:]
        return found

    def flag(self, keyword: str) -> bool | None:
        words = self.words(keyword)
        if words is None:
            return None
        return not words or words[0].lower() not in FLAG_OFF

    def text(self, keyword: str) -> str | None:
        words = self.words(keyword)
        return words[0].strip('"') if words else None

    def number(self, keyword: str) -> int | None:
        try:
            return int(self.text(keyword) or "")
        except ValueError:
            return None

    def time_us(self, keyword: str) -> int | None:
        try:
            return round(float(self.text(keyword) or "") * 1_000_000)
        except (ValueError, OverflowError):
            return None

    def unused(self) -> tuple[str, ...]:
        """Keywords that nobody asked for, in order."""
        keywords = dict.fromkeys(s.keyword for s in self._statements)
        return tuple(keyword for keyword in keywords if keyword not in self._used)


def build(config: Config) -> Built:
    """The settings of a checked configuration (no problem of severity error in it)."""
    errors: list[str] = []
    ignored: list[str] = []
    rest = _Rest(config.globals.other)
    instances = [_instance(i, config, rest, errors, ignored) for i in config.instances]
    servers = [_virtual_server(s, errors, ignored) for s in config.virtual_servers]
    _note("global_defs", rest, ignored)
    _note("the file", _Rest(config.other), ignored)
    vrrp, checker = VrrpSettings(), CheckerSettings()
    try:
        vrrp = VrrpSettings(instances=tuple(i for i in instances if i))
        checker = CheckerSettings(virtual_servers=tuple(s for s in servers if s))
    except ValueError as error:
        errors.append(str(error))
    return Built(vrrp, checker, tuple(errors), tuple(ignored))


def _note(where: str, rest: _Rest, ignored: list[str]) -> None:
    unused = rest.unused()
    if unused:
        ignored.append(f"{where}: this engine does not use {', '.join(unused)}")


def _instance(
    instance: VrrpInstance,
    config: Config,
    overall: _Rest,
    errors: list[str],
    ignored: list[str],
) -> InstanceSettings | None:
    rest = _Rest(instance.other)
    for keyword, what in DANGEROUS.items():
        if rest.words(keyword) is not None:
            errors.append(f"{instance.name}: this engine cannot do {what} ({keyword})")
    if instance.auth_type == "AH":
        errors.append(f"{instance.name}: this engine does not speak AH; use auth_type PASS")
    try:
        vips = [_address(a, instance.interface) for a in instance.vips]
        excluded = [_address(a, instance.interface) for a in instance.excluded]
        # keepalived: the first address decides the family; the others are not in adverts.
        family = _family(vips[0].ip) if vips else 4
        same = tuple(a for a in vips if _family(a.ip) == family)
        others = tuple(a for a in vips if _family(a.ip) != family)
        if family == 6:
            errors.append(f"{instance.name}: this engine does not speak IPv6 yet")
        version = instance.version or config.globals.vrrp_version or defaults.VRRP_VERSION
        settings = InstanceSettings(
            name=instance.name,
            interface=instance.interface,
            vrid=instance.vrid,
            priority=_priority(instance),
            vips=same,
            excluded=(*others, *excluded),
            advert_int_us=instance.advert_int_us or defaults.ADVERT_INT_US,
            version=3 if version == 3 or family == 6 else 2,
            family=family,
            auth_type="PASS" if instance.auth_type == "PASS" else "NONE",
            auth_pass=instance.auth_pass or "",
            nopreempt=instance.nopreempt,
            preempt_delay_us=rest.time_us("preempt_delay") or 0,
            mcast_group=rest.text("mcast_dst_ip")
            or overall.text(f"vrrp_mcast_group{family}")
            or ("224.0.0.18" if family == 4 else "ff02::12"),
            mcast_src_ip=rest.text("mcast_src_ip"),
            **_timing(rest, overall),  # type: ignore[arg-type]
        )
    except ValueError as error:
        errors.append(str(error))
        return None
    _note(instance.name, rest, ignored)
    return settings


def _priority(instance: VrrpInstance) -> int:
    if instance.priority is not None:
        return instance.priority
    return PRIORITY_OWNER if instance.state == "MASTER" else defaults.PRIORITY


def _timing(rest: _Rest, overall: _Rest) -> dict[str, int | bool]:
    """The instance's word, else that of global_defs (`vrrp_…`), else the engine's default."""
    chosen: dict[str, int | bool | None] = {}
    for name in ("garp_master_delay", "garp_master_refresh", "garp_lower_prio_delay"):
        own, common = rest.time_us(name), overall.time_us(f"vrrp_{name}")
        chosen[f"{name}_us"] = common if own is None else own
    for name in (
        "garp_master_repeat",
        "garp_master_refresh_repeat",
        "garp_lower_prio_repeat",
        "down_timer_adverts",
    ):
        own, common = rest.number(name), overall.number(f"vrrp_{name}")
        chosen[name] = common if own is None else own
    for name in ("lower_prio_no_advert", "higher_prio_send_advert", "skip_check_adv_addr"):
        said, said_for_all = rest.flag(name), overall.flag(f"vrrp_{name}")
        chosen[name] = said_for_all if said is None else said
    for suffix in ("delay_us", "repeat"):
        if chosen[f"garp_lower_prio_{suffix}"] is None:
            chosen[f"garp_lower_prio_{suffix}"] = chosen[f"garp_master_{suffix}"]
    return {name: value for name, value in chosen.items() if value is not None}


def _address(address: Address, interface: str) -> VrrpAddress:
    family = _family(address.ip)
    standard = defaults.VIP_PREFIX_IPV4 if family == 4 else defaults.VIP_PREFIX_IPV6
    options = dict(zip(address.options, address.options[1:], strict=False))
    scope = options.get("scope", "global")
    prefix = standard if address.prefix is None else address.prefix
    broadcast = options.get("brd", options.get("broadcast"))
    if broadcast in ("+", "-"):
        network = ipaddress.ip_network(f"{address.ip}/{prefix}", strict=False)
        broadcast = str(network.broadcast_address) if broadcast == "+" else None
    return VrrpAddress(
        ip=address.ip,
        prefix=prefix,
        dev=address.dev or interface,
        scope=SCOPES.get(scope, int(scope) if scope.isdigit() else 0),
        broadcast=broadcast,
        label=options.get("label"),
    )


def _family(ip: str) -> Literal[4, 6]:
    return 6 if ":" in ip else 4


def _virtual_server(
    server: VirtualServer, errors: list[str], ignored: list[str]
) -> VirtualServerSettings | None:
    rest = _Rest(server.other)
    forwarding = _forwarding(server.lb_kind or rest.text("lb_kind")) or defaults.LB_KIND
    persistence = rest.words("persistence_timeout")
    sorry = rest.words("sorry_server")
    sorry_inhibit = rest.flag("sorry_server_inhibit") or False
    try:
        settings = VirtualServerSettings(
            ip=server.ip,
            port=server.port or 0,
            protocol=cast(Literal["TCP", "UDP", "SCTP"], server.protocol or defaults.PROTOCOL),
            scheduler=server.lb_algo or defaults.LB_ALGO,
            forwarding=cast(Forwarding, forwarding),
            # A bare persistence_timeout means six minutes.
            persistence_s=0 if persistence is None else int((persistence or ("360",))[0]),
            quorum=rest.number("quorum") or 1,
            hysteresis=rest.number("hysteresis") or 0,
            sorry_server=_sorry(sorry, server.port or 0, sorry_inhibit) if sorry else None,
            real_servers=tuple(_real_server(r, server, rest, ignored) for r in server.real_servers),
        )
    except ValueError as error:
        errors.append(f"virtual_server {server.key}: {error}")
        return None
    _note(f"virtual_server {server.key}", rest, ignored)
    return settings


def _sorry(words: tuple[str, ...], port: int, inhibit: bool) -> SorryServerSettings:
    return SorryServerSettings(
        ip=words[0], port=int(words[1]) if len(words) > 1 else port, inhibit=inhibit
    )


def _forwarding(word: str | None) -> Forwarding | None:
    return cast(Forwarding, word) if word in ("NAT", "DR", "TUN") else None


def _real_server(
    real: RealServer, server: VirtualServer, outer: _Rest, ignored: list[str]
) -> RealServerSettings:
    rest = _Rest(real.other)
    method = _forwarding(rest.text("lvs_method"))
    port = real.port if real.port is not None else (server.port or 0)
    if (method or server.lb_kind) in ("DR", "TUN"):
        # Nothing rewrites the port on the way; keepalived does the same.
        port = server.port or 0
    weight = real.weight if real.weight is not None else outer.number("weight")
    inhibit = rest.flag("inhibit_on_failure")
    checks = (_tcp_check(real.check, real, server, rest, outer, ignored),) if real.check else ()
    settings = RealServerSettings(
        ip=real.ip,
        port=port,
        weight=defaults.WEIGHT if weight is None else weight,
        forwarding=method,
        inhibit_on_failure=bool(outer.flag("inhibit_on_failure") if inhibit is None else inhibit),
        checks=checks,
    )
    _note(f"real_server {real.key}", rest, ignored)
    return settings


def _tcp_check(
    check: TcpCheck,
    real: RealServer,
    server: VirtualServer,
    rest: _Rest,
    outer: _Rest,
    ignored: list[str],
) -> TcpCheckSettings:
    own = _Rest(check.other)
    settings = TcpCheckSettings(
        ip=check.connect_ip or real.ip,
        port=check.connect_port or real.port or server.port or 0,
        connect_timeout_us=_first(
            check.connect_timeout_us,
            rest.time_us("connect_timeout"),
            outer.time_us("connect_timeout"),
            defaults.CONNECT_TIMEOUT_US,
        ),
        retry=_first(check.retry, rest.number("retry"), outer.number("retry"), defaults.TCP_RETRY),
        delay_before_retry_us=_first(
            check.delay_before_retry_us,
            rest.time_us("delay_before_retry"),
            outer.time_us("delay_before_retry"),
            defaults.TCP_DELAY_BEFORE_RETRY_US,
        ),
        delay_loop_us=_first(
            own.time_us("delay_loop"),
            rest.time_us("delay_loop"),
            server.delay_loop_us,
            defaults.DELAY_LOOP_US,
        ),
        warmup_us=_first_or_none(
            own.time_us("warmup"), rest.time_us("warmup"), outer.time_us("warmup")
        ),
        alpha=bool(own.flag("alpha") or rest.flag("alpha") or outer.flag("alpha")),
    )
    _note(f"TCP_CHECK of {real.key}", own, ignored)
    return settings


def _first(*values: int | None) -> int:
    """The innermost word; the last value is the default."""
    chosen = _first_or_none(*values)
    assert chosen is not None
    return chosen


def _first_or_none(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)
