"""The checker process: health checks, quorum, and the kernel's balancing table.

DRIVER. `python -m hanode.proc.checker`, started by the supervisor with the number of an open
socket in HANODE_IPC_FD; both sides send lines of JSON. The loop gives answers and time to
`hanode.check.health` and carries out its effects; nothing in it waits for a peer. When the
supervisor says stop, goes away, or sends SIGTERM, our services leave the kernel and it exits.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hanode.check.checker_settings import CheckerSettings, VirtualServerSettings
from hanode.check.events import Connect, Effect, Event, Hangup, Happened, Send, TableChanged
from hanode.check.health import Health
from hanode.check.report import changes, report
from hanode.events import NodeWarning
from hanode.ipvs.types import Balanced, Destination, Service, ServiceKey
from hanode.proc.checker.ipvs_sync import IpvsSync
from hanode.proc.common.json_lines import JsonLines
from hanode.proc.common.loop import Loop
from hanode.system import limits, namespaces, signals, unwaiting
from hanode.system.clock import Clock, SystemClock
from hanode.system.ipc import unpack
from hanode.system.ipvs_kernel import IpvsAbsent, IpvsKernel, NetlinkIpvs
from hanode.system.probes import EpollProbes, Prober
from hanode.wire import WireError, decode, encode, to_wire

CLOCK_STEP_US = 1_000
"""Smaller differences between the clocks come from reading them one after the other; without this
limit every "since" of a status would change each time."""


@dataclass(frozen=True, slots=True)
class Left:
    """What a killed run may have left in the kernel."""

    services: tuple[ServiceKey, ...] = ()


class Checker:
    """The checker without clock, kernel and supervisor: those are passed in."""

    def __init__(
        self,
        *,
        prober: Prober,
        open_kernel: Callable[[], IpvsKernel],
        send: Callable[[dict[str, Any]], None],
        clock: Clock,
        draw: Callable[[], float],
        enter: Callable[[CheckerSettings], str | None] = lambda _settings: None,
    ) -> None:
        """`enter` enters the namespaces of the settings; it returns why it cannot, or None."""
        self._enter = enter
        self._prober = prober
        self._send_now = send
        self._unsent: list[dict[str, Any]] = []
        self._mono_us = clock.monotonic_us
        self._wall_us = clock.wall_us
        self._health = Health(draw)
        self._settings = CheckerSettings()
        self._services: dict[str, VirtualServerSettings] = {}
        self._ipvs_sync = IpvsSync(open_kernel, self._warn, clock.monotonic_us)
        self._offset_us = 0
        self.stopping = False
        self._keeps = False
        """Leave the services in the kernel at the end (`hanode run -I`)."""

    @property
    def deadline_us(self) -> int | None:
        """When `turn` must be called at the latest."""
        deadlines = (self._health.deadline_us, self._ipvs_sync.deadline_us)
        return min((one for one in deadlines if one is not None), default=None)

    def on_message(self, message: dict[str, Any]) -> None:
        """A message of the supervisor. One that cannot be read is reported, never fatal."""
        match message.get("verb"):
            case "configure":
                self._configure(
                    message.get("revision"), message.get("settings"), message.get("before") or []
                )
            case "status":
                self._queue({"kind": "status", "id": message.get("id"), "status": self._status()})
            case "stop":
                self.stopping = True
                self._keeps = bool(message.get("keep"))
            case other:
                self._warn("checker", f"the supervisor sent {other!r}, which is no verb")

    def turn(self) -> None:
        """Do all that is due now, then report what happened: the kernel has it by then."""
        for event in self._prober.poll():
            self._carry_out(self._health.step(event, now_us=self._mono_us()))
        self._carry_out(self._health.tick(now_us=self._mono_us()))
        self._ipvs_sync.work()
        unsent, self._unsent = self._unsent, []
        for message in unsent:
            self._send_now(message)

    def stop(self) -> None:
        """End all checks and remove our services from the kernel, unless they are to stay."""
        self._prober.close()
        if not self._keeps:
            self._ipvs_sync.clear(lambda: self._send_now({"kind": "stopping"}))
        for message in self._unsent:
            self._send_now(message)

    def _queue(self, message: dict[str, Any]) -> None:
        self._unsent.append(message)

    def _configure(self, revision: Any, raw: Any, left: Any) -> None:
        answer: dict[str, Any] = {"kind": "configured", "revision": revision}
        try:
            settings = decode(CheckerSettings, raw)
            before = decode(Left, {"services": left}).services
        except WireError as error:
            self._queue({**answer, "changed": [], "error": f"the checker cannot use this: {error}"})
            return
        if (why := self._enter(settings)) is not None:
            self._queue({**answer, "changed": [], "error": why})
            return
        changed = changes(self._settings, settings)
        self._settings = settings
        self._services = {one.key: one for one in settings.virtual_servers}
        effects = self._health.configure(settings, now_us=self._mono_us())
        self._ipvs_sync.configure((self._balanced(key) for key in self._services), before)
        self._carry_out(effects)
        self._queue({**answer, "changed": list(changed), "error": None})

    def _carry_out(self, effects: Iterable[Effect]) -> None:
        waiting = deque(effects)
        while waiting:
            event: Event | None = None
            match waiting.popleft():
                case Connect(probe, ip, port):
                    event = self._prober.connect(probe, ip, port)
                case Send(probe, data):
                    event = self._prober.send(probe, data)
                case Hangup(probe):
                    self._prober.hang_up(probe)
                case TableChanged(key):
                    self._ipvs_sync.want(self._balanced(key))
                case Happened() as happened:
                    self._report(happened)
            if event is not None:
                waiting.extend(self._health.step(event, now_us=self._mono_us()))

    def _balanced(self, key: str) -> Balanced:
        """A virtual server in the words of the kernel's table."""
        settings = self._services[key]
        name = ServiceKey(settings.ip, settings.port, settings.protocol)
        service = Service(name, settings.scheduler, settings.persistence_s)
        return Balanced(
            service,
            tuple(
                Destination(row.ip, row.port, row.weight, row.forwarding)
                for row in self._health.rows(key)
            ),
        )

    def _report(self, happened: Happened) -> None:
        message = to_wire(happened.event, wall_us=self._wall_us(), mono_us=self._mono_us())
        self._queue({"kind": "event", "event": encode(message)})

    def _warn(self, subject: str, cause: str) -> None:
        self._report(Happened(NodeWarning(subject, cause)))

    def _status(self) -> dict[str, Any]:
        keys = self._ipvs_sync.in_kernel
        offset_us = self._wall_us() - self._mono_us()
        if abs(offset_us - self._offset_us) > CLOCK_STEP_US:
            self._offset_us = offset_us
        servers = report(
            self._health,
            in_kernel=None if keys is None else {str(key) for key in keys},
            to_wall_us=lambda mono_us: mono_us + self._offset_us,
        )
        return {"virtual_servers": encode(servers), "ipvs": self._ipvs_sync.availability}


