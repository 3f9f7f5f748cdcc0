"""What the watch process is told and what it wants done.

PURE. Events come from the driver (`hanode.proc.watch`); effects are carried out by it. A `News` is
what the vrrp process learns of a tracker, a `Notice` what it tells of a transition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hanode.vrrp.settings import Command, FifoSettings

TrackerKind = Literal["script", "process", "file"]


@dataclass(frozen=True, slots=True)
class News:
    """A tracker has changed, or is known for the first time."""

    kind: TrackerKind
    name: str
    up: bool
    value: int = 0
    """The number in a file."""
    cause: str = ""
    """In words, without the name: `failed 3 times: exit code 1`."""


@dataclass(frozen=True, slots=True)
class Notice:
    """An instance or a group has a new state, or something like it."""

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
class Run:
    """Start a tracking script; `Ended` or `NotStarted` answers."""

    name: str
    command: Command


@dataclass(frozen=True, slots=True)
class Kill:
    """End the process group of a tracking script."""

    name: str
    hard: bool
    """SIGKILL, not SIGTERM."""


@dataclass(frozen=True, slots=True)
class Drop:
    """End a tracking script that nobody waits for any more; its end is no news."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """Start a notify script and do not wait for it."""

    subject: str
    """Whose it is, in words."""
    command: Command


@dataclass(frozen=True, slots=True)
class Line:
    """Write to a FIFO."""

    fifo: FifoSettings
    text: str


@dataclass(frozen=True, slots=True)
class Letter:
    """Send mail."""

    subject: str
    text: str


Effect = Run | Kill | Drop | News | Call | Line | Letter
