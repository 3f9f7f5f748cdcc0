"""Stories of `hanode.kernel`: what is put back, which links count, what is made and opened.

Interfaces are told by `link NAME up|down|gone [kind=…] [mac=…] [below=NAME] [master=NAME]`; one
that comes again after `gone`, or with `new=yes`, is another one, with another index.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hanode.kernel.facts import Link, RoutesRemoved
from hanode.kernel.link_state import LinkPolicy
from hanode.kernel.restore import NODE, Restore, Restorer
from hanode.kernel.sockets import (
    Close,
    Open,
    Place,
    Step,
    configured,
    link_changed,
    needed,
    surplus,
)
from hanode.kernel.virtual_interfaces import VirtualInterfaces
from hanode.vrrp.engine_settings import (
    Address,
    InstanceSettings,
    Ipvlan,
    Linkbeat,
    LinkDelay,
    Peer,
    Route,
    Rule,
    Vmac,
    VrrpSettings,
)
from tests.decisions.story import Story, TimedStory, options, us


class KernelStory(Story):
    """Knows the interfaces."""

    def __init__(self) -> None:
        super().__init__()
        self.links: dict[str, Link] = {}
        self._index = 0

    def do_link(self, words: list[str]) -> None:
        self.do_unseen(words)
        self.link_changed(words[0])

    def do_unseen(self, words: list[str]) -> None:
        """As `link`, but the change has not been read yet."""
        name, state, *rest = words
        if state == "gone":
            del self.links[name]
        else:
            given = options(rest)
            old = None if given.get("new") == "yes" else self.links.get(name)
            self._index += old is None
            self.links[name] = Link(
                self._index if old is None else old.index,
                name,
                state == "up",
                bytes.fromhex(given.get("mac", "02:00:00:00:00:01").replace(":", "")),
                given.get("kind", "" if old is None else old.kind),
                self.links[given["below"]].index if "below" in given else old.below if old else 0,
                self.links[given["master"]].index if "master" in given else 0,
            )

    def link_changed(self, name: str) -> None:
        """An interface is not as before."""


class RestoreStory(KernelStory, TimedStory):
    """`add OWNER|node route DEST [table=N] [kind=local] [no_track=yes]`, `add … rule FAMILY`;
    `remove` the same; `static address IP/LEN@DEV | route DEST …` (all that there are);
    `lost route DEST TABLE`, `lost rule FAMILY`, `lost address IP/LEN@DEV`, `lost unknown`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.restorer = Restorer()

    def deadline_us(self) -> int | None:
        return self.restorer.deadline_us

    def tick(self) -> None:
        self.tell(self.restorer.due(devices=self.links, now_us=self.now_us))

    def tell(self, restore: Restore | None) -> None:
        if restore is None:
            return
        for what in (restore.addresses, restore.routes, restore.rules):
            for one in what:
                self.say(f"put back {type(one).__name__.lower()} {one}")
        if restore == Restore() and self.restorer.deadline_us is not None:
            self.say("later")

    def link_changed(self, name: str) -> None:
        up = frozenset(link.index for link in self.links.values() if link.up)
        self.tell(self.restorer.links_up(up, devices=self.links, now_us=self.now_us))

    def do_add(self, words: list[str]) -> None:
        owner, *rest = words
        self.restorer.hold(key(owner), [thing(rest)])

    def do_remove(self, words: list[str]) -> None:
        owner, *rest = words
        for one, whose in self.restorer.release(key(owner), [thing(rest)]).items():
            self.say(f"{one} of {whose[0] or 'the node'}")

    def do_static(self, words: list[str]) -> None:
        found = [thing(one.split()) for one in " ".join(words).split(", ") if one]
        change = self.restorer.set_static(
            VrrpSettings(
                static_addresses=tuple(a for a in found if isinstance(a, Address)),
                static_routes=tuple(r for r in found if isinstance(r, Route)),
                static_rules=tuple(r for r in found if isinstance(r, Rule)),
            )
        )
        for name in change.__dataclass_fields__:
            for one in getattr(change, name):
                self.say(f"{name.split('_')[0]} {one}")
        self.restorer.release(NODE, (*change.remove_rules, *change.remove_routes))
        self.restorer.hold(NODE, (*change.add_routes, *change.add_rules))

    def do_lost(self, words: list[str]) -> None:
        match words:
            case ["address", where]:
                text, _, dev = where.partition("@")
                lost = {(dev, text)}
                now_us, links = self.now_us, self.links
                self.tell(self.restorer.addresses_lost(lost, devices=links, now_us=now_us))
                return
            case ["route", destination, table]:
                family = 6 if ":" in destination else 4
                removed = RoutesRemoved(
                    frozenset({(family, destination, int(table))}), frozenset(), False
                )
            case ["rule", family_]:
                removed = RoutesRemoved(frozenset(), frozenset({int(family_)}), False)
            case _:
                removed = RoutesRemoved(frozenset(), frozenset(), True)
        self.tell(self.restorer.routes_lost(removed, devices=self.links, now_us=self.now_us))


def key(owner: str) -> tuple[str, int, int]:
    return NODE if owner == "node" else (owner, 4, 51)


