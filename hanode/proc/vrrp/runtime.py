"""What the vrrp process stands on: the kernel's news come in here, and effects go out.

DRIVER. The lower half of `hanode.proc.vrrp`: one router, the interfaces and sockets of one network
namespace, and what the machines hold in its kernel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hanode.proc.common.loop import Loop
from hanode.proc.vrrp.backup_filter import BackupFilter
from hanode.proc.vrrp.effect_queue import EffectQueue
from hanode.proc.vrrp.event_reporter import EventReporter
from hanode.proc.vrrp.interfaces import Interfaces
from hanode.proc.vrrp.kernel_state import KernelState
from hanode.proc.vrrp.receiver import Receiver
from hanode.proc.vrrp.sockets import Sockets
from hanode.proc.vrrp.takeover_warmup import TakeoverWarmup
from hanode.system import namespaces
from hanode.system.clock import SystemClock
from hanode.system.firewall import Firewall
from hanode.system.monitor import NOTHING, Change, Monitor
from hanode.vrrp.effects import BlockAddresses, Effect, SendAdvert, UnblockAddresses
from hanode.vrrp.router import Router
from hanode.vrrp.settings import InstanceKey, VrrpSettings

if TYPE_CHECKING:
    from hanode.system.route_watch import RouteWatch


class Ground:
    """One router and what it acts on."""

    def __init__(self, loop: Loop, clock: SystemClock, reporter: EventReporter) -> None:
        self.loop = loop
        self.clock = clock
        self.reporter = reporter
        self.router = Router()
        self._namespace: str | None = None
        self._chore_us: int | None = None
        """When something besides the machines is to be looked at."""
        self._routes: RouteWatch | None = None
        self._stand()

    def _stand(self) -> None:
        """Open what speaks with the kernel of this namespace."""
        from hanode.system.rtnl import Commands  # pyroute2's, once `without_face` has run

        self.monitor = Monitor()
        self.receiver = Receiver(self.loop, self.clock, self.router, self._carry_out)
        commands = Commands()
        self.firewall = Firewall()
        self.firewall.clear()
        self.interfaces = Interfaces(
            self.monitor,
            commands,
            Sockets(self.receiver),
            self.firewall,
            self._warn,
        )
        self.kernel_state = KernelState(commands, self.monitor, self._warn_instance)
        self.backup_filter = BackupFilter(
            self.router, self.firewall, self._warn, self.reporter.tell
        )
        self.effect_queue = EffectQueue(
            self.kernel_state,
            announce=self.interfaces.announce,
            tell=self.backup_filter.tell,
            block=self._block,
        )
        self.warmup = TakeoverWarmup(
            self.router, self.loop, self.clock, self.interfaces, self.kernel_state
        )
        self._commands = commands
        self.loop.watch(self.monitor.fileno(), self._on_netlink)

    def _enter(self, settings: VrrpSettings) -> None:
        """The network namespace of the file: at the start, or never."""
        if settings.net_namespace == self._namespace:
            return
        if self.router.machines or self._namespace is not None or not settings.net_namespace:
            raise OSError(0, "net_namespace cannot change in a reload: restart the engine")
        try:
            namespaces.enter(settings.net_namespace)
        except OSError as error:
            name = settings.net_namespace
            raise OSError(0, f"net_namespace {name}: {error.strerror}") from error
        self.loop.unwatch(self.monitor.fileno())
        self.monitor.close()
        self._commands.close()
        self._stand()
        self._namespace = settings.net_namespace

    def _watch_routes(self, settings: VrrpSettings) -> None:
        wanted = settings.static_routes or settings.static_rules
        if self._routes is None and (
            wanted or any(i.routes or i.rules for i in settings.instances)
        ):
            from hanode.system.route_watch import RouteWatch  # pyroute2's, as above

            self._routes = RouteWatch()
            self.loop.watch(self._routes.fileno(), self._on_routes)

    # What the kernel tells

    def _on_netlink(self, _mask: int) -> None:
        self._take_change(self.monitor.drain())

    def _take_change(self, change: Change) -> None:
        now_us = self.clock.monotonic_us()
        for name in change.links:
            self.interfaces.follow(name)
            self._tell_link(name, now_us)
        if change.links:
            self.kernel_state.links_changed(now_us=now_us)
            for name in self.interfaces.apart:
                self._tell_link(name, now_us)
        if change.removed:
            self.kernel_state.lose(change.removed, now_us=now_us)
            self._carry_out(self.router.lost(change.removed, now_us=now_us))
        self._set_chore()
        if (missed := self.interfaces.missed()) != NOTHING:
            self._take_change(missed)

    def _tell_link(self, name: str, now_us: int) -> None:
        link = self.interfaces.link(name, now_us=now_us)
        self._carry_out(self.router.link(name, link, now_us=now_us))

    def _on_routes(self, _mask: int) -> None:
        if self._routes is not None:
            self.kernel_state.hear(self._routes.drain(), now_us=self.clock.monotonic_us())
            self._set_chore()

    def _set_chore(self) -> None:
        """See when routes, addresses and links are to be looked at again."""
        times = (self.kernel_state.deadline_us, self.interfaces.watch.deadline_us)
        self._chore_us = min((at for at in times if at is not None), default=None)

    # Effects

    def _carry_out(self, effects: list[Effect]) -> None:
        senders, effect_queue = self.interfaces.sockets.senders, self.effect_queue
        for effect in effects:
            if type(effect) is SendAdvert:
                sender = senders.get(effect.key)
                error = None if sender is None else sender.send(effect)
                if error is not None and sender is not None and sender.send_errors == 1:
                    self._warn(sender.interface or "vrrp", f"an advert could not be sent: {error}")
            else:
                effect_queue.want(effect)
        if effect_queue.waiting:
            effect_queue.do_some()

    def _block(self, effect: Effect) -> None:
        if not isinstance(effect, BlockAddresses | UnblockAddresses):
            return
        addresses = [address.packed for address in effect.addresses]
        if isinstance(effect, UnblockAddresses):
            self.firewall.open_addresses(addresses)
        elif (why := self.firewall.close_addresses(addresses)) is not None:
            self._warn_instance(effect.key, f"no_accept could not be put into nf_tables: {why}")

    def _warn(self, subject: str, cause: str) -> None:
        self.reporter.warn(subject, cause)

    def _warn_instance(self, key: InstanceKey, cause: str) -> None:
        machine = self.router.machines.get(key)
        self._warn("" if machine is None else machine.settings.name, cause)
