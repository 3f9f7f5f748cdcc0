"""What the control plane, the agent, the supervisor and its children say to each other.

PURE. Frozen dataclasses, and one codec for all of them (`hanode.codec`): `encode` gives plain JSON
values, `decode` builds the dataclass back and refuses what does not fit with one `WireError`.
Unknown fields are ignored, so that an older peer understands a newer one.

Times are integers: `wall_us` microseconds since the epoch, `mono_us` microseconds of the
node's monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from hanode import events
from hanode.codec import WireError as WireError
from hanode.codec import decode as decode
from hanode.codec import encode as encode
from hanode.codec import from_json as from_json
from hanode.codec import to_json as to_json

VERSION = 1
"""Grows when a message changes in a way an older peer would misread."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


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
    content_key: str = ""
    """Base64 of the 64-byte AES-SIV key that opens `Sealed`; empty: enrolled before there was one.
    It and the password in `broker_url` are secrets."""


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
    config_sha256: str = ""
    """Of the text that it means, in hex: a number alone may name two after a restored backup.
    Empty: from a control plane of an earlier release."""


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
class Sealed:
    """A Signed that only its node can read: what a key of the broker holds.

    A node of an earlier release reads it as a Signed, and says that it is a `sealed`.
    """

    KIND: ClassVar[str] = "sealed"

    kind: str
    """KIND"""
    payload: str
    """Base64 of the JSON of a Signed, sealed by AES-SIV with `sealed_for` as associated data."""
    signature: str
    """Empty: the signature is inside."""
    v: int = VERSION


def sealed_for(node: str, kind: str) -> list[bytes]:
    """The associated data of `Sealed`: a value that is moved to another key does not open."""
    return [b"keepsight", node.encode(), kind.encode()]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a node, numbered by that node's journal.

    What kinds there are, and their data, is `hanode.events`; see `to_wire` and `from_wire`.
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


def to_wire(event: events.Event, *, wall_us: int, mono_us: int) -> Event:
    """The message that tells it; the journal numbers it later."""
    return Event(event.kind, event.subject, event.cause, wall_us, mono_us, event.data())


def from_wire(message: Event) -> events.Event:
    """What the message tells. Never raises: see `hanode.events.UnknownEvent`."""
    return events.read(message.kind, message.subject, message.cause, message.data)


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
    """Of the last master that it gave way to, in every state, as keepalived; 0: none yet."""
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
class NodePolicy:
    """What a node lets pushed configurations do; its own files say so, and nobody else.

    `hanode.policy` makes, knows and applies it; docs/POLICY.md says what each list means. A list of
    paths holds directories and single files.
    """

    add_programs: bool = False
    """Whether a push may name commands that the node does not run already."""
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Groups of programs beside their user's own."""
    programs: tuple[str, ...] = ()
    root_programs: tuple[str, ...] = ()
    """What runs as root may be here, where `users` names root."""
    written: tuple[str, ...] = ()
    fifos: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    """Names, with * and ?."""
    addresses: tuple[str, ...] = ()
    """Networks, addresses, and names of hosts."""
    namespaces: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """The files that were read for it; (): there is none."""
    fault: str = ""
    """Why no push is taken at all: the files cannot be trusted or read."""
    script_user: str = ""
    """Whom programs run as that name nobody; empty: not known."""


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
    cannot: dict[str, str] = field(default_factory=dict)
    """By keyword: why this machine cannot carry it out, as far as that is known before."""
    policy: NodePolicy | None = None
    """None: a node of an older release, which takes every signed push."""
    v: int = VERSION
    newest_revision: int = 0
    """The newest that ever ran here: the node takes none that is not above it."""
    late: dict[str, float] = field(default_factory=dict)
    """By task of the agent that does not come round, since when, in seconds: `orders` (what the
    node should run is not read), `events` (they wait unsent), `nudges`. Empty: all do."""