def thing(words: list[str]) -> Any:
    kind, what, *rest = words
    given = options(rest)
    no_track = given.get("no_track") == "yes"
    if kind == "rule":
        return Rule(int(what), table=100, no_track=no_track, text=f"of IPv{what}")
    if kind == "address":
        text, _, dev = what.partition("@")
        ip, _, prefix = text.partition("/")
        return Address(ip, int(prefix), dev, no_track=no_track)
    family = 6 if ":" in what else 4
    table = int(given["table"]) if "table" in given else None
    return Route(family, what, kind=given.get("kind", "unicast"), table=table, no_track=no_track)


class LinkStory(KernelStory, TimedStory):
    """`delays NAME down=S up=S …`, `poll NAME KIND …`, `polling` (all instances' interfaces):
    the settings; `card NAME up|down|silent`: what the card says when it is asked.
    """

    def __init__(self) -> None:
        super().__init__()
        self.policy = LinkPolicy()
        self.settings = VrrpSettings(instances=(InstanceSettings("VI_1", "ens33", 51),))
        self.cards: dict[str, str] = {}
        self.told: dict[str, bool] = {}

    def deadline_us(self) -> int | None:
        return self.policy.deadline_us

    def ask(self, polls: object) -> None:
        assert isinstance(polls, dict)
        for name, kind in polls.items():
            answer = self.cards.get(name, "silent")
            self.say(f"ask {name} ({kind}): {answer}")
            self.policy.answered(name, {"up": True, "down": False}.get(answer))

    def tick(self) -> None:
        self.ask(self.policy.polls(now_us=self.now_us))
        for name in sorted(self.policy.due(now_us=self.now_us)):
            self.link_changed(name)

    def link_changed(self, name: str) -> None:
        link = self.links.get(name)
        up = self.policy.up(name, link is not None and link.up, now_us=self.now_us)
        if self.told.get(name) is not up:
            self.told[name] = up
            self.say(f"{name} {'up' if up else 'down'}")
        elif self.policy.deadline_us is not None and link is not None and link.up is not up:
            self.say(f"{name} stays {'up' if up else 'down'} for now")

    def use(self, **changes: object) -> None:
        self.settings = replace(self.settings, **changes)
        self.ask(self.policy.use(self.settings, now_us=self.now_us))

    def do_delays(self, words: list[str]) -> None:
        name, *rest = words
        given = options(rest)
        self.use(link_delays=(LinkDelay(name, us(given["down"]), us(given["up"])),))

    def do_poll(self, words: list[str]) -> None:
        asked: Any = zip(words[::2], words[1::2], strict=True)
        self.use(linkbeat=tuple(Linkbeat(name, kind) for name, kind in asked))

    def do_polling(self, _words: list[str]) -> None:
        self.use(linkbeat_use_polling=True)

    def do_card(self, words: list[str]) -> None:
        self.cards[words[0]] = words[1]


