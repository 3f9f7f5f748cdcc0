"""Every kind of event that a node reports: its data, how serious it is, and what it changes.

PURE. One frozen dataclass a kind, and `REGISTRY` of them all. Producers build these, and readers
(the node's log, `hanode events`, the control plane) match on them. `data` and `read` are the form
on the wire, which `hanode.wire.Event` carries: an event's own fields beside subject and cause.

Nothing that a node of another release says is lost: a kind that is not known here and data that
cannot be read become an `UnknownEvent`, which keeps all of it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, assert_never, get_args

from hanode.codec import WireError, decode, encode

Severity = Literal["info", "ok", "warning", "critical"]
"""info: the usual course. ok: something works, perhaps again. warning: less than there should be,
but the service holds. critical: the service, or what an operator ordered, has failed."""

Topic = Literal["events", "config", "groups"]
"""A part of a cluster's page that is out of date after the event: the timeline, the configuration
and what is pushed, the groups with their addresses and servers."""

STAGES = ("received", "verified", "checked", "staged")
"""What every revision goes through before the engine runs it."""

PHASES = (*STAGES, "live", "confirmed", "refused", "reverted")
"""A revision's life on a node."""


@dataclass(frozen=True, slots=True)
class _Base:
    """What all kinds have. `None` in a field of a kind means that the data do not have it."""

    kind: ClassVar[str]
    topics: ClassVar[tuple[Topic, ...]] = ("events",)
    changes_status: ClassVar[bool] = True
    """Whether `hanode.wire.NodeStatus` is another one after it."""
    wire_names: ClassVar[dict[str, str]] = {}
    """Fields whose name in the data is another one."""

    subject: str
    cause: str
    """Why, in words that a person reads."""

    def data(self) -> dict[str, Any]:
        """The form on the wire."""
        said = ((name, getattr(self, field)) for field, name in _data_fields(type(self)))
        return {name: encode(value) for name, value in said if value is not None}


@dataclass(frozen=True, slots=True)
class Transition(_Base):
    """A VRRP instance has another state. Subject: the instance, `VI_1`."""

    kind = "transition"
    topics = ("events", "groups")
    wire_names: ClassVar = {"old": "from", "new": "to"}

    old: str
    """The state before: INIT, BACKUP, MASTER or FAULT."""
    new: str
    """The state now."""
    priority: int = 0
    """The effective one at that moment."""
    arithmetic: str = ""
    """How it came about: `100 - 20 (script chk_http) = 80`."""
    vrid: int = 0
    """virtual_router_id."""
    interface: str = ""
    """Where its adverts are sent; empty: unicast without an interface."""

    @property
    def severity(self) -> Severity:
        """ok: MASTER. critical: FAULT. warning: INIT. info: BACKUP."""
        return _of_state(self.new)


@dataclass(frozen=True, slots=True)
class GroupTransition(_Base):
    """A sync group has another state. Subject: the group, `G1`."""

    kind = "group"
    wire_names: ClassVar = {"old": "from", "new": "to"}

    old: str
    """The state before: INIT, BACKUP, MASTER or FAULT."""
    new: str
    """The state now."""

    @property
    def severity(self) -> Severity:
        """ok: MASTER. critical: FAULT. warning: INIT. info: BACKUP."""
        return _of_state(self.new)


@dataclass(frozen=True, slots=True)
class PriorityChange(_Base):
    """An instance in the same state has another effective priority. Subject: `VI_1`."""

    kind = "priority"

    state: str
    """INIT, BACKUP, MASTER or FAULT."""
    priority: int
    """The effective one now."""
    arithmetic: str = ""
    """How it came about: `100 - 20 (script chk_http) = 80`."""

    @property
    def severity(self) -> Severity:
        """info."""
        return "info"


@dataclass(frozen=True, slots=True)
class TrackerChange(_Base):
    """A tracked script, process or file has another result, or its first one.

    Subject: the tracker, `script chk_http`.
    """

    kind = "tracker"
    wire_names: ClassVar = {"tracker": "kind"}

    tracker: str
    """script, process or file."""
    up: bool
    """Whether the script succeeds or the processes run; always true of a file."""
    value: int = 0
    """The number in a file."""

    @property
    def severity(self) -> Severity:
        """warning: it fails. ok: it works. info: a file."""
        if not self.up:
            return "warning"
        return "info" if self.tracker == "file" else "ok"


