"""Transcripts: a story of commands, each followed by what the machine does, as text.

A file has lines `> command`, indented lines of effects below it, and `#` comments. The runner
plays the commands on a real Router and writes the whole file anew; the test compares. With
KEEPSIGHT_REWRITE=1 the file is replaced: read the difference, keep only what you can explain.

Commands: `settings k=v …` (new settings, also a reload), `start`, `advert FROM priority N [k=v …]`
(k=v are settings of the sender that differ), `raw HEX`, `wait SECONDS`, `link up|down|gone`,
`address ADD…` (the interface's own addresses), `lost IP/LEN`, `stop`, `show`.
"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

from hanode.vrrp import effects as fx
from hanode.vrrp import packet
from hanode.vrrp.events import ABSENT, LinkState
from hanode.vrrp.router import Router
from hanode.vrrp.settings import Address, InstanceSettings, VrrpSettings

MAC = bytes.fromhex("020000000001")


def instance(words: list[str], base: InstanceSettings) -> InstanceSettings:
    """`base` with each `name=value` applied; `vips=a/24,b/24`."""
    changes: dict[str, object] = {}
    kinds = {f.name: getattr(base, f.name) for f in fields(base)}
    for word in words:
        name, _, value = word.partition("=")
        if name in ("vips", "excluded"):
            changes[name] = tuple(address(a, base.interface) for a in value.split(",") if a)
        elif isinstance(kinds[name], bool):
            changes[name] = value == "yes"
        elif isinstance(kinds[name], int):
            changes[name] = int(value)
        else:
            changes[name] = value
    return replace(base, **changes)  # type: ignore[arg-type]


def address(text: str, dev: str) -> Address:
    """`192.0.2.1/24` on `dev`."""
    ip, _, prefix = text.partition("/")
    return Address(ip, int(prefix or 32), dev)


LAB = InstanceSettings(
    name="HA_Group",
    interface="ens33",
    vrid=51,
    priority=95,
    auth_type="PASS",
    auth_pass="secure123",
    vips=(address("192.168.192.200/24", "ens33"),),
)


class Story:
    """One router on one interface, told what happens to it."""

    def __init__(self) -> None:
        self.now_us = 0
        self.router = Router()
        self.settings = LAB
        self.own = ["192.168.192.111"]
        self.up: bool | None = True
        self.lines: list[str] = []

    def play(self, text: str) -> str:
        """The transcript anew."""
        for line in text.splitlines():
            if line.startswith("  "):
                continue
            self.lines.append(line)
            if line.startswith(">"):
                verb, *words = line[1:].split()
                getattr(self, f"do_{verb}")(words)
        return "\n".join(self.lines) + "\n"

    def tell(self, effects: list[fx.Effect]) -> None:
        for effect in effects:
            self.lines.append(f"  {self.now_us / 1_000_000:.6f} {describe(effect)}")

    def link(self) -> LinkState:
        if self.up is None:
            return ABSENT
        own = tuple(packet.packed(a) for a in self.own)
        return LinkState(up=self.up, mac=MAC, addresses=own)

    def do_settings(self, words: list[str]) -> None:
        self.settings = instance(words, self.settings)
        if self.router.machines:
            self.do_start([])

    def do_start(self, _words: list[str]) -> None:
        self.tell(self.router.link("ens33", self.link(), now_us=self.now_us))
        new = VrrpSettings((self.settings,))
        self.tell(self.router.configure(new, now_us=self.now_us).effects)

    def do_link(self, words: list[str]) -> None:
        self.up = {"up": True, "down": False, "gone": None}[words[0]]
        self.tell(self.router.link("ens33", self.link(), now_us=self.now_us))

    def do_address(self, words: list[str]) -> None:
        self.own = words
        self.tell(self.router.link("ens33", self.link(), now_us=self.now_us))

    def do_lost(self, words: list[str]) -> None:
        self.tell(self.router.lost([("ens33", words[0])], now_us=self.now_us))

    def do_advert(self, words: list[str]) -> None:
        sender, _, priority, *rest = words
        ttl, to = 255, self.settings.mcast_group
        for word in list(rest):
            if word.startswith(("ttl=", "to=")):
                rest.remove(word)
                ttl = int(word[4:]) if word.startswith("ttl=") else ttl
                to = word[3:] if word.startswith("to=") else to
        theirs = instance(rest, self.settings)
        data = advert_packet(theirs, sender=sender, priority=int(priority), ttl=ttl, to=to)
        self.tell(self.router.receive_ipv4("ens33", data, now_us=self.now_us))

    def do_raw(self, words: list[str]) -> None:
        data = bytes.fromhex(words[0])
        self.tell(self.router.receive_ipv4("ens33", data, now_us=self.now_us))

    def do_wait(self, words: list[str]) -> None:
        end_us = self.now_us + round(float(words[0]) * 1_000_000)
        while (due := self.router.deadline_us) is not None and due <= end_us:
            self.now_us = max(self.now_us, due)
            self.tell(self.router.tick(now_us=self.now_us))
        self.now_us = end_us

    def do_stop(self, _words: list[str]) -> None:
        self.tell(self.router.stop("stopped by operator", now_us=self.now_us))

    def do_show(self, _words: list[str]) -> None:
        for machine in self.router.machines.values():
            counters = " ".join(f"{k}={v}" for k, v in machine.counters.items() if v)
            master = packet.text(machine.master) if machine.master else "none"
            self.lines.append(f"  {machine.state} master {master} {counters}".rstrip())


def advert_packet(
    settings: InstanceSettings,
    *,
    sender: str,
    priority: int,
    ttl: int = 255,
    to: str = "224.0.0.18",
) -> bytes:
    """A whole IPv4 packet as a peer with these settings sends it."""
    source, destination = packet.packed(sender), packet.packed(to)
    payload = packet.encode(settings, priority=priority, source=source, destination=destination)
    header = packet.ipv4_header(
        source=source, destination=destination, length=len(payload), ident=7
    )
    return header[:8] + bytes((ttl,)) + header[9:] + payload


def describe(effect: fx.Effect) -> str:
    """One line for a person."""
    match effect:
        case fx.SendAdvert():
            source = packet.text(effect.source)
            return f"send advert priority {effect.payload[2]} from {source}"
        case fx.AddAddresses():
            return f"add {' '.join(map(str, effect.addresses))}"
        case fx.RemoveAddresses():
            return f"remove {' '.join(map(str, effect.addresses))}"
        case fx.AnnounceAddresses():
            return f"announce {' '.join(map(str, effect.addresses))} x{effect.repeat}"
        case fx.StateChanged():
            return f"{effect.old} -> {effect.new}: {effect.cause} (priority {effect.arithmetic})"
        case fx.Warned():
            return f"warning: {effect.cause}"


def transcripts() -> list[Path]:
    """Every story beside this file."""
    return sorted((Path(__file__).parent / "transcripts").glob("*.txt"))
