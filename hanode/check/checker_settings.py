"""Settings of the checker process: virtual servers, real servers, and their checks.

PURE. Frozen dataclasses that `hanode.wire` encodes and decodes; every default is keepalived's.
Values are effective ones: the builder has already chosen the checker's, the real server's or the
virtual server's value, in that order. A value out of range raises ValueError.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Forwarding = Literal["NAT", "DR", "TUN"]
"""Keywords lb_kind and lvs_method."""

RETRY_MAX = 4_294_967_295
WEIGHT_MAX = 2_147_483_647
"""The limits of keepalived: the engine must not drop a service that keepalived would run."""


@dataclass(frozen=True, slots=True)
class TcpCheckSettings:
    """TCP_CHECK: an accepted connection is a success."""

    ip: str
    """connect_ip, or the real server's address."""
    port: int
    """connect_port, or the real server's port."""
    connect_timeout_us: int = 5_000_000
    retry: int = 1
    """Failures that are tolerated before the one that takes the real server down."""
    delay_before_retry_us: int = 1_000_000
    delay_loop_us: int = 60_000_000
    """From the end of one check to the start of the next."""
    warmup_us: int | None = None
    """The first check starts at a uniform random time in 0..warmup; None: 0..delay_loop."""
    alpha: bool = False
    """Whether the real server is down until its first success."""
    kind: Literal["tcp"] = "tcp"

    def __post_init__(self) -> None:
        _check_address(self.ip)
        _check_range("connect_port", self.port, 1, 65_535)
        _check_range("connect_timeout_us", self.connect_timeout_us, 1, None)
        _check_range("retry", self.retry, 0, RETRY_MAX)
        _check_range("delay_before_retry_us", self.delay_before_retry_us, 0, None)
        _check_range("delay_loop_us", self.delay_loop_us, 1, None)
        if self.warmup_us is not None:
            _check_range("warmup_us", self.warmup_us, 0, None)


CheckSettings = TcpCheckSettings
"""The settings of one check; becomes a union when there are other kinds of checks."""


@dataclass(frozen=True, slots=True)
class RealServerSettings:
    """One real server of a virtual server. Without checks it is always up."""

    ip: str
    port: int
    """With DR and TUN this is the virtual server's port, as in keepalived."""
    weight: int = 1
    forwarding: Forwarding | None = None
    """lvs_method; None: the virtual server's lb_kind."""
    inhibit_on_failure: bool = False
    """Whether a failure sets weight 0 instead of removing the real server."""
    checks: tuple[CheckSettings, ...] = ()

    def __post_init__(self) -> None:
        _check_address(self.ip)
        _check_range("port", self.port, 0, 65_535)
        _check_range("weight", self.weight, 0, WEIGHT_MAX)

    @property
    def key(self) -> str:
        """`192.0.2.2:80`, `[2001:db8::2]:80`: its name in events and statuses."""
        return endpoint(self.ip, self.port)


@dataclass(frozen=True, slots=True)
class SorryServerSettings:
    """The server that receives connections while the quorum is lost."""

    ip: str
    port: int
    forwarding: Forwarding | None = None
    inhibit: bool = False
    """sorry_server_inhibit: it stays in the table with weight 0 while it is not needed."""

    def __post_init__(self) -> None:
        _check_address(self.ip)
        _check_range("port", self.port, 0, 65_535)

    @property
    def key(self) -> str:
        return endpoint(self.ip, self.port)


@dataclass(frozen=True, slots=True)
class VirtualServerSettings:
    """One virtual server."""

    ip: str
    port: int
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"
    scheduler: str = "wlc"
    """lb_algo."""
    forwarding: Forwarding = "NAT"
    """lb_kind."""
    persistence_s: int = 0
    """persistence_timeout; 0: off."""
    quorum: int = 1
    hysteresis: int = 0
    sorry_server: SorryServerSettings | None = None
    real_servers: tuple[RealServerSettings, ...] = ()

    def __post_init__(self) -> None:
        _check_address(self.ip)
        _check_range("port", self.port, 0, 65_535)
        _check_range("persistence_s", self.persistence_s, 0, 2_678_400)
        _check_range("quorum", self.quorum, 1, None)
        _check_range("hysteresis", self.hysteresis, 0, None)
        twice = _first_repeated(server.key for server in self.real_servers)
        if twice is not None:
            raise ValueError(f"virtual server {self.key} has the real server {twice} twice")

    @property
    def key(self) -> str:
        """`192.0.2.1:80/TCP`: its name in events and statuses."""
        return f"{endpoint(self.ip, self.port)}/{self.protocol}"


@dataclass(frozen=True, slots=True)
class CheckerSettings:
    """All settings of the checker process, as `configure` sends them."""

    virtual_servers: tuple[VirtualServerSettings, ...] = ()
    net_namespace: str | None = None
    """The network namespace from which checks connect."""
    ipvs_namespace: str | None = None
    """net_namespace_ipvs: where services are.

    None: as `net_namespace`; "": where we were started.
    """

    def __post_init__(self) -> None:
        twice = _first_repeated(server.key for server in self.virtual_servers)
        if twice is not None:
            raise ValueError(f"the virtual server {twice} is there twice")


def endpoint(ip: str, port: int) -> str:
    """Address and port as people write them."""
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def _first_repeated(keys: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            return key
        seen.add(key)
    return None


def _check_address(ip: str) -> None:
    try:
        ipaddress.ip_address(ip)
    except ValueError:
        raise ValueError(f"{ip!r} is no IP address") from None


def _check_range(name: str, value: int, low: int, high: int | None) -> None:
    if value < low or (high is not None and value > high):
        limit = f"at least {low}" if high is None else f"{low} to {high}"
        raise ValueError(f"{name} is {value}; it must be {limit}")
