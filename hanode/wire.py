"""What the control plane, the agent, the supervisor and its children say to each other.

PURE. Frozen dataclasses, and one codec for all of them: `encode` gives plain JSON values,
`decode` builds the dataclass back and refuses what does not fit with one `WireError` sentence.
Unknown fields are ignored, so that an older peer understands a newer one.

Times are integers: `wall_us` microseconds since the epoch, `mono_us` microseconds of the
node's monotonic clock.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from dataclasses import dataclass, field
from typing import Any, TypeVar

VERSION = 1
"""Grows when a message changes in a way an older peer would misread."""

T = TypeVar("T")

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class WireError(ValueError):
    """A message does not have the form it should have; the text says what and where."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a node is told once, out of band: who it is and whom it believes."""

    node: str
    """Wire id, `[a-z0-9-]+`: names its queue, its stream and its broker user."""
    name: str
    """Config id: the NAME of the document's `@NAME` lines."""
    cluster: str
    broker_url: str
    public_key: str
    """Base64 of the control plane's raw 32-byte Ed25519 public key; pinned."""
    heartbeat_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Bundle:
    """One revision for one node, as the control plane signs it."""

    cluster: str
    node: str
    revision: int
    """Grows with every revision of the cluster; a node takes none that is not newer."""
    config: str
    """The node's whole keepalived.conf."""
    created_us: int
    confirm_within_s: float = 30.0
    """The node goes back by itself unless a Confirmation comes in this time; 0: never."""
    v: int = VERSION


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The control plane has seen this node healthy on this revision: keep it."""

    cluster: str
    node: str
    revision: int
    v: int = VERSION


@dataclass(frozen=True, slots=True)
class Signed:
    """An envelope: `payload` is the JSON text of `kind`, signed byte for byte.

    The signature covers `kind + NUL + payload`, so that a Confirmation can never pass as a Bundle.
    """

    kind: str
    """`bundle` or `confirmation`."""
    payload: str
    signature: str
    """Base64 of the 64-byte Ed25519 signature."""

    def signed_bytes(self) -> bytes:
        """The bytes that the signature covers."""
        return self.kind.encode() + b"\0" + self.payload.encode()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a node, numbered by that node's journal.

    kind          subject                data
    transition    instance name          from, to, priority, arithmetic, vrid, interface
    tracker       "script chk_http"      kind, up, value
    address       "192.0.2.1/24"         interface, present, instance: what the kernel says
    real_server   "192.0.2.2:80"         virtual_server, up, weight
    virtual_server "192.0.2.1:80/TCP"    up (quorum)
    config        "revision 3"           revision, phase, problems; phase is one of PHASES
    node          "engine|vrrp|…"        phase: started, stopping, died …
    warning       whatever it is about   free
    """

    kind: str
    subject: str
    cause: str
    """Why, in words that a person reads."""
    wall_us: int
    mono_us: int
    data: dict[str, Any] = field(default_factory=dict)
    journal: str = ""
    """Id of the node's journal; a new one begins at seq 1."""
    seq: int = 0
    v: int = VERSION


PHASES = ("received", "verified", "checked", "staged", "live", "confirmed", "refused", "reverted")
"""A revision's life on a node, as `config` events tell it."""


@dataclass(frozen=True, slots=True)
class VipStatus:
    address: str
    """As configured, with its prefix: `192.168.192.200/24`."""
    dev: str
    present: bool
    """Asked of the kernel when the status was made."""


@dataclass(frozen=True, slots=True)
class InstanceStatus:
    name: str
    vrid: int
    interface: str
    state: str
    """INIT, BACKUP, MASTER or FAULT."""
    since_us: int
    cause: str
    base_priority: int
    effective_priority: int
    master: str | None = None
    """Source address of the master as this node last heard it; its own when MASTER."""
    vips: tuple[VipStatus, ...] = ()
    counters: dict[str, int] = field(default_factory=dict)
    since_mono_us: int = 0
    arithmetic: str = ""
    """How the effective priority came about: `100 - 20 (script chk_http) = 80`."""
    wanted: str = ""
    """The state it would have if its sync group let it; empty: the one it has."""
    master_priority: int = 0
    """As the master's last advert said; 0 while MASTER, or when none was heard."""
    master_advert_int_us: int = 0
    group: str = ""
    """Its sync group."""


@dataclass(frozen=True, slots=True)
class TrackerStatus:
    """A tracked script, process or file."""

    kind: str
    name: str
    up: bool | None
    """None: not known yet."""
    value: int = 0
    """A file's number."""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class RealServerStatus:
    key: str
    """`192.168.192.112:80`."""
    up: bool | None
    """None: not checked yet."""
    weight: int
    since_us: int
    cause: str = ""


