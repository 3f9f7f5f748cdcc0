"""When a master announces its addresses: at once, later, regularly; and what waits for its turn."""

from __future__ import annotations

from dataclasses import replace

from hanode.vrrp.announce import Announcements
from hanode.vrrp.effects import AnnounceAddresses, Effect, RemoveAddresses
from hanode.vrrp.engine_settings import Address, InstanceSettings
from hanode.vrrp.garp_pacer import GarpPacer
from hanode.vrrp.machine import Machine
from tests.vrrp.single import V2, V6

A, B = (Address(f"192.0.2.{n}", 24, "d0") for n in (10, 11))
C, D = (Address(f"192.0.3.{n}", 24, "d1") for n in (12, 13))
E = Address("192.0.4.14", 24, "d2")
QUIET = replace(V2, vips=(A,), excluded=(B,), garp_master_delay_us=0)
LATER = replace(QUIET, garp_master_delay_us=50)
REFRESHED = replace(
    QUIET, garp_master_refresh_us=20, garp_master_repeat=3, garp_master_refresh_repeat=2
)
EXTRA = replace(QUIET, vips=(A,), excluded=(C, D, E), garp_extra_us=30)


def announced(settings: InstanceSettings, repeat: int, *addresses: Address) -> list[Effect]:
    return [AnnounceAddresses(settings.key, addresses, repeat)]


def test_a_new_master_announces_all_it_has() -> None:
    announcements = Announcements()
    assert announcements.begin(QUIET, 7) == announced(QUIET, 5, A, B)
    assert announcements.deadline_us is None


def test_one_more_block_comes_after_the_delay() -> None:
    announcements = Announcements()
    assert announcements.begin(LATER, 7) == announced(LATER, 5, A, B)
    assert announcements.deadline_us == 57
    assert announcements.due(LATER, 56) == []
    assert announcements.deadline_us == 57
    assert announcements.due(LATER, 57) == announced(LATER, 5, A, B)
    assert announcements.deadline_us is None
    assert announcements.due(LATER, 999) == []


def test_who_announces_nothing_has_no_later_block_either() -> None:
    for settings in (replace(LATER, garp_master_repeat=0), replace(LATER, vips=(), excluded=())):
        announcements = Announcements()
        assert announcements.begin(settings, 7) == []
        assert announcements.deadline_us is None


def test_later_blocks_that_overlap_become_one() -> None:
    announcements = Announcements()
    assert announcements.block(LATER, (A, B), 5, 50, 7) == announced(LATER, 5, A, B)
    assert announcements.block(LATER, (B, C), 2, 60, 9) == announced(LATER, 2, B, C)
    assert announcements.deadline_us == 69
    assert announcements.due(LATER, 68) == []
    assert announcements.due(LATER, 69) == announced(LATER, 2, A, B, C)


def test_a_block_without_a_later_one_leaves_the_waiting_one_alone() -> None:
    announcements = Announcements()
    announcements.block(LATER, (A,), 5, 50, 7)
    assert announcements.block(LATER, (B,), 2, 0, 9) == announced(LATER, 2, B)
    assert announcements.due(LATER, 57) == announced(LATER, 5, A)


def test_an_address_that_is_gone_is_not_announced_later() -> None:
    announcements = Announcements()
    announcements.begin(LATER, 7)
    announcements.forget((A,))
    assert announcements.due(LATER, 57) == announced(LATER, 5, B)


def test_a_later_block_of_which_nothing_is_left_is_none() -> None:
    announcements = Announcements()
    announcements.begin(LATER, 7)
    announcements.forget((A, B))
    assert announcements.due(LATER, 57) == []
    assert announcements.deadline_us is None


def test_the_refresh_comes_again_and_again() -> None:
    announcements = Announcements()
    assert announcements.begin(REFRESHED, 7) == announced(REFRESHED, 3, A, B)
    assert announcements.deadline_us == 27
    assert announcements.due(REFRESHED, 26) == []
    assert announcements.due(REFRESHED, 27) == announced(REFRESHED, 2, A, B)
    assert announcements.due(REFRESHED, 46) == []
    assert announcements.due(REFRESHED, 48) == announced(REFRESHED, 2, A, B)
    assert announcements.deadline_us == 68


