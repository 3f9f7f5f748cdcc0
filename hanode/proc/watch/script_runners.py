"""The watch process's children: tracking scripts, notify scripts, readers of FIFOs.

DRIVER. Each is started without waiting; a pidfd becomes readable when it ends.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from subprocess import Popen

from hanode.proc.common.loop import Loop
from hanode.system import programs
from hanode.system.programs import NotRunnable, Program
from hanode.vrrp.engine_settings import Command
from hanode.watch.schedule import Endings
from hanode.watch.watch_settings import WatchSettings

ENVIRONMENT = "HANODE_SCRIPT_ENV"
"""JSON: the environment that the engine was started in, which is the scripts'."""
CALLS_AT_ONCE = 8
"""Each costs some 2 ms, in which no tracking script can end and no line can reach a FIFO."""
ENVIRONMENT_MAX = 120_000
"""execve takes no longer variable; with more than this scripts get PATH, LANG and TZ only."""


class ScriptRunners:
    """Starts programs, signals them, and waits for their ends."""

    def __init__(
        self,
        loop: Loop,
        *,
        warn: Callable[[str, str], None],
        on_end: Callable[[str, int], None],
    ) -> None:
        self._loop = loop
        self._warn = warn
        self._on_end = on_end
        self._environment = _environment()
        self._settings = WatchSettings()
        self._programs: dict[Command, Program | str] = {}
        self._tracking: dict[str, Popen[bytes]] = {}
        self._readers: dict[str, tuple[Command, Popen[bytes]]] = {}
        self._others: dict[int, Popen[bytes]] = {}
        self._ends: dict[int, int] = {}
        """pid of one that was just started -> descriptor of its end."""
        self._calls: deque[tuple[str, Command]] = deque()
        self._files = programs.allow_many_files()
        self._abandoned: dict[int, Popen[bytes]] = {}
        """By pid: tracking scripts whose result nobody wants."""
        self._endings: Endings[int] = Endings()

    @property
    def busy(self) -> bool:
        """Whether a script that somebody waits for at the end still runs."""
        return bool(self._others or self._calls)

    @property
    def deadline_us(self) -> int | None:
        """When `tick` is wanted."""
        if self._calls:
            return 1  # at once, after what can be read
        return self._endings.deadline_us

    def use(self, settings: WatchSettings) -> dict[str, str]:
        """Find every command now; the tracking scripts that cannot run, each with the reason."""
        self._settings = settings
        self._programs = {}
        reported: set[tuple[str, str]] = set()
        for whose, command in settings.commands():
            why = self._find(command)
            if isinstance(why, str) and (whose, why) not in reported:
                reported.add((whose, why))
                self._warn(whose, f"it is not run: {why}")
        self._start_readers(settings)
        found = {one.name: self._find(one.command) for one in settings.scripts}
        return {name: why for name, why in found.items() if isinstance(why, str)}

    def run(self, name: str, command: Command) -> str | None:
        """Start a tracking script; why not, where it cannot be."""
        process = self._start(command)
        if isinstance(process, str):
            return process
        self._tracking[name] = process
        self._when_ended(process, lambda code: self._script_ended(name, process, code))
        return None

    def kill(self, name: str, *, hard: bool) -> None:
        """Signal the process group of a tracking script, or what the last run has left of it."""
        process = self._tracking.get(name)
        if process is not None:
            programs.end(process, hard=hard)

    def abandon(self, name: str, *, now_us: int) -> None:
        """End a tracking script whose result nobody wants."""
        process = self._tracking.pop(name, None)
        if process is not None:
            programs.end(process, hard=False)
            self._abandoned[process.pid] = process
            self._endings.terminated(process.pid, now_us)

    def tick(self, *, now_us: int) -> None:
        """Start some of what waits; SIGKILL for those whose time is over."""
        self.call_some()
        for pid in self._endings.due(now_us):
            programs.end(self._abandoned.pop(pid), hard=True)

    def call(self, subject: str, command: Command) -> None:
        """Start a notify script soon: in order, but not all of a large failover at one moment."""
        self._calls.append((subject, command))

    def call_some(self, at_most: int = CALLS_AT_ONCE) -> None:
        """Start the next ones."""
        for _ in range(min(at_most, len(self._calls))):
            self._call(*self._calls.popleft())

    def _call(self, subject: str, command: Command) -> None:
        # Found anew: it may have appeared or changed since the configuration was read.
        process = self._begin(self._find_now(command))
        if isinstance(process, str):
            self._warn(subject, f"{command.argv[0]} was not run: {process}")
            return
        self._others[process.pid] = process
        self._when_ended(process, lambda code: self._call_ended(subject, process, code))

    def end_tracking(self) -> None:
        """The engine stops: notify scripts go on, tracking scripts end."""
        self.call_some(len(self._calls))
        for process in self._tracking.values():
            programs.end(process, hard=False)

    def close(self) -> None:
        """End the readers of our FIFOs and the tracking scripts; notify scripts finish alone."""
        for process in [*self._tracking.values(), *(p for _, p in self._readers.values())]:
            programs.end(process, hard=False)
        for process in self._abandoned.values():
            programs.end(process, hard=True)

    def _find(self, command: Command) -> Program | str:
        known = self._programs.get(command)
        if known is None:
            known = self._programs[command] = self._find_now(command)
        return known

    def _find_now(self, command: Command) -> Program | str:
        settings = self._settings
        user, group = command.user, command.group
        if user is None:
            user, group = settings.script_user, settings.script_group
        try:
            uid, gid = programs.find_user(user, group)
            secure = settings.script_security
            return programs.find(command.argv, uid=uid, gid=gid, secure=secure)
        except NotRunnable as error:
            return str(error)

    def _start(self, command: Command) -> Popen[bytes] | str:
        return self._begin(self._find(command))

    def _begin(self, program: Program | str) -> Popen[bytes] | str:
        if isinstance(program, str):
            return program
        try:
            process = programs.start(program, self._environment)
        except OSError as error:
            return f"{program.path}: {(error.strerror or str(error)).lower()}"
        programs.limit_files(process, self._files)
        try:
            self._ends[process.pid] = os.pidfd_open(process.pid)
        except OSError as error:  # no descriptor left: then it is better not run at all
            programs.end(process, hard=True)
            process.wait()
            return f"{program.path} could not be watched: {(error.strerror or str(error)).lower()}"
        return process

    def _when_ended(self, process: Popen[bytes], done: Callable[[int], None]) -> None:
        end = self._ends.pop(process.pid)

        def ended(_mask: int) -> None:
            self._loop.unwatch(end)
            os.close(end)
            done(process.wait())

        self._loop.watch(end, ended)

    def _script_ended(self, name: str, process: Popen[bytes], code: int) -> None:
        self._abandoned.pop(process.pid, None)
        self._endings.ended(process.pid)
        if self._tracking.get(name) is process:
            self._on_end(name, code)  # its group may have to be killed: the name stays known
            if self._tracking.get(name) is process:
                del self._tracking[name]

    def _call_ended(self, subject: str, process: Popen[bytes], code: int) -> None:
        del self._others[process.pid]
        if code != 0:
            how = f"exit code {code}" if code > 0 else f"signal {-code}"
            self._warn(subject, f"{process.args[0]!r} ended with {how}")  # type: ignore[index] # always a list here

    def _start_readers(self, settings: WatchSettings) -> None:
        """Start the scripts that read our FIFOs: each once, and again when its command changes."""
        wanted = {fifo.path: fifo.script for fifo in settings.fifos if fifo.script is not None}
        for path, (command, process) in list(self._readers.items()):
            if wanted.get(path) != command:
                programs.end(process, hard=False)
                del self._readers[path]
        for path, script in wanted.items():
            if path in self._readers:
                continue
            found = self._find(replace(script, argv=(*script.argv, path)))
            reader = self._begin(found if isinstance(found, str) else programs.tied(found))
            if isinstance(reader, str):
                self._warn(path, f"its script was not run: {reader}")
                continue
            self._readers[path] = (script, reader)
            self._when_ended(reader, lambda code, path=path: self._reader_ended(path, code))  # type: ignore[misc] # mypy cannot infer a lambda's default

    def _reader_ended(self, path: str, code: int) -> None:
        found = self._readers.get(path)
        if found is not None and found[1].returncode is not None:
            del self._readers[path]
            self._warn(path, f"the script that read it ended (code {code}); lines wait in the pipe")


def _environment() -> dict[str, str]:
    with contextlib.suppress(ValueError):
        found = json.loads(os.environ.get(ENVIRONMENT, ""))
        if isinstance(found, dict):
            return {str(key): str(value) for key, value in found.items()}
    own = ("HANODE_IPC_FD", "HANODE_LINK_FD", ENVIRONMENT)
    return {key: value for key, value in os.environ.items() if key not in own}