class VirtualStory(KernelStory):
    """`want NAME base=IF vrid=N [family=6] [mac=…] [ipvlan=MODE] [address=IP/LEN]`, `drop NAME`,
    `configure`; `switch FAMILY NAME SWITCH VALUE`: what the kernel has; `has IF ADDRESS…`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.plan = VirtualInterfaces()
        self.instances: dict[str, InstanceSettings] = {}
        self.switches: dict[tuple[int, str, str], int] = {}
        self.addresses: dict[str, list[Address]] = {}

    def do_want(self, words: list[str]) -> None:
        name, *rest = words
        given = options(rest)
        base, vrid = given["base"], int(given["vrid"])
        family = int(given.get("family", 4))
        instance = InstanceSettings(
            name, base, vrid, version=3, family=family,
            mcast_group="224.0.0.18" if family == 4 else "ff02::12",
        )  # fmt: skip
        if "ipvlan" in given:
            ip, _, prefix = given.get("address", "").partition("/")
            own = Address(ip, int(prefix), name) if ip else None
            ipvlan = Ipvlan(name, own, mode=given["ipvlan"])
            self.instances[name] = replace(instance, ipvlan=ipvlan)
        else:
            self.instances[name] = replace(instance, vmac=Vmac(name, mac=given.get("mac")))

    def do_drop(self, words: list[str]) -> None:
        del self.instances[words[0]]

    def do_switch(self, words: list[str]) -> None:
        family, name, switch, value = words
        self.switches[int(family), name, switch] = int(value)

    def do_has(self, words: list[str]) -> None:
        self.addresses[words[0]] = [
            Address(ip, int(prefix), words[0])
            for ip, prefix in (text.split("/") for text in words[1:])
        ]

    def do_configure(self, _words: list[str]) -> None:
        for name in self.plan.configure(VrrpSettings(tuple(self.instances.values()))):
            self.remove(name, "is in the way")
        self.make(list(self.plan.wanted))
        for name in self.plan.unwanted(self.links):
            self.remove(name, "is not wanted")

    def link_changed(self, name: str) -> None:
        self.make(self.plan.affected(name))

    def remove(self, name: str, why: str) -> None:
        if name in self.links:
            self.say(f"remove {name}: it {why}")
            self.gone(name)

    def gone(self, name: str) -> None:
        del self.links[name]
        self.addresses.pop(name, None)
        self.set(self.plan.removed(name))

    def set(self, switches: list[tuple[int, str, str, int]]) -> None:
        for family, name, switch, value in switches:
            self.switches[family, name, switch] = value
            self.say(f"set ipv{family} {name}.{switch} = {value}")

    def make(self, names: list[str]) -> None:
        if quiet := self.plan.without_mac_traffic(names):
            self.say(f"no IGMP from {' '.join(quiet)}")
        for virtual in self.plan.missing(names, dict(self.links)):
            step = self.plan.make(virtual, self.links)
            if step is None:
                self.say(f"{virtual.name} waits for {virtual.base}")
                continue
            if isinstance(step, str):
                self.say(f"refused: {step}")
                continue
            for name, _ in step.remove:
                self.say(f"remove {name}")
                self.gone(name)
            if step.create:
                mac = f" {virtual.mac.hex(':')}" if virtual.mac else ""
                self.say(f"make {virtual.kind} {virtual.name} on {virtual.base}{mac}")
                self._index += 1
                below = self.links[virtual.base].index
                self.links[virtual.name] = Link(
                    self._index, virtual.name, True, virtual.mac, virtual.kind, below
                )
            else:
                self.say(f"take over {virtual.name}")
            self.set(self.plan.switches(virtual, self.read, self.interfaces))
            there, vrf = self.links[virtual.name], virtual.vrf(self.links)
            if there.master != vrf:
                self.say(f"move {virtual.name} {'out of its VRF' if not vrf else 'into the VRF'}")
                self.links[virtual.name] = replace(there, master=vrf)
        for name in names:
            self.give_address(name)

    def read(self, family: int, interface: str, name: str) -> int | None:
        return self.switches.get((family, interface, name))

    def interfaces(self) -> list[str]:
        return ["all", *{name for family, name, _ in self.switches if family == 4} - {"all"}]

    def give_address(self, name: str) -> None:
        virtual = self.plan.wanted[name]
        there = {(a.packed, a.prefix) for a in self.addresses.get(name, ())}
        below = [a.packed for a in self.addresses.get(virtual.base, ())]
        address = self.plan.own_address(virtual, there, below)
        if address is not None and name in self.links:
            self.addresses.setdefault(name, []).append(address)
            lft = "" if address.preferred_lft_s is None else " deprecated"
            self.say(f"add {address} to {address.dev}{lft}")


class SocketStory(KernelStory):
    """`instance NAME IF vrid=N [family=6] [auth=AH] [vmac=NAME] [unicast=SOURCE]`, `without NAME`,
    `log_unknown_vrids`, `configure`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.instances: dict[str, InstanceSettings] = {}
        self.opened: dict[Place, int] = {}
        self.unknown = False
        self.needed = needed(VrrpSettings())

    def do_instance(self, words: list[str]) -> None:
        name, interface, *rest = words
        given = options(rest)
        family = int(given.get("family", 4))
        one = InstanceSettings(
            name, "" if interface == "-" else interface, int(given["vrid"]), version=3,
            family=family,
            mcast_group="224.0.0.18" if family == 4 else "ff02::12",
            auth_type=given.get("auth", "NONE"),
            vmac=Vmac(given["vmac"]) if "vmac" in given else None,
            unicast="unicast" in given,
            unicast_peers=(Peer("192.0.2.9"),) if "unicast" in given else (),
            mcast_src_ip=given.get("unicast"),
        )  # fmt: skip
        self.instances[name] = one

    def do_without(self, words: list[str]) -> None:
        del self.instances[words[0]]

    def do_log_unknown_vrids(self, _words: list[str]) -> None:
        self.unknown = True

    def do_configure(self, _words: list[str]) -> None:
        settings = VrrpSettings(tuple(self.instances.values()), log_unknown_vrids=self.unknown)
        self.needed = needed(settings)
        self.tell(configured(self.needed, self.opened, self.links))
        self.tell(surplus(self.needed, self.opened))

    def link_changed(self, name: str) -> None:
        self.tell(link_changed(name, self.needed, self.opened, self.links))

    def tell(self, steps: list[Step]) -> None:
        for step in steps:
            place = step.place
            where = f"{place.device or place.source} IPv{place.family} protocol {place.protocol}"
            if isinstance(step, Close):
                del self.opened[place]
                self.say(f"close {where}")
                continue
            use = self.needed[place]
            words = f"VRID {' '.join(map(str, sorted(use.vrids)))}" if use.filtered else "any VRID"
            if use.source_mac is not None:
                words += f" from {use.source_mac.hex(':')}"
            if use.groups:
                words += f" to {' '.join(sorted(use.groups))}"
            if use.senders:
                words += f", sends for {len(use.senders)}"
            if isinstance(step, Open):
                self.opened[place] = step.index
            self.say(f"{type(step).__name__.lower()} {where}: {words}")


STORIES = {
    "restore": RestoreStory,
    "links": LinkStory,
    "virtual": VirtualStory,
    "sockets": SocketStory,
}