def test_a_refresh_of_nothing_says_nothing() -> None:
    for settings in (
        replace(REFRESHED, garp_master_refresh_repeat=0),
        replace(REFRESHED, vips=(), excluded=()),
    ):
        announcements = Announcements()
        announcements.begin(settings, 7)
        assert announcements.due(settings, 27) == []
        assert announcements.deadline_us == 47


def test_the_refresh_can_be_changed_and_ended() -> None:
    announcements = Announcements()
    announcements.begin(REFRESHED, 7)
    announcements.refresh_every(5, 8)
    assert announcements.deadline_us == 13
    announcements.refresh_every(0, 9)
    assert announcements.deadline_us is None


def test_one_address_of_each_other_interface_is_announced_extra() -> None:
    announcements = Announcements()
    announcements.begin(EXTRA, 7)
    assert announcements.deadline_us == 37
    assert announcements.due(EXTRA, 36) == []
    (extra,) = announcements.due(EXTRA, 37)
    assert isinstance(extra, AnnounceAddresses)
    assert (set(extra.addresses), extra.repeat, extra.key) == ({C, E}, 1, EXTRA.key)
    assert announcements.due(EXTRA, 66) == []
    assert announcements.deadline_us == 67


def test_all_addresses_of_other_interfaces_where_that_is_asked_for() -> None:
    settings = replace(EXTRA, garp_extra_all=True)
    announcements = Announcements()
    announcements.begin(settings, 7)
    assert announcements.due(settings, 37) == announced(settings, 1, C, D, E)


def test_there_is_nothing_extra_where_all_are_on_the_interface_of_the_adverts() -> None:
    settings = replace(EXTRA, excluded=(B,))
    announcements = Announcements()
    announcements.begin(settings, 7)
    assert announcements.due(settings, 37) == []
    assert announcements.deadline_us == 67


def test_the_extra_announcements_can_be_ended() -> None:
    announcements = Announcements()
    announcements.begin(EXTRA, 7)
    announcements.extra_every(0, 8)
    assert announcements.deadline_us is None


def test_the_earliest_of_the_three_is_the_deadline() -> None:
    settings = replace(EXTRA, garp_master_delay_us=50, garp_master_refresh_us=20)
    announcements = Announcements()
    announcements.begin(settings, 0)
    deadlines = []
    while (due_us := announcements.deadline_us) is not None and due_us < 70:
        deadlines.append(due_us)
        announcements.due(settings, due_us)
    assert deadlines == [20, 30, 40, 50, 60]


def test_who_is_master_no_longer_announces_nothing() -> None:
    settings = replace(EXTRA, garp_master_delay_us=50, garp_master_refresh_us=20)
    announcements = Announcements()
    announcements.begin(settings, 0)
    announcements.end()
    assert announcements.deadline_us is None
    assert announcements.due(settings, 99) == []


def test_a_new_master_does_not_go_on_with_what_waited_before() -> None:
    announcements = Announcements()
    announcements.begin(LATER, 0)
    announcements.begin(replace(LATER, vips=(C,), excluded=()), 10)
    assert announcements.due(LATER, 60) == announced(LATER, 5, C)


# garp_interval: one at a time


PACED = replace(V2, vips=(A,), excluded=(B,), garp_interval_us=100)
PACED6 = replace(V6, name="W", gna_interval_us=70)
MACHINES = {PACED.key: Machine(PACED), PACED6.key: Machine(PACED6)}


def pacer_of(*instances: InstanceSettings) -> GarpPacer:
    pacer = GarpPacer()
    pacer.use(instances)
    return pacer


def drained(pacer: GarpPacer) -> list[tuple[int, str]]:
    """What still goes, and when."""
    told = []
    while (due_us := pacer.deadline_us) is not None:
        for effect in pacer.due(due_us):
            assert isinstance(effect, AnnounceAddresses)
            assert effect.repeat == 1
            told += [(due_us, str(address)) for address in effect.addresses]
    return told


