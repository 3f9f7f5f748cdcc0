"""Transcripts: a story of commands, each followed by what the machine does, as text.

A file has lines `> command`, indented lines of effects below it, and `#` comments. The runner
plays the commands on a real Router and writes the whole file anew; the test compares. With
KEEPSIGHT_REWRITE=1 the file is replaced: read the difference, keep only what you can explain.

Commands: `settings k=v …` (new settings, also a reload), `start [left]`, `advert FROM priority N
[k=v …]` (k=v are settings of the sender that differ), `raw HEX`, `wait SECONDS`,
`link up|down|gone`, `address ADD…` (the interface's own addresses), `lost IP/LEN`, `stop`, `show`.

With more instances: `instance NAME k=v …` adds or changes one, `without NAME` takes one away,
`group NAME MEMBER…` is a sync group, `other IF up|down|gone` another interface, `for NAME` makes
`advert` and `settings` mean that instance. `tracker KIND NAME up|down|unknown|NUMBER [WORDS]`,
`listen` (there is a pipe), `sleep SECONDS` (the process does not run), `release`, `take`,
`announce` [NAME], `maintenance on|off`. A name before an effect is that of an instance other than
the first.
"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

from hanode.vrrp import effects as fx
from hanode.vrrp import packet
from hanode.vrrp.auth import AhSequence, sign_ah
from hanode.vrrp.engine_settings import (
    Address,
    Command,
    FifoSettings,
    InstanceSettings,
    NotifySettings,
    Peer,
    Route,
    SyncGroupSettings,
    Tracked,
    VrrpSettings,
)
from hanode.vrrp.events import ABSENT, LinkState, TrackerChanged
from hanode.vrrp.machine import Machine
from hanode.vrrp.receive import is_multicast
from hanode.vrrp.router import Router
from hanode.vrrp.startup_facts import StartupFacts
from hanode.vrrp.tracking_and_notify import NO_NOTIFY

MAC = bytes.fromhex("020000000001")


def instance(words: list[str], base: InstanceSettings) -> InstanceSettings:
    """`base` with each `name=value` applied; `vips=a/24,b/24`."""
    changes: dict[str, object] = {}
    kinds = {f.name: getattr(base, f.name) for f in fields(base)}
    for word in words:
        name, _, value = word.partition("=")
        if name == "tracked":
            changes[name] = tuple(tracked(one) for one in value.split(",") if one)
        elif name == "unicast_peers":
            changes[name] = tuple(Peer(ip) for ip in value.split(",") if ip)
        elif name == "routes":
            changes[name] = tuple(Route(4, to, dev="ens33") for to in value.split(",") if to)
        elif name == "notify":
            changes[name] = {"yes": TELL, "deleted": DELETED}.get(value, NO_NOTIFY)
        elif name in ("vips", "excluded"):
            changes[name] = tuple(address(a, base.interface) for a in value.split(",") if a)
        elif isinstance(kinds[name], bool):
            changes[name] = value == "yes"
        elif isinstance(kinds[name], int) or value.isdecimal():
            changes[name] = int(value)
        else:
            changes[name] = value
    return replace(base, **changes)  # type: ignore[arg-type]


def address(text: str, dev: str) -> Address:
    """`192.0.2.1/24` on `dev`; `192.0.2.1/24@eth1` on another."""
    text, _, other = text.partition("@")
    ip, _, prefix = text.partition("/")
    return Address(ip, int(prefix or (128 if ":" in ip else 32)), other or dev)


def tracked(text: str) -> Tracked:
    """`script:chk:-20:reverse`."""
    kind, name, *rest = text.split(":")
    return Tracked(kind, name, int(rest[0]) if rest else 0, "reverse" in rest)  # type: ignore[arg-type]


TELL = NotifySettings(any=Command(("/bin/tell",)), priority_changes=True)
DELETED = NotifySettings(deleted=Command(("/bin/tell",)), tell_deleted=True)


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
    """One router, told what happens to it."""

    def __init__(self) -> None:
        self.now_us = 0
        self.router = Router()
        self.instances = {LAB.name: LAB}
        self.name = LAB.name
        self.groups: dict[str, SyncGroupSettings] = {}
        self.listens = False
        self.own = ["192.168.192.111"]
        self.up: bool | None = True
        self.lines: list[str] = []
        self.peers = AhSequence()
        """Of what the peers send with AH."""

    @property
    def settings(self) -> InstanceSettings:
        """Of the instance that is meant."""
        return self.instances[self.name]

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
            key = getattr(effect, "key", None)
            machine = self.router.machines.get(key) if key is not None else None
            who = self.who(machine) if machine is not None else ""
            self.lines.append(f"  {self.now_us / 1_000_000:.6f} {who}{describe(effect)}")

    @staticmethod
    def who(machine: Machine) -> str:
        """Instances besides the first are named."""
        return "" if machine.settings.vrid == LAB.vrid else f"{machine.settings.name}: "

    def link(self) -> LinkState:
        if self.up is None:
            return ABSENT
        own = tuple(packet.packed(a) for a in self.own)
        return LinkState(up=self.up, mac=MAC, addresses=own)

    def do_settings(self, words: list[str]) -> None:
        self.instances[self.name] = instance(words, self.settings)
        self.reload()

    def do_instance(self, words: list[str]) -> None:
        name, *rest = words
        base = self.instances.get(name, replace(LAB, name=name, vrid=LAB.vrid + 1, vips=()))
        self.instances[name] = instance(rest, base)
        self.reload()

    def do_without(self, words: list[str]) -> None:
        del self.instances[words[0]]
        self.reload()

    def do_group(self, words: list[str]) -> None:
        told = TELL if self.listens else NO_NOTIFY
        self.groups[words[0]] = SyncGroupSettings(words[0], tuple(words[1:]), told)
        self.reload()

    def do_for(self, words: list[str]) -> None:
        self.name = words[0]

    def do_listen(self, _words: list[str]) -> None:
        self.listens = True

    def reload(self) -> None:
        if self.router.machines:
            self.do_start([])

    def do_start(self, words: list[str]) -> None:
        self.tell(self.router.link("ens33", self.link(), now_us=self.now_us))
        fifos = (FifoSettings("/run/fifo"),) if self.listens else ()
        new = VrrpSettings(tuple(self.instances.values()), tuple(self.groups.values()), fifos=fifos)
        found = [a for i in self.instances.values() for a in i.addresses] if words else []
        alive_us = self.now_us - round(float(words[1]) * 1_000_000) if words else None
        reload = self.router.configure(
            new, now_us=self.now_us, startup=StartupFacts(tuple(found), alive_us)
        )
        self.tell(reload.effects)

    def do_link(self, words: list[str]) -> None:
        self.up = {"up": True, "down": False, "gone": None}[words[0]]
        self.tell(self.router.link("ens33", self.link(), now_us=self.now_us))

    def do_other(self, words: list[str]) -> None:
        state = ABSENT if words[1] == "gone" else LinkState(up=words[1] == "up", mac=MAC)
        self.tell(self.router.link(words[0], state, now_us=self.now_us))

    def do_tracker(self, words: list[str]) -> None:
        kind, name, state, *cause = words
        up = {"up": True, "down": False, "unknown": None}.get(state, True)
        value = int(state) if state.lstrip("-").isdecimal() else 0
        change = TrackerChanged(kind, name, up, value, " ".join(cause))  # type: ignore[arg-type]
        self.tell(self.router.tracker(change, now_us=self.now_us))

    def operate(self, verb: str, *words: object) -> None:
        done = getattr(self.router, verb)(*words, now_us=self.now_us)
        self.tell(done.effects)
        self.lines += [f"  refused: {sentence}" for sentence in done.refused]

    def do_release(self, words: list[str]) -> None:
        self.operate("release", *words)

    def do_take(self, words: list[str]) -> None:
        self.operate("take", *words)

    def do_announce(self, words: list[str]) -> None:
        self.operate("announce", *words)

    def do_maintenance(self, words: list[str]) -> None:
        self.operate("maintenance", words[0] == "on")

    def do_address(self, words: list[str]) -> None:
        self.own = words
        self.tell(self.router.link("ens33", self.link(), now_us=self.now_us))

    def do_lost(self, words: list[str]) -> None:
        self.tell(self.router.lost({("ens33", words[0]): ""}, now_us=self.now_us))

    def do_advert(self, words: list[str]) -> None:
        sender, _, priority, *rest = words
        ttl, to = 255, self.settings.mcast_group
        for word in list(rest):
            if word.startswith(("ttl=", "to=")):
                rest.remove(word)
                ttl = int(word[4:]) if word.startswith("ttl=") else ttl
                to = word[3:] if word.startswith("to=") else to
        theirs = instance(rest, self.settings)
        data = advert_packet(
            theirs, sender=sender, priority=int(priority), ttl=ttl, to=to, sequence=self.peers
        )
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

    def do_sleep(self, words: list[str]) -> None:
        """The process does not run for a while."""
        self.now_us += round(float(words[0]) * 1_000_000)
        self.tell(self.router.tick(now_us=self.now_us))

    def do_stop(self, _words: list[str]) -> None:
        self.tell(self.router.stop("stopped by operator", now_us=self.now_us))

    def do_show(self, _words: list[str]) -> None:
        for machine in self.router.machines.values():
            name = self.who(machine)
            counters = " ".join(f"{k}={v}" for k, v in machine.counters.items() if v)
            master = packet.text(machine.master) if machine.master else "none"
            self.lines.append(f"  {name}{machine.state} master {master} {counters}".rstrip())


def advert_packet(
    settings: InstanceSettings,
    *,
    sender: str,
    priority: int,
    ttl: int = 255,
    to: str = "224.0.0.18",
    sequence: AhSequence | None = None,
) -> bytes:
    """A whole IPv4 packet as a peer with these settings sends it."""
    source, destination = packet.packed(sender), packet.packed(to)
    payload = packet.encode(settings, priority=priority, source=source, destination=destination)
    if settings.auth_type == "AH":
        sequence = sequence or AhSequence()
        header, payload = sign_ah(
            settings, payload, source=source, destination=destination, sequence=sequence
        )
        return header + payload
    header = packet.ipv4_header(
        source=source, destination=destination, length=len(payload), ident=7
    )
    return header[:8] + bytes((ttl,)) + header[9:] + payload


def describe(effect: fx.Effect) -> str:
    """One line for a person."""
    match effect:
        case fx.SendAdvert():
            source = packet.text(effect.source)
            at = packet.AH_BYTES if effect.ip_header else 0
            to = (
                "" if is_multicast(effect.destination) else f" to {packet.text(effect.destination)}"
            )
            return f"send advert priority {effect.payload[at + 2]} from {source}{to}"
        case fx.AddAddresses():
            return f"add {' '.join(map(str, effect.addresses))}"
        case fx.RemoveAddresses():
            return f"remove {' '.join(map(str, effect.addresses))}"
        case fx.AddRoutes() | fx.RemoveRoutes():
            verb = "add" if isinstance(effect, fx.AddRoutes) else "remove"
            return f"{verb} routes {' '.join(map(str, effect.routes))}"
        case fx.AddRules() | fx.RemoveRules():
            verb = "add" if isinstance(effect, fx.AddRules) else "remove"
            return f"{verb} rules {' '.join(map(str, effect.rules))}"
        case fx.BlockAddresses() | fx.UnblockAddresses():
            verb = "block" if isinstance(effect, fx.BlockAddresses) else "unblock"
            return f"{verb} {' '.join(map(str, effect.addresses))}"
        case fx.AnnounceAddresses():
            return f"announce {' '.join(map(str, effect.addresses))} x{effect.repeat}"
        case fx.StateChanged():
            return f"{effect.old} -> {effect.new}: {effect.cause} (priority {effect.arithmetic})"
        case fx.GroupChanged():
            return f"group {effect.group}: {effect.old} -> {effect.new}: {effect.cause}"
        case fx.PriorityChanged():
            return f"priority {effect.arithmetic}: {effect.cause}"
        case fx.Notify():
            return f'notify {effect.kind} "{effect.name}" {effect.state} {effect.priority}'
        case fx.Warned():
            return f"warning: {effect.cause}"


def transcripts() -> list[Path]:
    """Every story beside this file."""
    return sorted((Path(__file__).parent / "transcripts").glob("*.txt"))