class Namespaces:
    """The namespaces of the file: entered with the first settings, and never changed."""

    def __init__(self) -> None:
        self._entered: tuple[str | None, str | None] | None = None
        self._ipvs: Path | None = None
        self._home: int | None = None

    def enter(self, settings: CheckerSettings) -> str | None:
        """Enter them; why that failed, in a sentence, or None."""
        wanted = (settings.net_namespace, settings.ipvs_namespace)
        if self._entered is not None:
            if self._entered == wanted:
                return None
            return "net_namespace and net_namespace_ipvs cannot change: restart the engine"
        try:
            if settings.ipvs_namespace == "" and settings.net_namespace:
                self._home = os.open(namespaces.HERE, os.O_RDONLY | os.O_CLOEXEC)
                self._ipvs = Path(f"/proc/self/fd/{self._home}")
            else:
                self._ipvs = namespaces.named(settings.ipvs_namespace)
            if namespaces.named(settings.net_namespace) is not None:
                namespaces.enter(settings.net_namespace or "")
        except OSError as error:
            return f"{error.filename}: {error.strerror}"
        self._entered = wanted
        return None

    def open_kernel(self) -> IpvsKernel:
        """IPVS in the namespace of the file. Raises IpvsAbsent."""
        try:
            with namespaces.inside(self._ipvs):
                return NetlinkIpvs()
        except OSError as error:
            raise IpvsAbsent(f"absent: {error.filename}: {error.strerror}") from None


class CheckerProcess:
    """The checker on real sockets; `connection` leads to the supervisor."""

    def __init__(self, connection: socket.socket) -> None:
        self._prober = EpollProbes()
        places = Namespaces()
        self._checker = Checker(
            prober=self._prober,
            open_kernel=places.open_kernel,
            enter=places.enter,
            send=self._send,
            clock=SystemClock(),
            draw=random.random,
        )
        self._loop = Loop(
            deadline=lambda: self._checker.deadline_us, on_deadline=self._checker.turn
        )
        self._lines = JsonLines(connection, on_line=self._on_line, on_end=self._loop.stop)
        # A Python signal handler alone does not wake epoll; the bytes of this pair do.
        self._signalled, self._signaller = socket.socketpair()
        self._signalled.setblocking(False)
        self._signaller.setblocking(False)

    def run(self) -> None:
        """Until the supervisor says stop, goes away, or somebody sends SIGTERM."""
        signals.take()
        signal.set_wakeup_fd(self._signaller.fileno(), warn_on_full_buffer=False)
        self._loop.watch(self._lines.fileno(), self._on_supervisor)
        self._loop.watch(self._prober.fileno(), lambda _mask: self._checker.turn())
        self._loop.watch(self._signalled.fileno(), self._on_signal)
        self._send({"kind": "ready"})
        try:
            self._loop.run()
        finally:
            self._checker.stop()
            self._loop.close()

    def _on_signal(self, _mask: int) -> None:
        if signals.ending(self._signalled):
            self._loop.stop()

    def _on_supervisor(self, mask: int) -> None:
        self._lines.serve(mask)
        if not self._lines.waiting:
            self._loop.watch(self._lines.fileno(), self._on_supervisor)
        if self._checker.stopping:
            self._loop.stop()

    def _on_line(self, line: bytes) -> None:
        self._checker.on_message(unpack(line))
        self._checker.turn()

    def _send(self, message: dict[str, Any]) -> None:
        self._lines.send(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode())
        if self._lines.waiting:
            self._loop.watch(self._lines.fileno(), self._on_supervisor, write=True)


def main() -> int:
    """Run until the supervisor ends it."""
    number = os.environ.get("HANODE_IPC_FD", "")
    if not number.isdigit():
        sys.stderr.write(
            "hanode.proc.checker is started by `python -m hanode run`, not by hand:"
            " HANODE_IPC_FD is not set\n"
        )
        return 2
    unwaiting.stderr()
    limits.allow_descriptors()  # each running check holds one
    CheckerProcess(socket.socket(fileno=int(number))).run()
    return 0
