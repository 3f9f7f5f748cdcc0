"""The vrrp process: feeds packets, links, trackers and time to the router, and does what it wants.

DRIVER. `python -m hanode.proc.vrrp`, started by the supervisor with a socket on the descriptor
HANODE_IPC_FD (JSON lines both ways) and one to the watch process on HANODE_LINK_FD. Nothing here
may block: no name lookup, no disk, no log. When the supervisor says stop or is gone, every master
sends priority 0, addresses go, and it exits 0.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from collections import deque
from typing import Any

from hanode import wire
from hanode.proc.common.json_lines import JsonLines
from hanode.proc.common.loop import Loop
from hanode.proc.common.vrrp_watch_link import VrrpWatchLink, inherited
from hanode.proc.vrrp.event_reporter import EventReporter
from hanode.proc.vrrp.receiver import listened
from hanode.proc.vrrp.runtime import Ground
from hanode.proc.vrrp.status import Work, operated, refusal, request, settings_from, told
from hanode.proc.vrrp.takeover_warmup import WARMUP_US
from hanode.system import pyroute, realtime, signals
from hanode.system.clock import SystemClock
from hanode.system.prestart_listener import PrestartListener
from hanode.vrrp.effects import (
    RemoveAddresses,
    RemoveRoutes,
    RemoveRules,
)
from hanode.vrrp.events import TrackerChanged
from hanode.vrrp.settings import VrrpSettings
from hanode.vrrp.startup_facts import StartupFacts
from hanode.vrrp.tracking_and_notify import PROCESS_AS_IT_IS

WORK_US = 1_000
"""What is spent on a request before packets and deadlines come first again."""
AT_ONCE_US = 1
STOPPED = "stopped by operator"
ORPHANED = "the supervisor is gone"


class VrrpProcess(Ground):
    """The router on its ground, and the lines to the supervisor and the watch process."""

    def __init__(
        self,
        ipc: socket.socket,
        watch_link: socket.socket | None,
        prestart: PrestartListener | None = None,
    ) -> None:
        self._prestart = prestart
        self.late_us_max = 0
        self._process = PROCESS_AS_IT_IS
        self._work: deque[Work] = deque()
        self.lines = JsonLines(ipc, on_line=self._on_line, on_end=lambda: self._stop(ORPHANED))
        clock = SystemClock()
        loop = Loop(deadline=self._deadline, on_deadline=self._on_deadline)
        super().__init__(loop, clock, EventReporter(clock, self.lines, self._watch_lines))
        self._signalled, self._signaller = socket.socketpair()
        self._signalled.setblocking(False)
        self._signaller.setblocking(False)
        signal.set_wakeup_fd(self._signaller.fileno(), warn_on_full_buffer=False)
        self.loop.watch(self._signalled.fileno(), self._on_signal)
        self.loop.watch(ipc.fileno(), self._on_ipc)
        if watch_link is not None:
            self.reporter.watch_link = VrrpWatchLink(watch_link, on_message=self._on_watch_message)
            self.loop.watch(watch_link.fileno(), self._on_watch_link)
            self.reporter.watch_link.say({"kind": "trackers"})

    def run(self) -> None:
        """Until the supervisor says stop or is gone."""
        self.reporter.say({"kind": "ready"})
        self.loop.run()

    # What wakes us

    def _deadline(self) -> int | None:
        if self._work or self.effect_queue.waiting:
            return AT_ONCE_US
        due_us, chore_us = self.router.wake_us(WARMUP_US), self._chore_us
        if chore_us is None or due_us is None:
            return chore_us if due_us is None else due_us
        return min(due_us, chore_us)

    def _tell_time(self, now_us: int) -> None:
        """Signed adverts carry the time of day, and somebody may set the clock."""
        if self.router.signs:
            self.router.wall(self.clock.wall_us(), now_us=now_us)

    def _on_deadline(self) -> None:
        now_us = self.warmup.wait(self.clock.monotonic_us())
        self._tell_time(now_us)
        due_us = self.router.deadline_us
        if due_us is not None and due_us <= now_us:
            late_us = now_us - due_us
            if late_us > self.late_us_max:
                self.late_us_max = late_us
            self._carry_out(self.router.tick(now_us=now_us, unread=self.receiver.behind(now_us)))
        elif self.effect_queue.waiting:
            self.effect_queue.do_some()
        if self._chore_us is not None and self._chore_us <= now_us:
            self._chore_us = None
            self.kernel_state.mend(now_us=now_us)
            for name in self.interfaces.watch.due(now_us=now_us):
                self._tell_link(name, now_us)
            self._set_chore()
        if self._work:
            self._go_on(now_us + WORK_US)

    def _go_on(self, until_us: int) -> None:
        """Go on with what was asked of us, for a moment."""
        while self._work and self.clock.monotonic_us() < until_us:
            try:
                next(self._work[0])
            except StopIteration:
                self._work.popleft()

    def _on_signal(self, _mask: int) -> None:
        if signals.ending(self._signalled):
            self._stop(STOPPED)

    def _on_ipc(self, mask: int) -> None:
        self.lines.serve(mask)
        self._watch_lines()

    def _on_watch_link(self, mask: int) -> None:
        if self.reporter.watch_link is not None:
            self.reporter.watch_link.serve(mask)
            self._watch_lines()

    def _watch_lines(self) -> None:
        self.loop.watch(self.lines.fileno(), self._on_ipc, write=self.lines.waiting)
        if (watch_link := self.reporter.watch_link) is not None:
            self.loop.watch(watch_link.fileno(), self._on_watch_link, write=watch_link.waiting)

    def _on_watch_message(self, message: dict[str, Any]) -> None:
        if message.get("kind") != "tracker":
            return
        try:
            change = wire.decode(TrackerChanged, message.get("tracker"))
        except wire.WireError as error:
            self._warn("vrrp", f"the watch process told what cannot be read: {error}")
            return
        self._carry_out(self.router.tracker(change, now_us=self.clock.monotonic_us()))

    def _on_line(self, line: bytes) -> None:
        message, verb = request(line)
        if verb == "configure":
            self._work.append(self._configure(message))
        elif verb == "status":
            self._work.append(self._report(message.get("id")))
        elif verb == "operate":
            self._work.append(self._operate(message))
        elif verb == "stop":
            self._stop(message.get("cause", STOPPED), keep=bool(message.get("keep")))
        else:
            self._warn("vrrp", f"the supervisor sent what is no request: {line[:80]!r}")

    # What is asked of us

    def _configure(self, message: dict[str, Any]) -> Work:
        answer = {"kind": "configured", "revision": message.get("revision", 0), "changed": []}
        try:
            settings = yield from settings_from(message.get("settings"))
            self._enter(settings)
            self._take_change(self.monitor.drain())
            self.interfaces.use(settings, now_us=self.clock.monotonic_us())
        except (wire.WireError, OSError) as error:
            if isinstance(error, OSError) and self.router.machines:
                self._stay()
            self.reporter.say({**answer, "error": refusal(error)})
            return
        missed = self.interfaces.missed_of_others()
        for name in self.interfaces.names(settings):
            self._tell_link(name, self.clock.monotonic_us())
        now_us = self.clock.monotonic_us()
        if any(instance.hmac is not None for instance in settings.instances):
            self.router.wall(self.clock.wall_us(), now_us=now_us)
        reload = self.router.configure(
            settings,
            now_us=now_us,
            startup=StartupFacts(
                found=tuple(self.monitor.marked()),
                alive_us=message.get("alive_us"),
                quiet_us=listened(self._prestart, settings, self.monitor.links),
                since_boot_us=self.clock.since_boot_us(),
            ),
        )
        self._prestart = None
        self._carry_out(reload.effects)
        if settings.process != self._process:
            self._process = settings.process
            for sentence in realtime.enter(settings.process):
                self._warn("vrrp", sentence)
        self.kernel_state.prepare(a for i in settings.instances for a in i.addresses)
        self.kernel_state.hold_static(settings)
        self._watch_routes(settings)
        self.interfaces.prune()
        self.backup_filter.settle()
        self._take_change(missed)
        self._set_chore()
        self.warmup.try_once(self.clock.monotonic_us())
        realtime.still_the_collector()
        self.reporter.say({**answer, "changed": list(reload.changed), "error": None})

    def _stay(self) -> None:
        """A refused configuration leaves nothing behind."""
        with contextlib.suppress(OSError):
            self.interfaces.use(self.router.settings, now_us=self.clock.monotonic_us())
        self.interfaces.prune()
        self._take_change(self.interfaces.missed())

    def _report(self, number: Any) -> Work:
        self._take_change(self.monitor.drain())
        facts = {
            "late_us_max": self.late_us_max,
            "strays": {
                "unknown_vrids": self.router.unknown_vrids,
                "short_packets": self.router.short_packets,
            },
            "send_errors": self.interfaces.sockets.send_errors,
        }
        machines = list(self.router.machines.values())
        say = self.reporter.say_json
        yield from told(number, machines, self.reporter.since_us, self.monitor, facts, say)

    def _operate(self, message: dict[str, Any]) -> Work:
        """An operator's verb."""
        done = operated(self.router, message, now_us=self.clock.monotonic_us())
        self._carry_out(done.effects)
        answer: dict[str, Any] = {"kind": "operated", "id": message.get("id")}
        answer["error"] = "; ".join(done.refused) if done.refused and not done.done else None
        self.reporter.say({**answer, "done": list(done.done), "refused": list(done.refused)})
        yield

    def _stop(self, cause: str, *, keep: bool = False) -> None:
        """`keep`: leave in the kernel what is there (`hanode run -V`)."""
        held = (RemoveAddresses, RemoveRoutes, RemoveRules)
        effects = self.router.stop(cause, now_us=self.clock.monotonic_us())
        self._carry_out([e for e in effects if not (keep and isinstance(e, held))])
        self.effect_queue.do_all()
        if not keep:
            self.kernel_state.hold_static(VrrpSettings())
            self.interfaces.end()
            self.firewall.end()
        self.lines.flush()
        self.loop.stop()


def main() -> int:
    """Run until told to stop; 0."""
    fd = os.environ.get("HANODE_IPC_FD", "")
    if not fd.isdigit():
        sys.stderr.write(
            "hanode.proc.vrrp is started by `python -m hanode run`, not by hand:"
            " HANODE_IPC_FD is not set\n"
        )
        return 2
    pyroute.without_face()
    process = VrrpProcess(socket.socket(fileno=int(fd)), inherited(), PrestartListener.inherited())
    signals.take()
    for sentence in realtime.enter():
        process._warn("vrrp", sentence)
    realtime.still_the_collector()
    process.run()
    return 0
