"""How the kernel's table is brought to what is wanted, a turn at a time, without a kernel."""

from __future__ import annotations

from collections.abc import Callable

from hanode.ipvs.sync import AUDIT_SHARE, AUDIT_US, TableSync, goes_on_after_refusal
from hanode.ipvs.types import (
    AddDestination,
    AddService,
    Balanced,
    Destination,
    EditDestination,
    EditService,
    Operation,
    RemoveService,
    Service,
    ServiceKey,
)

WEB = Service(ServiceKey("192.0.2.1", 80, "TCP"), "rr")
DNS = Service(ServiceKey("192.0.2.1", 53, "UDP"), "rr")
A, B, C = (Destination(f"192.0.2.1{n}", 80) for n in range(3))


def opened(*table: Balanced) -> TableSync:
    """Whose kernel has been read at time 0."""
    sync = TableSync()
    sync.read(table, began_us=0, now_us=0)
    return sync


def turn(
    sync: TableSync, limit: int = 32, refuse: Callable[[Operation], bool] = lambda _one: False
) -> tuple[list[Operation], list[tuple[str, str]]]:
    """What is done in one turn, and what an operator is told."""
    asked, told = list[Operation](), list[tuple[str, str]]()
    while (work := sync.next_work(limit)) is not None:
        limit -= work.share
        done = [one for one in work.operations if not refuse(one)]
        error = None if len(done) == len(work.operations) else "no"
        asked += work.operations
        if (refused := sync.done(work, done, error)) is not None:
            told.append(refused)
    return asked, told


def test_a_turn_ends_and_the_next_goes_on_where_it_ended() -> None:
    sync = opened()
    sync.configure([Balanced(WEB, (A, B, C)), Balanced(DNS, (A,))])
    assert turn(sync, 2)[0] == [AddService(WEB), AddDestination(WEB, A)]
    assert sync.deadline_us == 1, "there is more to do at once"
    assert turn(sync, 2)[0] == [AddDestination(WEB, B), AddDestination(WEB, C)]
    assert turn(sync, 32)[0] == [AddService(DNS), AddDestination(DNS, A)]
    assert sync.deadline_us == AUDIT_US
    assert sync.in_kernel == {WEB.key, DNS.key}


def test_a_service_that_is_right_takes_its_share_of_a_turn() -> None:
    services = [Service(ServiceKey("192.0.2.1", port, "TCP"), "rr") for port in range(1, 41)]
    sync = opened(*(Balanced(service) for service in services))
    sync.configure(Balanced(service) for service in services)
    assert turn(sync, 32) == ([], [])
    assert sync.unfinished, "a large table that is right is looked at in small turns, too"
    turn(sync, 32)
    assert not sync.unfinished


def test_the_table_is_read_again_but_not_all_the_time() -> None:
    sync = opened()
    assert not sync.audit_due(AUDIT_US - 1)
    assert sync.audit_due(AUDIT_US)
    took_us = AUDIT_US // AUDIT_SHARE * 2
    sync.read((), began_us=10_000_000, now_us=10_000_000 + took_us)
    assert sync.deadline_us == 10_000_000 + took_us + 2 * AUDIT_US, "reading it takes long"


def test_what_others_changed_is_repaired_and_what_is_theirs_left_alone() -> None:
    sync = opened(Balanced(DNS, (C,)))
    sync.configure([Balanced(WEB, (A, B))])
    turn(sync)
    changed = Balanced(Service(WEB.key, "wlc"), (A,))
    sync.read([changed, Balanced(DNS, (C,))], began_us=0, now_us=0)
    assert turn(sync)[0] == [EditService(WEB), AddDestination(WEB, B)]
    sync.configure([])
    assert turn(sync)[0] == [RemoveService(WEB)]
    assert sync.in_kernel == {DNS.key}


def test_a_table_that_cannot_be_read_is_believed_to_be_as_before() -> None:
    sync = opened()
    sync.configure([Balanced(WEB, (A,))])
    turn(sync)
    sync.read(None, began_us=0, now_us=7)
    assert sync.in_kernel == {WEB.key}
    assert turn(sync) == ([], [])
    assert sync.deadline_us == 7 + AUDIT_US


