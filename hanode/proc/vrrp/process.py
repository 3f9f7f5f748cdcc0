"""The vrrp process: gives packets, links, trackers and time to the router, and carries out effects.

DRIVER. `python -m hanode.proc.vrrp`, started by the supervisor with a socket on the descriptor
HANODE_IPC_FD (JSON lines both ways) and one to the watch process on HANODE_LINK_FD. Nothing here
may block: no name lookup, no disk, no log. When the supervisor says stop or is gone, every master
sends priority 0, its addresses are removed, and the process exits with 0.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections import deque
from typing import Any

from hanode import wire
from hanode.kernel.interfaces import relevant
from hanode.kernel.portions import without_removals
from hanode.proc.common.json_lines import JsonLines
from hanode.proc.common.loop import Loop
from hanode.proc.common.vrrp_watch_link import VrrpWatchLink, inherited
from hanode.proc.vrrp.event_reporter import EventReporter
from hanode.proc.vrrp.receiver import silent_since_start
from hanode.proc.vrrp.runtime import Runtime
from hanode.proc.vrrp.status import Work, operate, refusal, request, settings_from, write_status
from hanode.system import limits, pyroute, realtime, signals, unwaiting
from hanode.system.clock import SystemClock
from hanode.system.prestart_listener import PrestartListener
from hanode.vrrp.engine_settings import VrrpSettings
from hanode.vrrp.events import TrackerChanged
from hanode.vrrp.holdings import Holdings
from hanode.vrrp.startup_facts import StartupFacts
from hanode.vrrp.takeover_warmup import WARMUP_US
from hanode.vrrp.tracking_and_notify import PROCESS_AS_IT_IS

WORK_US = 1_000
"""What is spent on a request before packets and deadlines come first again."""
AT_ONCE_US = 1
STOPPED = "stopped by operator"
ORPHANED = "the supervisor is gone"


class VrrpProcess:
    """The runtime, and the connections to the supervisor and the watch process."""

    def __init__(
        self,
        ipc: socket.socket,
        watch_link: socket.socket | None,
        prestart: PrestartListener | None = None,
    ) -> None:
        self._prestart = prestart
        self._late_us_max = 0
        self._process = PROCESS_AS_IT_IS
        self._work: deque[Work] = deque()
        self._clock = SystemClock()
        self._loop = Loop(deadline=self._deadline, on_deadline=self._on_deadline)
        self._lines = JsonLines(ipc, on_line=self._on_line, on_end=lambda: self._stop(ORPHANED))
        self._reporter = EventReporter(self._clock, self._lines, self._watch_connections)
        owner = os.environ.get("HANODE_OWNER", "")
        self._runtime = Runtime(self._loop, self._clock, self._reporter, owner=owner)
        self._signalled, self._signaller = socket.socketpair()
        self._signalled.setblocking(False)
        self._signaller.setblocking(False)
        signal.set_wakeup_fd(self._signaller.fileno(), warn_on_full_buffer=False)
        self._loop.watch(self._signalled.fileno(), self._on_signal)
        self._loop.watch(ipc.fileno(), self._on_ipc)
        if watch_link is not None:
            link = VrrpWatchLink(watch_link, on_message=self._on_watch_message)
            self._reporter.watch_link = link
            self._loop.watch(link.fileno(), self._on_watch_link)
            link.send({"kind": "trackers"})

    def run(self) -> None:
        """Until the supervisor says stop or is gone."""
        self._reporter.send({"kind": "ready"})
        self._loop.run()

    def warn(self, cause: str) -> None:
        """Report what an operator should know about this process."""
        self._runtime.warn("vrrp", cause)

    # What wakes us

    def _deadline(self) -> int | None:
        runtime = self._runtime
        if self._work or runtime.effect_queue.waiting:
            return AT_ONCE_US
        due_us, chores_us = runtime.router.wake_us(WARMUP_US), runtime.chores_us
        if chores_us is None or due_us is None:
            return chores_us if due_us is None else due_us
        return min(due_us, chores_us)

    def _on_deadline(self) -> None:
        runtime = self._runtime
        router = runtime.router
        now_us = runtime.warmup.wait(self._clock.monotonic_us())
        if router.signs:  # signed adverts carry the time of day, and somebody may set the clock
            router.wall(self._clock.wall_us(), now_us=now_us)
        due_us = router.deadline_us
        if due_us is not None and due_us <= now_us:
            late_us = now_us - due_us
            if late_us > self._late_us_max:
                self._late_us_max = late_us
            unread = runtime.receiver.backlog.holds_backups(now_us)
            runtime.carry_out(router.tick(now_us=now_us, unread=unread))
        elif runtime.effect_queue.waiting:
            runtime.effect_queue.do_some()
        runtime.do_chores(now_us)
        if self._work:
            self._go_on(now_us + WORK_US)

    def _go_on(self, until_us: int) -> None:
        """Work on requests for a moment."""
        while self._work and self._clock.monotonic_us() < until_us:
            try:
                next(self._work[0])
            except StopIteration:
                self._work.popleft()

    def _on_signal(self, _mask: int) -> None:
        if signals.ending(self._signalled):
            self._stop(STOPPED)

    def _on_ipc(self, mask: int) -> None:
        self._lines.serve(mask)
        self._watch_connections()

    def _on_watch_link(self, mask: int) -> None:
        if self._reporter.watch_link is not None:
            self._reporter.watch_link.serve(mask)
            self._watch_connections()

    def _watch_connections(self) -> None:
        self._loop.watch(self._lines.fileno(), self._on_ipc, write=self._lines.waiting)
        if (link := self._reporter.watch_link) is not None:
            self._loop.watch(link.fileno(), self._on_watch_link, write=link.waiting)

    def _on_watch_message(self, message: dict[str, Any]) -> None:
        if message.get("kind") != "tracker":
            return
        try:
            change = wire.decode(TrackerChanged, message.get("tracker"))
        except wire.WireError as error:
            self.warn(f"the watch process sent what cannot be read: {error}")
            return
        effects = self._runtime.router.tracker(change, now_us=self._clock.monotonic_us())
        self._runtime.carry_out(effects)

    def _on_line(self, line: bytes) -> None:
        message, verb = request(line)
        if verb == "configure":
            self._work.append(self._configure(message))
        elif verb == "status":
            self._work.append(self._status(message.get("id")))
        elif verb == "operate":
            self._work.append(self._operate(message))
        elif verb == "stop":
            self._stop(message.get("cause", STOPPED), keep=bool(message.get("keep")))
        else:
            self.warn(f"the supervisor sent what is no request: {line[:80]!r}")

    # Requests of the supervisor

    def _configure(self, message: dict[str, Any]) -> Work:
        runtime = self._runtime
        answer = {"kind": "configured", "revision": message.get("revision", 0), "changed": []}
        try:
            settings = yield from settings_from(message.get("settings"))
            before = wire.decode(Holdings, message.get("before") or {})
            runtime.enter(settings)
        except (wire.WireError, OSError) as error:
            self._reporter.send({**answer, "error": refusal(error)})
            return
        runtime.read_kernel()
        lacking = runtime.use(settings, now_us=self._clock.monotonic_us())
        if lacking is not None:
            self._keep_old_settings()
            self._reporter.send({**answer, "error": lacking})
            return
        missed = runtime.interfaces.virtual.missed_elsewhere()
        for name in relevant(settings, runtime.monitor.links):
            runtime.update_link(name, self._clock.monotonic_us())
        changed = self._configure_router(settings, message.get("alive_us"), before)
        if settings.process != self._process:
            self._process = settings.process
            for sentence in realtime.enter(settings.process):
                self.warn(sentence)
        runtime.kernel_state.prepare(a for i in settings.instances for a in i.addresses)
        runtime.kernel_state.hold_static(settings)
        runtime.watch_routes(settings)
        runtime.interfaces.prune()
        runtime.backup_filter.configure()
        runtime.take_change(missed)
        runtime.set_chores()
        runtime.warmup.try_once(self._clock.monotonic_us())
        realtime.still_the_collector()
        self._reporter.send({**answer, "changed": list(changed), "error": None})

    def _configure_router(
        self, settings: VrrpSettings, alive_us: int | None, before: Holdings
    ) -> tuple[str, ...]:
        """What changed, in words."""
        router, monitor = self._runtime.router, self._runtime.monitor
        now_us = self._clock.monotonic_us()
        if any(instance.hmac is not None for instance in settings.instances):
            router.wall(self._clock.wall_us(), now_us=now_us)
        reload = router.configure(
            settings,
            now_us=now_us,
            startup=StartupFacts(
                found=tuple(
                    a for a in before.addresses if monitor.holds(a.dev, a.packed, a.prefix)
                ),
                alive_us=alive_us,
                silent_since_us=silent_since_start(self._prestart, settings, monitor.links),
                since_boot_us=self._clock.since_boot_us(),
            ),
            before=before,
        )
        self._prestart = None
        self._runtime.carry_out(reload.effects)
        return tuple(reload.changed)

    def _keep_old_settings(self) -> None:
        """A refused configuration leaves nothing behind."""
        runtime = self._runtime
        runtime.use(runtime.router.settings, now_us=self._clock.monotonic_us())
        runtime.interfaces.prune()
        runtime.take_change(runtime.interfaces.virtual.missed())

    def _status(self, number: Any) -> Work:
        runtime = self._runtime
        runtime.read_kernel()
        facts = {
            "late_us_max": self._late_us_max,
            "strays": {
                "unknown_vrids": runtime.router.unknown_vrids,
                "short_packets": runtime.router.short_packets,
            },
            "send_errors": runtime.interfaces.sockets.send_errors,
        }
        machines = list(runtime.router.machines.values())
        since_us, send = self._reporter.since_us, self._reporter.send_json
        yield from write_status(number, machines, since_us, runtime.monitor, facts, send)

    def _operate(self, message: dict[str, Any]) -> Work:
        """An operator's verb."""
        done = operate(self._runtime.router, message, now_us=self._clock.monotonic_us())
        self._runtime.carry_out(done.effects)
        answer: dict[str, Any] = {"kind": "operated", "id": message.get("id")}
        answer["error"] = "; ".join(done.refused) if done.refused and not done.done else None
        self._reporter.send({**answer, "done": list(done.done), "refused": list(done.refused)})
        yield

    def _stop(self, cause: str, *, keep: bool = False) -> None:
        """`keep`: leave in the kernel what is there (`hanode run -V`)."""
        runtime = self._runtime
        effects = runtime.router.stop(cause, now_us=self._clock.monotonic_us())
        runtime.carry_out(without_removals(effects) if keep else effects)
        while runtime.effect_queue.waiting:
            runtime.effect_queue.do_some()
            self._say_stopping()
        if not keep:
            runtime.kernel_state.hold_static(VrrpSettings())
            runtime.interfaces.end(self._say_stopping)
            runtime.firewall.end()
        self._lines.flush()
        self._loop.stop()

    def _say_stopping(self) -> None:
        """The supervisor kills a process that stops and says nothing."""
        self._reporter.send({"kind": "stopping"})


def main() -> int:
    """Run until the supervisor ends it; 0."""
    fd = os.environ.get("HANODE_IPC_FD", "")
    if not fd.isdigit():
        sys.stderr.write(
            "hanode.proc.vrrp is started by `python -m hanode run`, not by hand:"
            " HANODE_IPC_FD is not set\n"
        )
        return 2
    unwaiting.stderr()
    limits.allow_descriptors()
    pyroute.without_face()
    process = VrrpProcess(socket.socket(fileno=int(fd)), inherited(), PrestartListener.inherited())
    signals.take()
    for sentence in realtime.enter():
        process.warn(sentence)
    realtime.still_the_collector()
    process.run()
    return 0
