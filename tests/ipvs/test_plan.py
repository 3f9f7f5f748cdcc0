"""`plan`: the operations from the kernel's table to the one we want."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hanode.ipvs.plan import apply_to, plan
from hanode.ipvs.types import (
    AddDestination,
    AddService,
    Balanced,
    Destination,
    EditDestination,
    EditService,
    RemoveDestination,
    RemoveService,
    Service,
    ServiceKey,
)

KEY = ServiceKey("192.168.192.200", 80, "TCP")
SERVICE = Service(KEY, "rr")
A = Destination("192.168.192.112", 80, 1, "DR")
B = Destination("192.168.192.114", 80, 1, "DR")


def test_a_new_service_comes_before_its_destinations() -> None:
    assert plan([Balanced(SERVICE, (A, B))], []) == (
        AddService(SERVICE),
        AddDestination(SERVICE, A),
        AddDestination(SERVICE, B),
    )


def test_a_dead_server_is_one_removal() -> None:
    assert plan([Balanced(SERVICE, (A,))], [Balanced(SERVICE, (A, B))]) == (
        RemoveDestination(SERVICE, B),
    )


def test_newcomers_come_before_those_who_leave() -> None:
    """Otherwise the service would have no destination for a moment."""
    sorry = Destination("192.168.192.9", 80, 1, "DR")
    assert plan([Balanced(SERVICE, (sorry,))], [Balanced(SERVICE, (A, B))]) == (
        AddDestination(SERVICE, sorry),
        RemoveDestination(SERVICE, A),
        RemoveDestination(SERVICE, B),
    )


def test_a_changed_weight_or_scheduler_is_an_edit_in_place() -> None:
    """Removing and adding would drop the clients' connections."""
    heavier = Destination(A.ip, A.port, 7, "DR")
    shuffled = Service(KEY, "sh", persistence_s=50)
    assert plan([Balanced(shuffled, (heavier,))], [Balanced(SERVICE, (A,))]) == (
        EditService(shuffled),
        EditDestination(shuffled, heavier),
    )


def test_services_of_others_are_left_alone() -> None:
    theirs = Balanced(Service(ServiceKey("203.0.113.1", 443, "TCP")), (A,))
    assert plan([], [theirs]) == ()
    assert plan([], [theirs], owned={theirs.service.key}) == (RemoveService(theirs.service),)


ADDRESSES = st.sampled_from(["192.0.2.1", "192.0.2.2", "2001:db8::1"])
KEYS = st.builds(ServiceKey, ADDRESSES, st.sampled_from([80, 443]), st.sampled_from(["TCP", "UDP"]))
DESTINATIONS = st.lists(
    st.builds(
        Destination,
        ADDRESSES,
        st.sampled_from([80, 8080]),
        st.integers(0, 3),
        st.sampled_from(["NAT", "DR", "TUN"]),
    ),
    unique_by=lambda item: item.key,
    max_size=5,
).map(tuple)
TABLES = st.lists(
    st.builds(
        Balanced,
        st.builds(Service, KEYS, st.sampled_from(["rr", "wlc"]), st.sampled_from([0, 300])),
        DESTINATIONS,
    ),
    unique_by=lambda item: item.service.key,
    max_size=4,
).map(tuple)


def _as_sets(table: tuple[Balanced, ...]) -> dict[Service, frozenset[Destination]]:
    return {item.service: frozenset(item.destinations) for item in table}


@given(TABLES, TABLES)
def test_the_plan_leads_to_what_is_wanted_and_then_rests(
    desired: tuple[Balanced, ...], actual: tuple[Balanced, ...]
) -> None:
    owned = {item.service.key for item in actual}
    reached = apply_to(actual, plan(desired, actual, owned=owned))
    assert _as_sets(reached) == _as_sets(desired)
    assert plan(desired, reached, owned=owned) == ()


@given(TABLES, TABLES)
def test_what_is_neither_wanted_nor_owned_stays(
    desired: tuple[Balanced, ...], actual: tuple[Balanced, ...]
) -> None:
    wanted = {item.service.key for item in desired}
    strangers = {item for item in actual if item.service.key not in wanted}
    assert strangers <= set(apply_to(actual, plan(desired, actual)))


@given(TABLES, TABLES)
def test_a_service_that_had_and_shall_have_destinations_is_never_without(
    desired: tuple[Balanced, ...], actual: tuple[Balanced, ...]
) -> None:
    lively = {item.service.key for item in desired if item.destinations}
    lively &= {item.service.key for item in actual if item.destinations}
    table = actual
    for operation in plan(desired, actual):
        table = apply_to(table, (operation,))
        for item in table:
            assert item.destinations or item.service.key not in lively
