"""The classes of the model: Config, VrrpInstance, VirtualServer, RealServer, TcpCheck, GlobalDefs.

PURE. Frozen dataclasses and tuples. None means "not written" (`language/defaults.py` has the
value that keepalived then uses). Times are integers in microseconds. Statements without a field
of their own are kept in order in `other`, and attributes read their values (`attributes.py`);
users' comments are kept as `Note`s. Equality compares the meaning: it ignores origins and
comments.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hanode.conf.language.defaults import AUTH_PASS_BYTES
from hanode.conf.model.attributes import place, written
from hanode.conf.model.index import Indexed
from hanode.conf.model.statements import Address, Note, Places, Statement, find
from hanode.conf.model.typed.checks import CHECKS, OtherCheck, TcpWords
from hanode.conf.model.typed.globals import GlobalWords
from hanode.conf.model.typed.line_values import Forwarding
from hanode.conf.model.typed.lvs import RealServerWords, VirtualServerWords
from hanode.conf.model.typed.static import RootWords
from hanode.conf.model.typed.vrrp import InstanceWords
from hanode.conf.text.source import NOWHERE, Origin

__all__ = [
    "NOWHERE",
    "Address",
    "Config",
    "GlobalDefs",
    "Note",
    "Origin",
    "Places",
    "RealServer",
    "Statement",
    "TcpCheck",
    "VirtualServer",
    "VrrpInstance",
    "endpoint",
    "find",
    "place",
    "written",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The fields that every class has besides the block's own."""

    other: tuple[Statement, ...] = ()
    """The statements that have no field, in order."""
    notes: tuple[Note, ...] = field(default=(), compare=False)
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)
    places: Places = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class GlobalDefs(GlobalWords, Bound):
    """global_defs."""

    router_id: str | None = None
    vrrp_version: int | None = None


@dataclass(frozen=True, slots=True)
class VrrpInstance(InstanceWords, Bound):
    """vrrp_instance. A missing `interface` is "", a missing `vrid` 0; both are errors."""

    name: str
    state: str | None = None
    """MASTER or BACKUP."""
    interface: str = ""
    vrid: int = 0
    priority: int | None = None
    advert_int_us: int | None = None
    version: int | None = None
    auth_type: str | None = None
    auth_pass: str | None = field(default=None, repr=False)
    nopreempt: bool = False
    vips: tuple[Address, ...] = ()
    excluded: tuple[Address, ...] = ()

    @property
    def auth_bytes(self) -> bytes:
        """The part of auth_pass that is sent: its first 8 bytes."""
        return (self.auth_pass or "").encode(errors="replace")[:AUTH_PASS_BYTES]


@dataclass(frozen=True, slots=True)
class TcpCheck(TcpWords, Bound):
    """TCP_CHECK of a real server."""

    connect_ip: str | None = None
    connect_port: int | None = None
    connect_timeout_us: int | None = None
    retry: int | None = None
    delay_before_retry_us: int | None = None


Check = TcpCheck | OtherCheck


@dataclass(frozen=True, slots=True)
class RealServer(RealServerWords, Bound):
    """real_server."""

    ip: str
    port: int | None = None
    weight: int | None = None
    check: TcpCheck | None = None
    """Its first TCP_CHECK."""
    further_checks: tuple[TcpCheck, ...] = ()
    """Its other ones."""

    @property
    def key(self) -> str:
        """`192.168.192.112:80`."""
        return endpoint(self.ip, self.port)

    @property
    def checks(self) -> tuple[Check, ...]:
        """All checks: the first TCP_CHECK, then those of other kinds, then further TCP_CHECKs."""
        first = (self.check,) if self.check is not None else ()
        others = tuple(
            CHECKS[s.keyword](s)
            for s in self.other
            if s.children is not None and s.keyword in CHECKS
        )
        return first + others + self.further_checks


@dataclass(frozen=True, slots=True)
class VirtualServer(VirtualServerWords, Bound):
    """virtual_server, by address; or by `fwmark` or `group`, with `ip` ""."""

    ip: str
    port: int | None = None
    protocol: str | None = None
    """TCP, UDP or SCTP."""
    delay_loop_us: int | None = None
    lb_algo: str | None = None
    lb_kind: str | None = None
    """NAT, DR or TUN."""
    real_servers: tuple[RealServer, ...] = ()
    fwmark: int | None = None
    group: str | None = None
    """The name of a virtual_server_group."""

    @property
    def key(self) -> str:
        """`192.168.192.200:80/TCP`, with keepalived's default protocol if none is written.

        `fwmark 7` or `group web` for servers that are named so.
        """
        if self.group is not None:
            return f"group {self.group}"
        if self.fwmark is not None:
            return f"fwmark {self.fwmark}"
        return f"{endpoint(self.ip, self.port)}/{self.protocol or 'UDP'}"

    @property
    def forwarding(self) -> Forwarding | None:
        """lb_kind with its options."""
        if self.lb_kind is None:
            return self.tunnel
        return Forwarding(self.lb_kind, origin=place(self, "lb_kind"))


@dataclass(frozen=True, slots=True)
class Config(Indexed, RootWords):
    """A whole configuration, as one node reads it."""

    globals: GlobalDefs = GlobalDefs()
    instances: tuple[VrrpInstance, ...] = ()
    virtual_servers: tuple[VirtualServer, ...] = ()
    """Virtual servers by address."""
    named_servers: tuple[VirtualServer, ...] = ()
    """Virtual servers by firewall mark and by group."""
    other: tuple[Statement, ...] = ()
    notes: tuple[Note, ...] = field(default=(), compare=False)
    """`at` "": the comment at the file's head; "}": comments behind the last statement."""

    def instance(self, name: str) -> VrrpInstance | None:
        """The vrrp_instance of that name."""
        # From the last to the first, so that the first of a name counts.
        names = self.once("instances", lambda: {i.name: i for i in reversed(self.instances)})
        return names.get(name)

    @property
    def services(self) -> tuple[VirtualServer, ...]:
        """All virtual servers: those by address, then those by mark and by group, in order."""
        return self.virtual_servers + self.named_servers


def endpoint(ip: str, port: int | None) -> str:
    """`192.0.2.1:80`, `[2001:db8::1]:80`; without port, only the address."""
    host = f"[{ip}]" if ":" in ip else ip
    return host if port is None else f"{host}:{port}"
