"""A node's configuration as values: what keepalived's language says, without its spelling.

PURE. Frozen dataclasses and tuples. None means "not written" (`language/defaults.py` has what
keepalived then uses). Times are integers in microseconds. What has no field of its own is kept
in order in `other` as `Statement`s, and read from there by attributes of the same kind
(`attributes.py`); the users' comments are kept as `Note`s. Equality is about meaning: it
ignores origins and comments.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hanode.conf.keywords import blocks
from hanode.conf.language.defaults import AUTH_PASS_BYTES
from hanode.conf.language.values import BadValue, Endpoint, Int
from hanode.conf.model.attributes import place, written
from hanode.conf.model.statements import Address, Note, Places, Statement, find
from hanode.conf.model.typed.checks import CHECKS, OtherCheck, TcpWords
from hanode.conf.model.typed.globals import GlobalWords
from hanode.conf.model.typed.line_values import Forwarding
from hanode.conf.model.typed.lvs import RealServerWords, VirtualServerWords
from hanode.conf.model.typed.static import RootWords
from hanode.conf.model.typed.vrrp import InstanceWords
from hanode.conf.text.lexer import unquote
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
    """What every block whose fields are bound keeps besides them."""

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
    """vrrp_instance. `interface` "" and `vrid` 0: missing, which is an error."""

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
        """What of auth_pass is sent: its first 8 bytes."""
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

    @property
    def key(self) -> str:
        """`192.168.192.112:80`."""
        return endpoint(self.ip, self.port)

    @property
    def checks(self) -> tuple[Check, ...]:
        """All its checks by their kinds: the bound TCP_CHECK first, then in order."""
        first = (self.check,) if self.check is not None else ()
        return first + tuple(
            tcp_check(s) if s.keyword == TcpCheck.BLOCK else CHECKS[s.keyword](s)
            for s in self.other
            if s.children is not None and (s.keyword in CHECKS or s.keyword == TcpCheck.BLOCK)
        )


@dataclass(frozen=True, slots=True)
class VirtualServer(VirtualServerWords, Bound):
    """virtual_server: by address, or by `fwmark` or `group` with `ip` "".

    In `Config.virtual_servers` are those by address; all of them are in `Config.services`.
    """

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
        """`192.168.192.200:80/TCP`, with keepalived's default where none is written.

        `fwmark 7` or `group web` for those that are named so.
        """
        if self.group is not None:
            return f"group {self.group}"
        if self.fwmark is not None:
            return f"fwmark {self.fwmark}"
        return f"{endpoint(self.ip, self.port)}/{self.protocol or 'UDP'}"

    @property
    def forwarding(self) -> Forwarding | None:
        """lb_kind with all that it says."""
        if self.lb_kind is None:
            return self.tunnel
        return Forwarding(self.lb_kind, origin=place(self, "lb_kind"))


@dataclass(frozen=True, slots=True)
class Config(RootWords):
    """A whole file, as one node sees it."""

    globals: GlobalDefs = GlobalDefs()
    instances: tuple[VrrpInstance, ...] = ()
    virtual_servers: tuple[VirtualServer, ...] = ()
    other: tuple[Statement, ...] = ()
    notes: tuple[Note, ...] = field(default=(), compare=False)
    """at "": the file's head comment; "}": what stands after the last statement."""

    def instance(self, name: str) -> VrrpInstance | None:
        """The vrrp_instance of that name."""
        return next((i for i in self.instances if i.name == name), None)

    @property
    def services(self) -> tuple[VirtualServer, ...]:
        """All virtual servers: those by address, then those by mark and by group, in order."""
        named = (s for s in self.other if s.keyword == VirtualServer.BLOCK)
        return self.virtual_servers + tuple(
            server for s in named if (server := virtual_server(s)) is not None
        )


def endpoint(ip: str, port: int | None) -> str:
    """`192.0.2.1:80`, `[2001:db8::1]:80`; no port, no colon."""
    host = f"[{ip}]" if ":" in ip else ip
    return host if port is None else f"{host}:{port}"


def virtual_server(statement: Statement) -> VirtualServer | None:
    """A virtual_server that is kept as a statement: by mark or by group."""
    words = [unquote(word) for word in statement.words[1:]]
    if statement.children is None or len(words) < 2 or words[0] not in ("fwmark", "group"):
        return None
    said, other, places = _fields(statement.children, VirtualServer.BLOCK)
    if words[0] == "group":
        said["group"] = words[1]
    else:
        try:
            said["fwmark"] = Int(0, 4_294_967_295).read(words[1:])
        except BadValue:
            return None
    reals = tuple(real for s in other if (real := real_server(s)) is not None)
    return VirtualServer(
        "",
        **said,
        real_servers=reals,
        other=tuple(s for s in other if real_server(s) is None),
        notes=statement.notes,
        origin=statement.origin,
        places=places,
    )


def real_server(statement: Statement) -> RealServer | None:
    """A real_server that is kept as a statement."""
    if statement.keyword != RealServer.BLOCK or statement.children is None:
        return None
    try:
        ip, port = Endpoint().read([unquote(word) for word in statement.words[1:3]] or [""])
    except BadValue:
        return None
    said, other, places = _fields(statement.children, RealServer.BLOCK)
    first = next((s for s in other if s.keyword == TcpCheck.BLOCK and s.children is not None), None)
    return RealServer(
        ip,
        port,
        **said,
        check=None if first is None else tcp_check(first),
        other=tuple(s for s in other if s is not first),
        notes=statement.notes,
        origin=statement.origin,
        places=places,
    )


def tcp_check(statement: Statement) -> TcpCheck:
    """A TCP_CHECK that is kept as a statement."""
    said, other, places = _fields(statement.children or (), TcpCheck.BLOCK)
    return TcpCheck(
        **said, other=other, notes=statement.notes, origin=statement.origin, places=places
    )


def _fields(
    statements: tuple[Statement, ...], block: str
) -> tuple[dict[str, Any], tuple[Statement, ...], Places]:
    """The values that have a field, the statements that have none, and the values' places."""
    table = blocks()[block].keywords
    said: dict[str, Any] = {}
    places: dict[str, Origin] = {}
    other: list[Statement] = []
    for statement in statements:
        keyword = table.get(statement.keyword)
        value = None
        if keyword is not None and keyword.field is not None and statement.children is None:
            words = [unquote(word) for word in statement.words[1:]]
            try:
                if len(words) >= keyword.value.least:
                    value = keyword.value.read(words[: keyword.value.most])
            except BadValue:
                value = None
        if keyword is None or keyword.field is None or value is None:
            other.append(statement)
            continue
        said[keyword.field] = value
        places[keyword.same_as or keyword.name] = statement.origin
    return said, tuple(other), tuple(places.items())
