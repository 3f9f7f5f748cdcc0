"""The election: RFC 9568 section 6.4 for one instance.

PURE. Rule 1: this is the only file that assigns the state. Rule 2: every transition goes through
`_become_*`, which sets the state's own deadline and names the cause. Time comes in as `now_us`.
Where keepalived 2.2.7 and the RFC differ, this is keepalived.
"""

from __future__ import annotations

from hanode.vrrp import packet, track, vip_effects, vip_mismatch
from hanode.vrrp.announce import Announcements
from hanode.vrrp.counters import OWN_ADDRESS, Account
from hanode.vrrp.effects import Effect, Notify, State, StateChanged
from hanode.vrrp.events import ABSENT, AdvertReceived, AdvertRefused, LinkState
from hanode.vrrp.master_down_timer import PreemptPolicy, Waiting
from hanode.vrrp.node_context import NodeContext, OwnSyncGroup
from hanode.vrrp.receive import Receiver
from hanode.vrrp.settings import PRIORITY_STOP, Address, InstanceSettings
from hanode.vrrp.timing import skew_us
from hanode.vrrp.tracking_and_notify import NO_NOTIFY, Tracked
from hanode.vrrp.transmit import Transmitter
from hanode.vrrp.vip_mismatch import Mismatch, Verdict

NO_ADDRESS = b""


