"""RFC 9568 (VRRPv3), section 6: the states. The list of clauses is in clauses.py.

What a master or a backup must do as a host (ARP, neighbour discovery, forwarding, accepting) is
looked at with real kernels in tests/kernel/test_clauses.py; here, that the addresses are held
exactly while it is master.
"""

from __future__ import annotations

import pytest

from hanode.vrrp import effects as fx
from hanode.vrrp import packet
from hanode.vrrp.arp import gratuitous_arp
from hanode.vrrp.effects import State
from hanode.vrrp.engine_settings import InstanceSettings
from hanode.vrrp.ndisc import neighbour_advert
from tests.vrrp.single import (
    HIGHER,
    LOWER,
    V3,
    V6,
    One,
    added,
    adverts,
    announced,
    priorities,
    removed,
    settings_of,
)

BOTH = pytest.mark.parametrize("settings", [V3, V6], ids=["IPv4", "IPv6"])


# 6.1 Parameters


@pytest.mark.parametrize(("priority", "skew_us"), [(100, 609_375), (1, 996_093), (254, 7_812)])
def test_6_1_skew_time_and_active_down_interval(priority: int, skew_us: int) -> None:
    one = One(V3, priority=priority)
    assert abs(one.skew_us - skew_us) <= 1
    assert abs(one.timer_us() - 3_000_000 - skew_us) <= 1
    assert abs(One(V3, priority=priority, advert_int_us=100_000).skew_us - skew_us // 10) <= 1


@pytest.mark.parametrize("us", [0, 9_999, 10_001, 40_950_001, 40_960_000])
def test_6_1_interval_is_1_to_4095_centiseconds(us: int) -> None:
    for right_us in (10_000, 40_950_000):
        assert One(V3, advert_int_us=right_us).settings.advert_int_us == right_us
    with pytest.raises(ValueError, match="advert_int"):
        One(V3, advert_int_us=us)


# 6.4.1 Initialize


@BOTH
def test_6_4_1_owner_sends_announces_and_becomes_active(settings: InstanceSettings) -> None:
    one = One(settings, priority=255)
    assert one.state is State.MASTER
    assert priorities(one.effects) == [255]
    assert announced(one.effects) == [str(a) for a in settings.vips]
    assert one.timer_us() == 1_000_000, "the Adver_Timer"


@BOTH
def test_6_4_1_others_wait_active_down_interval_as_backup(settings: InstanceSettings) -> None:
    one = One(settings)
    assert one.state is State.BACKUP
    assert one.machine.master_advert_us == settings.advert_int_us
    assert one.timer_us() == 3_609_375
    assert adverts(one.effects) == []


# 6.4.2 Backup


@BOTH
def test_6_4_2_backup_does_not_hold_the_addresses(settings: InstanceSettings) -> None:
    one = One(settings)
    assert removed(one.effects) == [str(a) for a in settings.addresses]
    assert added(one.effects) == announced(one.effects) == []


@BOTH
def test_6_4_2_shutdown_cancels_the_timer_and_says_nothing(settings: InstanceSettings) -> None:
    one = One(settings)
    machine = one.machine
    assert adverts(one.stop()) == []
    assert machine.state is State.INIT
    assert one.router.deadline_us is None


@BOTH
def test_6_4_2_timer_sends_announces_and_becomes_active(settings: InstanceSettings) -> None:
    one = One(settings)
    effects = one.wait(3_609_375)
    kinds = [type(effect) for effect in effects]
    assert kinds[:3] == [fx.SendAdvert, fx.AddAddresses, fx.AnnounceAddresses]
    assert announced(effects) == [str(a) for a in settings.vips]
    assert one.state is State.MASTER
    assert one.timer_us() == 1_000_000
    mac = bytes.fromhex("00005e000133")
    arp = gratuitous_arp(mac=mac, address=b"\1\2\3\4")
    assert arp[:6] == b"\xff" * 6, "broadcast"
    assert arp[28:32] == arp[38:42] == b"\1\2\3\4", "sender and target are the address"
    frame = neighbour_advert(mac=mac, address=packet.packed("fe80::10"), router=True)
    assert frame[58] == 0xA0, "router and override, not solicited"
    assert frame[62:78] == packet.packed("fe80::10")


@BOTH
def test_6_4_2_priority_0_sets_the_timer_to_skew_time(settings: InstanceSettings) -> None:
    one = One(settings)
    one.wait(1_500_000)
    one.hear(0)
    assert one.timer_us() == one.skew_us


@BOTH
@pytest.mark.parametrize(
    ("priority", "nopreempt"), [(100, False), (101, False), (255, False), (99, True), (1, True)]
)
def test_6_4_2_advert_that_is_given_way_to_sets_interval_and_timer(
    settings: InstanceSettings, priority: int, nopreempt: bool
) -> None:
    one = One(settings, nopreempt=nopreempt)
    one.wait(3_000_000)
    one.hear(priority, advert_int_us=2_000_000)
    assert one.machine.master_advert_us == 2_000_000, "the sender's"
    one.wait(6_000_000 + 2 * one.skew_us - 1)
    assert one.state is State.BACKUP
    one.wait(1)
    assert one.state is State.MASTER


@BOTH
def test_6_4_2_lower_priority_is_discarded(settings: InstanceSettings) -> None:
    """preempt_delay, keepalived's own, gives way for a while; strict mode ends it."""
    one = One(settings)
    one.wait(3_000_000)
    one.hear(99, advert_int_us=2_000_000)
    assert one.machine.master_advert_us == 1_000_000
    one.wait(609_375)
    assert one.state is State.MASTER
    waits, _ = settings_of("192.0.2.1", strict=False, words="preempt_delay 60")
    never, _ = settings_of("192.0.2.1", strict=True, words="preempt_delay 60")
    assert (waits.preempt_delay_us, never.preempt_delay_us) == (60_000_000, 0)


# 6.4.3 Active


@BOTH
def test_6_4_3_active_holds_the_addresses(settings: InstanceSettings) -> None:
    assert added(One(settings).become_master()) == [str(a) for a in settings.addresses]


@BOTH
def test_6_4_3_packets_are_accepted_by_the_owner_and_in_accept_mode(
    settings: InstanceSettings,
) -> None:
    for one in (One(settings), One(settings, accept=False, priority=255)):
        effects = one.effects + one.become_master()
        assert added(effects)
        assert not any(isinstance(e, fx.BlockAddresses) for e in effects)


@BOTH
def test_6_4_3_packets_are_not_accepted_otherwise(settings: InstanceSettings) -> None:
    """keepalived accepts by default; strict mode does not, unless the file says `accept`."""
    effects = One(settings, accept=False).become_master()
    block = [e for e in effects if isinstance(e, fx.BlockAddresses | fx.AddAddresses)]
    assert [type(e) for e in block] == [fx.BlockAddresses, fx.AddAddresses], "closed from the start"
    assert block[0].addresses == settings.vips
    accepts = {
        (strict, words): settings_of("192.0.2.1", strict=strict, words=words)[0].accept
        for strict in (False, True)
        for words in ("", "no_accept", "accept")
    }
    assert [key for key, accepted in accepts.items() if not accepted] == [
        (False, "no_accept"), (True, ""), (True, "no_accept")
    ]  # fmt: skip


@BOTH
def test_6_4_3_shutdown_sends_priority_0(settings: InstanceSettings) -> None:
    one = One(settings)
    one.become_master()
    machine = one.machine
    effects = one.stop()
    assert priorities(effects) == [0]
    assert removed(effects) == [str(a) for a in settings.addresses]
    assert machine.state is State.INIT
    assert one.router.deadline_us is None


@BOTH
def test_6_4_3_timer_sends_and_is_set_again(settings: InstanceSettings) -> None:
    one = One(settings)
    one.become_master()
    one.wait(one.timer_us())
    assert one.timer_us() == 1_000_000
    assert len(adverts(one.wait(10_000_000))) == 10


@BOTH
def test_6_4_3_priority_0_is_answered_at_once(settings: InstanceSettings) -> None:
    one = One(settings)
    one.become_master()
    one.wait(300_000)
    assert priorities(one.hear(0)) == [100]
    assert one.state is State.MASTER
    assert one.timer_us() == 1_000_000, "the Adver_Timer begins anew"


@BOTH
@pytest.mark.parametrize(
    ("priority", "sender"), [(101, LOWER), (101, HIGHER), (100, HIGHER), (255, LOWER)]
)
def test_6_4_3_the_better_one_makes_it_backup(
    settings: InstanceSettings, priority: int, sender: dict[int, str]
) -> None:
    one = One(settings)
    one.become_master()
    effects = one.hear(priority, sender[settings.family], advert_int_us=2_000_000)
    assert one.state is State.BACKUP
    assert adverts(effects) == []
    assert removed(effects) == [str(a) for a in settings.addresses]
    assert one.timer_us() == 6_000_000 + 2 * one.skew_us, "interval and skew are the sender's"


@BOTH
def test_6_4_3_addresses_are_compared_as_unsigned_numbers(settings: InstanceSettings) -> None:
    far = {4: "203.0.113.1", 6: "fe80::8000:0:0:1"}[settings.family]
    one = One(settings)
    one.become_master()
    one.hear(100, far)
    assert one.state is State.BACKUP, "the first bit is no sign"


@BOTH
@pytest.mark.parametrize(("priority", "sender"), [(99, HIGHER), (1, HIGHER), (100, LOWER)])
def test_6_4_3_others_are_discarded_and_told(
    settings: InstanceSettings, priority: int, sender: dict[int, str]
) -> None:
    """keepalived's strict mode discards in silence, as RFC 5798 had it."""
    one = One(settings)
    one.become_master()
    one.wait(300_000)
    effects = one.hear(priority, sender[settings.family])
    assert one.state is State.MASTER
    assert priorities(effects) == [100], "an advert asserts our state"
    strict, _ = settings_of("192.0.2.1", strict=True)
    assert strict.lower_prio_no_advert
    one = One(settings, lower_prio_no_advert=True)
    one.become_master()
    assert adverts(one.hear(priority, sender[settings.family])) == []
    assert one.state is State.MASTER
