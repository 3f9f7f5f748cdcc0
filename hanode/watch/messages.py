"""The events and effects of the watch machine.

PURE. The driver (`hanode.proc.watch`) gives it events and carries out its effects. A
`TrackerResult` goes to the vrrp process; a `Notice` comes from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hanode.vrrp.engine_settings import Command, FifoSettings

TrackerKind = Literal["script", "process", "file"]


@dataclass(frozen=True, slots=True)
class TrackerResult:
    """What is known of a tracker has changed, or is known for the first time."""

    kind: TrackerKind
    name: str
    up: bool
    value: int = 0
    """The number in a file."""
    cause: str = ""
    """In words, without the name: `failed 3 times: exit code 1`."""


@dataclass(frozen=True, slots=True)
class Notice:
    """An instance or a sync group has a new state, or something else to notify people of."""

    kind: str
    """INSTANCE or GROUP."""
    name: str
    state: str
    """MASTER BACKUP FAULT STOP DELETED MASTER_RX_LOWER_PRI MASTER_PRIORITY BACKUP_PRIORITY."""
    priority: int


@dataclass(frozen=True, slots=True)
class Ended:
    """A tracking script ended by itself, or by a signal."""

    name: str
    code: int
    """As subprocess has it: negative is a signal."""


@dataclass(frozen=True, slots=True)
class NotStarted:
    """A tracking script could not be started."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class RunScript:
    """Start a tracking script; the driver answers with `Ended` or `NotStarted`."""

    name: str
    command: Command


@dataclass(frozen=True, slots=True)
class KillScript:
    """Signal the process group of a tracking script."""

    name: str
    hard: bool
    """With SIGKILL instead of SIGTERM."""


@dataclass(frozen=True, slots=True)
class Abandon:
    """End a tracking script that nobody waits for any more; its end is not reported."""

    name: str


@dataclass(frozen=True, slots=True)
class RunNotify:
    """Start a notify script without waiting for it."""

    subject: str
    """Instance and state, for warnings about it."""
    command: Command


@dataclass(frozen=True, slots=True)
class WriteFifo:
    """Write one line to a FIFO."""

    fifo: FifoSettings
    text: str


@dataclass(frozen=True, slots=True)
class SendMail:
    """Send mail."""

    subject: str
    text: str


Effect = RunScript | KillScript | Abandon | TrackerResult | RunNotify | WriteFifo | SendMail
