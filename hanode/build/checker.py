"""Virtual servers: from what a configuration says to what the checker is told.

PURE.
"""

from __future__ import annotations

from typing import Literal, cast

from hanode.build.words import Rest, note
from hanode.check.settings import (
    RealServerSettings,
    SorryServerSettings,
    TcpCheckSettings,
    VirtualServerSettings,
)
from hanode.conf import RealServer, TcpCheck, VirtualServer, defaults

Forwarding = Literal["NAT", "DR", "TUN"]


def virtual_server(
    server: VirtualServer, errors: list[str], ignored: list[str]
) -> VirtualServerSettings | None:
    rest = Rest(server.other)
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
    note(f"virtual_server {server.key}", rest, ignored)
    return settings


def _sorry(words: tuple[str, ...], port: int, inhibit: bool) -> SorryServerSettings:
    return SorryServerSettings(
        ip=words[0], port=int(words[1]) if len(words) > 1 else port, inhibit=inhibit
    )


def _forwarding(word: str | None) -> Forwarding | None:
    return cast(Forwarding, word) if word in ("NAT", "DR", "TUN") else None


def _real_server(
    real: RealServer, server: VirtualServer, outer: Rest, ignored: list[str]
) -> RealServerSettings:
    rest = Rest(real.other)
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
    note(f"real_server {real.key}", rest, ignored)
    return settings


def _tcp_check(
    check: TcpCheck,
    real: RealServer,
    server: VirtualServer,
    rest: Rest,
    outer: Rest,
    ignored: list[str],
) -> TcpCheckSettings:
    own = Rest(check.other)
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
    note(f"TCP_CHECK of {real.key}", own, ignored)
    return settings


def _first(*values: int | None) -> int:
    """The innermost word; the last value is the default."""
    chosen = _first_or_none(*values)
    assert chosen is not None
    return chosen


def _first_or_none(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)
