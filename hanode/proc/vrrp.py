"""The vrrp process: feeds packets, links and time to the router and carries out its effects.

DRIVER. `python -m hanode.proc.vrrp`, started by the supervisor with a socket on the descriptor
HANODE_IPC_FD; JSON lines both ways. Nothing here may block: no name lookup, no disk, no log. When
the supervisor says stop or is gone, every master sends priority 0, addresses go, and it exits 0.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

from hanode import wire
from hanode.proc.lines import Lines
from hanode.proc.loop import Loop
from hanode.system import pyroute, realtime
from hanode.system.clock import SystemClock
from hanode.system.monitor import Change, Monitor
from hanode.system.vrrp_socket import ArpSocket, VrrpSocket
from hanode.vrrp import arp, packet
from hanode.vrrp.effects import (
    AddAddresses,
    AnnounceAddresses,
    Effect,
    RemoveAddresses,
    SendAdvert,
    StateChanged,
    Warned,
)
from hanode.vrrp.events import ABSENT, LinkState
from hanode.vrrp.machine import Machine
from hanode.vrrp.router import Router
from hanode.vrrp.settings import Address, InstanceKey, VrrpSettings

if TYPE_CHECKING:
    from hanode.system.rtnl import Commands

PACKETS_AT_ONCE = 256
"""After so many packets the deadlines are looked at: a flood must not silence our adverts."""
STOPPED = "stopped by operator"
ORPHANED = "the supervisor is gone"


class VrrpProcess:
    """One router, its sockets, and the line to the supervisor."""

    def __init__(self, ipc: socket.socket, commands: Commands) -> None:
        self.clock = SystemClock()
        self.router = Router()
        self.loop = Loop(deadline=lambda: self.router.deadline_us, on_deadline=self._on_deadline)
        self.monitor = Monitor()
        self.commands = commands
        self.sockets: dict[str, VrrpSocket] = {}
        self.arp_sockets: dict[str, ArpSocket] = {}
        self.late_us_max = 0
        self._since_us: dict[InstanceKey, int] = {}
        """Wall time of each instance's last transition, as its event told it."""
        self.lines = Lines(ipc, on_line=self._on_line, on_end=lambda: self._stop(ORPHANED))
        self._signalled, signals = socket.socketpair()
        self._signalled.setblocking(False)
        signals.setblocking(False)
        self._signals = signals
        signal.set_wakeup_fd(signals.fileno())
        self.loop.watch(self._signalled.fileno(), lambda _mask: self._stop(STOPPED))
        self.loop.watch(self.monitor.fileno(), self._on_netlink)
        self.loop.watch(ipc.fileno(), self._on_ipc)

    def run(self) -> None:
        """Until the supervisor says stop or is gone."""
        self._say({"kind": "ready"})
        self.loop.run()

    # What wakes us

    def _on_deadline(self) -> None:
        now_us = self.clock.monotonic_us()
        due_us = self.router.deadline_us
        if due_us is None:
            return
        self.late_us_max = max(self.late_us_max, now_us - due_us)
        self._carry_out(self.router.tick(now_us=max(now_us, due_us)))

    def _on_packets(self, receiver: VrrpSocket) -> None:
        for _ in range(PACKETS_AT_ONCE):
            data = receiver.receive()
            if data is None:
                return
            now_us = self.clock.monotonic_us()
            effects = self.router.receive_ipv4(receiver.interface, data, now_us=now_us)
            if effects:
                self._carry_out(effects)

    def _on_netlink(self, _mask: int) -> None:
        self._take_change(self.monitor.drain())

    def _take_change(self, change: Change) -> None:
        for name in change.links:
            try:
                self._open_sockets(name)
            except OSError as error:  # the interface is already gone again
                self._warn(name, f"no VRRP socket could be opened on {name}: {error.strerror}")
            now_us = self.clock.monotonic_us()
            self._carry_out(self.router.link(name, self._link(name), now_us=now_us))
        if change.removed:
            now_us = self.clock.monotonic_us()
            self._carry_out(self.router.lost(change.removed, now_us=now_us))

    def _on_ipc(self, mask: int) -> None:
        self.lines.serve(mask)
        self.loop.watch(self.lines.fileno(), self._on_ipc, write=self.lines.waiting)

    def _on_line(self, line: bytes) -> None:
        try:
            message = json.loads(line)
            verb = message["verb"]
        except (ValueError, KeyError, TypeError, RecursionError):
            self._warn("vrrp", f"the supervisor sent a line that is no request: {line[:80]!r}")
            return
        if verb == "configure":
            self._configure(message.get("revision", 0), message.get("settings"))
        elif verb == "status":
            self._say({"kind": "status", "id": message.get("id"), "status": self.status()})
        elif verb == "stop":
            self._stop(message.get("cause", STOPPED), keep=bool(message.get("keep")))
        else:
            self._warn("vrrp", f"the supervisor asked for {verb!r}, which is unknown")

    # What is asked of us

    def _configure(self, revision: int, raw: Any) -> None:
        answer: dict[str, Any] = {"kind": "configured", "revision": revision, "changed": []}
        try:
            settings = wire.decode(VrrpSettings, raw)
        except wire.WireError as error:
            self._say({**answer, "error": str(error)})
            return
        self._take_change(self.monitor.drain())
        for name in dict.fromkeys(i.interface for i in settings.instances):
            try:
                self._open_sockets(name, settings)
            except OSError as error:
                why = f"no VRRP socket could be opened on {name}: {error.strerror}"
                self._say({**answer, "error": f"{why} (CAP_NET_RAW is needed)"})
                return
            self._carry_out(
                self.router.link(name, self._link(name), now_us=self.clock.monotonic_us())
            )
        reload = self.router.configure(
            settings, now_us=self.clock.monotonic_us(), found=self.monitor.marked()
        )
        self._carry_out(reload.effects)
        for name in set(self.sockets) - set(self.router.interfaces):
            self._close_sockets(name)
        # Now, and not at the first failover: packing takes time, opening a socket may wait.
        links = self.monitor.links
        there = [a for i in settings.instances for a in i.addresses if a.dev in links]
        self.commands.prepare((a, links[a.dev].index) for a in there)
        for dev in {a.dev for a in there}:
            self._arp_socket(dev, links[dev].index)
        realtime.still_the_collector()
        self._say({**answer, "changed": list(reload.changed), "error": None})

    def status(self) -> dict[str, Any]:
        """`instances` as wire.InstanceStatus, and how late a timer was at most."""
        self._take_change(self.monitor.drain())
        return {
            "instances": [
                wire.encode(self._instance_status(machine))
                for machine in self.router.machines.values()
            ],
            "late_us_max": self.late_us_max,
            "unknown_vrids": self.router.unknown_vrids,
            "send_errors": {name: s.send_errors for name, s in self.sockets.items()},
        }

    def _instance_status(self, machine: Machine) -> wire.InstanceStatus:
        settings = machine.settings
        return wire.InstanceStatus(
            name=settings.name,
            vrid=settings.vrid,
            interface=settings.interface,
            state=machine.state.value,
            since_us=self._since_us.get(settings.key, 0),
            cause=machine.cause,
            base_priority=machine.priority.base,
            effective_priority=machine.priority.effective,
            master=packet.text(machine.master) if machine.master else None,
            vips=tuple(
                wire.VipStatus(str(a), a.dev, self.monitor.has(a.dev, str(a)))
                for a in settings.addresses
            ),
            counters=dict(machine.counters),
            since_mono_us=machine.since_us,
            arithmetic=machine.priority.arithmetic,
        )

    def _stop(self, cause: str, *, keep: bool = False) -> None:
        """`keep`: leave in the kernel what is there (`hanode run -V`)."""
        effects = self.router.stop(cause, now_us=self.clock.monotonic_us())
        self._carry_out([e for e in effects if not (keep and isinstance(e, RemoveAddresses))])
        self.lines.flush()
        self.loop.stop()

    # Effects

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case SendAdvert():
                    sender = self.sockets.get(effect.key[0])
                    error = sender.send(effect) if sender is not None else None
                    if error is not None and sender is not None and sender.send_errors == 1:
                        self._warn(sender.interface, f"an advert could not be sent: {error}")
                case AddAddresses():
                    self._change_addresses(effect.key, effect.addresses, add=True)
                case RemoveAddresses():
                    self._change_addresses(effect.key, effect.addresses, add=False)
                case AnnounceAddresses():
                    self._announce(effect)
                case StateChanged():
                    self._tell_transition(effect)
                case Warned():
                    self._warn(effect.instance, effect.cause, topic=effect.topic)

    def _change_addresses(
        self, key: InstanceKey, addresses: tuple[Address, ...], *, add: bool
    ) -> None:
        links = self.monitor.links
        there = [(a, links[a.dev].index) for a in addresses if a.dev in links]
        failed = self.commands.add(there) if add else self.commands.remove(there)
        failed += [(a, "no such interface") for a in addresses if add and a.dev not in links]
        for address, why in failed:
            verb = "added to" if add else "removed from"
            name = self.router.machines[key].settings.name if key in self.router.machines else ""
            self._warn(name, f"{address} could not be {verb} {address.dev}: {why}")

    def _announce(self, effect: AnnounceAddresses) -> None:
        frames = []
        for address in effect.addresses:
            link = self.monitor.links.get(address.dev)
            ip = address.packed
            if link is not None and len(link.mac) == 6 and len(ip) == 4:
                sender = self._arp_socket(address.dev, link.index)
                if sender is not None:
                    frames.append((sender, arp.gratuitous_arp(mac=link.mac, address=ip)))
        for _ in range(effect.repeat):
            for sender, frame in frames:
                sender.send(frame)

    def _tell_transition(self, effect: StateChanged) -> None:
        self._since_us[effect.key] = self._event(
            "transition",
            effect.instance,
            effect.cause,
            {
                "from": effect.old.value,
                "to": effect.new.value,
                "priority": effect.priority,
                "arithmetic": effect.arithmetic,
                "vrid": effect.key[2],
                "interface": effect.key[0],
            },
        )

    def _warn(self, subject: str, cause: str, topic: str = "") -> None:
        self._event("warning", subject, cause, {"topic": topic} if topic else {})

    def _event(self, kind: str, subject: str, cause: str, data: dict[str, Any]) -> int:
        event = wire.Event(
            kind=kind,
            subject=subject,
            cause=cause,
            wall_us=self.clock.wall_us(),
            mono_us=self.clock.monotonic_us(),
            data=data,
        )
        self._say({"kind": "event", "event": wire.encode(event)})
        return event.wall_us

    def _say(self, message: dict[str, Any]) -> None:
        self.lines.say(json.dumps(message, separators=(",", ":")).encode())
        if self.lines.waiting:
            self.loop.watch(self.lines.fileno(), self._on_ipc, write=True)

    # Interfaces

    def _link(self, name: str) -> LinkState:
        link = self.monitor.links.get(name)
        if link is None:
            return ABSENT
        return LinkState(up=link.up, mac=link.mac, addresses=self.monitor.addresses(name))

    def _open_sockets(self, name: str, settings: VrrpSettings | None = None) -> None:
        """Sockets for an interface that instances run on; anew if it was made anew."""
        instances = (settings or self.router.settings).instances
        groups = {i.mcast_group for i in instances if i.interface == name and i.family == 4}
        link = self.monitor.links.get(name)
        old = self.sockets.get(name)
        if old is not None and (link is None or link.index != old.index):
            self._close_sockets(name)
            old = None
        if link is None or not groups:
            return
        if old is None:
            old = self.sockets[name] = VrrpSocket(name, link.index)
            receiver = old
            self.loop.watch(old.fileno(), lambda _mask: self._on_packets(receiver))
        for group in groups:
            old.join(group)

    def _close_sockets(self, name: str) -> None:
        old = self.sockets.pop(name)
        self.loop.unwatch(old.fileno())
        old.close()

    def _arp_socket(self, dev: str, index: int) -> ArpSocket | None:
        old = self.arp_sockets.get(dev)
        if old is None or old.index != index:
            if old is not None:
                old.close()
                del self.arp_sockets[dev]
            try:
                old = self.arp_sockets[dev] = ArpSocket(dev, index)
            except OSError as error:  # it went away while we looked
                self._warn(dev, f"no ARP socket could be opened on {dev}: {error.strerror}")
                return None
        return old


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
    from hanode.system.rtnl import Commands  # only now does it come without asyncio

    process = VrrpProcess(socket.socket(fileno=int(fd)), Commands())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the supervisor's matter
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)  # the wakeup descriptor tells it
    for sentence in realtime.enter():
        process._warn("vrrp", sentence)
    realtime.still_the_collector()
    process.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