def test_a_refusal_is_told_once_and_tried_again_after_the_next_reading() -> None:
    sync = opened()
    sync.configure([Balanced(WEB, (A, B))])
    refuse = lambda one: isinstance(one, AddDestination) and one.destination == A  # noqa: E731
    assert turn(sync, refuse=refuse)[1] == [("192.0.2.1:80/TCP", "no")]
    assert sync.deadline_us == AUDIT_US, "not in a tight loop"
    sync.read([Balanced(WEB, (B,))], began_us=0, now_us=0)
    assert turn(sync, refuse=refuse) == ([AddDestination(WEB, A)], []), "told already"
    sync.read([Balanced(WEB, (B,))], began_us=0, now_us=0)
    assert turn(sync) == ([AddDestination(WEB, A)], [])
    sync.read([Balanced(WEB, (B,))], began_us=0, now_us=0)
    assert turn(sync, refuse=refuse)[1] == [("192.0.2.1:80/TCP", "no")], "it had healed"


def test_a_service_whose_removal_is_refused_stays_ours() -> None:
    sync = opened()
    sync.configure([Balanced(WEB, (A,))])
    turn(sync)
    sync.configure([])
    asked, told = turn(sync, refuse=lambda _one: True)
    assert (asked, told) == ([RemoveService(WEB)], [("192.0.2.1:80/TCP", "no")])
    assert sync.in_kernel == {WEB.key}
    sync.read([Balanced(WEB, (A,))], began_us=0, now_us=0)
    assert turn(sync)[0] == [RemoveService(WEB)]


def test_a_service_that_refuses_all_of_a_turn_does_not_keep_the_process_busy() -> None:
    sync = opened(Balanced(WEB))
    sync.configure([Balanced(WEB, (A, B, C))])
    turn(sync, 2, refuse=lambda _one: True)
    assert not sync.unfinished, "although there was more to do"


def test_a_service_that_was_removed_is_not_ours_any_more() -> None:
    sync = opened()
    sync.configure([Balanced(WEB, (A,))])
    turn(sync)
    sync.configure([])
    turn(sync)
    sync.read([Balanced(WEB, (C,))], began_us=0, now_us=0)
    assert turn(sync) == ([], []), "somebody else made one with the same address"


def test_a_table_that_somebody_cleared_is_filled_again() -> None:
    sync = opened()
    sync.configure([Balanced(WEB, (A,))])
    turn(sync)
    sync.read((), began_us=0, now_us=0)
    assert turn(sync)[0] == [AddService(WEB), AddDestination(WEB, A)]


def test_at_the_end_ours_go_and_nothing_is_read_again() -> None:
    sync = opened()
    sync.configure([Balanced(WEB, (A,))])
    turn(sync)
    sync.want_nothing()
    assert turn(sync)[0] == [RemoveService(WEB)]
    assert sync.deadline_us is None


def test_after_a_refused_service_its_destinations_make_no_sense() -> None:
    assert not goes_on_after_refusal(AddService(WEB))
    assert not goes_on_after_refusal(EditService(WEB))
    for one in (AddDestination(WEB, A), EditDestination(WEB, A), RemoveService(WEB)):
        assert goes_on_after_refusal(one)


def test_without_ipvs_nothing_waits() -> None:
    sync = TableSync()
    assert not sync.wants_any
    sync.configure([Balanced(WEB, (A,))])
    assert sync.wants_any
    sync.idle()
    assert sync.deadline_us is None


def test_what_a_killed_run_left_and_nobody_wants_is_removed_and_nothing_of_others() -> None:
    sync = opened(Balanced(WEB, (A,)), Balanced(DNS, (A,)))
    sync.own([DNS.key, ServiceKey("192.0.2.9", 9, "TCP")])
    assert sync.owns_any
    sync.configure([])
    assert turn(sync)[0] == [RemoveService(DNS)]
    assert sync.in_kernel == {WEB.key}


def test_what_a_killed_run_left_and_is_wanted_stays() -> None:
    sync = opened(Balanced(DNS, (A,)))
    sync.own([DNS.key])
    sync.configure([Balanced(DNS, (A,))])
    assert turn(sync)[0] == []
