"""The order in which a portion of what the machines want is carried out."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from hanode.kernel.portions import PORTION, next_portion, without_removals
from hanode.proc.vrrp.effect_queue import EffectQueue
from hanode.vrrp import effects as fx
from hanode.vrrp.engine_settings import Route, Rule
from tests.vrrp.single import V3, One

ROUTE, RULE = Route(4, "198.51.100.0/24"), Rule(4, table=100)
ADD, REMOVE = fx.AddAddresses(V3.key, V3.addresses), fx.RemoveAddresses(V3.key, V3.addresses)


class Recorder:
    """Stands where the kernel is, and writes down what is asked of it."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __getattr__(self, verb: str) -> object:
        return lambda *_: self.calls.append(verb)


def done(effects: Sequence[fx.Effect]) -> list[str]:
    """What the driver asks of the kernel, in order."""
    kernel = Recorder()
    queue = EffectQueue(
        kernel,  # type: ignore[arg-type]
        announce=kernel.announce,  # type: ignore[arg-type]
        report=kernel.report,  # type: ignore[arg-type]
        block=kernel.block,  # type: ignore[arg-type]
    )
    for effect in effects:
        queue.add(effect)
    while queue.waiting:
        queue.do_some()
    return kernel.calls


def test_nothing_is_announced_before_it_is_there() -> None:
    one = One(V3, accept=False)
    wanted = [e for e in one.become_master() if not isinstance(e, fx.SendAdvert)]
    assert done(wanted)[:3] == ["block", "add", "announce"]
    assert done([*reversed(wanted)])[:3] == ["block", "add", "announce"], "within a portion"


def test_what_goes_is_gone_before_it_comes_again() -> None:
    assert done([ADD, REMOVE, ADD]) == ["add", "remove", "add"]
    for removal in (
        fx.RemoveRoutes(V3.key, (ROUTE,)),
        fx.RemoveRules(V3.key, (RULE,)),
        fx.UnblockAddresses(V3.key, V3.addresses),
    ):
        for addition in (
            ADD,
            fx.AddRoutes(V3.key, (ROUTE,)),
            fx.AddRules(V3.key, (RULE,)),
            fx.BlockAddresses(V3.key, V3.addresses),
        ):
            queue = deque[fx.Effect]([addition, removal])
            next_portion(queue)
            assert list(queue) == [removal], "it waits for the next portion"


def test_routes_go_before_their_address_and_come_after_it() -> None:
    add: list[fx.Effect] = [fx.AddRules(V3.key, (RULE,)), fx.AddRoutes(V3.key, (ROUTE,)), ADD]
    assert done(add) == ["add", "add_rules", "add_routes"]
    unblock = fx.UnblockAddresses(V3.key, V3.addresses)
    gone: list[fx.Effect] = [
        unblock,
        REMOVE,
        fx.RemoveRoutes(V3.key, (ROUTE,)),
        fx.RemoveRules(V3.key, (RULE,)),
    ]
    assert done(gone) == ["remove_routes", "remove_rules", "remove", "block"]


def test_what_is_alike_goes_to_the_kernel_together_and_no_portion_is_too_large() -> None:
    queue = deque[fx.Effect]([ADD] * (PORTION + 1))
    first = next_portion(queue)
    assert len(first.add_addresses) == PORTION * len(V3.addresses)
    assert first.add_addresses[0] == (V3.key, V3.addresses[0])
    assert len(next_portion(queue).add_addresses) == len(V3.addresses)
    assert not queue


def test_reports_come_last_and_in_order() -> None:
    reports = [fx.Warned(V3.key, V3.name, str(number), "") for number in range(3)]
    portion = next_portion(deque[fx.Effect]([reports[0], ADD, reports[1], reports[2]]))
    assert portion.report == reports
    assert portion.add_addresses


def test_an_engine_that_leaves_what_it_holds_says_good_bye_all_the_same() -> None:
    one = One(V3)
    one.become_master()
    effects = one.stop()
    kept = without_removals(effects)
    assert [type(e) for e in effects if e not in kept] == [fx.RemoveAddresses]
    assert any(isinstance(e, fx.SendAdvert) for e in kept), "priority 0"
    routes: list[fx.Effect] = [fx.RemoveRoutes(V3.key, (ROUTE,)), fx.RemoveRules(V3.key, (RULE,))]
    assert without_removals(routes) == []
