"""All trackers of one watch process, and what is done on transitions.

PURE. The driver gives it outcomes of scripts, the machine's processes, files' texts, notices and
the time, and carries out the effects. A reload keeps what is known of a tracker whose command,
process or file is the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hanode.vrrp.engine_settings import FileTracker, ProcessTracker, ScriptTracker
from hanode.vrrp.tracking_and_notify import ProcessCount
from hanode.watch import files, notices, processes
from hanode.watch.messages import Effect, Ended, Notice, NotStarted, TrackerResult, WriteFifo
from hanode.watch.processes import ProcessWatch
from hanode.watch.scripts import ScriptWatch
from hanode.watch.watch_settings import Target, WatchSettings

UNCLAIMED = 10_000
"""Two notices for each of the 4,080 instances that a reload may add."""
UNCLAIMED_US = 5_000_000
"""The supervisor waits that long for its children to take a configuration."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A process of the machine."""

    pid: int
    name: str
    """As the kernel has it: at most 15 bytes."""
    argv: tuple[str, ...] = ()


class Watch:
    """Owns the trackers. Nothing here knows a process, a file or a clock."""

    def __init__(self) -> None:
        self.settings = WatchSettings()
        self._scripts: dict[str, ScriptWatch] = {}
        self._processes: dict[str, ProcessWatch] = {}
        self._pids: dict[str, frozenset[int]] = {}
        self._files: dict[str, FileTracker] = {}
        self._results: dict[tuple[str, str], TrackerResult] = {}
        self._targets: dict[tuple[str, str], Target] = {}
        self._former: dict[tuple[str, str], Target] = {}
        """Those that the last reload removed: a notice of their end may come later."""
        self._unclaimed: deque[tuple[int, Notice]] = deque(maxlen=UNCLAIMED)
        """Notices for no target: the vrrp process may have taken a reload a moment before us."""
        self._states: dict[tuple[str, str], Notice] = {}
        """The last notice of each instance and group that had a state."""

    @property
    def deadline_us(self) -> int | None:
        """When `tick` is wanted next."""
        due = [script.deadline_us for script in self._scripts.values()]
        due += [at for p in self._processes.values() if (at := p.deadline_us) is not None]
        return min(due, default=None)

    @property
    def results(self) -> list[TrackerResult]:
        """The latest result of each tracker, for a vrrp process that has just started."""
        return list(self._results.values())

    @property
    def process_counts(self) -> list[ProcessCount]:
        """How many processes match each tracked one."""
        return [process.now for process in self._processes.values()]

    @property
    def pids(self) -> frozenset[int]:
        """The processes that match: the driver reports when one of them ends."""
        return frozenset().union(*self._pids.values())

    @property
    def wants_processes(self) -> bool:
        """Whether any process is tracked, so that `seen` must be called."""
        return bool(self._processes)

    @property
    def wants_command_lines(self) -> bool:
        """Whether `seen` needs their command lines, not only their names."""
        return any(processes.by_command_line(p.settings) for p in self._processes.values())

    def configure(
        self, settings: WatchSettings, *, now_us: int, unusable: Mapping[str, str]
    ) -> list[Effect]:
        """Take new settings. `unusable`: the scripts that cannot be run, each with the reason.

        As with keepalived, a script that cannot be run is left out, so that a wrong path on one
        node is no outage; unlike keepalived, the tracker's status says so.
        """
        self.settings = settings
        before = set(self._results)
        effects = self._configure_targets(settings, now_us)
        effects += self._configure_scripts(settings, unusable, now_us)
        effects += self._configure_processes(settings, now_us)
        self._files = {one.name: one for one in settings.files}
        for kind, names in (
            ("script", {one.name for one in settings.scripts}),
            ("process", set(self._processes)),
            ("file", set(self._files)),
        ):
            for key in before:
                if key[0] == kind and key[1] not in names:
                    self._results.pop(key, None)
        if settings.fifo_states_on_reload:
            lines = (notices.line(notice) for notice in self._states.values())
            effects += [WriteFifo(fifo, text) for text in lines for fifo in settings.fifos]
        return self._remember(effects)

    def tick(self, *, now_us: int) -> list[Effect]:
        """Do what is due."""
        effects: list[Effect] = []
        for script in self._scripts.values():
            if script.deadline_us <= now_us:
                effects += script.tick(now_us=now_us)
        for process in self._processes.values():
            effects += process.tick(now_us=now_us)
        return self._remember(effects)

    def run_ended(self, event: Ended | NotStarted) -> list[Effect]:
        """A tracking script's run is over."""
        script = self._scripts.get(event.name)
        return self._remember(script.run_ended(event)) if script is not None else []

    def seen(self, everything: Iterable[Seen], *, now_us: int) -> list[Effect]:
        """These are all the machine's processes now."""
        found: dict[str, set[int]] = {name: set() for name in self._processes}
        for one in everything:
            for name, process in self._processes.items():
                if processes.matches(process.settings, one.name, one.argv):
                    found[name].add(one.pid)
        self._pids = {name: frozenset(pids) for name, pids in found.items()}
        return self._count(now_us)

    def gone(self, pid: int, *, now_us: int) -> list[Effect]:
        """One of `pids` has ended."""
        self._pids = {name: pids - {pid} for name, pids in self._pids.items()}
        return self._count(now_us)

    def read(self, name: str, text: bytes | None) -> list[Effect]:
        """A tracked file has this text now; None: there is no such file."""
        value = 0 if text is None else files.number(text)
        if name not in self._files or value is None:
            return []
        known = self._results.get(("file", name))
        if known is not None and known.value == value:
            return []
        return self._remember([files.result(name, value, there=text is not None)])

    def notice(self, notice: Notice, *, now_us: int) -> list[Effect]:
        """The vrrp process reports a transition, or something like it."""
        key = (notice.kind, notice.name)
        if notice.state in ("MASTER", "BACKUP", "FAULT"):
            self._states[key] = notice
        elif notice.state in ("STOP", "DELETED"):
            self._states.pop(key, None)
        target = self._targets.get(key) or self._former.get(key)
        if target is None:
            self._unclaimed.append((now_us, notice))
        return notices.effects(self.settings, target, notice)

    def _configure_targets(self, settings: WatchSettings, now_us: int) -> list[Effect]:
        new: dict[tuple[str, str], Target] = {(t.kind, t.name): t for t in settings.targets}
        self._former = {key: one for key, one in self._targets.items() if key not in new}
        effects: list[Effect] = []
        for at_us, notice in self._unclaimed:
            target = new.get((notice.kind, notice.name))
            if target is not None and now_us - at_us < UNCLAIMED_US:
                done = notices.effects(settings, target, notice)
                effects += [
                    one for one in done if not isinstance(one, WriteFifo)
                ]  # written already
        self._unclaimed.clear()
        self._targets = new
        return effects

    def _configure_scripts(
        self, settings: WatchSettings, unusable: Mapping[str, str], now_us: int
    ) -> list[Effect]:
        old, self._scripts = self._scripts, {}
        effects: list[Effect] = []
        for one in settings.scripts:
            if one.name in unusable:
                up = one.name not in settings.harmless_down
                why = f"not run: {unusable[one.name]}"
                effects.append(TrackerResult("script", one.name, up, cause=why))
                continue
            before = old.get(one.name)
            self._scripts[one.name], first = _renewed(one, before, now_us)
            effects += first
            if before is not None and self._scripts[one.name].adopted:
                del old[one.name]
        for script in old.values():
            effects += script.abandon()
            if script.settings.name in self._scripts:
                self._results.pop(("script", script.settings.name), None)
        return effects

    def _configure_processes(self, settings: WatchSettings, now_us: int) -> list[Effect]:
        old, self._processes = self._processes, {}
        effects: list[Effect] = []
        for one in settings.processes:
            process = self._processes[one.name] = ProcessWatch(one)
            before = old.get(one.name)
            if before is not None and _same_process(before.settings, one):
                effects += process.adopt(before, now_us=now_us)
            else:
                self._results.pop(("process", one.name), None)
        self._pids = {name: self._pids.get(name, frozenset()) for name in self._processes}
        return effects

    def _count(self, now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        for name, process in self._processes.items():
            effects += process.counted(len(self._pids[name]), now_us=now_us)
        return self._remember(effects)

    def _remember(self, effects: list[Effect]) -> list[Effect]:
        for effect in effects:
            if isinstance(effect, TrackerResult):
                self._results[effect.kind, effect.name] = effect
        return effects


def _renewed(
    settings: ScriptTracker, before: ScriptWatch | None, now_us: int
) -> tuple[ScriptWatch, list[Effect]]:
    """The watch of a script: a new one, or one that has taken over from the old one."""
    script = ScriptWatch(settings, now_us=now_us)
    if before is not None and before.settings.command == settings.command:
        script.adopt(before)
        return script, []
    return script, script.begin()


def _same_process(one: ProcessTracker, other: ProcessTracker) -> bool:
    return (one.path, one.params, one.param_match, one.full_command) == (
        other.path,
        other.params,
        other.param_match,
        other.full_command,
    )