class Election:
    """The state of one instance, its timers, and what it does on time and on adverts."""

    __slots__ = (
        "_announcements",
        "_interval_us",
        "_main_us",
        "_master_advert_us",
        "_mismatch",
        "_preempt",
        "_resume",
        "_started",
        "_wait_us",
        "_waiting",
        "_watched",
        "account",
        "cause",
        "context",
        "counters",
        "followed",
        "heard_lower",
        "heard_tail",
        "link",
        "master",
        "master_priority",
        "own_fault",
        "priority",
        "queued_us",
        "receiver",
        "repeatable",
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
        """Its sync group."""
        self.state = State.INIT
        self.cause = "not started"
        self.since_us = 0
        self.link: LinkState = ABSENT
        self.source = NO_ADDRESS
        self.master: bytes | None = None
        """Source of the last accepted advert; our own while MASTER."""
        self.master_priority = 0
        """Of the last accepted advert."""
        self.followed = 0
        """Priority of the last master that was given way to: keepalived's master_priority."""
        self.priority = track.priority(settings.priority)
        self.wants_master = False
        """The timer has run out; in a sync group all members must want it."""
        self.own_fault: str | None = None
        """Its own reason for FAULT; a member of a sync group may be in FAULT without one."""
        self.account = Account()
        self.counters = self.account.counters
        self.transmitter = Transmitter(settings)
        self.receiver = Receiver(settings, self.transmitter.sequence)
        self.queued_us: int | None = None
        """The router's: its entry in the heap."""
        self.heard_tail = NO_ADDRESS
        """The router's: an advert that, heard again, needs no look (`hear_same`)."""
        self.heard_lower = False
        """The last event was an advert of lower priority."""
        self.repeatable = False
        """The last event was an advert that did nothing but restart the timer."""
        self._watched = track.watched(settings)
        self._interval_us = settings.advert_int_us
        self._main_us: int | None = None
        """INIT: the start-up delay. BACKUP: Master_Down_Timer. MASTER: Adver_Timer."""
        self._announcements = Announcements()
        self._master_advert_us = settings.advert_int_us
        self._waiting = Waiting(0)
        self._wait_us = 0
        self._preempt = PreemptPolicy()
        self._mismatch = Mismatch()
        self._started = False
        self._resume = False

    @property
    def deadline_us(self) -> int | None:
        """When the machine wants its next TimerFired."""
        main_us, announce_us = self._main_us, self._announcements.deadline_us
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
    def is_back_soon(self) -> bool:
        """Whether it waits for Skew_Time only."""
        return self._waiting.stopping

    def misses_its_master(self, now_us: int) -> bool:
        """As BACKUP: whether an advert should have come by then, or will never come."""
        waiting = self._waiting
        return waiting.stopping or now_us - waiting.since_us > self._master_advert_us

    def hear_same(self, now_us: int) -> None:
        """As BACKUP: the advert that was `repeatable` has come again, byte for byte."""
        self.counters["advert_rcvd"] += 1
        self._waiting.since_us = now_us
        self._main_us = now_us + self._wait_us

    # BACKUP

    def _hear_as_backup(self, event: AdvertReceived, now_us: int) -> list[Effect]:
        advert, settings, own = event.advert, self.settings, self.priority.effective
        verdict, effects = self._judge(event, now_us)
        if verdict is Verdict.REFUSED:
            return effects
        self.master_priority = advert.priority
        if advert.priority == PRIORITY_STOP:
            # RFC 9568 section 6.4.2 (430): the master is leaving, wait Skew_Time only.
            self.account.count("pri_zero_rcvd")
            self._wait(Waiting(now_us, event.source, stopping=True))
            return effects
        self.master = event.source
        if not self._preempt.accepts_master(advert.priority, own, settings, now_us):
            # Lower than ours: discard it, so that the timer runs out and we preempt.
            self._waiting.discarded = (event.source, advert.priority, now_us)
            return effects
        self.followed = advert.priority
        if settings.version == 3:
            self._master_advert_us = advert.interval_us or settings.advert_int_us
        self._wait(Waiting(now_us, event.source))
        self._preempt.heard(advert.priority, own, settings, now_us)
        self.repeatable = (
            verdict is Verdict.FINE and advert.same_addresses and not settings.preempt_delay_us
        )
        return effects

    def _wait(self, waiting: Waiting) -> None:
        """Set the Master_Down_Timer from the moment the wait began."""
        self.wants_master = False
        self._waiting = waiting
        self._wait_us = waiting.length_us(self.settings, self.priority, self._master_advert_us)
        self._main_us = waiting.since_us + self._wait_us

    def _become_backup(
        self,
        cause: str,
        now_us: int,
        waiting: Waiting | None = None,
        *,
        say_so: bool = False,
    ) -> list[Effect]:
        effects = self._leave_master(now_us, say_so=say_so) if self.state is State.MASTER else []
        effects += self._enter(State.BACKUP, cause, now_us)
        self._preempt.forget()
        if waiting is None or waiting.heard is None:
            self._master_advert_us = self.settings.advert_int_us
        self._wait(waiting or Waiting(now_us))
        return effects

    def _want_master(self, cause: str, now_us: int) -> list[Effect]:
        """Become master, or wait until the whole sync group wants it."""
        self.wants_master = True
        if self.sync_group is not None and not self.sync_group.may_be_master():
            self._main_us = None
            return []
        return self._become_master(cause, now_us)

    # MASTER

    def _become_master(self, cause: str, now_us: int) -> list[Effect]:
        settings = self.settings
        self.account.count("become_master")
        self.wants_master = True
        self.master = self.source
        self._mismatch.forget()
        self._preempt.forget()
        effects = self._send_advert(now_us)
        effects += vip_effects.take(settings)
        effects += self._announcements.begin(settings, now_us)
        changed = self._enter(State.MASTER, cause, now_us)
        self._main_us = now_us + settings.advert_int_us
        return effects + changed

    def _leave_master(self, now_us: int, *, say_so: bool) -> list[Effect]:
        effects = self._priority_zero(now_us) if say_so else []
        self.account.count("release_master")
        effects += vip_effects.leave(self.settings)
        self._announcements.end()
        self.master = None
        return effects

    def _priority_zero(self, now_us: int) -> list[Effect]:
        if not self.source:
            return []
        self.account.count("pri_zero_sent", "advert_sent")
        return list(self.transmitter.priority_zero(wall_us=self._wall_us(now_us)))

    def _timer_as_master(self, now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        if self._main_us is not None and now_us >= self._main_us:
            if self._came_too_late(now_us - self._main_us):
                cause = f"was late by {(now_us - self._main_us) / 1e6:.3f} s (timer_expired_backup)"
                return self._become_backup(cause, now_us)
            effects += self._send_advert(now_us, was_due_us=self._main_us)
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

    def _hear_as_master(self, event: AdvertReceived, now_us: int) -> list[Effect]:
        advert, own = event.advert, self.priority.effective
        verdict, effects = self._judge(event, now_us)
        if verdict is Verdict.REFUSED:
            return effects
        self.master_priority = advert.priority
        if advert.priority == PRIORITY_STOP:
            # RFC 9568 section 6.4.3 (705): answer at once, so that nobody else takes over.
            self.account.count("pri_zero_rcvd")
            return effects + self._send_advert(now_us)
        sender = packet.text(event.source)
        if event.source == self.source:
            self.account.count(OWN_ADDRESS)
            return effects + self.account.warn(
                self.settings,
                "own address",
                f"an advert came from our own address {sender}",
                now_us,
            )
        if (advert.priority, event.source) > (own, self.source):
            # RFC 9568 section 6.4.3 (725): a higher priority, or the same and a higher address.
            self.followed = advert.priority
            if self.settings.higher_prio_send_advert:
                effects += self._send_advert(now_us)
            if self.settings.version == 3:
                self._master_advert_us = advert.interval_us or self.settings.advert_int_us
            kind = "higher" if advert.priority > own else "equal"
            rest = "" if advert.priority > own else ", and its address is higher"
            cause = f"{kind} priority {advert.priority} heard from {sender}{rest}"
            effects += self._become_backup(cause, now_us, Waiting(now_us, event.source))
            self.master = event.source
            return effects
        return effects + self._answer_lower(advert.priority, sender, now_us)

    def _answer_lower(self, other: int, sender: str, now_us: int) -> list[Effect]:
        """A second master with a lower claim: make it and the neighbours see us (keepalived)."""
        effects = self.account.warn(
            self.settings,
            "lower priority",
            f"{sender} sends adverts too, with priority {other}; ours, "
            f"{self.priority.effective}, wins",
            now_us,
        )
        if not self.settings.lower_prio_no_advert:
            effects += self._send_advert(now_us)
        effects += self._announce_lower(now_us)
        self.heard_lower = True
        return effects + self._notify("MASTER_RX_LOWER_PRI")

    def _announce_lower(self, now_us: int) -> list[Effect]:
        settings = self.settings
        return self._announcements.block(
            settings,
            settings.addresses,
            settings.garp_lower_prio_repeat,
            settings.garp_lower_prio_delay_us,
            now_us,
        )

    def _lose_address(self, address: Address, now_us: int) -> list[Effect]:
        """As keepalived: give up with priority 0, and be back after Skew_Time."""
        if self.state is not State.MASTER or address.no_track:
            return []
        cause = f"{address} was removed from {address.dev} by somebody else"
        return self._become_backup(cause, now_us, Waiting(now_us, stopping=True), say_so=True)

    # Adverts

    def _wall_us(self, now_us: int) -> int:
        return now_us + self.context.wall_offset_us

    def _send_advert(self, now_us: int, was_due_us: int | None = None) -> list[Effect]:
        interval_us = self.settings.advert_int_us
        # The beat is kept, unless a whole interval was missed: then there is nothing to catch up.
        base_us = now_us if was_due_us is None or now_us - was_due_us > interval_us else was_due_us
        self._main_us = base_us + interval_us
        self.counters["advert_sent"] += 1
        return list(self.transmitter.adverts(wall_us=self._wall_us(now_us)))

    def _judge(self, event: AdvertReceived, now_us: int) -> tuple[Verdict, list[Effect]]:
        """Whether to believe an advert, as far as its list of addresses goes."""
        self.account.count("advert_rcvd")
        verdict = self._mismatch.judge(event, self.settings, self.master)
        if verdict is Verdict.FINE:
            return verdict, []
        if verdict is Verdict.REFUSED:
            self.account.count(packet.Reason.ADDRESSES)
        text = vip_mismatch.sentence(event, self.settings, verdict)
        return verdict, self.account.warn(self.settings, "addresses", text, now_us)

    def _refuse(self, event: AdvertRefused, now_us: int) -> list[Effect]:
        if self.state not in (State.BACKUP, State.MASTER):
            return []
        self.account.count(event.refusal.reason)
        text = f"refused an advert from {packet.text(event.source)}: {event.refusal.text}"
        return self.account.warn(self.settings, event.refusal.reason, text, now_us)

    # State

    def _become_fault(self, cause: str, now_us: int) -> list[Effect]:
        effects = self._leave_master(now_us, say_so=True) if self.state is State.MASTER else []
        effects += self._enter(State.FAULT, cause, now_us)
        self.wants_master = False
        self.master = None
        return effects

    def _enter(self, state: State, cause: str, now_us: int, *, tell: bool = True) -> list[Effect]:
        old, self.state = self.state, state
        self.cause, self.since_us = cause, now_us
        self._main_us = None
        settings, own = self.settings, self.priority
        changed = StateChanged(
            settings.key, settings.name, old, state, cause, own.effective, own.arithmetic
        )
        return [changed, *(self._notify(state.value) if tell else ())]

    def _notify(self, state: str) -> list[Effect]:
        """For scripts, pipes and mail, where there are any."""
        settings = self.settings
        if not self.context.tell_all and settings.notify == NO_NOTIFY:
            return []
        return [Notify("INSTANCE", settings.name, state, self.priority.effective)]
