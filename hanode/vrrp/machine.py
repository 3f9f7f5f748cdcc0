"""One VRRP instance: RFC 9568 section 6.4 and what keepalived does around it.

PURE. Two rules. Rule 1: this is the only file that assigns the state of an instance, the cause and
time of its last change, and its timers (`tests/tidy` holds it to that). Rule 2: every change of
state goes through `_become_backup`, `_become_master`, `_become_fault` or `_stop`, and from there
through `_enter`, which lets nothing happen that the table in `states.py` does not have.

Time comes in as `now_us`. Where keepalived 2.2.7 and the RFC differ, this is keepalived. The RFC's
word for MASTER is Active.
"""

from __future__ import annotations

from hanode.vrrp import packet, states, track, vip_effects, vip_mismatch
from hanode.vrrp.announce import Announcements
from hanode.vrrp.counters import OWN_ADDRESS, Counters
from hanode.vrrp.effects import (
    AnnounceAddresses,
    Effect,
    Notify,
    PriorityChanged,
    SendAdvert,
    State,
    StateChanged,
    Warned,
)
from hanode.vrrp.engine_settings import PRIORITY_OWNER, PRIORITY_STOP, Address, InstanceSettings
from hanode.vrrp.events import (
    ABSENT,
    AddressLost,
    AdvertReceived,
    AdvertRefused,
    AnnounceAgain,
    Event,
    GroupReceivedLower,
    LinkChanged,
    LinkState,
    MaintenanceChanged,
    NeedsChanged,
    Reconfigured,
    ReleaseMaster,
    Started,
    Stopped,
    SyncFollow,
    TakeMaster,
    TimerFired,
    TrackerChanged,
)
from hanode.vrrp.master_down_timer import MasterDownTimer
from hanode.vrrp.node_context import NodeContext, OwnSyncGroup
from hanode.vrrp.preempt import PreemptPolicy
from hanode.vrrp.receive import Receiver
from hanode.vrrp.taken_away import TakenAway
from hanode.vrrp.timing import skew_us
from hanode.vrrp.tracking_and_notify import NO_NOTIFY, Tracked
from hanode.vrrp.transmit import Transmitter
from hanode.vrrp.vip_mismatch import Mismatch, Verdict
from hanode.vrrp.warning_limit import WarningLimit

TIMER_FIRED = TimerFired()
RESUMED = "resumed: it was master a moment ago"
NEEDS_MET = "it has all that it needs again"
NO_ADDRESS = b""


