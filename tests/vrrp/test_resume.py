"""An engine that was killed as master: until when it goes on, and when it begins as BACKUP."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.vrrp import effects as fx
from hanode.vrrp import packet
from hanode.vrrp.engine_settings import Address, InstanceSettings, VrrpSettings
from hanode.vrrp.events import LinkState
from hanode.vrrp.router import Router
from hanode.vrrp.startup_facts import StartupFacts
from hanode.vrrp.timing import master_down_us
from tests.vrrp.single import OWN, V2, V3, V6, added, priorities, removed
from tests.vrrp.story import MAC

KILLED_US = 50_000_000
EAGER = replace(V3, down_timer_adverts=2, advert_int_us=250_000)
FAST = replace(V3, advert_int_us=100_000)
PATIENT = replace(V2, advert_int_us=2_000_000, down_timer_adverts=5)
KINDS = {"v2": V2, "v3": V3, "v6": V6, "2 adverts": EAGER, "100 ms": FAST, "5 adverts": PATIENT}


def again(
    one: InstanceSettings, after_us: int, *, left: tuple[Address, ...] | None = None
) -> tuple[fx.State, list[fx.Effect]]:
    """It starts so long after it was last alive; `left`: what it finds, else all it had."""
    router, now_us = Router(), KILLED_US + after_us
    state = LinkState(up=True, mac=MAC, addresses=(packet.packed(OWN[one.family]),))
    router.link("d0", state, now_us=now_us)
    found = one.addresses if left is None else left
    startup = StartupFacts(found, KILLED_US)
    effects = router.configure(VrrpSettings((one,)), now_us=now_us, startup=startup).effects
    (machine,) = router.machines.values()
    return machine.state, effects


def window_us(one: InstanceSettings) -> int:
    """The longest time after which it still goes on, found by trying."""
    low, high = 0, 20 * one.advert_int_us
    assert again(one, low)[0] is fx.State.MASTER
    assert again(one, high)[0] is fx.State.BACKUP
    while high - low > 1:
        middle = (low + high) // 2
        if again(one, middle)[0] is fx.State.MASTER:
            low = middle
        else:
            high = middle
    return low


@pytest.mark.parametrize("kind", KINDS)
def test_it_goes_on_for_one_interval_less_than_a_backup_waits(kind: str) -> None:
    one = KINDS[kind]
    assert window_us(one) == (one.down_timer_adverts - 1) * one.advert_int_us - 1


@pytest.mark.parametrize("kind", KINDS)
def test_its_next_advert_comes_before_any_backup_has_taken_over(kind: str) -> None:
    """Its last advert may have been sent a whole interval before it was last alive."""
    one = KINDS[kind]
    silence_us = one.advert_int_us + window_us(one)
    for priority in (1, 100, 254, 255):
        assert silence_us < master_down_us(
            version=one.version,
            priority=priority,
            master_advert_us=one.advert_int_us,
            adverts=one.down_timer_adverts,
        )


@pytest.mark.parametrize("kind", KINDS)
def test_who_goes_on_speaks_at_once_and_keeps_its_addresses(kind: str) -> None:
    one = KINDS[kind]
    state, effects = again(one, window_us(one))
    assert state is fx.State.MASTER
    assert priorities(effects) == [one.priority]
    assert removed(effects) == []
    assert added(effects) == [str(address) for address in one.addresses]
    (change,) = (effect for effect in effects if isinstance(effect, fx.StateChanged))
    assert change.cause == "resumed: it was master a moment ago"


@pytest.mark.parametrize("kind", KINDS)
def test_who_comes_later_gives_the_addresses_up_and_is_silent(kind: str) -> None:
    one = KINDS[kind]
    state, effects = again(one, window_us(one) + 1)
    assert state is fx.State.BACKUP
    assert priorities(effects) == []
    assert removed(effects) == [str(address) for address in one.addresses]


SECOND = Address("192.0.2.11", 24, "d0")


@pytest.mark.parametrize(
    ("one", "left"),
    [
        (V2, ()),
        (replace(V2, vips=(*V2.vips, SECOND)), V2.vips),
        (V2, (replace(V2.vips[0], dev="d1"),)),
        (V2, (replace(V2.vips[0], prefix=32),)),
        (replace(V2, vips=()), ()),
        (replace(V2, auth_type="AH", auth_pass="x"), None),
        (replace(V2, startup_delay_us=1), None),
    ],
    ids=[
        "no address is left",
        "one is missing",
        "it is elsewhere",
        "it has another prefix",
        "it has none",
        "its AH numbers begin anew",
        "it must wait",
    ],
)
def test_who_is_not_sure_does_not_go_on(
    one: InstanceSettings, left: tuple[Address, ...] | None
) -> None:
    state, effects = again(one, 0, left=left)
    assert state is not fx.State.MASTER
    assert priorities(effects) == []


def test_who_was_never_killed_does_not_go_on() -> None:
    """Addresses are there, and nobody knows since when."""
    assert not StartupFacts(V2.addresses).may_resume(V2, {("d0", "192.0.2.10/24")}, KILLED_US)


def test_who_must_wait_at_its_start_may_not_go_on() -> None:
    """Its group is not held back by it then."""
    waits, left = replace(V2, startup_delay_us=1), {("d0", "192.0.2.10/24")}
    assert StartupFacts(V2.addresses, KILLED_US).may_resume(V2, left, KILLED_US)
    assert not StartupFacts(V2.addresses, KILLED_US).may_resume(waits, left, KILLED_US)
