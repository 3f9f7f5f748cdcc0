"""Windows and limits, tried on both sides to the microsecond."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.vrrp import timing, track
from hanode.vrrp.deadlines import UNREAD_US
from hanode.vrrp.effects import AnnounceAddresses, Effect, State, Warned
from hanode.vrrp.engine_settings import HmacKey, HmacSettings, Tracked
from hanode.vrrp.events import LinkState, TrackerChanged
from hanode.vrrp.garp_pacer import WAITING_MAX, GarpPacer
from hanode.vrrp.machine import Machine
from hanode.vrrp.packet import Reason
from hanode.vrrp.preempt import PreemptPolicy
from hanode.vrrp.warning_limit import WARN_AGAIN_US
from tests.vrrp.single import V2, V3, One, adverts
from tests.vrrp.story import MAC
from tests.vrrp.test_auth import reason, sent

S = 1_000_000
MINUTE = 60 * S


def master(**changes: object) -> tuple[One, int]:
    """It is MASTER; and when its next advert is due."""
    one = One(V2, **changes)
    one.become_master()
    due_us = one.router.deadline_us
    assert one.state is State.MASTER
    assert due_us is not None
    return one, due_us


def test_the_delay_after_boot_is_told_only_where_it_is_the_later() -> None:
    after_start = (5 * S, "waits 5.000 s after the start")
    assert timing.start_delay(5 * S, 60 * S, 55 * S) == after_start
    longer = (5 * S + 1, "waits 5.000 s, until 60.000 s after the machine's start")
    assert timing.start_delay(5 * S, 60 * S, 55 * S - 1) == longer


LATEST_US = 2 * S + 2 * S // 256
"""Three intervals and the skew of priority 254, less the interval before the advert was due."""


@pytest.mark.parametrize(
    ("late_us", "state"), [(LATEST_US, State.MASTER), (LATEST_US + 1, State.BACKUP)]
)
def test_a_late_master_steps_down_when_a_backup_may_have_taken_over(
    late_us: int, state: State
) -> None:
    one, due_us = master(expired_backup_priority=254)
    one.router.tick(now_us=due_us + late_us)
    assert one.state is state


@pytest.mark.parametrize("changes", [{}, {"expired_backup_priority": 254}], ids=["", "watchful"])
def test_a_master_keeps_its_beat_unless_it_missed_a_whole_interval(
    changes: dict[str, object],
) -> None:
    one, due_us = master(**changes)
    assert len(adverts(one.router.tick(now_us=due_us + S))) == 2, "that one, and the next"
    assert one.router.deadline_us == due_us + 2 * S
    one, due_us = master(**changes)
    assert len(adverts(one.router.tick(now_us=due_us + S + 1))) == 1
    assert one.router.deadline_us == due_us + 2 * S + 1


def test_a_backup_misses_its_master_after_one_interval() -> None:
    one = One(V2)
    one.hear(200)
    assert not one.machine.misses_its_master(one.now_us + S)
    assert one.machine.misses_its_master(one.now_us + S + 1)


def test_a_lower_master_is_left_alone_until_the_preempt_delay_is_over() -> None:
    policy, settings = PreemptPolicy(), replace(V2, preempt_delay_us=10 * S)
    for now_us in (0, 3 * S):  # the first one counts
        policy.advert_accepted(50, 100, settings, now_us)
    assert policy.accepts_master(50, 100, settings, 10 * S - 1)
    assert not policy.accepts_master(50, 100, settings, 10 * S)


def test_an_equal_or_higher_master_begins_the_preempt_delay_anew() -> None:
    for other in (100, 101):
        policy, settings = PreemptPolicy(), replace(V2, preempt_delay_us=10 * S)
        policy.advert_accepted(50, 100, settings, 0)
        policy.advert_accepted(other, 100, settings, 5 * S)
        policy.advert_accepted(50, 100, settings, 6 * S)
        assert policy.accepts_master(50, 100, settings, 16 * S - 1)
        assert not policy.accepts_master(50, 100, settings, 16 * S)


def test_a_backup_asks_again_three_milliseconds_later_whether_everything_was_read() -> None:
    one = One(V2)
    due_us = one.router.deadline_us
    assert due_us is not None
    one.router.tick(now_us=due_us, unread=True)
    assert one.router.deadline_us == due_us + UNREAD_US == due_us + 3_000


# Warnings


def warned(effects: list[Effect]) -> bool:
    return any(isinstance(effect, Warned) for effect in effects)


def test_the_same_warning_is_told_again_after_a_minute() -> None:
    assert WARN_AGAIN_US == MINUTE
    one = One(V2, nopreempt=True)
    begin_us = one.now_us
    told = []
    for after_us in (0, MINUTE - 1, MINUTE, 2 * MINUTE - 1, 2 * MINUTE):
        one.now_us = begin_us + after_us
        told.append(warned(one.hear(200, ttl=254)))
    assert told == [True, False, True, False, True]


def test_an_unknown_vrid_is_told_again_after_a_minute() -> None:
    one = One(V2)
    logged = replace(one.router.settings, log_unknown_vrids=True)
    one.router.configure(logged, now_us=one.now_us)
    told = []
    for one.now_us in (0, MINUTE - 1, MINUTE, 2 * MINUTE - 1, 2 * MINUTE):
        told.append(warned(one.hear(200, vrid=99)))
    assert told == [True, False, True, False, True]


# Signatures


@pytest.mark.parametrize("sign", [1, -1], ids=["old", "ahead"])
def test_a_signature_counts_within_its_window(sign: int) -> None:
    keys = HmacSettings((HmacKey(1, "11" * 32),), active=1, window_us=10 * S)
    settings, now_us = replace(V3, hmac=keys), 1_795_364_789 * S
    advert = sent(settings, wall_us=now_us)
    assert reason(settings, advert, wall_us=now_us + sign * 10 * S) is None
    assert reason(settings, advert, wall_us=now_us + sign * 11 * S) is Reason.EXT_STALE
    between = Reason.EXT_STALE if sign < 0 else None
    assert reason(settings, advert, wall_us=now_us + sign * (10 * S + 1)) is between, (
        "whole seconds"
    )


# Slow announcements


PACED = replace(V2, garp_interval_us=100_000)


def announce(repeat: int) -> AnnounceAddresses:
    return AnnounceAddresses(PACED.key, PACED.vips, repeat)


def pacer_in_use() -> GarpPacer:
    pacer = GarpPacer()
    pacer.use([PACED])
    return pacer


def now(pacer: GarpPacer, repeat: int, now_us: int) -> list[Effect]:
    """What of an announcement goes at once."""
    return pacer.paced([announce(repeat)], {PACED.key: Machine(PACED)}, now_us)


def test_one_announcement_goes_each_interval() -> None:
    pacer = pacer_in_use()
    assert now(pacer, 3, 7) == [announce(1)]
    for turn in (1, 2):
        due_us = 7 + turn * 100_000
        assert pacer.deadline_us == due_us
        assert pacer.due(due_us - 1) == []
        assert pacer.due(due_us) == [announce(1)]
    assert pacer.deadline_us is None
    assert now(pacer, 1, 8) == [], "nobody has forgotten the last one"


def test_so_many_announcements_wait_and_no_more() -> None:
    assert WAITING_MAX == 65_536
    pacer = pacer_in_use()
    sent = len(now(pacer, WAITING_MAX + 3, 0))
    while (due_us := pacer.deadline_us) is not None:
        sent += len(pacer.due(due_us))
    assert sent == WAITING_MAX


# Announcements of a master


def announced_us(one: One, within_us: int) -> list[int]:
    """When announcements go in that time, from now."""
    begin_us, found = one.now_us, []
    while (due_us := one.router.deadline_us) is not None and due_us <= begin_us + within_us:
        one.now_us = due_us
        effects = one.router.tick(now_us=due_us)
        found += [due_us - begin_us for e in effects if isinstance(e, AnnounceAddresses)]
    return found


@pytest.mark.parametrize(
    ("changes", "times"),
    [
        ({"garp_master_delay_us": 5 * S}, [0, 5]),
        ({"garp_master_refresh_us": 7 * S, "garp_master_delay_us": 0}, [0, 7, 14]),
        (
            {"garp_extra_us": 6 * S, "garp_master_delay_us": 0, "sends_elsewhere": True},
            [0, 6, 12, 18],
        ),
    ],
    ids=["delay", "refresh", "extra"],
)
def test_announcements_are_repeated_when_it_was_asked_for(
    changes: dict[str, object], times: list[int]
) -> None:
    settings = dict(changes)
    if settings.pop("sends_elsewhere", False):
        settings["vips"] = (replace(V2.vips[0], dev="d1"),)
    one = One(V2, **settings)
    one.router.link("d1", LinkState(up=True, mac=MAC), now_us=0)
    due_us = one.router.deadline_us
    assert due_us is not None
    one.now_us = due_us
    assert announced_us(one, 19 * S) == [at * S for at in times]


# Files


@pytest.mark.parametrize(
    ("value", "delta", "fault"),
    [(-253, -253, False), (-254, 0, True), (253, 253, False), (254, 253, False)],
)
def test_a_files_number_counts_from_minus_253_to_253(value: int, delta: int, fault: bool) -> None:
    thing = Tracked("file", "f", weight=1)
    known = {("file", "f"): TrackerChanged("file", "f", True, value)}
    assert [weight.delta for weight in track.weights((thing,), known)] == [delta]
    link = LinkState(up=True, mac=MAC, addresses=(bytes((192, 0, 2, 2)),))
    assert (track.fault(V2, link, (thing,), known) is not None) == fault
