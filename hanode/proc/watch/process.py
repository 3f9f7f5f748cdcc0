"""The watch process: runs tracking scripts, watches processes and files, and notifies people.

DRIVER. `python -m hanode.proc.watch`, started by the supervisor with a socket on HANODE_IPC_FD
(lines of JSON) and one to the vrrp process on HANODE_LINK_FD. Whatever may take its time is here:
forks, disks, names, mail servers, slow readers of a FIFO. When the supervisor says stop, it takes
the last notices of the vrrp process, gives the scripts a second, and exits. `hanode.watch` decides
everything else.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
from collections import deque
from typing import Any

from hanode import events, wire
from hanode.proc.common.json_lines import JsonLines
from hanode.proc.common.loop import Loop
from hanode.proc.common.vrrp_watch_link import VrrpWatchLink, inherited
from hanode.proc.watch.notification_writer import NotificationWriter
from hanode.proc.watch.script_runners import ScriptRunners
from hanode.system import inotify, namespaces, processes, signals, unwaiting
from hanode.system.clock import SystemClock
from hanode.system.ipc import unpack
from hanode.watch.messages import (
    Abandon,
    Effect,
    Ended,
    KillScript,
    Notice,
    NotStarted,
    RunNotify,
    RunScript,
    SendMail,
    TrackerResult,
    WriteFifo,
)
from hanode.watch.schedule import Schedule
from hanode.watch.watch import Watch
from hanode.watch.watch_settings import WatchSettings


class WatchProcess:
    """One Watch, and what it needs of the machine."""

    def __init__(self, ipc: socket.socket, vrrp_link: socket.socket | None) -> None:
        self.clock = SystemClock()
        self.watch = Watch()
        self.loop = Loop(deadline=self._deadline_us, on_deadline=self._on_deadline)
        self.lines = JsonLines(ipc, on_line=self._on_line, on_end=self.loop.stop)
        self.vrrp_link = (
            VrrpWatchLink(vrrp_link, on_message=self._on_vrrp_message)
            if vrrp_link is not None
            else None
        )
        self.runners = ScriptRunners(self.loop, warn=self._warn, on_end=self._on_script)
        self.writer = NotificationWriter(self.loop, warn=self._warn)
        self.files = inotify.FileWatch()
        self._ends: dict[int, int] = {}
        """pid of a tracked process -> descriptor that is readable when it ends."""
        self._schedule = Schedule()
        self._configured = False
        self._namespace: str | None = None
        self._initialised: set[str] = set()
        self._signalled, self._signaller = socket.socketpair()
        self._signalled.setblocking(False)
        self._signaller.setblocking(False)
        signal.set_wakeup_fd(self._signaller.fileno(), warn_on_full_buffer=False)
        self.loop.watch(self._signalled.fileno(), self._on_signal)
        self.loop.watch(ipc.fileno(), self._on_ipc)
        if self.files.works:
            self.loop.watch(self.files.fileno(), self._on_files)

    def run(self) -> None:
        """Until the supervisor says stop or is gone."""
        self._send({"kind": "ready"})
        try:
            self.loop.run()
        finally:
            self.runners.close()
            self.writer.close()

    # What wakes us

    def _deadline_us(self) -> int | None:
        if self._schedule.stopping:
            return self._schedule.deadline_us
        due = (self.watch.deadline_us, self._schedule.deadline_us, self.runners.deadline_us)
        return min((at for at in due if at is not None), default=None)

    @property
    def _busy(self) -> bool:
        return self.runners.busy or self.writer.busy

    def _on_deadline(self) -> None:
        now_us = self.clock.monotonic_us()
        self.runners.tick(now_us=now_us)
        if self._schedule.stopping:
            if self._schedule.stopped(now_us, busy=self._busy):
                self.loop.stop()
            return
        if self._schedule.look_due(now_us):
            self._look(now_us)
        self._carry_out(self.watch.tick(now_us=now_us))

    def _on_ipc(self, mask: int) -> None:
        self.lines.serve(mask)
        self.loop.watch(self.lines.fileno(), self._on_ipc, write=self.lines.waiting)

    def _on_signal(self, _mask: int) -> None:
        if signals.ending(self._signalled):
            self._stop()

    def _on_link_ready(self, mask: int) -> None:
        if self.vrrp_link is not None:
            self.vrrp_link.serve(mask)
            self.loop.watch(
                self.vrrp_link.fileno(), self._on_link_ready, write=self.vrrp_link.waiting
            )

    def _on_files(self, _mask: int) -> None:
        changed = self.files.changed()
        for one in self.watch.settings.files:
            if one.path in changed:
                self._carry_out(self.watch.read(one.name, inotify.read(one.path)))

    def _on_end_of(self, pid: int) -> None:
        self._forget_end(pid)
        self._carry_out(self.watch.gone(pid, now_us=self.clock.monotonic_us()))

    def _on_script(self, name: str, code: int) -> None:
        self._carry_out(self.watch.run_ended(Ended(name, code)))

    # Messages

    def _on_line(self, line: bytes) -> None:
        message = unpack(line)
        match message.get("verb"):
            case "configure":
                self._configure(message.get("revision", 0), message.get("settings"))
            case "status":
                status = {
                    "trackers": [wire.encode(one) for one in self.watch.results],
                    "processes": [wire.encode(one) for one in self.watch.process_counts],
                }
                self._send({"kind": "status", "id": message.get("id"), "status": status})
            case "stop":
                self._stop()
            case other:
                self._warn("watch", f"the supervisor sent {other!r}, which is no verb")

    def _on_vrrp_message(self, message: dict[str, Any]) -> None:
        """From the vrrp process: a notice, or that it has started and knows no tracker yet."""
        match message.get("kind"):
            case "notice":
                try:
                    notice = wire.decode(Notice, message.get("notice"))
                except wire.WireError as error:
                    self._warn("watch", f"the vrrp process sent what cannot be read: {error}")
                    return
                now_us = self.clock.monotonic_us()
                self._carry_out(self.watch.notice(notice, now_us=now_us))
            case "trackers":
                for result in self.watch.results:
                    self._send_result(result)

    def _configure(self, revision: Any, raw: Any) -> None:
        answer: dict[str, Any] = {"kind": "configured", "revision": revision, "changed": []}
        try:
            settings = wire.decode(WatchSettings, raw)
        except wire.WireError as error:
            self._send({**answer, "error": f"the watch process cannot use this: {error}"})
            return
        self._enter(settings.net_namespace)
        for one in settings.files:
            if one.init_value is not None and one.name not in self._initialised:
                fault = inotify.init(one.path, one.init_value, overwrite=one.init_overwrite)
                if fault is not None:
                    self._warn(f"track_file {one.name}", fault)
            self._initialised.add(one.name)
        now_us = self.clock.monotonic_us()
        self.writer.use(settings)
        unusable = self.runners.use(settings)
        self._carry_out(self.watch.configure(settings, now_us=now_us, unusable=unusable))
        self.files.watch(one.path for one in settings.files)
        self._read_files()
        self._look(now_us)
        self._carry_out(self.watch.tick(now_us=now_us))
        for result in self.watch.results:
            self._send_result(result)
        if self.vrrp_link is not None:
            self._configured = True
            self.loop.watch(
                self.vrrp_link.fileno(), self._on_link_ready, write=self.vrrp_link.waiting
            )
        self._send({**answer, "error": None})

    def _enter(self, namespace: str | None) -> None:
        """Go to the file's network namespace, once: the vrrp process refuses another one later."""
        if namespace is None or self._namespace is not None:
            return
        try:
            namespaces.enter(namespace)
            self._namespace = namespace
        except OSError as error:
            self._warn(namespace, f"its scripts are not in this namespace: {error.strerror}")

    def _stop(self) -> None:
        """Take the last notices of the vrrp process, then wait for scripts and mail a little."""
        now_us = self.clock.monotonic_us()
        if not self._schedule.stop(now_us):
            return
        while self.vrrp_link is not None and self.vrrp_link.serve(select.EPOLLIN):
            pass
        self.runners.end_tracking()

    # Effects

    def _carry_out(self, effects: list[Effect]) -> None:
        waiting = deque(effects)
        while waiting:
            match waiting.popleft():
                case TrackerResult() as result:
                    self._send_result(result)
                    self._report_result(result)
                case RunScript(name, command):
                    why = self.runners.run(name, command)
                    if why is not None:
                        waiting.extend(self.watch.run_ended(NotStarted(name, why)))
                case KillScript(name, hard):
                    self.runners.kill(name, hard=hard)
                case Abandon(name):
                    self.runners.abandon(name, now_us=self.clock.monotonic_us())
                case RunNotify(subject, command):
                    self.runners.call(subject, command)
                case WriteFifo(fifo, text):
                    self.writer.write(fifo, text)
                case SendMail(subject, text):
                    self.writer.send_mail(subject, text)

    def _look(self, now_us: int) -> None:
        """See which processes exist, and try again to watch files whose directory is missing."""
        if self.files.missing:
            self.files.watch(one.path for one in self.watch.settings.files)
            self._read_files()
        if self.watch.wants_processes:
            found = processes.everything(command_lines=self.watch.wants_command_lines)
            effects = self.watch.seen(found, now_us=now_us)
            for pid in self.watch.pids - set(self._ends):
                end = processes.end_of(pid)
                if end is None:
                    effects += self.watch.gone(pid, now_us=now_us)
                    continue
                self._ends[pid] = end
                self.loop.watch(end, lambda _mask, pid=pid: self._on_end_of(pid))  # type: ignore[misc] # mypy cannot infer a lambda's default
            for pid in set(self._ends) - self.watch.pids:
                self._forget_end(pid)
            self._carry_out(effects)
        again = self.watch.wants_processes or bool(self.files.missing)
        self._schedule.looked(now_us, again=again)

    def _read_files(self) -> None:
        for one in self.watch.settings.files:
            self._carry_out(self.watch.read(one.name, inotify.read(one.path)))

    def _forget_end(self, pid: int) -> None:
        end = self._ends.pop(pid, None)
        if end is not None:
            self.loop.unwatch(end)
            os.close(end)

    def _send_result(self, result: TrackerResult) -> None:
        if self.vrrp_link is not None:
            self.vrrp_link.send({"kind": "tracker", "tracker": wire.encode(result)})
            if self.vrrp_link.waiting and self._configured:
                self.loop.watch(self.vrrp_link.fileno(), self._on_link_ready, write=True)

    def _report_result(self, result: TrackerResult) -> None:
        subject = f"{result.kind} {result.name}"
        change = events.TrackerChange(subject, result.cause, result.kind, result.up, result.value)
        self._report(change)

    def _warn(self, subject: str, cause: str) -> None:
        self._report(events.NodeWarning(subject, cause))

    def _report(self, event: events.Event) -> None:
        wall_us, mono_us = self.clock.wall_us(), self.clock.monotonic_us()
        message = wire.to_wire(event, wall_us=wall_us, mono_us=mono_us)
        self._send({"kind": "event", "event": wire.encode(message)})

    def _send(self, message: dict[str, Any]) -> None:
        self.lines.send(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode())
        if self.lines.waiting:
            self.loop.watch(self.lines.fileno(), self._on_ipc, write=True)


def main() -> int:
    """Run until the supervisor ends it."""
    number = os.environ.get("HANODE_IPC_FD", "")
    if not number.isdigit():
        sys.stderr.write(
            "hanode.proc.watch is started by `python -m hanode run`, not by hand:"
            " HANODE_IPC_FD is not set\n"
        )
        return 2
    unwaiting.stderr()
    signals.take()
    WatchProcess(socket.socket(fileno=int(number)), inherited()).run()
    return 0
