"""Whatever happens in whatever order: no exception, and what must always hold, holds."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hanode.vrrp import effects as fx
from hanode.vrrp.effects import State
from hanode.vrrp.engine_settings import (
    FifoSettings,
    InstanceSettings,
    Route,
    SyncGroupSettings,
    Tracked,
    VrrpSettings,
)
from hanode.vrrp.events import ABSENT, LinkState, TrackerChanged
from hanode.vrrp.router import Router
from tests.vrrp.single import HIGHER, LOWER, OWN
from tests.vrrp.story import LAB, MAC, address, advert_packet

UP = LinkState(up=True, mac=MAC, addresses=(bytes((192, 0, 2, 2)),))
DOWN = replace(UP, up=False)


def made(name: str, vrid: int, **more: object) -> InstanceSettings:
    vips = (address(f"192.0.2.{100 + vrid}/24", "d0"),)
    base = replace(LAB, name=name, vrid=vrid, interface="d0", priority=100, vips=vips)
    return replace(base, **more)  # type: ignore[arg-type]


ONE = made("One", 1, tracked=(Tracked("script", "chk"), Tracked("file", "level", 1)))
TWO = made("Two", 2, tracked=(Tracked("interface", "d1"),), routes=(Route(4, "198.51.100.0/24"),))
THREE = made("Three", 3, nopreempt=True, garp_interval_us=50_000)
GROUP = SyncGroupSettings("G", ("One", "Two"))

FILES = (
    VrrpSettings((ONE, TWO, THREE), (GROUP,)),
    VrrpSettings((ONE, TWO, THREE), (GROUP,), fifos=(FifoSettings("/run/f"),)),
    VrrpSettings((ONE, TWO, THREE)),
    VrrpSettings((TWO, replace(THREE, priority=255)), (SyncGroupSettings("G", ("Two", "Three")),)),
    VrrpSettings((replace(ONE, vips=TWO.vips), replace(TWO, vips=ONE.vips)), (GROUP,)),
    VrrpSettings((replace(ONE, priority=5, tracked=()), replace(THREE, startup_delay_us=10**6))),
    VrrpSettings(),
)
DEEDS = st.one_of(
    st.tuples(st.just("wait"), st.integers(1, 4_000_000)),
    st.tuples(st.just("reload"), st.integers(0, len(FILES) - 1)),
    st.tuples(st.just("link"), st.sampled_from((UP, DOWN, ABSENT))),
    st.tuples(st.just("other"), st.sampled_from((UP, DOWN, ABSENT))),
    st.tuples(st.just("script"), st.sampled_from((True, False, None))),
    st.tuples(st.just("file"), st.integers(-300, 300)),
    st.tuples(st.just("advert"), st.tuples(st.integers(1, 3), st.integers(0, 255), st.booleans())),
    st.tuples(st.just("bytes"), st.binary(max_size=60)),
    st.tuples(st.just("lost"), st.integers(1, 3)),
    st.tuples(st.sampled_from(("release", "take", "announce")), st.sampled_from(("", "One", "G"))),
    st.tuples(st.just("maintenance"), st.booleans()),
    st.tuples(st.just("stop"), st.just(0)),
)


class World:
    """A router and what its kernel would have."""

    def __init__(self) -> None:
        self.router = Router()
        self.now_us = 0
        self.file = FILES[0]
        self.kernel: set[str] = set()
        self.routes: set[str] = set()

    def do(self, verb: str, what: object) -> None:
        getattr(self, f"do_{verb}")(what)
        self.check()

    def take(self, effects: list[fx.Effect]) -> None:
        for effect in effects:
            match effect:
                case fx.AddAddresses():
                    self.kernel |= {str(a) for a in effect.addresses}
                case fx.RemoveAddresses():
                    self.kernel -= {str(a) for a in effect.addresses}
                case fx.AddRoutes():
                    self.routes |= {str(r) for r in effect.routes}
                case fx.RemoveRoutes():
                    self.routes -= {str(r) for r in effect.routes}
                case fx.StateChanged():
                    assert effect.cause
                    assert effect.old is not effect.new

    def check(self) -> None:
        masters = [m for m in self.router.machines.values() if m.state is State.MASTER]
        assert self.kernel == {str(a) for m in masters for a in m.settings.addresses}
        assert self.routes == {str(r) for m in masters for r in m.settings.routes}
        for machine in self.router.machines.values():
            timer = machine.deadline_us
            if machine.state is State.MASTER:
                assert timer is not None
                assert machine.queued_us is not None
                assert machine.queued_us <= timer
            if machine.state is State.FAULT:
                assert timer is None
                assert machine.own_fault is not None or machine.sync_group is not None
        for group in self.router.groups.values():
            states = {m.state for m in group.members}
            if State.MASTER in states or State.FAULT in states:
                assert len(states - {State.INIT}) == 1, states
            faulted = any(m.own_fault for m in group.members)
            if State.FAULT in states:
                assert faulted, "somebody has a reason"

    def do_wait(self, us: int) -> None:
        end_us = self.now_us + us
        while (due := self.router.deadline_us) is not None and due <= end_us:
            self.now_us = max(self.now_us, due)
            self.take(self.router.tick(now_us=self.now_us))
            self.check()
        self.now_us = end_us

    def do_reload(self, number: int) -> None:
        self.take(self.router.configure(FILES[number], now_us=self.now_us).effects)

    def do_stop(self, _what: int) -> None:
        self.take(self.router.stop("stopped by operator", now_us=self.now_us))
        assert self.kernel == self.routes == set()

    def do_link(self, state: LinkState) -> None:
        self.take(self.router.link("d0", state, now_us=self.now_us))

    def do_other(self, state: LinkState) -> None:
        self.take(self.router.link("d1", state, now_us=self.now_us))

    def do_script(self, up: bool | None) -> None:
        change = TrackerChanged("script", "chk", up)
        self.take(self.router.tracker(change, now_us=self.now_us))

    def do_file(self, value: int) -> None:
        change = TrackerChanged("file", "level", True, value)
        self.take(self.router.tracker(change, now_us=self.now_us))

    def do_advert(self, what: tuple[int, int, bool]) -> None:
        vrid, priority, higher = what
        settings = next((m.settings for m in self.router.machines.values()), ONE)
        theirs = replace(settings, vrid=vrid, vips=(address(f"192.0.2.{100 + vrid}/24", "d0"),))
        sender = HIGHER[4] if higher else LOWER[4]
        data = advert_packet(theirs, sender=sender, priority=priority)
        self.take(self.router.receive_ipv4("d0", data, now_us=self.now_us))

    def do_bytes(self, data: bytes) -> None:
        self.take(self.router.receive_ipv4("d0", data, now_us=self.now_us))
        self.take(
            self.router.receive_ipv6(
                "d0", data, source=bytes(16), destination=bytes(16), hop_limit=255,
                now_us=self.now_us,
            )
        )  # fmt: skip

    def do_lost(self, vrid: int) -> None:
        self.take(self.router.lost({("d0", f"192.0.2.{100 + vrid}/24"): ""}, now_us=self.now_us))

    def do_release(self, name: str) -> None:
        self.take(self.router.release(name, now_us=self.now_us).effects)

    def do_take(self, name: str) -> None:
        self.take(self.router.take(name, now_us=self.now_us).effects)

    def do_announce(self, name: str) -> None:
        self.take(self.router.announce(name, now_us=self.now_us).effects)

    def do_maintenance(self, on: bool) -> None:
        self.take(self.router.maintenance(on, now_us=self.now_us).effects)


assert OWN[4] == "192.0.2.2"


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(DEEDS, max_size=40))
@example([("link", UP), ("other", UP), ("script", True), ("reload", 0), ("wait", 4_000_000)])
def test_whatever_happens(story: list[tuple[str, object]]) -> None:
    world = World()
    world.do("link", UP)
    world.do("other", UP)
    world.do("reload", 0)
    for verb, what in story:
        world.do(verb, what)
    world.do("stop", 0)