@dataclass(frozen=True, slots=True)
class AddressChange(_Base):
    """The kernel has an address, or no longer has it. Subject: `192.0.2.1/24`."""

    kind = "address"
    topics = ("events", "groups")

    interface: str
    """Where it is, or was."""
    present: bool
    """Whether the kernel has it."""
    instance: str = ""
    """Whose virtual address it is; empty: nobody's."""

    @property
    def severity(self) -> Severity:
        """ok: it is there. info: it is gone, as it must be from a backup."""
        return "ok" if self.present else "info"


@dataclass(frozen=True, slots=True)
class RealServerChange(_Base):
    """The checks of a real server have another result, or a first one. Subject: `192.0.2.2:80`."""

    kind = "real_server"
    topics = ("events", "groups")

    virtual_server: str
    """Whose real server it is: `192.0.2.1:80/TCP`."""
    up: bool
    """Whether it may get connections."""
    weight: int = 1
    """As configured."""

    @property
    def severity(self) -> Severity:
        """warning: it is down. ok: it is up."""
        return "ok" if self.up else "warning"


@dataclass(frozen=True, slots=True)
class VirtualServerChange(_Base):
    """A virtual server has lost its quorum, or has it again. Subject: `192.0.2.1:80/TCP`."""

    kind = "virtual_server"
    topics = ("events", "groups")

    up: bool
    """The quorum holds."""

    @property
    def severity(self) -> Severity:
        """critical: it is down. ok: it is up."""
        return "ok" if self.up else "critical"


@dataclass(frozen=True, slots=True)
class RevisionStep(_Base):
    """A revision of the configuration is one step further on the node. Subject: `revision 7`."""

    kind = "config"
    topics = ("events", "config")

    revision: int
    """0: the file that the engine was started with, or an envelope that could not be opened."""
    phase: str
    """received, verified, checked, staged, live, confirmed; or refused, or reverted."""
    problems: tuple[str, ...] = ()
    """Why it was refused, one line each."""

    @property
    def severity(self) -> Severity:
        """critical: refused or reverted. ok: confirmed. info: a step on the way."""
        if self.phase in ("refused", "reverted"):
            return "critical"
        return "ok" if self.phase == "confirmed" else "info"


@dataclass(frozen=True, slots=True)
class PartChange(_Base):
    """A part of the node has started or ended, or is in another mode.

    Subject: engine; vrrp, watch, checker or agent; broker, maintenance or addresses.
    """

    kind = "node"

    phase: str
    """started, stopping, stopped, died; reached, lost, refused (broker); on, off (maintenance);
    announced (addresses); silent (a node that the control plane does not hear)."""
    revision: int | None = None
    """With which the engine starts."""
    pid: int | None = None
    """Of a process that was started or died."""
    restarts: int | None = None
    """How often that process was started again so far."""

    @property
    def severity(self) -> Severity:
        """warning: died, lost, refused, silent, stopping, stopped, or maintenance on. Else info."""
        bad = ("died", "lost", "refused", "silent", "stopping", "stopped", "on")
        return "warning" if self.phase in bad else "info"


