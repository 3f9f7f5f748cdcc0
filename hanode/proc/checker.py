"""The checker process: health checks, quorum, and the kernel's balancing table.

DRIVER. `python -m hanode.proc.checker`, started by the supervisor with the number of an open
socket in HANODE_IPC_FD; both sides say lines of JSON. The loop feeds answers and time to
`hanode.check.health` and carries out what it wants; nothing in it waits for a peer. When the
supervisor says stop, goes away, or sends SIGTERM, our services leave the kernel and it exits.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import select
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from hanode.check.events import Connect, Effect, Event, Hangup, Happened, Send, TableChanged
from hanode.check.health import Health
from hanode.check.report import changes, report
from hanode.check.settings import CheckerSettings, VirtualServerSettings
from hanode.ipvs.types import Balanced, Destination, Service, ServiceKey
from hanode.proc.balance import Balancer
from hanode.system.ipc import LINE_BYTES_MAX, pack, unpack
from hanode.system.ipvs_kernel import IpvsKernel, NetlinkIpvs
from hanode.system.probes import EpollProbes, Prober
from hanode.wire import WireError, decode, encode

READ_BYTES = 65_536
UNSENT_BYTES_MAX = 16_000_000
"""A supervisor that reads nothing for so long is not there; it starts us anew when it is."""
LONGEST_WAIT_S = 60.0
CLOCK_STEP_US = 1_000
"""Smaller differences come from asking two clocks one after the other, and would make every
"since" of a status tremble."""


class Checker:
    """One checker process without its clock, its kernel and its supervisor: those are passed in."""

    def __init__(
        self,
        *,
        prober: Prober,
        open_kernel: Callable[[], IpvsKernel],
        say: Callable[[dict[str, Any]], None],
        mono_us: Callable[[], int],
        wall_us: Callable[[], int],
        draw: Callable[[], float],
    ) -> None:
        self._prober = prober
        self._say = say
        self._mono_us = mono_us
        self._wall_us = wall_us
        self._health = Health(draw)
        self._settings = CheckerSettings()
        self._services: dict[str, VirtualServerSettings] = {}
        self._balancer = Balancer(open_kernel, self._warn, mono_us)
        self._offset_us = 0
        self.stopping = False

    @property
    def deadline_us(self) -> int | None:
        """When `turn` must be called at the latest."""
        deadlines = (self._health.deadline_us, self._balancer.deadline_us)
        return min((one for one in deadlines if one is not None), default=None)

    def hear(self, message: dict[str, Any]) -> None:
        """One line of the supervisor. What is not understood is answered, never fatal."""
        match message.get("verb"):
            case "configure":
                self._configure(message.get("revision"), message.get("settings"))
            case "status":
                self._say({"kind": "status", "id": message.get("id"), "status": self._status()})
            case "stop":
                self.stopping = True
            case other:
                self._warn("checker", f"the supervisor said {other!r}, which means nothing here")

    def turn(self) -> None:
        """Do all that is due now."""
        for event in self._prober.poll():
            self._carry_out(self._health.step(event, now_us=self._mono_us()))
        self._carry_out(self._health.tick(now_us=self._mono_us()))
        self._balancer.work()

    def stop(self) -> None:
        """End all checks and leave the kernel without our services."""
        self._prober.close()
        self._balancer.clear()

    def _configure(self, revision: Any, raw: Any) -> None:
        answer: dict[str, Any] = {"kind": "configured", "revision": revision}
        try:
            settings = decode(CheckerSettings, raw)
        except WireError as error:
            self._say({**answer, "changed": [], "error": f"the checker cannot use this: {error}"})
            return
        changed = changes(self._settings, settings)
        self._settings = settings
        self._services = {one.key: one for one in settings.virtual_servers}
        effects = self._health.configure(settings, now_us=self._mono_us())
        self._balancer.configure(self._balanced(key) for key in self._services)
        self._carry_out(effects)
        self._say({**answer, "changed": list(changed), "error": None})

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
                    self._balancer.want(self._balanced(key))
                case Happened() as happened:
                    self._tell(happened)
            if event is not None:
                waiting.extend(self._health.step(event, now_us=self._mono_us()))

    def _balanced(self, key: str) -> Balanced:
        """A virtual server as the kernel should have it: words only, no decision."""
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

    def _tell(self, happened: Happened) -> None:
        event = {
            "kind": happened.kind,
            "subject": happened.subject,
            "cause": happened.cause,
            "wall_us": self._wall_us(),
            "mono_us": self._mono_us(),
            "data": happened.data,
        }
        self._say({"kind": "event", "event": event})

    def _warn(self, subject: str, cause: str) -> None:
        self._tell(Happened("warning", subject, cause))

    def _status(self) -> dict[str, Any]:
        keys = self._balancer.in_kernel
        offset_us = self._wall_us() - self._mono_us()
        if abs(offset_us - self._offset_us) > CLOCK_STEP_US:
            self._offset_us = offset_us
        servers = report(
            self._health,
            in_kernel=None if keys is None else {str(key) for key in keys},
            to_wall_us=lambda mono_us: mono_us + self._offset_us,
        )
        return {"virtual_servers": encode(servers), "ipvs": self._balancer.availability}


class Link:
    """The supervisor's end of the line, without ever waiting for it."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.setblocking(False)
        self._heard = b""
        self._unsent = bytearray()
        self.open = True

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def interest(self) -> int:
        """What epoll should wait for."""
        return select.EPOLLIN | (select.EPOLLOUT if self._unsent else 0)

    def say(self, message: dict[str, Any]) -> None:
        """Queue one line; `flush` sends it."""
        self._unsent += pack(message)

    def flush(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            self.open = self.open and len(self._unsent) <= UNSENT_BYTES_MAX
        except OSError:
            self.open = False

    def hear(self) -> list[dict[str, Any]]:
        """Lines that have come; the end of the line closes the link."""
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data or len(self._heard) > LINE_BYTES_MAX:
            self.open = False
            return []
        *lines, self._heard = (self._heard + data).split(b"\n")
        return [unpack(line) for line in lines if line]


def main() -> int:
    """Run until the supervisor ends it."""
    number = os.environ.get("HANODE_IPC_FD", "")
    if not number.isdigit():
        print(
            "hanode.proc.checker is started by the engine's supervisor, not by hand: "
            "use `hanode run`",
            file=sys.stderr,
        )
        return 2
    _allow_many_connections()
    link = Link(socket.socket(fileno=int(number)))
    prober = EpollProbes()
    checker = Checker(
        prober=prober,
        open_kernel=NetlinkIpvs,
        say=link.say,
        mono_us=lambda: time.monotonic_ns() // 1000,
        wall_us=lambda: time.time_ns() // 1000,
        draw=random.random,
    )
    link.say({"kind": "ready"})
    try:
        _loop(checker, link, prober)
    finally:
        checker.stop()
        link.flush()
    return 0


def _loop(checker: Checker, link: Link, prober: Prober) -> None:
    with contextlib.closing(select.epoll()) as epoll, _terminated() as terminated:
        epoll.register(terminated, select.EPOLLIN)
        epoll.register(prober.fileno(), select.EPOLLIN)
        epoll.register(link, link.interest)
        while link.open and not checker.stopping:
            link.flush()
            epoll.modify(link, link.interest)
            for fd, _ in epoll.poll(_wait_s(checker.deadline_us)):
                if fd == link.fileno():
                    for message in link.hear():
                        checker.hear(message)
                elif fd == terminated.fileno():
                    return
            checker.turn()


def _wait_s(deadline_us: int | None) -> float:
    if deadline_us is None:
        return LONGEST_WAIT_S
    return min(max(0.0, deadline_us / 1e6 - time.monotonic()), LONGEST_WAIT_S)


@contextlib.contextmanager
def _terminated() -> Any:
    """A socket that becomes readable at SIGTERM. Ctrl-C is the supervisor's to handle."""
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(-1)
        reader.close()
        writer.close()


def _allow_many_connections() -> None:
    """Each running check holds a descriptor."""
    with contextlib.suppress(ValueError, OSError):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main())
