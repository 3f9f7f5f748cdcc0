"""Sync groups: who must follow whom, what the group itself says, and what operators get of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.vrrp import effects as fx
from hanode.vrrp.effects import State
from hanode.vrrp.engine_settings import Command, FifoSettings, NotifySettings, SyncGroupSettings
from hanode.vrrp.engine_settings import VrrpSettings as Settings
from hanode.vrrp.events import SyncFollow, TrackerChanged
from hanode.vrrp.machine import Machine
from hanode.vrrp.sync_group import SyncGroup
from hanode.vrrp.tracking_and_notify import Tracked
from tests.vrrp.story import advert_packet
from tests.vrrp.test_instances import DOWN, GROUP, UP, A, B, C, D, Node

S = 1_000_000
INIT, BACKUP, MASTER, FAULT = State.INIT, State.BACKUP, State.MASTER, State.FAULT
TOLD = replace(GROUP, notify=NotifySettings(any=Command(("/bin/tell",))))


def member(name: str, state: State, *, fault: str | None = None, wants: bool = False) -> Machine:
    machine = Machine(replace(A, name=name))
    machine.state, machine.own_fault, machine.wants_master = state, fault, wants
    machine.cause = f"cause of {name}"
    return machine


def group_of(*members: Machine, settings: SyncGroupSettings = GROUP) -> SyncGroup:
    group = SyncGroup(settings)
    group.bind(list(members))
    return group


def told(group: SyncGroup, mover: Machine | None = None, old: State | None = None) -> list[object]:
    return [(m.settings.name, event) for m, event in group.followers(mover, old)]


# Members


def test_it_begins_in_init() -> None:
    assert (SyncGroup(GROUP).state, SyncGroup(GROUP).cause) == (INIT, "not started")


def test_members_know_their_group_until_it_lets_them_go() -> None:
    one, other = member("A", BACKUP), member("B", BACKUP)
    group = group_of(one, other)
    assert one.sync_group is other.sync_group is group
    group.bind([other])
    assert (one.sync_group, other.sync_group) == (None, group)
    later = group_of(other)
    group.unbind()
    assert other.sync_group is later, "it is another group's now"
    assert group.members == []


def test_all_must_want_it() -> None:
    want, not_yet = member("A", BACKUP, wants=True), member("B", BACKUP)
    assert not group_of(want, not_yet).may_be_master()
    not_yet.wants_master = True
    assert group_of(want, not_yet).may_be_master()


def test_the_fault_of_another_member_is_named() -> None:
    well, ill = member("A", BACKUP), member("B", FAULT, fault="d1 down")
    group = group_of(well, ill)
    assert group.fault_of_others(well) == "sync group G: d1 down"
    assert group.fault_of_others(ill) is None
    assert group_of(well, member("B", BACKUP)).fault_of_others(well) is None


# Who follows


def test_a_fault_takes_all_that_run() -> None:
    ill = member("A", FAULT, fault="d0 down")
    group = group_of(ill, member("B", BACKUP), member("C", MASTER), member("D", FAULT),
                     member("E", INIT))  # fmt: skip
    event = SyncFollow("FAULT", "sync group G: d0 down")
    assert told(group, ill, BACKUP) == [("B", event), ("C", event)]


def test_the_end_of_the_last_fault_takes_all_back() -> None:
    mover = member("A", BACKUP)
    group = group_of(mover, member("B", FAULT), member("C", BACKUP))
    assert told(group, mover, FAULT) == [("B", SyncFollow("BACKUP", "sync group G: cause of A"))]
    sentence = "sync group G: no member is faulted any more"
    assert told(group) == [("B", SyncFollow("BACKUP", sentence))]


def test_a_master_takes_the_backups_along() -> None:
    mover = member("A", MASTER)
    group = group_of(mover, member("B", BACKUP), member("C", MASTER), member("D", INIT))
    assert told(group, mover, BACKUP) == [("B", SyncFollow("MASTER", "sync group G: cause of A"))]
    assert told(group, mover, MASTER) == [], "it was master before"
    assert told(group) == []


@pytest.mark.parametrize("soon", [False, True])
def test_one_that_falls_back_takes_the_masters_along(soon: bool) -> None:
    mover = member("A", BACKUP)
    mover._master_down.skew_only = soon
    group = group_of(mover, member("B", MASTER), member("C", BACKUP))
    event = SyncFollow("BACKUP", "sync group G: cause of A", after_skew_time=soon)
    assert told(group, mover, MASTER) == [("B", event)]
    assert told(group, mover, INIT) == [], "it was never master"


def test_after_a_reload_masters_that_are_not_all_go_back() -> None:
    event = SyncFollow("BACKUP", "sync group G: why")
    mixed = group_of(member("A", MASTER), member("B", BACKUP), member("C", MASTER))
    assert [(m.settings.name, e) for m, e in mixed.disagreeing("why")] == [
        ("A", event), ("C", event),
    ]  # fmt: skip
    assert group_of(member("A", MASTER), member("B", MASTER)).disagreeing("why") == []
    assert group_of(member("A", BACKUP), member("B", BACKUP)).disagreeing("why") == []


# The group's own state


@pytest.mark.parametrize(
    ("states", "new"),
    [
        ((MASTER, MASTER), MASTER),
        ((MASTER, BACKUP), BACKUP),
        ((BACKUP, BACKUP), BACKUP),
        ((BACKUP, INIT), INIT),
        ((FAULT, INIT), FAULT),
        ((FAULT, MASTER), FAULT),
        ((), INIT),
    ],
)
def test_the_state_of_a_group_is_made_of_those_of_its_members(
    states: tuple[State, ...], new: State
) -> None:
    group = group_of(*(member(str(at), state) for at, state in enumerate(states)))
    old = BACKUP if new is INIT else INIT
    group.state = old
    effects = group.update_state("sync group G: why", notify_all=False)
    assert (group.state, group.cause) == (new, "why" if new is not old else "not started")
    assert effects == [fx.GroupChanged("G", old, new, "why")]


def test_a_group_that_stays_what_it_is_says_nothing() -> None:
    group = group_of(member("A", BACKUP))
    assert group.update_state("first", notify_all=True)
    assert group.update_state("second", notify_all=True) == []
    assert group.cause == "first"


def test_a_group_notifies_its_own_scripts_or_where_all_is_told() -> None:
    line = fx.Notify("GROUP", "G", "BACKUP", 0)
    for settings, everybody, expected in (
        (GROUP, False, []), (GROUP, True, [line]), (TOLD, False, [line]), (TOLD, True, [line]),
    ):  # fmt: skip
        group = group_of(member("A", BACKUP), settings=settings)
        assert group.update_state("why", notify_all=everybody)[1:] == expected


def test_init_is_not_notified() -> None:
    group = group_of(member("A", INIT))
    group.state = BACKUP
    changed = fx.GroupChanged("G", BACKUP, INIT, "why")
    assert group.update_state("why", notify_all=True) == [changed]


# Through the router


def changes(effects: list[fx.Effect]) -> list[tuple[str, str, str]]:
    """Name, state and cause of each instance and group that changed."""
    found = []
    for effect in effects:
        if isinstance(effect, fx.StateChanged):
            found.append((effect.instance, str(effect.new), effect.cause))
        if isinstance(effect, fx.GroupChanged):
            found.append((effect.group, str(effect.new), effect.cause))
    return found


def masters(*groups: SyncGroupSettings) -> Node:
    node = Node(Settings((A, B, C, D), groups))
    node.wait(5 * S)
    assert set(node.states().values()) == {"MASTER"}
    return node


def test_a_group_that_stays_keeps_its_state_and_takes_its_new_settings() -> None:
    node = masters(GROUP)
    told = replace(GROUP, notify=TOLD.notify)
    node.configure(Settings((A, B, C, D), (told,)))
    assert node.effects == []
    assert node.router.groups["G"].settings is told
    assert node.router.groups["G"].state is MASTER


def test_a_member_that_disagrees_after_a_reload_takes_the_others_back() -> None:
    node = masters()
    node.router.release("B", now_us=node.now_us)
    node.configure(Settings((A, B, C, D), (GROUP,)))
    cause = "the group was changed by a reload"
    assert changes(node.effects) == [
        ("A", "BACKUP", f"sync group G: {cause}"), ("G", "BACKUP", cause),
    ]  # fmt: skip


BOTH, JOINED = SyncGroupSettings("G", ("A", "C")), SyncGroupSettings("G", ("A", "C", "B"))


def joined(settings: Settings) -> Node:
    """A and C are master, in a group; then a reload makes it these settings."""
    node = Node(Settings((A, C), (BOTH,)))
    node.wait(5 * S)
    assert node.states() == {"A": "MASTER", "C": "MASTER"}
    node.configure(settings)
    return node


def test_a_new_member_is_master_at_once_and_no_other_ceases_to_be() -> None:
    node = joined(Settings((A, C, B), (JOINED,)))
    assert changes(node.effects) == [
        ("B", "BACKUP", "start"), ("B", "MASTER", "sync group G: no advert heard for 3.609 s"),
    ]  # fmt: skip
    sent = [(e.key, e.payload[2]) for e in node.effects if isinstance(e, fx.SendAdvert)]
    assert sent == [(B.key, 100)]
    assert node.router.groups["G"].state is MASTER


def test_who_was_alone_and_gets_a_group_with_a_new_instance_stays_master() -> None:
    node = Node(Settings((A,)))
    node.wait(5 * S)
    node.configure(Settings((A, B), (GROUP,)))
    assert [change[:2] for change in changes(node.effects)] == [
        ("B", "BACKUP"), ("B", "MASTER"), ("G", "MASTER"),
    ]  # fmt: skip


def test_a_member_that_follows_a_master_elsewhere_takes_the_others_back() -> None:
    node = Node(Settings((A, B), (SyncGroupSettings("G", ("A",)),)))
    for _ in range(5):
        node.wait(S)
        hears = advert_packet(B, sender="192.0.2.3", priority=200)
        node.router.receive_ipv4("d1", hears, now_us=node.now_us)
    assert node.states() == {"A": "MASTER", "B": "BACKUP"}
    node.configure(Settings((A, B), (GROUP,)))
    assert node.states() == {"A": "BACKUP", "B": "BACKUP"}


@pytest.mark.parametrize(("up", "state"), [(True, "MASTER"), (False, "FAULT")])
def test_a_new_member_that_waits_for_its_script_joins_when_it_knows(up: bool, state: str) -> None:
    waits = replace(B, tracked=(Tracked("script", "chk"),))
    node = joined(Settings((A, C, waits), (JOINED,)))
    assert node.states() == {"A": "MASTER", "C": "MASTER", "B": "INIT"}
    assert node.router.groups["G"].state is MASTER
    effects = node.router.tracker(TrackerChanged("script", "chk", up), now_us=node.now_us)
    assert node.states() == dict.fromkeys("ACB", state)
    gave_up = [e for e in effects if isinstance(e, fx.SendAdvert) and e.payload[2] == 0]
    assert bool(gave_up) is not up


def test_a_new_member_with_a_fault_takes_the_others_into_it() -> None:
    node = Node(Settings((A, C), (BOTH,)))
    node.wait(5 * S)
    node.router.link("d1", DOWN, now_us=node.now_us)
    node.configure(Settings((A, C, B), (JOINED,)))
    assert set(node.states().values()) == {"FAULT"}


def test_a_new_member_whose_master_is_elsewhere_takes_the_others_back_once_it_hears_it() -> None:
    node = joined(Settings((A, C, B), (JOINED,)))
    hears = advert_packet(B, sender="192.0.2.3", priority=200)
    node.router.receive_ipv4("d1", hears, now_us=node.now_us)
    assert node.states() == dict.fromkeys("ACB", "BACKUP")


def test_a_group_without_members_does_no_harm() -> None:
    node = masters(SyncGroupSettings("E", ()), GROUP)
    node.configure(
        Settings((A, B, C, replace(D, priority=99)), (SyncGroupSettings("E", ()), GROUP))
    )
    assert node.router.groups["G"].state is MASTER
    assert node.router.groups["E"].state is INIT


def test_a_member_that_the_others_waited_for_is_said_to_have_kept_the_group() -> None:
    slow = replace(B, priority=1, down_timer_adverts=4)
    node = Node(Settings((A, slow), (GROUP,)))
    node.wait(3_700_000)
    node.configure(Settings((A, slow), (SyncGroupSettings("G", ("A",)),)))
    assert [(name, state) for name, state, _ in changes(node.effects)] == [
        ("A", "MASTER"), ("G", "MASTER"),
    ]  # fmt: skip


def test_who_is_freed_of_a_fault_that_was_not_its_own_is_told_why() -> None:
    node = masters(GROUP)
    node.router.link("d1", DOWN, now_us=node.now_us)
    node.configure(Settings((A, B, C, D)))
    cause = "reload: it is in no sync group any more"
    assert changes(node.effects) == [("A", "BACKUP", cause)]


def test_the_end_of_the_engine_is_told_once_for_each_group() -> None:
    node = Node(Settings((A, B, C, D), (TOLD, SyncGroupSettings("H", ("C", "D")))))
    effects = node.router.stop("stopped", now_us=0)
    lines = [effect for effect in effects if isinstance(effect, fx.Notify)]
    assert lines == [fx.Notify("GROUP", "G", "STOP", 0)]
    assert node.router.groups == {}


def test_with_a_pipe_every_group_tells_its_end() -> None:
    groups = (GROUP, SyncGroupSettings("H", ("C", "D")))
    node = Node(Settings((A, B, C, D), groups, fifos=(FifoSettings("/run/f"),)))
    effects = node.router.stop("stopped", now_us=0)
    assert [e.name for e in effects if isinstance(e, fx.Notify) and e.kind == "GROUP"] == ["G", "H"]


def test_a_second_master_of_lower_priority_makes_the_whole_group_announce() -> None:
    node = masters(GROUP)
    lower = advert_packet(A, sender="192.0.2.1", priority=5)
    effects = node.router.receive_ipv4("d0", lower, now_us=node.now_us)
    announced = [e.key for e in effects if isinstance(e, fx.AnnounceAddresses)]
    assert announced == [A.key, B.key]


# Operators


def test_a_command_to_one_member_is_one_to_all() -> None:
    node = masters(GROUP)
    done = node.router.release("B", now_us=node.now_us, by="someone")
    assert (done.done, done.refused) == (("A", "B"), ())
    assert changes(done.effects) == [
        ("A", "BACKUP", "someone: released"),
        ("B", "BACKUP", "someone: released"),
        ("G", "BACKUP", "someone: released"),
    ]
    taken = node.router.take("A", now_us=node.now_us, by="someone")
    assert taken.done == ("A", "B")
    assert changes(taken.effects)[-1] == ("G", "MASTER", "someone: taken")
    assert node.states() == dict.fromkeys("ABCD", "MASTER")


def test_a_command_names_a_group_or_everything() -> None:
    node = masters(GROUP)
    assert node.router.announce("G", now_us=node.now_us).done == ("A", "B")
    assert node.router.announce(now_us=node.now_us).done == ("A", "B", "C", "D")
    assert node.router.release("G", now_us=node.now_us).done == ("A", "B")
    assert node.router.announce(now_us=node.now_us).done == ("C", "D")
    assert node.router.release(now_us=node.now_us).done == ("C", "D")
    assert node.router.take(now_us=node.now_us).done == ("A", "B", "C", "D")


def test_who_is_not_master_cannot_release() -> None:
    node = masters()
    node.router.release("A", now_us=node.now_us)
    again = node.router.release("A", now_us=node.now_us)
    assert (again.done, again.refused, again.effects) == ((), ("A is BACKUP, not MASTER",), [])
    assert node.router.release(now_us=node.now_us).refused == (), "all: whoever is"


def test_who_is_not_master_cannot_announce() -> None:
    node = masters()
    node.router.release("A", now_us=node.now_us)
    refused = node.router.announce("A", now_us=node.now_us)
    assert (refused.done, refused.effects) == ((), [])
    assert refused.refused == ("A is not MASTER: it has no address to announce",)
    node.router.release(now_us=node.now_us)
    assert node.router.announce(now_us=node.now_us).refused == ()


def test_a_name_that_is_not_there() -> None:
    node = masters()
    sentence = "there is no instance X; there is A, B, C, D"
    for verb in ("release", "take", "announce"):
        result = getattr(node.router, verb)("X", now_us=node.now_us)
        assert (result.effects, result.done, result.refused) == ([], (), (sentence,))
    empty = Node(Settings())
    assert empty.router.take("X", now_us=0).refused == ("there is no instance X; there is none",)


def test_one_member_that_cannot_become_master_holds_the_others_back() -> None:
    node = masters(GROUP)
    node.router.link("d1", DOWN, now_us=node.now_us)
    refused = node.router.take("G", now_us=node.now_us)
    assert refused.done == ()
    assert refused.refused == ("A is in FAULT: sync group G: d1 down",), "said once"


def test_maintenance_takes_all_and_says_who_asked() -> None:
    node = masters(GROUP)
    on = node.router.maintenance(True, now_us=node.now_us, by="someone")
    assert on.done == ("A", "B", "C", "D")
    assert changes(on.effects) == [
        ("A", "FAULT", "someone: maintenance"),
        ("B", "FAULT", "someone: maintenance"),
        ("C", "FAULT", "someone: maintenance"),
        ("D", "FAULT", "someone: maintenance"),
        ("G", "FAULT", "someone: maintenance"),
    ]
    again = node.router.maintenance(True, now_us=node.now_us)
    assert (again.effects, again.done, again.refused) == ([], (), ())
    off = node.router.maintenance(False, now_us=node.now_us, by="someone")
    assert changes(off.effects)[0] == ("B", "BACKUP", "someone: maintenance is over")
    assert set(node.states().values()) == {"BACKUP"}
    over = node.router.maintenance(False, now_us=node.now_us)
    assert (over.effects, over.done) == ([], ())


def test_an_instance_that_waits_for_maintenance_to_end_does_not_begin() -> None:
    node = Node(Settings((A,)))
    node.router.maintenance(True, now_us=0)
    node.configure(Settings((A, C)))
    assert node.states() == {"A": "FAULT", "C": "FAULT"}
    node.router.link("d0", UP, now_us=0)
    assert node.states() == {"A": "FAULT", "C": "FAULT"}
