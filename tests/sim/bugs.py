"""Bugs to plant: each is one small mistake in the engine that a checker must find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hanode.vrrp import timing, track
from hanode.vrrp.announce import Announcements
from hanode.vrrp.effects import AddAddresses, RemoveAddresses, State
from hanode.vrrp.machine import Machine
from hanode.vrrp.master_down_timer import MasterDownTimer
from hanode.vrrp.preempt import PreemptPolicy
from hanode.vrrp.router import Router
from hanode.vrrp.startup_facts import StartupFacts
from hanode.vrrp.sync_group import SyncGroup
from hanode.vrrp.transmit import Transmitter

Plant = Callable[[pytest.MonkeyPatch], None]
BUGS: dict[str, Plant] = {}


def bug(plant: Plant) -> Plant:
    BUGS[plant.__name__] = plant
    return plant


@bug
def tie_is_won_by_the_lower_address(patch: pytest.MonkeyPatch) -> None:
    real = Machine._receive_as_master

    def wrong(self: Machine, event: Any, now_us: int) -> Any:
        if event.advert.priority == self.priority.effective:
            flip = bytes(255 - byte for byte in event.source)
            own, self.source = self.source, bytes(255 - byte for byte in self.source)
            try:
                return real(self, replace(event, source=flip), now_us)
            finally:
                self.source = own
        return real(self, event, now_us)

    patch.setattr(Machine, "_receive_as_master", wrong)


@bug
def address_stays_when_giving_way(patch: pytest.MonkeyPatch) -> None:
    real = Machine._leave_master

    def wrong(self: Machine, now_us: int, *, priority_zero: bool) -> Any:
        effects = real(self, now_us, priority_zero=priority_zero)
        return [e for e in effects if priority_zero or not isinstance(e, RemoveAddresses)]

    patch.setattr(Machine, "_leave_master", wrong)


@bug
def priority_zero_is_taken_for_an_ordinary_advert(patch: pytest.MonkeyPatch) -> None:
    real = Machine._set_master_down_timer

    def wrong(self: Machine, timer: MasterDownTimer) -> None:
        timer.skew_only = False
        real(self, timer)

    patch.setattr(Machine, "_set_master_down_timer", wrong)


@bug
def master_stops_without_farewell(patch: pytest.MonkeyPatch) -> None:
    real = Machine._leave_master
    patch.setattr(
        Machine,
        "_leave_master",
        lambda self, now_us, *, priority_zero: real(self, now_us, priority_zero=False),
    )


@bug
def lower_adverts_keep_a_backup_down(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PreemptPolicy, "accepts_master", lambda *_words: True)


@bug
def master_down_is_one_interval(patch: pytest.MonkeyPatch) -> None:
    real = timing.master_down_us
    patch.setattr(
        timing, "master_down_us", lambda **words: real(**words) - 2 * words["master_advert_us"]
    )


@bug
def skew_grows_with_the_priority(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        timing,
        "skew_us",
        lambda *, version, priority, master_advert_us: 1_000_000 * (256 + priority) // 256,
    )


@bug
def nothing_is_announced_after_a_change(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Announcements, "begin", lambda self, settings, now_us: [])


@bug
def fault_keeps_speaking(patch: pytest.MonkeyPatch) -> None:
    real = Machine._reassess

    def wrong(self: Machine, event: Any, news: str, now_us: int) -> Any:
        return [] if self.state is State.MASTER else real(self, event, news, now_us)

    patch.setattr(Machine, "_reassess", wrong)


@bug
def leftover_of_a_crash_is_not_removed(patch: pytest.MonkeyPatch) -> None:
    real = Machine._start

    def wrong(self: Machine, event: Any, now_us: int) -> Any:
        return [e for e in real(self, event, now_us) if not isinstance(e, RemoveAddresses)]

    patch.setattr(Machine, "_start", wrong)


@bug
def reload_forgets_the_new_address(patch: pytest.MonkeyPatch) -> None:
    real = Machine._reconfigure

    def wrong(self: Machine, event: Any, now_us: int) -> Any:
        return [e for e in real(self, event, now_us) if not isinstance(e, AddAddresses)]

    patch.setattr(Machine, "_reconfigure", wrong)


@bug
def reload_forgets_the_new_priority(patch: pytest.MonkeyPatch) -> None:
    real = Machine._reconfigure

    def wrong(self: Machine, event: Any, now_us: int) -> Any:
        new = replace(event.settings, priority=self.settings.priority)
        return real(self, replace(event, settings=new), now_us)

    patch.setattr(Machine, "_reconfigure", wrong)


# Trackers


@bug
def failed_script_is_no_fault(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(track, "_failure", lambda thing, state: None)


@bug
def malus_is_taken_for_a_bonus(patch: pytest.MonkeyPatch) -> None:
    real = track._delta
    patch.setattr(track, "_delta", lambda thing, state: abs(real(thing, state)))


@bug
def new_priority_is_not_said(patch: pytest.MonkeyPatch) -> None:
    real = Transmitter.prepare

    def wrong(self: Transmitter, priority: int, source: bytes) -> None:
        real(self, self._priority or priority, source)

    patch.setattr(Transmitter, "prepare", wrong)


@bug
def script_is_not_waited_for(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(track, "pending", lambda things, known: None)


@bug
def tracker_is_forgotten_by_a_reload(patch: pytest.MonkeyPatch) -> None:
    real = Router.configure

    def wrong(self: Router, settings: Any, **words: Any) -> Any:
        self.context.trackers.clear()
        return real(self, settings, **words)

    patch.setattr(Router, "configure", wrong)


# Sync groups


@bug
def group_does_not_follow_into_fault(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SyncGroup, "fault_of_others", lambda self, member: None)
    real = SyncGroup.followers
    patch.setattr(
        SyncGroup,
        "followers",
        lambda self, mover=None, old=None: (
            (machine, event) for machine, event in real(self, mover, old) if event.state != "FAULT"
        ),
    )


@bug
def group_does_not_follow_into_backup(patch: pytest.MonkeyPatch) -> None:
    real = SyncGroup.followers
    patch.setattr(
        SyncGroup,
        "followers",
        lambda self, mover=None, old=None: (
            (machine, event)
            for machine, event in real(self, mover, old)
            if event.state != "BACKUP" or machine.state is not State.MASTER
        ),
    )


@bug
def member_does_not_wait_for_its_group(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SyncGroup, "may_be_master", lambda self: True)
    real = SyncGroup.followers
    patch.setattr(
        SyncGroup,
        "followers",
        lambda self, mover=None, old=None: (
            (machine, event) for machine, event in real(self, mover, old) if event.state != "MASTER"
        ),
    )


# Operators and restarts


@bug
def maintenance_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    real = track.fault

    def wrong(settings: Any, link: Any, things: Any, known: Any, _: Any, unmet: Any) -> Any:
        return real(settings, link, things, known, None, unmet)

    patch.setattr(track, "fault", wrong)


@bug
def a_killed_master_always_resumes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(StartupFacts, "may_resume", lambda *_words: True)


@bug
def at_its_start_it_has_always_listened(patch: pytest.MonkeyPatch) -> None:
    real = Machine._start

    def wrong(self: Machine, event: Any, now_us: int) -> Any:
        return real(self, replace(event, silent_since_us=now_us - 1_900_000), now_us)

    patch.setattr(Machine, "_start", wrong)
