"""The router and what it acts on: the interfaces, sockets and kernel state of one namespace.

DRIVER. The kernel's messages come in here, and the machines' effects go out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hanode.kernel.allowance import LostAddresses
from hanode.kernel.facts import NO_CHANGE, Change
from hanode.kernel.needs import refusal, together
from hanode.proc.common.loop import Loop
from hanode.proc.vrrp.backup_filter import BackupFilter
from hanode.proc.vrrp.effect_queue import EffectQueue
from hanode.proc.vrrp.event_reporter import EventReporter
from hanode.proc.vrrp.interfaces import Interfaces
from hanode.proc.vrrp.kernel_state import KernelState
from hanode.proc.vrrp.receiver import Receiver
from hanode.proc.vrrp.sockets import Sockets
from hanode.proc.vrrp.takeover_warmup import TakeoverWarmup
from hanode.system import namespaces, processes
from hanode.system.clock import SystemClock
from hanode.system.firewall import Firewall
from hanode.system.monitor import Monitor
from hanode.system.refusals import why
from hanode.vrrp.effects import (
    BlockAddresses,
    Effect,
    SendAdvert,
    State,
    StateChanged,
    UnblockAddresses,
)
from hanode.vrrp.engine_settings import InstanceKey, VrrpSettings
from hanode.vrrp.router import Router

if TYPE_CHECKING:
    from hanode.system.route_watch import RouteWatch


class Runtime:
    """One router and what it acts on."""

    def __init__(
        self, loop: Loop, clock: SystemClock, reporter: EventReporter, *, owner: str = ""
    ) -> None:
        """`owner` names this engine in the kernel: it knows its own interfaces and tables by it."""
        self._owner = owner
        self._loop = loop
        self._clock = clock
        self._reporter = reporter
        self.router = Router()
        self._namespace: str | None = None
        self._chores_us: int | None = None
        """When something besides the machines is to be looked at."""
        self._routes: RouteWatch | None = None
        self._lost = LostAddresses()
        self._open()

    def _open(self) -> None:
        """Open what talks with the kernel of this namespace."""
        from hanode.system.rtnl import Commands  # pyroute2's, once `without_face` has run

        self.monitor = Monitor()
        self.receiver = Receiver(self._loop, self._clock, self.router, self.carry_out)
        self._commands = Commands()
        self.firewall = Firewall(self._owner)
        self.firewall.clear()
        sockets = Sockets(self.receiver, self.warn)
        self.interfaces = Interfaces(
            self.monitor, self._commands, sockets, self.firewall, self.warn, self._owner
        )
        self.kernel_state = KernelState(self._commands, self.monitor, self._warn_instance)
        self.backup_filter = BackupFilter(self.router, self.firewall, self.warn)
        self.effect_queue = EffectQueue(
            self.kernel_state,
            announce=self.interfaces.announce,
            report=self._report,
            block=self._block,
        )
        self.interfaces.ready = self._ready
        self.warmup = TakeoverWarmup(
            self.router, self._loop, self._clock, self.interfaces, self.kernel_state
        )
        self._loop.watch(self.monitor.fileno(), self._on_netlink)

    def enter(self, settings: VrrpSettings) -> None:
        """Go to the network namespace of the settings: at the start, or never. Raises OSError."""
        if settings.net_namespace == self._namespace:
            return
        if self.router.machines or self._namespace is not None or not settings.net_namespace:
            raise OSError(0, "net_namespace cannot change in a reload: restart the engine")
        try:
            namespaces.enter(settings.net_namespace)
        except OSError as error:
            name = settings.net_namespace
            raise OSError(0, f"net_namespace {name}: {error.strerror}") from error
        self._loop.unwatch(self.monitor.fileno())
        self.monitor.close()
        self._commands.close()
        self._open()
        self._namespace = settings.net_namespace

    def use(self, settings: VrrpSettings, *, now_us: int) -> str | None:
        """Prepare what the settings need; why a reload is refused, or None.

        What an instance cannot have when the engine starts is a fault of that instance alone.
        """
        self.interfaces.use(settings, now_us=now_us)
        self._lost.use((a.dev, str(a)) for one in settings.instances for a in one.addresses)
        unmet, before = self.interfaces.lacking(), self.router.context.unmet
        if self.router.machines and (why_not := refusal(settings, unmet, before)) is not None:
            return why_not
        self.update_needs(now_us)
        return None

    def watch_routes(self, settings: VrrpSettings) -> None:
        """Learn of removed routes and rules, where the settings have any."""
        wanted = settings.static_routes or settings.static_rules
        if self._routes is None and (
            wanted or any(i.routes or i.rules for i in settings.instances)
        ):
            from hanode.system.route_watch import RouteWatch  # pyroute2's, as above

            try:
                self._routes = RouteWatch()
            except OSError as error:
                self.warn("vrrp", f"routes that others remove are not put back: {why(error)}")
                return
            self._loop.watch(self._routes.fileno(), self._on_routes)

    # What the kernel reports

    def _on_netlink(self, _mask: int) -> None:
        self.read_kernel()

    def read_kernel(self) -> None:
        """Take in everything that the kernel has said about interfaces and addresses."""
        self.take_change(self.monitor.drain())

    def take_change(self, change: Change) -> None:
        """Interfaces have changed, or addresses were removed."""
        now_us = self._clock.monotonic_us()
        for name in change.links:
            self.interfaces.follow(name, now_us=now_us)
        if change.links:
            self.update_needs(now_us, more_only=True)  # before an interface that came back counts
        for name in change.links:
            self.update_link(name, now_us)
        if change.links:
            self.update_needs(now_us)  # and what is met only once an interface that went counts
            self.kernel_state.links_changed(now_us=now_us)
            for name in self.interfaces.vrfs:
                self.update_link(name, now_us)
        if change.removed:
            self.kernel_state.addresses_lost(change, now_us=now_us)
            ours = self._lost.ours(change.removed)
            self._lost.lost({one: processes.named(change.by.get(one, 0)) for one in ours})
        self._put_back(now_us)
        self.set_chores()
        if (missed := self.interfaces.virtual.missed()) != NO_CHANGE:
            self.take_change(missed)

    def _put_back(self, now_us: int) -> None:
        """Tell the machines of addresses that others removed, as far as they are still away."""
        due = self._lost.due(up=self._is_up, now_us=now_us)
        lost = {place: by for place, by in due.items() if not self.monitor.has(*place)}
        if lost:
            self.carry_out(self.router.lost(lost, now_us=now_us))

    def _is_up(self, name: str) -> bool:
        link = self.monitor.links.get(name)
        return link is not None and link.up

    def update_link(self, name: str, now_us: int) -> None:
        """Give the machines the present state of an interface."""
        state = self.interfaces.state(name, now_us=now_us)
        self.carry_out(self.router.link(name, state, now_us=now_us))

    def update_needs(self, now_us: int, *, more_only: bool = False) -> None:
        """Tell the machines what the kernel refuses them, or (not `more_only`) gives them again."""
        unmet, before = self.interfaces.lacking(), self.router.context.unmet
        if more_only:
            unmet = together(unmet, before)
        if unmet != before:
            self.carry_out(self.router.needs(unmet, now_us=now_us))

    def _on_routes(self, _mask: int) -> None:
        if self._routes is not None:
            removed = self._routes.drain()
            self.kernel_state.routes_lost(removed, now_us=self._clock.monotonic_us())
            self.set_chores()

    # What is due besides the machines' timers

    @property
    def chores_us(self) -> int | None:
        """When `do_chores` must be called next."""
        return self._chores_us

    def set_chores(self) -> None:
        """See when routes, addresses and links are to be looked at again."""
        times = (self.kernel_state.deadline_us, self._lost.deadline_us, self.interfaces.deadline_us)
        self._chores_us = min((at for at in times if at is not None), default=None)

    def do_chores(self, now_us: int) -> None:
        """Put back what may be put back again, and look at links that are asked or delayed."""
        if self._chores_us is None or self._chores_us > now_us:
            return
        self._chores_us = None
        self.kernel_state.restore_due(now_us=now_us)
        self._put_back(now_us)
        for name in self.interfaces.due(now_us=now_us):
            self.update_link(name, now_us)
        if (missed := self.interfaces.virtual.missed()) != NO_CHANGE:
            self.take_change(missed)
        self.update_needs(now_us)
        self.set_chores()

    # Effects

    def carry_out(self, effects: list[Effect]) -> None:
        """Send adverts at once; the rest a portion at a time."""
        senders, effect_queue = self.interfaces.sockets.senders, self.effect_queue
        silent = False
        for effect in effects:
            if type(effect) is SendAdvert:
                sender = senders.get(effect.key)
                error = None if sender is None else sender.send(effect)
                if error is not None:
                    silent |= self._refused(effect, error)
            else:
                effect_queue.add(effect)
        if effect_queue.waiting:
            effect_queue.do_some()
        if silent:  # only now: what the instance still wanted comes before what its FAULT undoes
            self.update_needs(self._clock.monotonic_us())
            self.set_chores()

    def _refused(self, effect: SendAdvert, error: OSError) -> bool:
        """The kernel refused an advert; whether its instance cannot speak from now on."""
        machine = self.router.machines.get(effect.key)
        if machine is None or machine.state is not State.MASTER:
            return False
        if machine.settings.dont_track_primary and not machine.link.up:
            return False  # it is to be master all the same
        return self.interfaces.refused(
            machine.settings,
            effect,
            error,
            sent=machine.counters["advert_sent"],
            now_us=self._clock.monotonic_us(),
        )

    def _ready(self, key: InstanceKey) -> tuple[SendAdvert, ...]:
        machine = self.router.machines.get(key)
        return () if machine is None else machine.transmitter.ready

    def _report(self, effect: Effect) -> None:
        if isinstance(effect, StateChanged):
            self.backup_filter.state_changed(effect.key)
        self._reporter.report(effect)

    def _block(self, effect: BlockAddresses | UnblockAddresses) -> None:
        addresses = [address.packed for address in effect.addresses]
        if isinstance(effect, UnblockAddresses):
            self.firewall.open_addresses(addresses)
        elif (refused := self.firewall.close_addresses(addresses)) is not None:
            self._warn_instance(effect.key, f"no_accept could not be put into nf_tables: {refused}")

    def warn(self, subject: str, cause: str) -> None:
        """Report what an operator should know."""
        self._reporter.warn(subject, cause)

    def _warn_instance(self, key: InstanceKey, cause: str) -> None:
        machine = self.router.machines.get(key)
        self.warn("" if machine is None else machine.settings.name, cause)
