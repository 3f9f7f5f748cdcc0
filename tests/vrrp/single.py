"""One instance, told what happens to it in short words: for tests of single clauses."""

from __future__ import annotations

from dataclasses import replace

from hanode import conf
from hanode.build import build
from hanode.vrrp import effects as fx
from hanode.vrrp import packet
from hanode.vrrp.engine_settings import Address, InstanceSettings, VrrpSettings
from hanode.vrrp.events import LinkState
from hanode.vrrp.router import Router
from hanode.vrrp.timing import skew_us
from tests.vrrp.story import MAC

V2 = InstanceSettings("V", "d0", 51, 100, (Address("192.0.2.10", 24, "d0"),))
V3 = replace(V2, version=3)
V6 = InstanceSettings(
    "V",
    "d0",
    51,
    100,
    (Address("fe80::10", 64, "d0"), Address("2001:db8::10", 64, "d0")),
    version=3,
    family=6,
    mcast_group="ff02::12",
)
OWN = {4: "192.0.2.2", 6: "fe80::2"}
LOWER = {4: "192.0.2.1", 6: "fe80::1"}
HIGHER = {4: "192.0.2.3", 6: "fe80::3"}


class One:
    """A router with one instance that has just been started."""

    def __init__(self, settings: InstanceSettings, **changes: object) -> None:
        self.settings = replace(settings, **changes)  # type: ignore[arg-type]
        self.now_us = 0
        self.router = Router()
        self.own = OWN[settings.family]
        self.link(up=True)
        self.effects = self.router.configure(VrrpSettings((self.settings,)), now_us=0).effects

    @property
    def machine(self):  # type: ignore[no-untyped-def]
        (machine,) = self.router.machines.values()
        return machine

    @property
    def state(self) -> fx.State:
        return self.machine.state  # type: ignore[no-any-return]

    @property
    def skew_us(self) -> int:
        """Of our own priority, with our own interval."""
        s = self.settings
        return skew_us(version=s.version, priority=s.priority, master_advert_us=s.advert_int_us)

    def link(self, *, up: bool) -> list[fx.Effect]:
        addresses = (
            (packet.packed("203.0.113.5"),) if self.own == "" else (packet.packed(self.own),)
        )
        state = LinkState(up=up, mac=MAC, addresses=addresses)
        return self.router.link("d0", state, now_us=self.now_us)

    def wait(self, us: int) -> list[fx.Effect]:
        """Let time pass; what happened."""
        end_us, effects = self.now_us + us, []
        while (due := self.router.deadline_us) is not None and due <= end_us:
            self.now_us = max(due, self.now_us)
            effects += self.router.tick(now_us=self.now_us)
        self.now_us = end_us
        return effects

    def hear(
        self,
        priority: int,
        sender: str | None = None,
        *,
        ttl: int = 255,
        change: dict[int, int] | None = None,
        drop: int = 0,
        **theirs: object,
    ) -> list[fx.Effect]:
        """An advert arrives; `change`: bytes of the VRRP part, `drop`: so many are missing."""
        settings = replace(self.settings, **theirs)  # type: ignore[arg-type]
        source = packet.packed(sender or HIGHER[settings.family])
        to = packet.packed(settings.mcast_group)
        payload = bytearray(
            packet.encode(settings, priority=priority, source=source, destination=to)
        )
        for at, value in (change or {}).items():
            payload[at] = value
        data = bytes(payload[: len(payload) - drop])
        if settings.family == 6:
            return self.router.receive_ipv6(
                settings.interface,
                data,
                source=source,
                destination=to,
                hop_limit=ttl,
                now_us=self.now_us,
            )
        header = packet.ipv4_header(
            source=source, destination=to, length=len(data), ident=7, ttl=ttl
        )
        return self.router.receive_ipv4(settings.interface, header + data, now_us=self.now_us)

    def become_master(self) -> list[fx.Effect]:
        return self.wait(10 * self.settings.advert_int_us)

    def timer_us(self) -> int:
        """How long the state's own timer still runs."""
        return self.machine.main_timer_us - self.now_us  # type: ignore[no-any-return]

    def stop(self) -> list[fx.Effect]:
        return self.router.stop("stopped by operator", now_us=self.now_us)


def adverts(effects: list[fx.Effect]) -> list[fx.SendAdvert]:
    return [effect for effect in effects if isinstance(effect, fx.SendAdvert)]


def priorities(effects: list[fx.Effect]) -> list[int]:
    return [advert.payload[2] for advert in adverts(effects)]


def added(effects: list[fx.Effect]) -> list[str]:
    return [str(a) for e in effects if isinstance(e, fx.AddAddresses) for a in e.addresses]


def removed(effects: list[fx.Effect]) -> list[str]:
    return [str(a) for e in effects if isinstance(e, fx.RemoveAddresses) for a in e.addresses]


def announced(effects: list[fx.Effect]) -> list[str]:
    return [str(a) for e in effects if isinstance(e, fx.AnnounceAddresses) for a in e.addresses]


def refused(one: One, reason: str) -> bool:
    """Whether one packet was, for this reason, and nothing believed."""
    return bool(one.machine.counters[reason] == 1 and one.machine.counters["advert_rcvd"] == 0)


def sums_to_zero(advert: fx.SendAdvert, *, pseudo: bool) -> bool:
    """Whether its checksum is right, with or without a pseudo-header."""
    before = packet.pseudo_header(advert.source, advert.destination, len(advert.payload))
    return packet.checksum((before if pseudo else b"") + advert.payload) == 0


def settings_of(
    vips: str, *, strict: bool, words: str = "", version: int = 3
) -> tuple[InstanceSettings, list[str]]:
    """What a file with these addresses comes to, and the codes of its warnings."""
    lines = ["global_defs {", "vrrp_strict" if strict else "", f"vrrp_version {version}", "}"]
    lines += ["vrrp_instance V {", "interface d0", "virtual_router_id 51", words]
    lines += ["virtual_ipaddress {", vips, "}", "}", ""]
    checked = conf.check("\n".join(lines), node="NodeA")
    (settings,) = build(checked.model).vrrp.instances
    return settings, [p.code for p in checked.problems if p.severity != "info"]
