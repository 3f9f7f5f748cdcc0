"""A checker process in memory: no real clock, kernel, network or supervisor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hanode.check.checker_settings import (
    CheckerSettings,
    RealServerSettings,
    TcpCheckSettings,
    VirtualServerSettings,
)
from hanode.proc.checker.process import Checker
from hanode.system.ipvs_kernel import IpvsKernel
from hanode.wire import encode
from tests.fakes.ipvs import FakeIpvs
from tests.fakes.prober import FakeProber

WALL_OFFSET_US = 1_000_000_000_000


def pair(
    *octets: int,
    vip: str = "192.168.192.200",
    retry: int = 0,
    warmup_us: int = 0,
    **virtual: Any,
) -> CheckerSettings:
    """The seed's virtual server, with quick checks; `octets` selects its real servers."""
    fields: dict[str, Any] = {"scheduler": "rr", "forwarding": "DR", **virtual}
    servers = tuple(
        RealServerSettings(
            f"192.168.192.{octet}",
            80,
            checks=(
                TcpCheckSettings(
                    f"192.168.192.{octet}",
                    80,
                    connect_timeout_us=3_000_000,
                    retry=retry,
                    delay_loop_us=6_000_000,
                    warmup_us=warmup_us,
                ),
            ),
        )
        for octet in octets
    )
    return CheckerSettings((VirtualServerSettings(vip, 80, real_servers=servers, **fields),))


class FakeClock:
    """A clock that the test advances."""

    def __init__(self) -> None:
        self.now_us = 1_000_000

    def monotonic_us(self) -> int:
        return self.now_us

    def wall_us(self) -> int:
        return self.now_us + WALL_OFFSET_US


class World:
    """A checker and its simulated surroundings."""

    def __init__(self, open_kernel: Callable[[], IpvsKernel] | None = None) -> None:
        self.clock = FakeClock()
        self.kernel = FakeIpvs()
        self.prober = FakeProber()
        self.said: list[dict[str, Any]] = []
        self.checker = Checker(
            prober=self.prober,
            open_kernel=open_kernel or (lambda: self.kernel),
            send=self.said.append,
            clock=self.clock,
            draw=lambda: 0.0,
        )

    def configure(self, settings: CheckerSettings, revision: int = 1) -> dict[str, Any]:
        """Sends settings; returns the answer."""
        self.hear({"verb": "configure", "revision": revision, "settings": encode(settings)})
        return next(said for said in reversed(self.said) if said["kind"] == "configured")

    def hear(self, message: dict[str, Any]) -> dict[str, Any]:
        """Processes one line of the supervisor; returns the last message sent."""
        self.checker.on_message(message)
        self.turn()
        return self.said[-1]

    def turn(self) -> None:
        """Runs turns of the loop until nothing is due now."""
        for _ in range(100):
            self.checker.turn()
            deadline_us = self.checker.deadline_us
            if deadline_us is None or deadline_us > self.clock.now_us:
                break
        self.checker.turn()

    def wait(self, seconds: float) -> None:
        """Lets time pass, stopping at every deadline."""
        until_us = self.clock.now_us + round(seconds * 1e6)
        while (due_us := self.checker.deadline_us) is not None and due_us <= until_us:
            self.clock.now_us = max(self.clock.now_us, due_us)
            self.turn()
        self.clock.now_us = until_us

    def events(self, kind: str) -> list[tuple[str, str]]:
        """(subject, cause) of all events of a kind so far."""
        events = [message["event"] for message in self.said if message["kind"] == "event"]
        return [(event["subject"], event["cause"]) for event in events if event["kind"] == kind]

    def balanced(self) -> dict[str, list[str]]:
        """The kernel's table: service -> destinations with weights."""
        return {
            str(item.service.key): [f"{one.ip} {one.weight}" for one in item.destinations]
            for item in self.kernel.table
        }