@dataclass(frozen=True, slots=True)
class NodeWarning(_Base):
    """Something that an operator should know. Subject: whatever it is about."""

    kind = "warning"
    changes_status = False

    topic: str | None = None
    """What sort of mistake, of those that are told at most once a minute."""
    virtual_server: str | None = None
    """Whose real server could not be checked."""

    @property
    def severity(self) -> Severity:
        """warning."""
        return "warning"


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event of a kind that is not known here, or whose data cannot be read."""

    kind: str
    subject: str
    cause: str
    values: dict[str, Any]
    """The data as they came."""
    problem: str = ""
    """Why the data of a known kind cannot be read; empty: the kind is not known."""

    @property
    def topics(self) -> tuple[Topic, ...]:
        """Those of its kind, where that is known: something of the kind did happen."""
        cls = REGISTRY.get(self.kind)
        return ("events",) if cls is None else cls.topics

    @property
    def severity(self) -> Severity:
        """warning: its data cannot be read. Else info."""
        return "warning" if self.problem else "info"

    def data(self) -> dict[str, Any]:
        """The form on the wire."""
        return self.values


Known = (
    Transition
    | GroupTransition
    | PriorityChange
    | TrackerChange
    | AddressChange
    | RealServerChange
    | VirtualServerChange
    | RevisionStep
    | PartChange
    | NodeWarning
)

Event = Known | UnknownEvent

REGISTRY: dict[str, type[Known]] = {cls.kind: cls for cls in get_args(Known)}
"""By kind."""


def read(kind: str, subject: str, cause: str, data: dict[str, Any]) -> Event:
    """The event that this is on the wire. Never raises; unknown fields of the data are ignored."""
    cls = REGISTRY.get(kind)
    if cls is None:
        return UnknownEvent(kind, subject, cause, data)
    said = {field: data[name] for field, name in _data_fields(cls) if name in data}
    try:
        return decode(cls, {**said, "subject": subject, "cause": cause})
    except WireError as error:
        return UnknownEvent(kind, subject, cause, data, _problem(cls, error))


def sentence(event: Event, *, arrow: str = "→") -> str:
    """What happened to what and why, as a line for a terminal or a log; without its kind."""
    match event:
        case Transition():
            what = f"{event.subject} {event.old} {arrow} {event.new}: {event.cause}"
            return what + _sum(event.arithmetic)
        case GroupTransition():
            return f"{event.subject} {event.old} {arrow} {event.new}: {event.cause}"
        case PriorityChange():
            return f"{event.subject}: {event.cause}{_sum(event.arithmetic)}"
        case TrackerChange():
            return _tracker_sentence(event)
        case AddressChange() | NodeWarning():
            return f"{event.subject}: {event.cause}"
        case RealServerChange():
            of = f" (virtual server {event.virtual_server})" if event.virtual_server else ""
            return f"{event.subject} {up_word(event.up)}: {event.cause}{of}"
        case VirtualServerChange():
            return f"{event.subject} {up_word(event.up)}: {event.cause}"
        case RevisionStep() | PartChange():
            return f"{event.subject} {event.phase}: {event.cause}"
        case UnknownEvent():
            return f"{event.subject}: {event.cause}{unread(event)}"
        case _:
            assert_never(event)


def _tracker_sentence(event: TrackerChange) -> str:
    """`script chk_http failed 3 times: exit code 1`."""
    if event.cause.startswith(("failed", "succeeded")):
        return f"{event.subject} {event.cause}"
    return f"{event.subject}{'' if event.up else ' failed'}: {event.cause}"


def unread(event: UnknownEvent) -> str:
    """What else it says, plainly: ` (percent 5)`, ` (its data cannot be read: …)`; or nothing."""
    said = [f"{key} {value}" for key, value in event.values.items()]
    if event.problem:
        said.insert(0, f"its data cannot be read: {event.problem}")
    return f" ({', '.join(said)})" if said else ""


def up_word(up: bool) -> str:
    """up or down."""
    return "up" if up else "down"


def _sum(arithmetic: str) -> str:
    return f" (priority {arithmetic})" if arithmetic else ""


def _of_state(state: str) -> Severity:
    known: dict[str, Severity] = {"MASTER": "ok", "FAULT": "critical", "INIT": "warning"}
    return known.get(state, "info")


def _problem(cls: type[_Base], error: WireError) -> str:
    """`from is missing`, `up: expected bool, got str`: with the names that the data have."""
    text = str(error).removeprefix(cls.__name__).lstrip(".: ")
    for field, name in cls.wire_names.items():
        if text.startswith((f"{field}:", f"{field} ")):
            return name + text.removeprefix(field)
    return text


def _data_fields(cls: type[_Base]) -> tuple[tuple[str, str], ...]:
    """Each field of the data: its name here, and its name on the wire."""
    names = (f.name for f in dataclasses.fields(cls) if f.name not in ("subject", "cause"))
    return tuple((name, cls.wire_names.get(name, name)) for name in names)
