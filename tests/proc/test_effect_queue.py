"""The order in which a portion of what the machines want is done."""

from __future__ import annotations

from hanode.proc.vrrp.effect_queue import EffectQueue
from hanode.vrrp import effects as fx
from tests.vrrp.single import V3, One


class Written:
    """Stands where the kernel is, and writes down what is asked of it."""

    def __init__(self) -> None:
        self.deeds: list[str] = []

    def __getattr__(self, verb: str) -> object:
        return lambda *_: self.deeds.append(verb)


def done(effects: list[fx.Effect]) -> list[str]:
    kernel = Written()
    deeds = EffectQueue(kernel, announce=kernel.announce, tell=kernel.tell, block=kernel.block)  # type: ignore[arg-type]
    for effect in effects:
        deeds.want(effect)
    deeds.do_all()
    return kernel.deeds


def test_nothing_is_announced_before_it_is_there() -> None:
    one = One(V3, accept=False)
    wanted = [e for e in one.become_master() if not isinstance(e, fx.SendAdvert)]
    assert done(wanted)[:3] == ["block", "add", "announce"]
    assert done([*reversed(wanted)])[:3] == ["block", "add", "announce"], "within a portion"


def test_what_goes_is_gone_before_it_comes_again() -> None:
    one = One(V3)
    wanted = [e for e in one.become_master() if isinstance(e, fx.AddAddresses)]
    wanted += [fx.RemoveAddresses(V3.key, V3.addresses), *wanted]
    assert done(wanted) == ["add", "remove", "add"]