@dataclass(frozen=True, slots=True)
class VirtualServerStatus:
    key: str
    """`192.168.192.200:80/TCP`."""
    up: bool
    """Quorum holds."""
    in_kernel: bool | None
    """IPVS has the service; None where the kernel has no IPVS."""
    real_servers: tuple[RealServerStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class KernelAddress:
    dev: str
    address: str
    """With its prefix."""


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    name: str
    pid: int
    up: bool
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """The whole of a node at one moment; sent as a heartbeat and after each event."""

    node: str
    name: str
    wall_us: int
    mono_us: int
    revision: int
    """0: the file the engine was started with, before any push."""
    confirmed_revision: int
    config_sha256: str
    started_us: int
    instances: tuple[InstanceStatus, ...] = ()
    virtual_servers: tuple[VirtualServerStatus, ...] = ()
    addresses: tuple[KernelAddress, ...] = ()
    ipvs: str = ""
    """`kernel`, or `absent: …` with the reason in words."""
    processes: tuple[ProcessStatus, ...] = ()
    problems: tuple[str, ...] = ()
    stopping: bool = False
    trackers: tuple[TrackerStatus, ...] = ()
    maintenance_us: int = 0
    """Since when an operator keeps it out of the election; 0: it takes part."""
    strays: dict[str, int] = field(default_factory=dict)
    """VRRP packets that were no instance's: `unknown_vrids` and `short_packets`. Without
    log_unknown_vrids the kernel drops nearly all of them unseen."""
    v: int = VERSION


def encode(value: Any, *, brief: bool = False) -> Any:
    """Plain JSON values of a dataclass (or a tuple, dict … of them).

    `brief` leaves out what has its default: for a reader of the same release only, since another
    may have another default. Settings of thousands of instances become a fifth as long.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            name: encode(said, brief=brief)
            for name, default in _defaults(type(value))
            if (said := getattr(value, name)) != default or not brief
        }
    if isinstance(value, (list, tuple)):
        return [encode(item, brief=brief) for item in value]
    if isinstance(value, dict):
        return {str(key): encode(item, brief=brief) for key, item in value.items()}
    return value


@functools.cache
def _defaults(cls: type) -> tuple[tuple[str, Any], ...]:
    """Fields and their defaults; MISSING, which equals nothing, where there is none."""
    return tuple((f.name, f.default) for f in dataclasses.fields(cls))


def to_json(value: Any) -> str:
    """One line of JSON."""
    return json.dumps(encode(value), ensure_ascii=False, separators=(",", ":"))


def from_json(cls: type[T], text: str | bytes) -> T:
    """Inverse of `to_json`. Raises WireError."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError(f"not JSON: {error}") from None
    return decode(cls, raw)


def decode(cls: type[T], raw: Any) -> T:
    """Build dataclass `cls` from plain JSON values. Raises WireError; ignores unknown fields."""
    value: T = _decode(cls, raw, cls.__name__)
    return value


def _decode(hint: Any, raw: Any, where: str) -> Any:
    if hint is Any:
        return raw
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        return _decode_union(hint, raw, where)
    if origin is tuple:
        return _decode_tuple(hint, raw, where)
    if origin is dict or hint is dict:
        if not isinstance(raw, dict):
            raise WireError(f"{where}: expected an object, got {_kind(raw)}")
        inner = (typing.get_args(hint) or (str, Any))[1]
        return {str(key): _decode(inner, item, f"{where}.{key}") for key, item in raw.items()}
    if origin is typing.Literal:
        if raw not in typing.get_args(hint):
            raise WireError(f"{where}: {raw!r} is none of {typing.get_args(hint)}")
        return raw
    if dataclasses.is_dataclass(hint):
        return _decode_dataclass(hint, raw, where)
    return _decode_scalar(hint, raw, where)


def _decode_union(hint: Any, raw: Any, where: str) -> Any:
    if raw is None and type(None) in typing.get_args(hint):
        return None
    errors = []
    for option in typing.get_args(hint):
        if option is type(None):
            continue
        try:
            return _decode(option, raw, where)
        except WireError as error:
            errors.append(str(error))
    raise WireError(errors[0] if len(errors) == 1 else f"{where}: fits none of its forms")


def _decode_tuple(hint: Any, raw: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(raw, (list, tuple)):
        raise WireError(f"{where}: expected a list, got {_kind(raw)}")
    args = typing.get_args(hint)
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(_decode(args[0], item, f"{where}[{i}]") for i, item in enumerate(raw))
    if len(args) != len(raw):
        raise WireError(f"{where}: expected {len(args)} items, got {len(raw)}")
    return tuple(
        _decode(arg, item, f"{where}[{i}]")
        for i, (arg, item) in enumerate(zip(args, raw, strict=True))
    )


@functools.cache
def _fields(cls: type) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Each field's type, and the names of those that must be there."""
    hints = typing.get_type_hints(cls)
    fields = [f for f in dataclasses.fields(cls) if f.init]
    missing = dataclasses.MISSING
    needed = [f.name for f in fields if f.default is missing and f.default_factory is missing]
    return {f.name: hints[f.name] for f in fields}, tuple(needed)


def _decode_dataclass(cls: Any, raw: Any, where: str) -> Any:
    if not isinstance(raw, dict):
        raise WireError(f"{where}: expected an object, got {_kind(raw)}")
    hints, needed = _fields(cls)
    for name in needed:
        if name not in raw:
            raise WireError(f"{where}: {name} is missing")
    values = {
        name: _decode(hints[name], said, f"{where}.{name}")
        for name, said in raw.items()
        if name in hints
    }
    try:
        return cls(**values)
    except ValueError as error:
        raise WireError(f"{where}: {error}") from None


def _decode_scalar(hint: Any, raw: Any, where: str) -> Any:
    if hint is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw)
    if (
        isinstance(hint, type)
        and issubclass(hint, str)
        and hint is not str
        and isinstance(raw, str)
    ):
        return _enum(hint, raw, where)
    if hint is int and isinstance(raw, bool):
        raise WireError(f"{where}: expected int, got bool")
    if isinstance(hint, type) and not isinstance(raw, hint):
        if isinstance(raw, int) and issubclass(hint, int):
            return _enum(hint, raw, where)
        raise WireError(f"{where}: expected {hint.__name__}, got {_kind(raw)}")
    return raw


def _enum(hint: Any, raw: Any, where: str) -> Any:
    try:
        return hint(raw)
    except ValueError:
        raise WireError(f"{where}: {raw!r} is no {hint.__name__}") from None


def _kind(raw: Any) -> str:
    return "null" if raw is None else type(raw).__name__
