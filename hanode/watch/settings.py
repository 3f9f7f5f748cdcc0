"""What the watch process runs: trackers to look after, and whom to tell of a transition.

PURE. Made from the configuration by `hanode.build`, travels as JSON from the supervisor. What a
tracker is worth to an instance (weight, reverse) is no matter of this room: the vrrp process knows.
Times are integer microseconds; defaults are keepalived's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Command:
    """A program and its arguments, split as keepalived splits them; no shell ever sees it."""

    argv: tuple[str, ...]
    user: str = ""
    """"": script_user's default, `keepalived_script` where it exists, else our own user."""
    group: str = ""
    """"": the user's own."""

    def __post_init__(self) -> None:
        if not self.argv or not self.argv[0]:
            raise ValueError("a command needs the path of a program")
        if any("\0" in word for word in self.argv):
            raise ValueError("a command's words cannot hold a NUL")

    def __str__(self) -> str:
        return " ".join(word if word and " " not in word else f"'{word}'" for word in self.argv)


@dataclass(frozen=True, slots=True)
class ScriptSettings:
    """One vrrp_script that an instance or a group tracks."""

    name: str
    command: Command
    interval_us: int = 1_000_000
    timeout_us: int = 0
    """0: the interval."""
    rise: int = 1
    fall: int = 1
    init_fail: bool = False

    def __post_init__(self) -> None:
        if self.interval_us < 1 or self.timeout_us < 0:
            raise ValueError(f"script {self.name}: interval and timeout must be positive")
        if self.rise < 1 or self.fall < 1:
            raise ValueError(f"script {self.name}: rise and fall are at least 1")

    @property
    def limit_us(self) -> int:
        """How long a run may take."""
        return self.timeout_us or self.interval_us


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """One vrrp_track_process that is tracked."""

    name: str
    argv: tuple[str, ...]
    """The process's name or path, and its arguments."""
    param_match: Literal["exact", "initial", "partial"] | None = None
    """None: arguments count, all of them, only where some are given."""
    quorum: int = 1
    quorum_max: int | None = None
    fork_delay_us: int = 0
    terminate_delay_us: int = 0
    full_command: bool = False

    def __post_init__(self) -> None:
        if not self.argv or not self.argv[0]:
            raise ValueError(f"process {self.name}: its name is missing")


@dataclass(frozen=True, slots=True)
class FileSettings:
    """One track_file that is tracked."""

    name: str
    path: str
    init: int | None = None
    """Written at the start where the file does not exist."""
    overwrite: bool = False
    """Written at the start in any case."""


Kind = Literal["INSTANCE", "GROUP"]


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """What an instance or a sync group wants done on its transitions."""

    kind: Kind
    name: str
    master: Command | None = None
    backup: Command | None = None
    fault: Command | None = None
    stop: Command | None = None
    deleted: Command | None = None
    master_rx_lower_pri: Command | None = None
    any: Command | None = None
    """`notify`: gets kind, name, state and priority after its own arguments."""
    mail: bool = False

    @property
    def commands(self) -> tuple[Command, ...]:
        """All that it has."""
        every = (
            self.master, self.backup, self.fault, self.stop, self.deleted,
            self.master_rx_lower_pri, self.any,
        )  # fmt: skip
        return tuple(command for command in every if command is not None)


@dataclass(frozen=True, slots=True)
class FifoSettings:
    """notify_fifo or vrrp_notify_fifo."""

    path: str
    user: str = ""
    group: str = ""
    script: Command | None = None
    """Reads the FIFO; gets its path as the last argument."""


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Where mail about transitions goes."""

    router_id: str
    sender: str
    to: tuple[str, ...]
    host: str
    port: int = 25
    helo: str = ""
    """"": the host's name."""
    timeout_us: int = 30_000_000
    faults: bool = True
    """False: no_email_faults."""


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """Everything one watch process runs."""

    scripts: tuple[ScriptSettings, ...] = ()
    processes: tuple[ProcessSettings, ...] = ()
    files: tuple[FileSettings, ...] = ()
    targets: tuple[TargetSettings, ...] = ()
    fifos: tuple[FifoSettings, ...] = ()
    mail: MailSettings | None = None
    script_security: bool = False
    """No script as root that somebody else could change."""

    def __post_init__(self) -> None:
        for what, names in (
            ("scripts", [one.name for one in self.scripts]),
            ("processes", [one.name for one in self.processes]),
            ("files", [one.name for one in self.files]),
        ):
            if len(set(names)) != len(names):
                raise ValueError(f"two tracked {what} have the same name")

    def commands(self) -> Iterator[tuple[str, Command]]:
        """Every command, with words for whose it is."""
        for script in self.scripts:
            yield f"script {script.name}", script.command
        for target in self.targets:
            for command in target.commands:
                yield f"a notify script of {target.name}", command
        for fifo in self.fifos:
            if fifo.script is not None:
                yield f"the script of {fifo.path}", fifo.script