class Machine:
    """`step(event, now_us=...)` gives the effects in the order in which they must happen."""

    __slots__ = (
        "_announcements",
        "_interval_us",
        "_master_advert_us",
        "_master_down",
        "_master_down_us",
        "_mismatch",
        "_preempt",
        "_resume",
        "_started",
        "_taken_away",
        "_warnings",
        "_watched",
        "cause",
        "context",
        "counters",
        "followed_priority",
        "link",
        "main_timer_us",
        "master",
        "master_priority",
        "own_fault",
        "priority",
        "queued_us",
        "received_lower",
        "receiver",
        "repeatable",
        "repeatable_tail",
        "settings",
        "since_us",
        "source",
        "state",
        "sync_group",
        "transmitter",
        "wants_master",
    )  # fmt: skip

    def __init__(self, settings: InstanceSettings, context: NodeContext | None = None) -> None:
        self.settings = settings
        self.context = context or NodeContext()
        self.sync_group: OwnSyncGroup | None = None
        self.state = State.INIT
        self.cause = "not started"
        """Why it is in this state, or what it waits for in INIT."""
        self.since_us = 0
        """When it entered this state."""
        self.main_timer_us: int | None = None
        """INIT: the end of the start-up delay. BACKUP: of the Master_Down_Timer. MASTER: of the
        Adver_Timer."""
        self._master_down = MasterDownTimer(0)
        self._master_down_us = 0
        """How long that runs."""
        self._announcements = Announcements()
        self._interval_us = settings.advert_int_us
        self._master_advert_us = settings.advert_int_us
        self.link: LinkState = ABSENT
        self.source = NO_ADDRESS
        """Where its adverts come from; empty: it has no such address."""
        self.master: bytes | None = None
        """Source of the last accepted advert; our own while MASTER."""
        self.master_priority = 0
        """Of the last accepted advert."""
        self.followed_priority = 0
        """Priority of the last master that kept us BACKUP: keepalived's master_priority."""
        self.priority = track.priority(settings.priority)
        self.wants_master = False
        """The timer has run out; in a sync group all members must want it."""
        self.own_fault: str | None = None
        """Its own reason for FAULT; a member of a sync group may be in FAULT without one."""
        self.counters = Counters()
        self.transmitter = Transmitter(settings)
        self.receiver = Receiver(settings, self.transmitter.sequence)
        self.queued_us: int | None = None
        """The deadline heap's: for when it has an entry there."""
        self.repeatable = False
        """The last event was an advert that did nothing but restart the timer."""
        self.repeatable_tail = NO_ADDRESS
        """The router's: bytes of the packet that may be given to `receive_same` when it comes
        again. Every other event empties it."""
        self.received_lower = False
        """The last event was an advert of lower priority, received as MASTER."""
        self._warnings = WarningLimit()
        self._taken_away = TakenAway()
        self._watched = track.watched(settings)
        self._preempt = PreemptPolicy()
        self._mismatch = Mismatch()
        self._started = False
        self._resume = False

    # What others read

    @property
    def deadline_us(self) -> int | None:
        """When the machine wants its next TimerFired."""
        main_us, announce_us = self.main_timer_us, self._announcements.deadline_us
        if main_us is None or announce_us is None:
            return announce_us if main_us is None else main_us
        return min(main_us, announce_us)

    @property
    def watched(self) -> tuple[Tracked, ...]:
        """What must be told to it as TrackerChanged."""
        return self._watched

    @property
    def master_advert_us(self) -> int:
        """Master_Adver_Interval."""
        return self._master_advert_us

    @property
    def waits_skew_time_only(self) -> bool:
        """As BACKUP: whether its timer is as short as after an advert of priority 0."""
        return self._master_down.skew_only

    @property
    def has_heard_nobody(self) -> bool:
        """Whether it is BACKUP, nobody released it, and it has heard no master since."""
        timer = self._master_down
        heard = timer.sender is not None or timer.discarded is not None or timer.skew_only
        return self.state is State.BACKUP and not heard and not self._preempt.released

    def misses_its_master(self, now_us: int) -> bool:
        """As BACKUP: whether an advert should have come by then, or will never come."""
        timer = self._master_down
        return timer.skew_only or now_us - timer.started_us > self._master_advert_us

    # Events

    def receive_same(self, now_us: int) -> None:
        """As BACKUP: the advert that was `repeatable` has come again, byte for byte."""
        self.counters["advert_rcvd"] += 1
        self._master_down.started_us = now_us
        self.main_timer_us = now_us + self._master_down_us

    def advertise(self, now_us: int) -> tuple[SendAdvert, ...] | list[Effect]:
        """TimerFired as MASTER, which is nearly always an advert and nothing else."""
        main_us = self.main_timer_us
        if (
            main_us is None
            or not 0 <= now_us - main_us <= self._interval_us
            or self._announcements.deadline_us is not None
            or not self.transmitter.ready
            or self.settings.expired_backup_priority is not None
        ):
            return self.step(TIMER_FIRED, now_us=now_us)
        self.main_timer_us = main_us + self._interval_us
        self.counters["advert_sent"] += 1
        return self.transmitter.ready

    def step(self, event: Event, *, now_us: int) -> list[Effect]:
        """Take one event. Raises AssertionError for what cannot happen in this state."""
        self.repeatable = self.received_lower = False
        self.repeatable_tail = NO_ADDRESS
        if self._started is isinstance(event, Started):
            raise AssertionError(f"{self.state} cannot take {event}")
        match event:
            case TimerFired():
                return self._timer(event, now_us)
            case AdvertReceived():
                return self._receive(event, now_us)
            case AdvertRefused():
                return self._refuse(event, now_us)
            case LinkChanged():
                back = f"{self.settings.interface or self.settings.mcast_src_ip} is back"
                self.link = event.link
                return self._reassess(event, back, now_us)
            case TrackerChanged():
                return self._reassess(event, track.cause(event), now_us)
            case MaintenanceChanged():
                return self._reassess(event, event.cause, now_us)
            case NeedsChanged():
                return self._reassess(event, NEEDS_MET, now_us)
            case AddressLost():
                return self._lose_address(event, now_us)
            case Reconfigured():
                return self._reconfigure(event, now_us)
            case SyncFollow():
                return self._follow(event, now_us)
            case GroupReceivedLower():
                return self._announce_lower(now_us) if self.state is State.MASTER else []
            case ReleaseMaster():
                return self._release(event, now_us)
            case TakeMaster():
                return self._take(event, now_us)
            case AnnounceAgain():
                return self._announce_again()
            case Started():
                return self._start(event, now_us)
            case Stopped():
                return self._stop(event, now_us)

    # Start and stop (RFC 9568 section 6.4.1)

    def _start(self, event: Started, now_us: int) -> list[Effect]:
        settings = self.settings
        self._started = True
        self.assess(event.link)
        owner = settings.priority == PRIORITY_OWNER
        self._resume = event.resume and self.own_fault is None and not event.delay_us
        effects: list[Effect] = []
        if not owner and not self._resume:
            # What an earlier run left behind would be an address that two nodes hold.
            effects += vip_effects.remove_all(settings)
        self._choose_source()
        if event.delay_us:
            self.main_timer_us = now_us + event.delay_us
            self.cause = event.delay_cause
            return effects
        return effects + self._begin(event, "start", now_us, event.silent_since_us)

    def _begin(
        self, event: Event, cause: str, now_us: int, silent_since_us: int | None = None
    ) -> list[Effect]:
        """Leave INIT, unless something must be known first."""
        resume, self._resume = self._resume, False
        pending = track.pending(self._watched, self.context.trackers)
        if pending is not None and not resume and self.context.maintenance is None:
            self.cause = pending
            return []
        reason = self._fault()
        if reason is not None:
            return self._become_fault(event, reason, now_us)
        if self.settings.priority == PRIORITY_OWNER:
            # RFC 9568 section 6.4.1 (100): the owner takes over at once.
            return self._begin_as_master(event, "start as the owner of the addresses", now_us)
        if resume:
            return self._begin_as_master(event, RESUMED, now_us)
        timer = None if silent_since_us is None else MasterDownTimer(silent_since_us)
        return self._become_backup(event, cause, now_us, timer)

    def _begin_as_master(self, event: Event, cause: str, now_us: int) -> list[Effect]:
        self.wants_master = True
        if self.sync_group is None or self.sync_group.may_be_master():
            return self._become_master(event, cause, now_us)
        effects = self._become_backup(event, cause, now_us)
        return effects + self._want_master(event, cause, now_us)

    def _stop(self, event: Stopped, now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        if self.state is State.INIT:
            self.cause, self.main_timer_us = event.cause, None
        else:
            master = self.state is State.MASTER
            changed = self._enter(State.INIT, event, event.cause, now_us)
            effects += self._leave_master(now_us, priority_zero=True) if master else []
            effects.append(changed)
        state = "STOP"
        if event.deleted:
            state = "DELETED" if self.settings.notify.tell_deleted else "FAULT"
        self._started = False
        return effects + self._notify(state)

    # Conditions: the interface, trackers, maintenance, the sync group

    def assess(self, link: LinkState) -> None:
        """Compute priority and fault anew, without acting on them.

        The members of a sync group are assessed before the first of them starts.
        """
        self.link = link
        context = self.context
        self.priority = track.priority(
            self.settings.priority, track.weights(self._watched, context.trackers)
        )
        self.own_fault = track.fault(
            self.settings,
            link,
            self._watched,
            context.trackers,
            context.maintenance,
            context.unmet.get(self.settings.key),
        )
        if self.own_fault is None and self.state is State.FAULT:
            # It began in FAULT: it may not leave it before a first result either.
            self.own_fault = track.pending(self._watched, context.trackers)

    def _fault(self) -> str | None:
        others = None if self.sync_group is None else self.sync_group.fault_of_others(self)
        return self.own_fault or others

    def _choose_source(self) -> None:
        self.source = track.source_address(self.settings, self.link) or NO_ADDRESS
        self.transmitter.prepare(self.priority.effective, self.source)

    def _reassess(
        self,
        event: LinkChanged | TrackerChanged | MaintenanceChanged | NeedsChanged,
        cause: str,
        now_us: int,
    ) -> list[Effect]:
        before, source = self.priority, self.source
        self.assess(self.link)
        reason = self._fault()
        if self.state is State.INIT:
            self._choose_source()
            return [] if self.main_timer_us is not None else self._begin(event, cause, now_us)
        if self.state is State.FAULT:
            self._choose_source()
            if reason is not None:
                self.cause = reason
                return []
            return self._become_backup(event, cause, now_us) + self._announce_own()
        if reason is not None:
            effects = self._become_fault(event, reason, now_us)
            self._choose_source()
            return effects
        effects = self._change_priority(before, cause, now_us)
        if self.source != source and self.state is State.MASTER:
            self.master = self.source
            effects += self._send_advert(now_us)
        return effects

    def _change_priority(self, before: track.Priority, cause: str, now_us: int) -> list[Effect]:
        """The next advert has the new one; a backup's timer is set anew from where it began."""
        self._choose_source()
        own = self.priority
        if own.effective == before.effective:
            return []
        settings = self.settings
        if self.state is State.BACKUP and self.main_timer_us is not None:
            self._set_master_down_timer(self._reconsidered(self._master_down, now_us))
        effects: list[Effect] = [
            PriorityChanged(
                settings.key, settings.name, self.state, own.effective, own.arithmetic, cause
            )
        ]
        if settings.notify.priority_changes:
            effects += self._notify(f"{self.state}_PRIORITY")
        return effects

    def _reconsidered(self, timer: MasterDownTimer, now_us: int) -> MasterDownTimer:
        """What was too low for the old priority may be a master for the new one."""
        low = timer.discarded
        own = self.priority.effective
        if low is not None and self._preempt.accepts_master(low[1], own, self.settings, now_us):
            return MasterDownTimer(low[2], low[0])
        return timer

    def _follow(self, event: SyncFollow, now_us: int) -> list[Effect]:
        """The sync group has changed its state."""
        match event.state, self.state:
            case "MASTER", State.BACKUP:
                return self._become_master(event, event.cause, now_us)
            case "BACKUP", State.MASTER:
                timer = MasterDownTimer(now_us, skew_only=event.after_skew_time)
                return self._become_backup(event, event.cause, now_us, timer)
            case "BACKUP", State.FAULT if self._fault() is None:
                return self._become_backup(event, event.cause, now_us) + self._announce_own()
            case "FAULT", State.BACKUP | State.MASTER:
                return self._become_fault(event, event.cause, now_us)
        return []

    def _lose_address(self, event: AddressLost, now_us: int) -> list[Effect]:
        """Put it back and stay MASTER; keepalived gives up and is back after Skew_Time."""
        address, settings = event.address, self.settings
        if self.state is not State.MASTER or address.no_track:
            return []
        effects = vip_effects.put_back(settings, address)
        effects += self._announcements.block(
            settings, (address,), settings.garp_master_repeat, 0, now_us
        )
        removed = f"{address} {{}} from {address.dev}"
        cause = self._taken_away.sentence(address, removed, event.by, now_us)
        if cause is not None:
            effects.append(Warned(settings.key, settings.name, "address taken away", cause))
        return effects

    # Operators

    def why_not_take(self) -> str | None:
        """Why TakeMaster would not be allowed; None: it is."""
        name = self.settings.name
        if self.state in (State.INIT, State.FAULT):
            return f"{name} is in {self.state}: {self.cause}"
        sender, own = self._master_down.sender, self.priority.effective
        if self.state is State.MASTER or sender is None or self._master_down.skew_only:
            return None
        if (self.master_priority, sender) > (own, self.source):
            return (
                f"{name}: the master {packet.text(sender)} has priority {self.master_priority},"
                f" ours is {own}: it would take the addresses back; release it there"
            )
        return None

    def _release(self, event: ReleaseMaster, now_us: int) -> list[Effect]:
        if self.state is not State.MASTER:
            return []
        effects = self._become_backup(event, event.cause, now_us, priority_zero=True)
        self._preempt.released = True
        return effects

    def _take(self, event: TakeMaster, now_us: int) -> list[Effect]:
        if self.state is not State.BACKUP or self.why_not_take() is not None:
            return []
        return self._want_master(event, event.cause, now_us)

    # Timers

    def _timer(self, event: TimerFired, now_us: int) -> list[Effect]:
        match self.state:
            case State.MASTER:
                return self._timer_as_master(event, now_us)
            case State.BACKUP:
                cause = self._master_down.cause(self.priority, now_us)
                return self._want_master(event, cause, now_us)
            case State.INIT:
                self.main_timer_us = None
                return self._begin(event, "start", now_us)
            case State.FAULT:
                raise AssertionError("FAULT has no timer")

    def _set_master_down_timer(self, timer: MasterDownTimer) -> None:
        """From the moment in which it was started."""
        self.wants_master = False
        self._master_down = timer
        self._master_down_us = timer.length_us(self.settings, self.priority, self._master_advert_us)
        self.main_timer_us = timer.started_us + self._master_down_us

    def _timer_as_master(self, event: TimerFired, now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        main_us = self.main_timer_us
        if main_us is not None and now_us >= main_us:
            if self._came_too_late(now_us - main_us):
                cause = f"was late by {(now_us - main_us) / 1e6:.3f} s (timer_expired_backup)"
                return self._become_backup(event, cause, now_us)
            effects += self._send_advert(now_us, was_due_us=main_us)
        return effects + self._announcements.due(self.settings, now_us)

    def _came_too_late(self, late_us: int) -> bool:
        """keepalived's timer_expired_backup: others may have taken over meanwhile."""
        settings = self.settings
        if settings.expired_backup_priority is None:
            return False
        interval_us = settings.advert_int_us
        skew = skew_us(
            version=settings.version,
            priority=settings.expired_backup_priority,
            master_advert_us=interval_us,
        )
        return late_us + interval_us > settings.down_timer_adverts * interval_us + skew

    # Adverts received (RFC 9568 sections 6.4.2 and 6.4.3)

    def _receive(self, event: AdvertReceived, now_us: int) -> list[Effect]:
        match self.state:
            case State.BACKUP:
                return self._receive_as_backup(event, now_us)
            case State.MASTER:
                return self._receive_as_master(event, now_us)
        return []

    def _receive_as_backup(self, event: AdvertReceived, now_us: int) -> list[Effect]:
        advert, settings, own = event.advert, self.settings, self.priority.effective
        verdict, effects = self._judge(event, now_us)
        if verdict is Verdict.REFUSED:
            return effects
        self.master_priority = advert.priority
        if advert.priority == PRIORITY_STOP:
            # RFC 9568 section 6.4.2 (430): the master is leaving, wait Skew_Time only.
            self.counters.count("pri_zero_rcvd")
            self._set_master_down_timer(MasterDownTimer(now_us, event.source, skew_only=True))
            return effects
        self.master = event.source
        if not self._preempt.accepts_master(advert.priority, own, settings, now_us):
            # Lower than ours: discard it, so that the timer runs out and we preempt.
            self._master_down.discarded = (event.source, advert.priority, now_us)
            return effects
        self.followed_priority = advert.priority
        if settings.version == 3:
            self._master_advert_us = advert.interval_us or settings.advert_int_us
        self._set_master_down_timer(MasterDownTimer(now_us, event.source))
        self._preempt.advert_accepted(advert.priority, own, settings, now_us)
        self.repeatable = (
            verdict is Verdict.FINE and advert.same_addresses and not settings.preempt_delay_us
        )
        return effects

    def _receive_as_master(self, event: AdvertReceived, now_us: int) -> list[Effect]:
        advert, own = event.advert, self.priority.effective
        verdict, effects = self._judge(event, now_us)
        if verdict is Verdict.REFUSED:
            return effects
        self.master_priority = advert.priority
        if advert.priority == PRIORITY_STOP:
            # RFC 9568 section 6.4.3 (705): answer at once, so that nobody else takes over.
            self.counters.count("pri_zero_rcvd")
            return effects + self._send_advert(now_us)
        sender = packet.text(event.source)
        if event.source == self.source:
            self.counters.count(OWN_ADDRESS)
            text = f"an advert came from our own address {sender}"
            return effects + self._warnings.warn(self.settings, "own address", text, now_us)
        if (advert.priority, event.source) > (own, self.source):
            # RFC 9568 section 6.4.3 (725): a higher priority, or the same and a higher address.
            self.followed_priority = advert.priority
            if self.settings.higher_prio_send_advert:
                effects += self._send_advert(now_us)
            if self.settings.version == 3:
                self._master_advert_us = advert.interval_us or self.settings.advert_int_us
            kind = "higher" if advert.priority > own else "equal"
            rest = "" if advert.priority > own else ", and its address is higher"
            cause = f"{kind} priority {advert.priority} heard from {sender}{rest}"
            timer = MasterDownTimer(now_us, event.source)
            effects += self._become_backup(event, cause, now_us, timer)
            self.master = event.source
            return effects
        return effects + self._answer_lower(advert.priority, sender, now_us)

    def _answer_lower(self, other: int, sender: str, now_us: int) -> list[Effect]:
        """A second master that must give way: make it and the neighbours see us (keepalived)."""
        effects = self._warnings.warn(
            self.settings,
            "lower priority",
            f"{sender} sends adverts too, with priority {other}; ours, "
            f"{self.priority.effective}, wins",
            now_us,
        )
        if not self.settings.lower_prio_no_advert:
            effects += self._send_advert(now_us)
        effects += self._announce_lower(now_us)
        self.received_lower = True
        return effects + self._notify("MASTER_RX_LOWER_PRI")

    def _judge(self, event: AdvertReceived, now_us: int) -> tuple[Verdict, list[Effect]]:
        """Whether to believe an advert, as far as its list of addresses goes."""
        self.counters.count("advert_rcvd")
        verdict = self._mismatch.judge(event, self.settings, self.master)
        if verdict is Verdict.FINE:
            return verdict, []
        if verdict is Verdict.REFUSED:
            self.counters.count(packet.Reason.ADDRESSES)
        text = vip_mismatch.sentence(event, self.settings, verdict)
        return verdict, self._warnings.warn(self.settings, "addresses", text, now_us)

    def _refuse(self, event: AdvertRefused, now_us: int) -> list[Effect]:
        if self.state not in (State.BACKUP, State.MASTER):
            return []
        self.counters.count(event.refusal.reason)
        text = f"refused an advert from {packet.text(event.source)}: {event.refusal.text}"
        return self._warnings.warn(self.settings, event.refusal.reason, text, now_us)

    # Adverts and announcements sent

    def _wall_us(self, now_us: int) -> int:
        return now_us + self.context.wall_offset_us

    def _send_advert(self, now_us: int, was_due_us: int | None = None) -> list[Effect]:
        interval_us = self.settings.advert_int_us
        # Adverts keep their rhythm, unless a whole interval was missed: nothing is caught up then.
        base_us = now_us if was_due_us is None or now_us - was_due_us > interval_us else was_due_us
        self.main_timer_us = base_us + interval_us
        self.counters["advert_sent"] += 1
        return list(self.transmitter.adverts(wall_us=self._wall_us(now_us)))

    def _send_priority_zero(self, now_us: int) -> list[Effect]:
        if not self.source:
            return []
        self.counters.count("pri_zero_sent", "advert_sent")
        return list(self.transmitter.priority_zero(wall_us=self._wall_us(now_us)))

    def _announce_lower(self, now_us: int) -> list[Effect]:
        settings = self.settings
        return self._announcements.block(
            settings,
            settings.addresses,
            settings.garp_lower_prio_repeat,
            settings.garp_lower_prio_delay_us,
            now_us,
        )

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

    def _notify(self, state: str) -> list[Effect]:
        """For scripts, pipes and mail, where there are any."""
        settings = self.settings
        if not self.context.notify_all and settings.notify == NO_NOTIFY:
            return []
        return [Notify("INSTANCE", settings.name, state, self.priority.effective)]

    # Changes of state

    def _want_master(self, event: Event, cause: str, now_us: int) -> list[Effect]:
        """Become master, or wait until the whole sync group wants it."""
        self.wants_master = True
        if self.sync_group is not None and not self.sync_group.may_be_master():
            self.main_timer_us = None
            return []
        return self._become_master(event, cause, now_us)

    def _become_master(self, event: Event, cause: str, now_us: int) -> list[Effect]:
        settings = self.settings
        changed = self._enter(State.MASTER, event, cause, now_us)
        self.counters.count("become_master")
        self.wants_master = True
        self.master = self.source
        self._mismatch.forget()
        self._preempt.forget()
        effects = self._send_advert(now_us)
        effects += vip_effects.add_all(settings)
        effects += self._announcements.begin(settings, now_us)
        effects.append(changed)
        return effects + self._notify(State.MASTER.value)

    def _become_backup(
        self,
        event: Event,
        cause: str,
        now_us: int,
        timer: MasterDownTimer | None = None,
        *,
        priority_zero: bool = False,
    ) -> list[Effect]:
        master = self.state is State.MASTER
        changed = self._enter(State.BACKUP, event, cause, now_us)
        effects = self._leave_master(now_us, priority_zero=priority_zero) if master else []
        effects.append(changed)
        effects += self._notify(State.BACKUP.value)
        self._preempt.forget()
        if timer is None or timer.sender is None:
            self._master_advert_us = self.settings.advert_int_us
        self._set_master_down_timer(timer or MasterDownTimer(now_us))
        return effects

    def _become_fault(self, event: Event, cause: str, now_us: int) -> list[Effect]:
        master = self.state is State.MASTER
        changed = self._enter(State.FAULT, event, cause, now_us)
        effects = self._leave_master(now_us, priority_zero=True) if master else []
        effects.append(changed)
        effects += self._notify(State.FAULT.value)
        self.wants_master = False
        self.master = None
        return effects

    def _leave_master(self, now_us: int, *, priority_zero: bool) -> list[Effect]:
        effects = self._send_priority_zero(now_us) if priority_zero else []
        self.counters.count("release_master")
        effects += vip_effects.remove_all(self.settings)
        self._announcements.end()
        self.master = None
        return effects

    def _enter(self, state: State, event: Event, cause: str, now_us: int) -> StateChanged:
        """The only place that assigns the state. Raises AssertionError before it does a thing."""
        settings, own, old = self.settings, self.priority, self.state
        states.allowed(old, event, state, settings.name)
        self.state = state
        self.cause, self.since_us = cause, now_us
        self.main_timer_us = None
        return StateChanged(
            settings.key, settings.name, old, state, cause, own.effective, own.arithmetic
        )

    # New settings

    def _reconfigure(self, event: Reconfigured, now_us: int) -> list[Effect]:
        """Do the least: state, timers and unchanged addresses stay as they are."""
        new = event.settings
        old, old_ready, before = self.settings, self.transmitter.ready, self.priority
        self.settings = new
        self._interval_us = new.advert_int_us
        self._watched = track.watched(new)
        if old.vips != new.vips:
            self._mismatch.ours_changed(old)
        master = self.state is State.MASTER
        effects = vip_effects.remove_old(old, new) if master else []
        self.assess(self.link)
        reason = self._fault()
        if reason is not None and self.state in (State.BACKUP, State.MASTER):
            # Before the transmitter has the new settings: priority 0 goes where adverts went.
            effects += self._become_fault(event, reason, now_us)
        self.transmitter.use(new)
        self.receiver.use(new)
        self._choose_source()
        match self.state:
            case State.INIT if self.main_timer_us is None:
                return self._begin(event, "reload", now_us)
            case State.FAULT if reason is None:
                return self._become_backup(event, "reload", now_us)
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
        if self.main_timer_us is not None:
            self._set_master_down_timer(self._reconsidered(self._master_down, now_us))

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
