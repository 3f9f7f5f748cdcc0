"""Adverts with other addresses than ours: which are refused, which are tolerated, until when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.vrrp import packet
from hanode.vrrp.engine_settings import Address
from hanode.vrrp.events import AdvertReceived
from hanode.vrrp.packet import Advert
from hanode.vrrp.vip_mismatch import Mismatch, Verdict, sentence
from tests.vrrp.single import V2

MASTER, STRANGER = packet.packed("192.0.2.3"), packet.packed("192.0.2.9")
BEFORE, NEW, ELSE = (packet.packed(f"192.0.2.{n}") for n in (10, 11, 12))
OURS = replace(V2, vips=(*V2.vips, Address("192.0.2.11", 24, "d0")))


def heard(*addresses: bytes, source: bytes = MASTER) -> AdvertReceived:
    same = set(addresses) == {a.packed for a in OURS.vips}
    return AdvertReceived(source, Advert(2, 51, 100, 1_000_000, addresses, same))


def after_a_reload() -> Mismatch:
    mismatch = Mismatch()
    mismatch.ours_changed(V2)
    return mismatch


def test_other_addresses_are_refused() -> None:
    assert Mismatch().judge(heard(ELSE), OURS, MASTER) is Verdict.REFUSED
    assert Mismatch().judge(heard(ELSE), OURS, None) is Verdict.REFUSED


def test_our_addresses_are_fine_whoever_sends_them() -> None:
    for master in (MASTER, STRANGER, None):
        assert Mismatch().judge(heard(BEFORE, NEW), OURS, master) is Verdict.FINE


def test_where_the_file_says_so_they_are_only_warned_about() -> None:
    accepts = replace(OURS, vip_mismatch="accept")
    assert Mismatch().judge(heard(ELSE), accepts, None) is Verdict.TOLERATED


@pytest.mark.parametrize(
    ("source", "verdict"), [(MASTER, Verdict.FINE), (STRANGER, Verdict.REFUSED)]
)
def test_skip_check_adv_addr_trusts_the_master_that_it_follows(
    source: bytes, verdict: Verdict
) -> None:
    skips = replace(OURS, skip_check_adv_addr=True)
    assert Mismatch().judge(heard(ELSE, source=source), skips, MASTER) is verdict


def test_the_list_from_before_a_reload_is_tolerated_from_our_master_alone() -> None:
    mismatch = after_a_reload()
    assert mismatch.judge(heard(BEFORE), OURS, MASTER) is Verdict.TOLERATED
    assert mismatch.judge(heard(BEFORE, source=STRANGER), OURS, MASTER) is Verdict.REFUSED
    assert mismatch.judge(heard(ELSE), OURS, MASTER) is Verdict.REFUSED
    assert mismatch.judge(heard(BEFORE), OURS, MASTER) is Verdict.TOLERATED, "still"


def test_once_the_master_has_the_new_list_the_old_one_is_wrong() -> None:
    mismatch = after_a_reload()
    assert mismatch.judge(heard(BEFORE, NEW), OURS, MASTER) is Verdict.FINE
    assert mismatch.judge(heard(BEFORE), OURS, MASTER) is Verdict.REFUSED


def test_a_stranger_with_the_new_list_does_not_end_that() -> None:
    mismatch = after_a_reload()
    assert mismatch.judge(heard(BEFORE, NEW, source=STRANGER), OURS, MASTER) is Verdict.FINE
    assert mismatch.judge(heard(BEFORE), OURS, MASTER) is Verdict.TOLERATED


def test_a_second_reload_still_tolerates_the_first_list() -> None:
    mismatch = after_a_reload()
    mismatch.ours_changed(replace(V2, vips=()))
    assert mismatch.judge(heard(BEFORE), OURS, MASTER) is Verdict.TOLERATED


def test_who_follows_nobody_any_more_tolerates_nothing() -> None:
    mismatch = after_a_reload()
    mismatch.forget()
    assert mismatch.judge(heard(BEFORE), OURS, MASTER) is Verdict.REFUSED


@pytest.mark.parametrize(
    ("verdict", "end"), [(Verdict.REFUSED, "; refused"), (Verdict.TOLERATED, "")]
)
def test_the_warning_says_whose_advert_it_is_and_how_it_differs(verdict: Verdict, end: str) -> None:
    told = sentence(heard(BEFORE), OURS, verdict)
    difference = "lists other addresses than ours: it lacks 192.0.2.11"
    assert told == f"the advert of 192.0.2.3 {difference}{end}"
