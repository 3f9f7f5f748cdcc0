"""One VRRP instance: every event that can happen to it.

PURE. The election itself, and every change of state, is in `election.py`; here is what happens
around it: start and stop, interfaces and trackers, sync groups, operators and new settings.
"""

from __future__ import annotations

from hanode.vrrp import packet, track, vip_effects
from hanode.vrrp.effects import AnnounceAddresses, Effect, PriorityChanged, SendAdvert, State
from hanode.vrrp.election import NO_ADDRESS, Election
from hanode.vrrp.events import (
    AddressLost,
    AdvertReceived,
    AdvertRefused,
    AnnounceAgain,
    Event,
    GroupHeardLower,
    LinkChanged,
    LinkState,
    MaintenanceChanged,
    Reconfigured,
    ReleaseMaster,
    Started,
    Stopped,
    SyncFollow,
    TakeMaster,
    TimerFired,
    TrackerChanged,
)
from hanode.vrrp.master_down_timer import Waiting
from hanode.vrrp.settings import PRIORITY_OWNER, Address, InstanceSettings

TIMER_FIRED = TimerFired()
RESUMED = "resumed: it was master a moment ago"


class Machine(Election):
    """`step(event, now_us=...)` gives the effects in the order in which they must happen."""

    __slots__ = ()

    def beat(self, now_us: int) -> tuple[SendAdvert, ...] | list[Effect]:
        """TimerFired as MASTER, which is nearly always an advert and nothing else."""
        main_us = self._main_us
        if (
            main_us is None
            or not 0 <= now_us - main_us <= self._interval_us
            or self._announcements.deadline_us is not None
            or not self.transmitter.ready
            or self.settings.expired_backup_priority is not None
        ):
            return self.step(TIMER_FIRED, now_us=now_us)
        self._main_us = main_us + self._interval_us
        self.counters["advert_sent"] += 1
        return self.transmitter.ready

    def step(self, event: Event, *, now_us: int) -> list[Effect]:
        """Take one event. Raises AssertionError for what cannot happen in this state."""
        self.repeatable = self.heard_lower = False
        self.heard_tail = NO_ADDRESS
        if self._started is isinstance(event, Started):
            raise AssertionError(f"{self.state} cannot take {event}")
        match event:
            case TimerFired():
                return self._timer(now_us)
            case AdvertReceived():
                return self._hear(event, now_us)
            case AdvertRefused():
                return self._refuse(event, now_us)
            case LinkChanged():
                back = f"{self.settings.interface or self.settings.mcast_src_ip} is back"
                self.link = event.link
                return self._look_again(back, now_us)
            case TrackerChanged():
                return self._look_again(track.news(event), now_us)
            case MaintenanceChanged():
                return self._look_again(event.cause, now_us)
            case AddressLost():
                return self._lose_address(event.address, now_us)
            case Reconfigured():
                return self._reconfigure(event.settings, now_us)
            case SyncFollow():
                return self._follow(event, now_us)
            case GroupHeardLower():
                return self._announce_lower(now_us) if self.state is State.MASTER else []
            case ReleaseMaster():
                return self._release(event.cause, now_us)
            case TakeMaster():
                return self._take(event.cause, now_us)
            case AnnounceAgain():
                return self._announce_again()
            case Started():
                return self._start(event, now_us)
            case Stopped():
                return self._stop(event, now_us)

    # Start and stop

    def _start(self, event: Started, now_us: int) -> list[Effect]:
        settings = self.settings
        self._started = True
        self.look(event.link)
        owner = settings.priority == PRIORITY_OWNER
        self._resume = event.resume and self.own_fault is None and not event.delay_us
        effects: list[Effect] = []
        if not owner and not self._resume:
            # What an earlier run left behind would be an address that two nodes hold.
            effects += vip_effects.leave(settings)
        self._take_source()
        if event.delay_us:
            self._main_us = now_us + event.delay_us
            self.cause = event.waits
            return effects
        return effects + self._begin("start", now_us, event.quiet_since_us)

    def look(self, link: LinkState) -> None:
        """See the surroundings, without acting on them; a sync group looks before it starts."""
        self.link = link
        context = self.context
        self.priority = track.priority(
            self.settings.priority, track.weights(self._watched, context.trackers)
        )
        self.own_fault = track.fault(
            self.settings, link, self._watched, context.trackers, context.maintenance
        )
        if self.own_fault is None and self.state is State.FAULT:
            # It began in FAULT: it may not leave it before a first result either.
            self.own_fault = track.pending(self._watched, context.trackers)

    def _begin(self, cause: str, now_us: int, quiet_since_us: int | None = None) -> list[Effect]:
        """Leave INIT, unless something must be known first."""
        resume, self._resume = self._resume, False
        pending = track.pending(self._watched, self.context.trackers)
        if pending is not None and not resume and self.context.maintenance is None:
            self.cause = pending
            return []
        reason = self._fault()
        if reason is not None:
            return self._become_fault(reason, now_us)
        if self.settings.priority == PRIORITY_OWNER:
            # RFC 9568 section 6.4.1 (100): the owner takes over at once.
            return self._begin_as_master("start as the owner of the addresses", now_us)
        if resume:
            return self._begin_as_master(RESUMED, now_us)
        waiting = None if quiet_since_us is None else Waiting(quiet_since_us)
        return self._become_backup(cause, now_us, waiting)

    def _begin_as_master(self, cause: str, now_us: int) -> list[Effect]:
        self.wants_master = True
        if self.sync_group is None or self.sync_group.may_be_master():
            return self._become_master(cause, now_us)
        return self._become_backup(cause, now_us) + self._want_master(cause, now_us)

    def _stop(self, event: Stopped, now_us: int) -> list[Effect]:
        never = self.state is State.INIT
        effects = self._leave_master(now_us, say_so=True) if self.state is State.MASTER else []
        entered = self._enter(State.INIT, event.cause, now_us, tell=False)
        effects += [] if never else entered
        told = "STOP"
        if event.deleted:
            told = "DELETED" if self.settings.notify.tell_deleted else "FAULT"
        self._started = False
        return effects + self._notify(told)

    # Surroundings: the interface, trackers, maintenance, the sync group

    def _fault(self) -> str | None:
        beside = None if self.sync_group is None else self.sync_group.fault_beside(self)
        return self.own_fault or beside

    def _take_source(self) -> None:
        self.source = track.source_address(self.settings, self.link) or NO_ADDRESS
        self.transmitter.prepare(self.priority.effective, self.source)

    def _look_again(self, news: str, now_us: int) -> list[Effect]:
        before, source = self.priority, self.source
        self.look(self.link)
        reason = self._fault()
        if self.state is State.INIT:
            self._take_source()
            return [] if self._main_us is not None else self._begin(news, now_us)
        if self.state is State.FAULT:
            self._take_source()
            if reason is not None:
                self.cause = reason
                return []
            return self._become_backup(news, now_us) + self._announce_own()
        if reason is not None:
            effects = self._become_fault(reason, now_us)
            self._take_source()
            return effects
        effects = self._change_priority(before, news, now_us)
        if self.source != source and self.state is State.MASTER:
            self.master = self.source
            effects += self._send_advert(now_us)
        return effects

    def _change_priority(self, before: track.Priority, cause: str, now_us: int) -> list[Effect]:
        """The next advert has the new one; a backup's timer is set anew from where it began."""
        self._take_source()
        own = self.priority
        if own.effective == before.effective:
            return []
        settings = self.settings
        if self.state is State.BACKUP and self._main_us is not None:
            self._wait(self._settled(self._waiting, now_us))
        effects: list[Effect] = [
            PriorityChanged(
                settings.key, settings.name, self.state, own.effective, own.arithmetic, cause
            )
        ]
        if settings.notify.priority_changes:
            effects += self._notify(f"{self.state}_PRIORITY")
        return effects

    def _settled(self, waiting: Waiting, now_us: int) -> Waiting:
        """What was too low for the old priority may be a master for the new one."""
        low = waiting.discarded
        own = self.priority.effective
        if low is not None and self._preempt.accepts_master(low[1], own, self.settings, now_us):
            return Waiting(low[2], low[0])
        return waiting

    def _follow(self, event: SyncFollow, now_us: int) -> list[Effect]:
        """The sync group has changed its state."""
        match event.state, self.state:
            case "MASTER", State.BACKUP:
                return self._become_master(event.cause, now_us)
            case "BACKUP", State.MASTER:
                return self._become_backup(
                    event.cause, now_us, Waiting(now_us, stopping=event.soon)
                )
            case "BACKUP", State.FAULT if self._fault() is None:
                return self._become_backup(event.cause, now_us) + self._announce_own()
            case "FAULT", State.BACKUP | State.MASTER:
                return self._become_fault(event.cause, now_us)
        return []

    # Operators

    def why_not_take(self) -> str | None:
        """Why TakeMaster would not be allowed; None: it is."""
        name = self.settings.name
        if self.state in (State.INIT, State.FAULT):
            return f"{name} is in {self.state}: {self.cause}"
        heard, own = self._waiting.heard, self.priority.effective
        if self.state is State.MASTER or heard is None or self._waiting.stopping:
            return None
        if (self.master_priority, heard) > (own, self.source):
            sender = packet.text(heard)
            return (
                f"{name}: the master {sender} has priority {self.master_priority}, ours is {own}:"
                " it would take the addresses back; release it there"
            )
        return None

    def _release(self, cause: str, now_us: int) -> list[Effect]:
        if self.state is not State.MASTER:
            return []
        effects = self._become_backup(cause, now_us, say_so=True)
        self._preempt.yielded = True
        return effects

    def _take(self, cause: str, now_us: int) -> list[Effect]:
        if self.state is not State.BACKUP or self.why_not_take() is not None:
            return []
        return self._want_master(cause, now_us)

    def _announce_again(self) -> list[Effect]:
        settings = self.settings
        if self.state is not State.MASTER or not settings.addresses:
            return []
        repeat = settings.garp_master_repeat
        return [AnnounceAddresses(settings.key, settings.addresses, repeat)]

    def _announce_own(self) -> list[Effect]:
        """After FAULT, unicast peers may have forgotten where we are (keepalived)."""
        settings = self.settings
        if not settings.unicast or not self.source or settings.roams:
            return []
        own = Address(packet.text(self.source), len(self.source) * 8, settings.interface)
        return [AnnounceAddresses(settings.key, (own,), 1)]

    # Time and adverts

    def _timer(self, now_us: int) -> list[Effect]:
        match self.state:
            case State.MASTER:
                return self._timer_as_master(now_us)
            case State.BACKUP:
                return self._want_master(self._waiting.verdict(self.priority, now_us), now_us)
            case State.INIT:
                self._main_us = None
                return self._begin("start", now_us)
            case State.FAULT:
                raise AssertionError("FAULT has no timer")

    def _hear(self, event: AdvertReceived, now_us: int) -> list[Effect]:
        match self.state:
            case State.BACKUP:
                return self._hear_as_backup(event, now_us)
            case State.MASTER:
                return self._hear_as_master(event, now_us)
        return []

    # New settings

    def _reconfigure(self, new: InstanceSettings, now_us: int) -> list[Effect]:
        """Do the least: state, timers and unchanged addresses stay as they are."""
        old, old_ready, before = self.settings, self.transmitter.ready, self.priority
        self.settings = new
        self._interval_us = new.advert_int_us
        self._watched = track.watched(new)
        if old.vips != new.vips:
            self._mismatch.ours_changed(old)
        master = self.state is State.MASTER
        effects = vip_effects.drop_old(old, new) if master else []
        self.look(self.link)
        reason = self._fault()
        if reason is not None and self.state in (State.BACKUP, State.MASTER):
            effects += self._become_fault(reason, now_us)  # the last word is still the old one
        self.transmitter.use(new)
        self.receiver.use(new)
        self._take_source()
        match self.state:
            case State.INIT if self._main_us is None:
                return self._begin("reload", now_us)
            case State.FAULT if reason is None:
                return self._become_backup("reload", now_us)
            case State.BACKUP:
                self._reconfigure_backup(old, now_us)
            case State.MASTER:
                changed = self.transmitter.ready != old_ready or self.transmitter.signs
                effects += self._reconfigure_master(old, now_us, advert_changed=changed)
        if self.priority.effective != before.effective and new.notify.priority_changes:
            effects += self._notify(f"{self.state}_PRIORITY")
        return effects

    def _reconfigure_backup(self, old: InstanceSettings, now_us: int) -> None:
        new = self.settings
        if old.advert_int_us != new.advert_int_us or old.version != new.version:
            self._master_advert_us = new.advert_int_us
        if self._main_us is not None:
            self._wait(self._settled(self._waiting, now_us))

    def _reconfigure_master(
        self, old: InstanceSettings, now_us: int, *, advert_changed: bool
    ) -> list[Effect]:
        new = self.settings
        effects: list[Effect] = []
        if advert_changed or old.advert_int_us != new.advert_int_us:
            effects += self._send_advert(now_us)
        effects += vip_effects.add_new(old, new)
        added = tuple(a for a in new.addresses if a not in old.addresses)
        effects += self._announcements.block(
            new, added, new.garp_master_repeat, new.garp_master_delay_us, now_us
        )
        self._announcements.forget(tuple(a for a in old.addresses if a not in new.addresses))
        if old.garp_master_refresh_us != new.garp_master_refresh_us:
            self._announcements.refresh_every(new.garp_master_refresh_us, now_us)
        if old.garp_extra_us != new.garp_extra_us:
            self._announcements.extra_every(new.garp_extra_us, now_us)
        return effects
