"""One VRRP instance.

PURE. Rule 1: this is the only file that assigns the state. Rule 2: every transition goes through
`_become_*`, which sets the state's own deadline and names the cause. Time comes in as `now_us`.
Behaviour follows RFC 9568 section 6.4 and, where they differ, keepalived 2.2.7.
"""

from __future__ import annotations

from hanode.vrrp import mismatch, packet, timing, track
from hanode.vrrp.account import Account
from hanode.vrrp.announce import Announcements
from hanode.vrrp.effects import (
    AddAddresses,
    Effect,
    RemoveAddresses,
    SendAdvert,
    State,
    StateChanged,
)
from hanode.vrrp.events import (
    ABSENT,
    AddressLost,
    AdvertReceived,
    AdvertRefused,
    Event,
    LinkChanged,
    LinkState,
    Reconfigured,
    Started,
    Stopped,
    TimerFired,
)
from hanode.vrrp.mismatch import Mismatch, Verdict
from hanode.vrrp.settings import PRIORITY_OWNER, PRIORITY_STOP, Address, InstanceSettings
from hanode.vrrp.waiting import Waiting

NO_ADDRESS = b""


class Machine:
    """`step(event, now_us=...)` gives the effects in the order in which they must happen."""

    def __init__(self, settings: InstanceSettings) -> None:
        self.settings = settings
        self.state = State.INIT
        self.cause = "not started"
        self.since_us = 0
        self.link: LinkState = ABSENT
        self.source = NO_ADDRESS
        self.master: bytes | None = None
        """Source of the last accepted advert; our own while MASTER."""
        self.priority = track.priority(settings.priority)
        self.account = Account()
        self.counters = self.account.counters
        self.destination = packet.packed(settings.mcast_group)
        self._main_us: int | None = None
        """BACKUP: Master_Down_Timer. MASTER: Adver_Timer."""
        self._announcements = Announcements()
        self._master_advert_us = settings.advert_int_us
        self._waiting = Waiting(0)
        self._preempt_at_us: int | None = None
        self._mismatch = Mismatch()
        self._advert: tuple[Effect, ...] = ()

    @property
    def deadline_us(self) -> int | None:
        """When the machine wants its next TimerFired."""
        main_us, announce_us = self._main_us, self._announcements.deadline_us
        if main_us is None or announce_us is None:
            return announce_us if main_us is None else main_us
        return min(main_us, announce_us)

    def step(self, event: Event, *, now_us: int) -> list[Effect]:
        """Take one event. Raises AssertionError for what cannot happen in this state."""
        match self.state, event:
            case State.MASTER, TimerFired():
                return self._timer_as_master(now_us)
            case State.BACKUP, AdvertReceived():
                return self._hear_as_backup(event, now_us)
            case State.MASTER, AdvertReceived():
                return self._hear_as_master(event, now_us)
            case State.BACKUP, TimerFired():
                return self._become_master(self._waiting.verdict(self.priority, now_us), now_us)
            case State.INIT, Started():
                return self._start(event.link, now_us)
            case ((State.BACKUP | State.MASTER | State.FAULT), LinkChanged()):
                return self._see_link(event.link, now_us)
            case ((State.BACKUP | State.MASTER | State.FAULT), Reconfigured()):
                return self._reconfigure(event.settings, now_us)
            case ((State.BACKUP | State.MASTER), AdvertRefused()):
                self.account.count(event.refusal.reason)
                return self.account.warn(
                    self.settings,
                    event.refusal.reason,
                    f"refused an advert from {packet.text(event.source)}: {event.refusal.text}",
                    now_us,
                )
            case State.FAULT, AdvertReceived() | AdvertRefused():
                return []
            case State.MASTER, AddressLost():
                return self._lose_address(event.address, now_us)
            case ((State.BACKUP | State.FAULT), AddressLost()):
                return []
            case ((State.BACKUP | State.MASTER | State.FAULT), Stopped()):
                return self._stop(event.cause, now_us)
            case _:
                raise AssertionError(f"{self.state} cannot take {event}")

    # Start, stop, and the interface

    def _start(self, link: LinkState, now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        if self.settings.priority != PRIORITY_OWNER:
            # What an earlier run left behind would be an address that two nodes hold.
            effects.append(RemoveAddresses(self.settings.key, self.settings.addresses))
        self._take_link(link)
        reason = track.fault(self.settings, link)
        if reason is not None:
            return effects + self._become_fault(reason, now_us)
        effects += self._become_backup("start", now_us)
        if self.settings.priority == PRIORITY_OWNER:
            # RFC 9568 section 6.4.1 (100): the owner takes over at once.
            effects += self._become_master("start as the owner of the addresses", now_us)
        return effects

    def _stop(self, cause: str, now_us: int) -> list[Effect]:
        effects = self._leave_master(say_so=True) if self.state is State.MASTER else []
        return effects + self._enter(State.INIT, cause, now_us)

    def _take_link(self, link: LinkState) -> None:
        self.link = link
        self.source = track.source_address(self.settings, link) or NO_ADDRESS
        # Encoded once: what is sent every interval.
        self._advert = (self._make_advert(self.priority.effective),) if self.source else ()

    def _see_link(self, link: LinkState, now_us: int) -> list[Effect]:
        reason = track.fault(self.settings, link)
        before = self.source
        if reason is None or self.state is not State.MASTER:
            self._take_link(link)
        if reason is None and self.state is State.FAULT:
            return self._become_backup(f"{self.settings.interface} is back", now_us)
        if reason is not None and self.state is not State.FAULT:
            effects = self._become_fault(reason, now_us)
            self._take_link(link)
            return effects
        if self.state is State.MASTER and self.source != before:
            self.master = self.source
            return self._send_advert(now_us)
        return []

    # BACKUP

    def _hear_as_backup(self, event: AdvertReceived, now_us: int) -> list[Effect]:
        advert, settings = event.advert, self.settings
        believed, effects = self._hear(event, now_us)
        if not believed:
            return effects
        if advert.priority == PRIORITY_STOP:
            # RFC 9568 section 6.4.2 (430): the master is leaving, wait Skew_Time only.
            self.account.count("pri_zero_rcvd")
            self._wait(Waiting(now_us, event.source, stopping=True))
            return effects
        if not self._gives_way_to(advert.priority, now_us):
            # Lower than ours: discard it, so that the timer runs out and we preempt.
            self.master = event.source
            self._waiting.discarded = (event.source, advert.priority, now_us)
            return effects
        if settings.version == 3:
            self._master_advert_us = advert.interval_us or settings.advert_int_us
        self.master = event.source
        self._wait(Waiting(now_us, event.source))
        if settings.preempt_delay_us:
            if advert.priority >= self.priority.effective:
                self._preempt_at_us = None
            elif self._preempt_at_us is None:
                self._preempt_at_us = now_us + settings.preempt_delay_us
        return effects

    def _gives_way_to(self, other: int, now_us: int) -> bool:
        """Whether an advert of that priority keeps us BACKUP."""
        settings = self.settings
        if settings.nopreempt or other >= self.priority.effective:
            return True
        return settings.preempt_delay_us > 0 and (
            self._preempt_at_us is None or now_us < self._preempt_at_us
        )

    def _wait(self, waiting: Waiting) -> None:
        """Set the Master_Down_Timer from the moment the wait began."""
        version, own = self.settings.version, self.priority.effective
        if waiting.stopping:
            wait_us = timing.skew_us(
                version=version, priority=own, master_advert_us=self._master_advert_us
            )
        else:
            wait_us = timing.master_down_us(
                version=version,
                priority=own,
                master_advert_us=self._master_advert_us,
                adverts=self.settings.down_timer_adverts,
            )
        self._waiting = waiting
        self._main_us = waiting.since_us + wait_us

    def _become_backup(
        self, cause: str, now_us: int, waiting: Waiting | None = None
    ) -> list[Effect]:
        effects = self._leave_master(say_so=False) if self.state is State.MASTER else []
        effects += self._enter(State.BACKUP, cause, now_us)
        self._preempt_at_us = None
        if waiting is None or waiting.heard is None:
            self._master_advert_us = self.settings.advert_int_us
        self._wait(waiting or Waiting(now_us))
        return effects

    # MASTER

    def _become_master(self, cause: str, now_us: int) -> list[Effect]:
        settings = self.settings
        self.account.count("become_master")
        self.master = self.source
        self._mismatch.forget()
        self._preempt_at_us = None
        effects = self._send_advert(now_us)
        effects.append(AddAddresses(settings.key, settings.addresses))
        effects += self._announcements.begin(settings, now_us)
        changed = self._enter(State.MASTER, cause, now_us)
        self._main_us = now_us + settings.advert_int_us
        return effects + changed

    def _leave_master(self, *, say_so: bool) -> list[Effect]:
        effects: list[Effect] = []
        self.account.count("release_master")
        if say_so and self.source:
            self.account.count("pri_zero_sent", "advert_sent")
            effects.append(self._make_advert(PRIORITY_STOP))
        effects.append(RemoveAddresses(self.settings.key, self.settings.addresses))
        self._announcements.end()
        self.master = None
        return effects

    def _timer_as_master(self, now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        if self._main_us is not None and now_us >= self._main_us:
            effects += self._send_advert(now_us, was_due_us=self._main_us)
        return effects + self._announcements.due(self.settings, now_us)

    def _hear_as_master(self, event: AdvertReceived, now_us: int) -> list[Effect]:
        advert, own = event.advert, self.priority.effective
        believed, effects = self._hear(event, now_us)
        if not believed:
            return effects
        if advert.priority == PRIORITY_STOP:
            # RFC 9568 section 6.4.3 (705): answer at once, so that nobody else takes over.
            self.account.count("pri_zero_rcvd")
            return effects + self._send_advert(now_us)
        sender = packet.text(event.source)
        if event.source == self.source:
            return effects + self.account.warn(
                self.settings,
                "own address",
                f"an advert came from our own address {sender}",
                now_us,
            )
        if (advert.priority, event.source) > (own, self.source):
            # RFC 9568 section 6.4.3 (725): a higher priority, or the same and a higher address.
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
        settings = self.settings
        effects = self.account.warn(
            self.settings,
            "lower priority",
            f"{sender} sends adverts too, with priority {other}; ours, "
            f"{self.priority.effective}, wins",
            now_us,
        )
        if not settings.lower_prio_no_advert:
            effects += self._send_advert(now_us)
        effects += self._announcements.block(
            settings,
            settings.addresses,
            settings.garp_lower_prio_repeat,
            settings.garp_lower_prio_delay_us,
            now_us,
        )
        return effects

    def _lose_address(self, address: Address, now_us: int) -> list[Effect]:
        """As keepalived: give up with priority 0, and be back after Skew_Time."""
        cause = f"{address} was removed from {address.dev} by somebody else"
        advert = self._make_advert(PRIORITY_STOP)
        self.account.count("pri_zero_sent", "advert_sent")
        waiting = Waiting(now_us, stopping=True)
        return [advert, *self._become_backup(cause, now_us, waiting)]

    # Adverts and announcements

    def _make_advert(self, priority: int) -> SendAdvert:
        settings = self.settings
        payload = packet.encode(
            settings, priority=priority, source=self.source, destination=self.destination
        )
        return SendAdvert(settings.key, payload, self.source, self.destination)

    def _send_advert(self, now_us: int, was_due_us: int | None = None) -> list[Effect]:
        interval_us = self.settings.advert_int_us
        # The beat is kept, unless a whole interval was missed: then there is nothing to catch up.
        base_us = now_us if was_due_us is None or now_us - was_due_us > interval_us else was_due_us
        self._main_us = base_us + interval_us
        self.counters["advert_sent"] += 1
        return list(self._advert)

    def _hear(self, event: AdvertReceived, now_us: int) -> tuple[bool, list[Effect]]:
        """Whether to believe an advert, as far as its list of addresses goes."""
        self.account.count("advert_rcvd")
        verdict = self._mismatch.judge(event, self.settings, self.master)
        if verdict is Verdict.FINE:
            return True, []
        refused = verdict is Verdict.REFUSED
        if refused:
            self.account.count(packet.Reason.ADDRESSES)
        text = mismatch.sentence(event, self.settings, verdict)
        return not refused, self.account.warn(self.settings, "addresses", text, now_us)

    # New settings

    def _reconfigure(self, new: InstanceSettings, now_us: int) -> list[Effect]:
        """Do the least: state, timers and unchanged addresses stay as they are."""
        old, old_advert = self.settings, self._advert
        self.settings = new
        self.destination = packet.packed(new.mcast_group)
        self.priority = track.priority(new.priority)
        if old.vips != new.vips:
            self._mismatch.ours_changed(old)
        reason = track.fault(new, self.link)
        if self.state is State.FAULT:
            self._take_link(self.link)
            return [] if reason else self._become_backup("reload", now_us)
        removed = tuple(a for a in old.addresses if a not in new.addresses)
        added = tuple(a for a in new.addresses if a not in old.addresses)
        effects: list[Effect] = []
        if self.state is State.MASTER and removed:
            effects.append(RemoveAddresses(new.key, removed))
        if reason is not None:
            return effects + self._become_fault(reason, now_us)
        self._take_link(self.link)
        if self.state is State.BACKUP:
            if old.advert_int_us != new.advert_int_us or old.version != new.version:
                self._master_advert_us = new.advert_int_us
            waiting = self._waiting
            if waiting.discarded and self._gives_way_to(waiting.discarded[1], now_us):
                # What was too low for the old priority is a master for the new one.
                waiting = Waiting(waiting.discarded[2], waiting.discarded[0])
            self._wait(waiting)
            return effects
        if self._advert != old_advert or old.advert_int_us != new.advert_int_us:
            effects += self._send_advert(now_us)
        if added:
            effects.append(AddAddresses(new.key, added))
            effects += self._announcements.block(
                new, added, new.garp_master_repeat, new.garp_master_delay_us, now_us
            )
        self._announcements.forget(removed)
        if old.garp_master_refresh_us != new.garp_master_refresh_us:
            self._announcements.refresh_every(new.garp_master_refresh_us, now_us)
        return effects

    # State

    def _become_fault(self, cause: str, now_us: int) -> list[Effect]:
        effects = self._leave_master(say_so=True) if self.state is State.MASTER else []
        effects += self._enter(State.FAULT, cause, now_us)
        self.master = None
        return effects

    def _enter(self, state: State, cause: str, now_us: int) -> list[Effect]:
        old, self.state = self.state, state
        self.cause, self.since_us = cause, now_us
        self._main_us = None
        settings, own = self.settings, self.priority
        return [
            StateChanged(
                settings.key, settings.name, old, state, cause, own.effective, own.arithmetic
            )
        ]
