"""The settings of virtual servers, made from a configuration.

PURE. The innermost word counts: the check's, else the real server's, else the virtual server's,
else keepalived's default.
"""

from __future__ import annotations

from typing import Literal, TypeVar, cast

from hanode.build.words import Words, note
from hanode.check.checker_settings import (
    Forwarding,
    RealServerSettings,
    SorryServerSettings,
    TcpCheckSettings,
    VirtualServerSettings,
)
from hanode.conf import Forwarding as Method
from hanode.conf import RealServer, TcpCheck, VirtualServer, defaults

T = TypeVar("T")

PERSISTENCE_S = 360
"""What a persistence_timeout without a number means."""


def virtual_server(
    server: VirtualServer, errors: list[str], ignored: list[str]
) -> VirtualServerSettings | None:
    """The settings of a virtual_server; None, and an error, where the engine cannot run it."""
    words = Words(server)
    where = f"virtual_server {server.key}"
    words.says("lb_kind")
    method = server.forwarding
    quorum, hysteresis = words.number("quorum"), words.number("hysteresis")
    try:
        settings = VirtualServerSettings(
            ip=server.ip,
            port=server.port or 0,
            protocol=cast(Literal["TCP", "UDP", "SCTP"], server.protocol or defaults.PROTOCOL),
            scheduler=server.lb_algo or defaults.LB_ALGO,
            forwarding=_forwarding(where, method, ignored) or "NAT",
            persistence_s=_persistence_s(words),
            quorum=1 if quorum is None else quorum,
            hysteresis=0 if hysteresis is None else hysteresis,
            sorry_server=_sorry_server(words, server.port or 0),
            real_servers=tuple(
                _real_server(r, server, words, method, ignored) for r in server.real_servers
            ),
        )
    except ValueError as error:
        errors.append(f"{where}: {error}")
        return None
    note(where, words, ignored)
    return settings


def _persistence_s(words: Words) -> int:
    if not words.says("persistence_timeout"):
        return 0
    seconds = words.number("persistence_timeout")
    return PERSISTENCE_S if seconds is None else seconds


def _sorry_server(words: Words, port: int) -> SorryServerSettings | None:
    inhibit = bool(words.flag("sorry_server_inhibit"))
    said = words.any("sorry_server")
    if said is None:
        return None
    ip, own_port = said
    return SorryServerSettings(ip, port if own_port is None else own_port, inhibit=inhibit)


def _forwarding(where: str, said: Method | None, ignored: list[str]) -> Forwarding | None:
    """The method of lb_kind or lvs_method; options of a tunnel go into `ignored`."""
    if said is None:
        return None
    options = (
        said.tunnel and f"type {said.tunnel}",
        f"port {said.port}" if said.port is not None else None,
        said.checksum,
    )
    written = " ".join(option for option in options if option)
    if written:
        ignored.append(f"{where}: this engine tunnels as ipip only, without {written}")
    return cast(Forwarding, said.method)


def _real_server(
    real: RealServer,
    server: VirtualServer,
    outer: Words,
    lb_kind: Method | None,
    ignored: list[str],
) -> RealServerSettings:
    words = Words(real)
    where = f"real_server {real.key}"
    method = words.any("lvs_method")
    chosen = method or lb_kind
    rewritten = chosen is None or chosen.method == "NAT"
    # DR and TUN rewrite no port on the way; keepalived does the same.
    own_port = real.port if rewritten else None
    inhibit = (words.flag("inhibit_on_failure"), outer.flag("inhibit_on_failure"))
    checks = (real.check, *real.further_checks) if real.check is not None else ()
    settings = RealServerSettings(
        ip=real.ip,
        port=_first(own_port, server.port, 0),
        weight=_first(real.weight, outer.number("weight"), defaults.WEIGHT),
        forwarding=_forwarding(where, method, ignored),
        inhibit_on_failure=_first(*inhibit, False),
        checks=tuple(_tcp_check(check, real, server, words, outer, ignored) for check in checks),
    )
    note(where, words, ignored)
    return settings


def _tcp_check(
    check: TcpCheck,
    real: RealServer,
    server: VirtualServer,
    words: Words,
    outer: Words,
    ignored: list[str],
) -> TcpCheckSettings:
    own = Words(check)
    levels = (own, words, outer)
    settings = TcpCheckSettings(
        ip=check.connect_ip or real.ip,
        port=_first(check.connect_port, real.port, server.port, 0),
        connect_timeout_us=_first(
            check.connect_timeout_us,
            words.number("connect_timeout_us"),
            outer.number("connect_timeout_us"),
            defaults.CONNECT_TIMEOUT_US,
        ),
        retry=_first(check.retry, words.number("retry"), outer.number("retry"), defaults.TCP_RETRY),
        delay_before_retry_us=_first(
            check.delay_before_retry_us,
            words.number("delay_before_retry_us"),
            outer.number("delay_before_retry_us"),
            defaults.TCP_DELAY_BEFORE_RETRY_US,
        ),
        delay_loop_us=_first(
            own.number("delay_loop_us"),
            words.number("delay_loop_us"),
            server.delay_loop_us,
            defaults.DELAY_LOOP_US,
        ),
        warmup_us=_said(*(level.number("warmup_us") for level in levels)),
        alpha=_first(*(level.flag("alpha") for level in levels), False),
    )
    note(f"TCP_CHECK of {real.key}", own, ignored)
    return settings


def _first(*values: T | None) -> T:
    """The first value that is written; the last one is the default."""
    chosen = _said(*values)
    assert chosen is not None
    return chosen


def _said(*values: T | None) -> T | None:
    return next((value for value in values if value is not None), None)