def test_each_address_goes_once_before_any_goes_twice() -> None:
    pacer = pacer_of(PACED)
    first = pacer.paced(announced(PACED, 2, A, B), MACHINES, 7)
    assert first == announced(PACED, 1, A)
    assert drained(pacer) == [(107, str(B)), (207, str(A)), (307, str(B))]


def test_nobody_waits_where_no_instance_has_an_interval() -> None:
    pacer = pacer_of(V2)
    assert not pacer.active
    effects = announced(V2, 5, A)
    assert pacer.paced(effects, MACHINES, 0) is effects


def test_either_interval_makes_the_pacer_work() -> None:
    assert pacer_of(V2, PACED).active
    assert pacer_of(V2, PACED6).active


def test_the_other_effects_keep_their_place() -> None:
    pacer = pacer_of(PACED)
    gone = RemoveAddresses(PACED.key, (E,))
    effects = pacer.paced([gone, *announced(PACED, 1, A), gone], MACHINES, 0)
    assert effects == [gone, *announced(PACED, 1, A), gone]


def test_an_announcement_of_an_instance_that_is_gone_passes() -> None:
    pacer = pacer_of(PACED)
    nobody = [AnnounceAddresses(("d9", 4, 9), (A,), 3)]
    assert pacer.paced(nobody, MACHINES, 0) == nobody


def test_the_families_have_intervals_of_their_own() -> None:
    pacer = pacer_of(PACED, PACED6)
    six = V6.vips
    assert pacer.paced(announced(PACED6, 1, *six), MACHINES, 0) == announced(PACED6, 1, six[0])
    assert pacer.paced(announced(PACED, 1, A, B), MACHINES, 0) == announced(PACED, 1, A)
    assert drained(pacer) == [(70, str(six[1])), (100, str(B))]


def test_a_family_without_an_interval_goes_at_once() -> None:
    pacer = pacer_of(PACED, V6)
    machines = {V6.key: Machine(V6)}
    assert pacer.paced(announced(V6, 3, *V6.vips), machines, 0) == announced(V6, 3, *V6.vips)
    assert pacer.deadline_us is None


def test_interfaces_do_not_wait_for_each_other() -> None:
    pacer = pacer_of(PACED)
    effects = pacer.paced(announced(PACED, 1, A, C, B), MACHINES, 0)
    assert effects == announced(PACED, 1, A) + announced(PACED, 1, C)
    assert drained(pacer) == [(100, str(B))]


def test_the_next_one_may_go_an_interval_after_the_last() -> None:
    pacer = pacer_of(PACED)
    pacer.paced(announced(PACED, 1, A), MACHINES, 0)
    assert pacer.paced(announced(PACED, 1, B), MACHINES, 99) == []
    assert pacer.deadline_us == 100
    assert pacer.due(100) == announced(PACED, 1, B)
    assert pacer.paced(announced(PACED, 1, A), MACHINES, 200) == announced(PACED, 1, A)


def test_an_address_that_was_removed_is_not_announced_any_more() -> None:
    pacer = pacer_of(PACED)
    pacer.paced(announced(PACED, 3, A, B), MACHINES, 0)
    pacer.paced([RemoveAddresses(PACED.key, (A,))], MACHINES, 1)
    assert [address for _, address in drained(pacer)] == [str(B)] * 3


def test_the_same_address_of_another_instance_is_still_announced() -> None:
    other = replace(PACED, name="W", vrid=52)
    pacer = pacer_of(PACED, other)
    machines = {PACED.key: Machine(PACED), other.key: Machine(other)}
    pacer.paced(announced(PACED, 1, A, B), machines, 0)
    pacer.paced(announced(other, 1, B), machines, 0)
    pacer.paced([RemoveAddresses(PACED.key, (A, B))], machines, 1)
    assert drained(pacer) == [(100, str(B))]


def test_what_comes_later_for_the_first_time_goes_before_repeats() -> None:
    other = replace(PACED, name="W", vrid=52)
    pacer = pacer_of(PACED, other)
    machines = {PACED.key: Machine(PACED), other.key: Machine(other)}
    pacer.paced(announced(PACED, 3, A), machines, 0)
    pacer.paced(announced(other, 1, B), machines, 1)
    assert [address for _, address in drained(pacer)] == [str(B), str(A), str(A)]
