"""A node's configuration as values: what keepalived's language says, without its spelling.

PURE. Frozen dataclasses and tuples. None means "not written" (`hanode.conf.defaults` has what
keepalived then uses). Times are integers in microseconds. What has no field of its own is kept
in order in `other` as `Statement`s; the users' comments are kept as `Note`s. Equality is about
meaning: it ignores origins and comments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hanode.conf.defaults import AUTH_PASS_BYTES
from hanode.conf.source import Source


class Origin:
    """Where something was written: offsets into the file's text, and the macro that made it.

    Never changes. Lines and columns are counted when they are asked for: a large file has tens of
    thousands of these, and hardly any is ever looked at.
    """

    __slots__ = ("_end", "_head", "_source", "_start", "macro")

    def __init__(
        self,
        source: Source | None = None,
        start: int = 0,
        end: int = 0,
        head: int = 0,
        macro: str | None = None,
    ) -> None:
        self._source = source
        self._start = start
        self._end = end
        self._head = head
        self.macro = macro
        """`$NAME` or `~SEQ`: the place is where the macro is used; the words are not there."""

    @property
    def file(self) -> str:
        """The file's name."""
        return self._source.name if self._source is not None else ""

    @property
    def start(self) -> int:
        """The offset at which it begins."""
        return self._start + (self._source.offset if self._source is not None else 0)

    @property
    def end(self) -> int:
        """The offset behind it, its block included."""
        return self._end + (self._source.offset if self._source is not None else 0)

    @property
    def line(self) -> int:
        """The line of its first word; 0 where it stands nowhere."""
        return self._source.said_line(self._start) if self._source is not None else 0

    @property
    def column(self) -> int:
        """The column of its first word."""
        return self._source.position(self._start)[1] if self._source is not None else 0

    @property
    def end_column(self) -> int:
        """Behind its head: the words before the block."""
        return self.column + max(self._head - self._start, 0)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Origin) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        return f"Origin({self.file}:{self.line}:{self.column})"

    def _values(self) -> tuple[object, ...]:
        return self.file, self.start, self.end, self.line, self.end_column, self.macro


NOWHERE = Origin()


@dataclass(frozen=True, slots=True)
class Note:
    """Comments, with their marks (`#`, `!`), and what they stand at.

    `at` is "" for the object's own line, a keyword for that line inside it, `block/keyword` for
    a line of a block inside it, and `}` (or `block/}`) for the closing line.
    """

    at: str
    before: tuple[str, ...] = ()
    """Whole lines above it."""
    after: str = ""
    """On the same line."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Something kept as it is: words as written (quotes included) and, for a block, children."""

    words: tuple[str, ...]
    children: tuple[Statement, ...] | None = None
    notes: tuple[Note, ...] = field(default=(), compare=False)
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

    @property
    def keyword(self) -> str:
        """Its first word."""
        return self.words[0] if self.words else ""


@dataclass(frozen=True, slots=True)
class Address:
    """One line of virtual_ipaddress."""

    ip: str
    prefix: int | None = None
    dev: str | None = None
    options: tuple[str, ...] = ()
    """The line's other words: `label ens33:1 scope global`."""
    notes: tuple[Note, ...] = field(default=(), compare=False)
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

    def __str__(self) -> str:
        """`192.168.192.200/24`, as written."""
        return self.ip if self.prefix is None else f"{self.ip}/{self.prefix}"


Places = tuple[tuple[str, Origin], ...]
"""Where the statements behind an object's fields stand, by their keyword."""


def place(
    owner: GlobalDefs | VrrpInstance | TcpCheck | RealServer | VirtualServer, keyword: str
) -> Origin:
    """Where that statement stands; the object's own place where it has none."""
    return next((where for name, where in owner.places if name == keyword), owner.origin)


@dataclass(frozen=True, slots=True)
class GlobalDefs:
    """global_defs."""

    router_id: str | None = None
    vrrp_version: int | None = None
    other: tuple[Statement, ...] = ()
    notes: tuple[Note, ...] = field(default=(), compare=False)
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)
    places: Places = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class VrrpInstance:
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
    other: tuple[Statement, ...] = ()
    notes: tuple[Note, ...] = field(default=(), compare=False)
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)
    places: Places = field(default=(), compare=False, repr=False)

    @property
    def auth_bytes(self) -> bytes:
        """What of auth_pass is sent: its first 8 bytes."""
        return (self.auth_pass or "").encode(errors="replace")[:AUTH_PASS_BYTES]


@dataclass(frozen=True, slots=True)
class TcpCheck:
    """TCP_CHECK of a real server."""

    connect_ip: str | None = None
    connect_port: int | None = None
    connect_timeout_us: int | None = None
    retry: int | None = None
    delay_before_retry_us: int | None = None
    other: tuple[Statement, ...] = ()
    notes: tuple[Note, ...] = field(default=(), compare=False)
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)
    places: Places = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RealServer:
    """real_server."""

    ip: str
    port: int | None = None
    weight: int | None = None
    check: TcpCheck | None = None
    other: tuple[Statement, ...] = ()
    notes: tuple[Note, ...] = field(default=(), compare=False)
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)
    places: Places = field(default=(), compare=False, repr=False)

    @property
    def key(self) -> str:
        """`192.168.192.112:80`."""
        return endpoint(self.ip, self.port)


@dataclass(frozen=True, slots=True)
class VirtualServer:
    """virtual_server with an address; by fwmark or group it stays a Statement for now."""

    ip: str
    port: int | None = None
    protocol: str | None = None
    """TCP, UDP or SCTP."""
    delay_loop_us: int | None = None
    lb_algo: str | None = None
    lb_kind: str | None = None
    """NAT, DR or TUN."""
    real_servers: tuple[RealServer, ...] = ()
    other: tuple[Statement, ...] = ()
    notes: tuple[Note, ...] = field(default=(), compare=False)
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)
    places: Places = field(default=(), compare=False, repr=False)

    @property
    def key(self) -> str:
        """`192.168.192.200:80/TCP`, with keepalived's default where none is written."""
        return f"{endpoint(self.ip, self.port)}/{self.protocol or 'UDP'}"


@dataclass(frozen=True, slots=True)
class Config:
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


def endpoint(ip: str, port: int | None) -> str:
    """`192.0.2.1:80`, `[2001:db8::1]:80`; no port, no colon."""
    host = f"[{ip}]" if ":" in ip else ip
    return host if port is None else f"{host}:{port}"


def find(statements: tuple[Statement, ...], keyword: str) -> Iterator[Statement]:
    """Those of `other` that begin with that word."""
    return (s for s in statements if s.keyword == keyword)
