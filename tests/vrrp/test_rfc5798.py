"""RFC 5798 (VRRPv3 before RFC 9568): where it demands something else. Listed in clauses.py."""

from __future__ import annotations

import pytest

from hanode.vrrp.effects import State
from hanode.vrrp.engine_settings import InstanceSettings
from tests.vrrp.single import (
    HIGHER,
    LOWER,
    V3,
    V6,
    One,
    adverts,
    refused,
    settings_of,
    sums_to_zero,
)

BOTH = pytest.mark.parametrize("settings", [V3, V6], ids=["IPv4", "IPv6"])


@BOTH
def test_5_2_8_checksum_covers_a_pseudo_header_in_both_families(settings: InstanceSettings) -> None:
    """As keepalived does by default; RFC 9568 has none for IPv4, see v3_checksum_as_v2."""
    (advert, *_) = adverts(One(settings).become_master())
    assert sums_to_zero(advert, pseudo=True)
    assert not sums_to_zero(advert, pseudo=False)


@BOTH
def test_6_4_2_skew_time_is_of_the_sender_s_interval_too(settings: InstanceSettings) -> None:
    """RFC 5798 does not reckon it anew in this place; RFC 9568 and keepalived do."""
    one = One(settings)
    one.hear(200, advert_int_us=4_000_000)
    assert one.timer_us() == 3 * 4_000_000 + 4 * one.skew_us


@BOTH
@pytest.mark.parametrize(("priority", "sender"), [(99, HIGHER), (1, HIGHER), (100, LOWER)])
def test_6_4_3_others_are_discarded_in_silence_in_strict_mode(
    settings: InstanceSettings, priority: int, sender: dict[int, str]
) -> None:
    """By default they are answered with an advert, as RFC 9568 has it."""
    strict, _ = settings_of("192.0.2.1", strict=True)
    assert strict.lower_prio_no_advert
    one = One(settings, lower_prio_no_advert=True)
    one.become_master()
    one.wait(300_000)
    before_us = one.timer_us()
    assert adverts(one.hear(priority, sender[settings.family])) == []
    assert one.state is State.MASTER
    assert one.timer_us() == before_us


@BOTH
def test_7_1_owner_of_strict_mode_discards(settings: InstanceSettings) -> None:
    """By default it listens, as keepalived's does; erratum 8298 of RFC 9568 wants that too."""
    strict, _ = settings_of("192.0.2.1", strict=True, words="priority 255")
    assert strict.owner_ignore_adverts
    for priority in (0, 254, 255):
        one = One(settings, priority=255, owner_ignore_adverts=True)
        assert adverts(one.hear(priority)) == []
        assert refused(one, "owner_ignored")
        assert one.state is State.MASTER
