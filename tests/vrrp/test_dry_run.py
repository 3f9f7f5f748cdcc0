"""The moment before a takeover: who is about to fire, and what an understudy says of it."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from hanode.vrrp import effects as fx
from hanode.vrrp.dry_run import rehearse
from hanode.vrrp.engine_settings import (
    FifoSettings,
    HmacKey,
    HmacSettings,
    InstanceSettings,
    Tracked,
    VrrpSettings,
)
from hanode.vrrp.events import TrackerChanged
from hanode.vrrp.tracking_and_notify import NotifySettings
from tests.vrrp.single import HIGHER, V2, V3, V6, One
from tests.vrrp.story import advert_packet

SIGNED = replace(V2, auth_type="AH", auth_pass="secret")


@pytest.mark.parametrize(
    "settings",
    [V2, V3, V6, SIGNED, replace(V3, accept=False), replace(V2, notify=NotifySettings())],
    ids=["v2", "v3", "IPv6", "AH", "no_accept", "notify"],
)
def test_the_understudy_says_what_then_happens_and_touches_nothing(
    settings: InstanceSettings,
) -> None:
    one = One(settings)
    machine = one.machine
    due_us = one.router.deadline_us
    assert due_us is not None
    before = pickle.dumps(machine)
    foretold = rehearse(machine, now_us=due_us - 500)
    assert pickle.dumps(machine) == before
    happened = one.router.tick(now_us=due_us)
    assert [type(e) for e in foretold] == [type(e) for e in happened]
    quiet = (fx.StateChanged,)  # its cause says how long was waited
    assert [e for e in foretold if not isinstance(e, quiet)] == [
        e for e in happened if not isinstance(e, quiet)
    ]


def test_one_that_would_not_take_over_foretells_nothing() -> None:
    one = One(V3)
    one.link(up=False)
    assert rehearse(one.machine, now_us=0) == []


def test_the_understudy_knows_what_the_node_knows() -> None:
    """Trackers, whether a pipe hears of everything, and the time of day."""
    keys = HmacSettings((HmacKey(1, "11" * 32),), active=1)
    one = One(V3, hmac=keys, tracked=(Tracked("script", "chk", -20),))
    one.router.configure(
        VrrpSettings((one.settings,), fifos=(FifoSettings("/run/f"),)), now_us=one.now_us
    )
    one.router.tracker(TrackerChanged("script", "chk", False), now_us=0)
    one.router.wall(1_000_000_000, now_us=0)
    due_us = one.machine.deadline_us
    assert due_us is not None
    foretold = rehearse(one.machine, now_us=due_us)
    happened = one.router.tick(now_us=due_us)
    assert [e for e in foretold if not isinstance(e, fx.StateChanged)] == [
        e for e in happened if not isinstance(e, fx.StateChanged)
    ]
    assert fx.Notify("INSTANCE", "V", "MASTER", 80) in foretold


def test_only_a_backup_whose_time_is_near_is_imminent() -> None:
    one = One(V3)
    router, due_us = one.router, one.router.deadline_us
    assert due_us is not None
    assert router.wake_us(1_000) == due_us - 1_000
    assert router.imminent(now_us=due_us - 1_001, within_us=1_000) is None
    assert router.imminent(now_us=due_us - 1_000, within_us=1_000) is one.machine
    router.tick(now_us=due_us)
    assert one.state is fx.State.MASTER
    beat_us = router.deadline_us
    assert beat_us is not None
    assert router.wake_us(1_000) == beat_us
    assert router.imminent(now_us=beat_us, within_us=1_000) is None


def test_one_that_has_heard_its_master_since_is_not_imminent() -> None:
    one = One(V3)
    router, due_us = one.router, one.router.deadline_us
    assert due_us is not None
    other = advert_packet(one.settings, sender=HIGHER[4], priority=200)
    router.receive_ipv4("d0", other, now_us=due_us - 2_000)
    assert router.imminent(now_us=due_us - 500, within_us=1_000) is None
    assert router.deadline_us == one.machine.deadline_us > due_us
    assert router.imminent(now_us=one.machine.deadline_us - 500, within_us=1_000) is one.machine


def test_nobody_is_imminent_where_nobody_is_left() -> None:
    one = One(V3)
    due_us = one.router.deadline_us
    assert due_us is not None
    one.router.configure(VrrpSettings(()), now_us=due_us - 900)
    assert one.router.imminent(now_us=due_us - 500, within_us=1_000) is None


def test_one_whose_adverts_come_in_time_is_never_imminent() -> None:
    """With down_timer_adverts 1 every advert comes just before the timer's end."""
    one = One(V3, down_timer_adverts=1)
    router = one.router
    for number in range(1, 5):
        now_us = number * 1_000_000
        other = advert_packet(one.settings, sender=HIGHER[4], priority=200)
        router.receive_ipv4("d0", other, now_us=now_us)
        due_us = one.machine.deadline_us
        assert router.imminent(now_us=now_us + 999_900, within_us=due_us - now_us) is None
        assert router.wake_us(due_us - now_us - 999_900) == due_us
    assert router.imminent(now_us=due_us - 1_000, within_us=1_000) is one.machine, "now it is late"
    assert router.wake_us(1_000) == due_us - 1_000


def test_who_waits_until_everything_is_read_does_not_wake_up_early() -> None:
    one = One(V3)
    due_us = one.router.deadline_us
    assert due_us is not None
    assert one.router.tick(now_us=due_us, unread=True) == []
    later_us = one.router.deadline_us
    assert later_us is not None
    assert later_us > due_us
    assert one.router.wake_us(1_000) == later_us
    assert one.router.imminent(now_us=later_us - 500, within_us=1_000) is None
