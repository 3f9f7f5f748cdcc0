"""What the watch process runs: the trackers, and what to do on transitions.

PURE. `watched` makes these settings from those of the vrrp process; the supervisor sends them as
JSON. The weight of a tracker matters here only where it cannot be watched at all: then it must
count as with keepalived, which forgets it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hanode.vrrp.engine_settings import (
    Command,
    FifoSettings,
    FileTracker,
    NotifySettings,
    ProcessTracker,
    ScriptTracker,
    SmtpSettings,
    Tracked,
    VrrpSettings,
)
from hanode.vrrp.tracking_and_notify import NO_SMTP

Kind = Literal["INSTANCE", "GROUP"]


@dataclass(frozen=True, slots=True)
class Target:
    """An instance or a sync group with scripts or mail for its transitions."""

    kind: Kind
    name: str
    notify: NotifySettings

    @property
    def commands(self) -> tuple[Command, ...]:
        """All its scripts."""
        one = self.notify
        every = (
            one.master, one.backup, one.fault, one.stop, one.deleted, one.master_rx_lower_pri,
            one.any,
        )  # fmt: skip
        return tuple(command for command in every if command is not None)


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """Everything one watch process runs."""

    scripts: tuple[ScriptTracker, ...] = ()
    processes: tuple[ProcessTracker, ...] = ()
    files: tuple[FileTracker, ...] = ()
    harmless_down: tuple[str, ...] = ()
    """Scripts that change no priority while they count as failed; the others change none while
    they count as succeeded."""
    targets: tuple[Target, ...] = ()
    fifos: tuple[FifoSettings, ...] = ()
    fifo_states_on_reload: bool = False
    """A reload writes all states to the FIFOs again."""
    smtp: SmtpSettings = NO_SMTP
    router_id: str = ""
    """"": the host's name."""
    script_user: str | None = None
    script_group: str | None = None
    script_security: bool = False
    """Run no script as root that another user could change."""
    net_namespace: str | None = None
    """The network namespace of scripts and mail, as of the engine itself."""

    def commands(self) -> Iterator[tuple[str, Command]]:
        """Every command, each with words that say what it belongs to."""
        for script in self.scripts:
            yield f"script {script.name}", script.command
        for target in self.targets:
            for command in target.commands:
                yield f"notify script of {target.name}", command
        for fifo in self.fifos:
            if fifo.script is not None:
                yield f"script of {fifo.path}", fifo.script


def watched(settings: VrrpSettings) -> WatchSettings:
    """The part of these settings that the watch process needs: trackers that somebody tracks, and
    instances and groups that notify somebody.
    """
    lines = [line for instance in settings.instances for line in instance.tracked]
    names = {(line.kind, line.name) for line in lines}
    targets = [
        *(Target("INSTANCE", i.name, i.notify) for i in settings.instances),
        *(Target("GROUP", g.name, g.notify) for g in settings.sync_groups),
    ]
    return WatchSettings(
        scripts=tuple(s for s in settings.scripts if ("script", s.name) in names),
        processes=tuple(p for p in settings.processes if ("process", p.name) in names),
        files=tuple(f for f in settings.files if ("file", f.name) in names),
        harmless_down=tuple(s.name for s in settings.scripts if _harmless_down(s.name, lines)),
        targets=tuple(t for t in targets if t.commands or t.notify.smtp_alert),
        fifos=settings.fifos,
        fifo_states_on_reload=settings.fifo_states_on_reload,
        smtp=settings.smtp,
        router_id=settings.router_id,
        script_user=settings.script_user,
        script_group=settings.script_group,
        script_security=settings.script_security,
        net_namespace=settings.net_namespace,
    )


def _harmless_down(name: str, lines: list[Tracked]) -> bool:
    """Whether it changes no priority while failed; a line that leads to FAULT comes first."""
    ours = sorted((t for t in lines if t.kind == "script" and t.name == name), key=_weighted)
    return bool(ours) and (ours[0].weight > 0 or (not ours[0].weight and ours[0].reverse))


def _weighted(line: Tracked) -> bool:
    return line.weight != 0
