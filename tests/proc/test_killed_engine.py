"""The whole engine killed, supervisor and all, with everything that an instance may hold.

Back in time it goes on, and neither kernel nor backup notices; back too late it takes away what it
left. Both kernels are asked, and both are listened to from before the first start.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.kernel.witness import Witness, witnessed
from tests.proc.harness import Node, directory, until

pytestmark = pytest.mark.needs("root", "netns")

PRIORITY = {"a": 150, "b": 100}
SLOW_S, FAST_S = 2.0, 0.3
"""Between adverts: slow enough to be back in time, fast enough to be too late."""
RESTART_S = 4.0
"""A whole engine has started and looked after its addresses, on a busy machine."""

INSTANCE = """\
vrrp_instance HA_%(vrid)d {
    interface ens33
    virtual_router_id %(vrid)d
    version 3
    priority @PRIORITY@
    advert_int @INTERVAL@
    %(words)s
    virtual_ipaddress {
        %(vips)s
    }
}
"""


def instance(*vips: str, vrid: int = 51, words: str = "") -> str:
    return INSTANCE % {"vrid": vrid, "words": words, "vips": "\n        ".join(vips)}


@dataclass(frozen=True)
class Kind:
    """One thing to hold: the file, the addresses, and what else `ip` shows of a master."""

    text: str
    addresses: tuple[str, ...]
    routes: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


V4, SECOND, V6, FAR6 = "192.168.192.200/24", "192.168.192.201/24", "fe80::200/64", "2001:db8::c8/64"
HELD = """virtual_routes {
        198.51.100.0/24 via 192.168.192.254 dev ens33 table 100
        203.0.113.0/24 dev ens33
    }
    virtual_rules {
        from 192.168.192.200 table 100 priority 500
    }"""
GROUP = "vrrp_sync_group G {\n    group {\n        HA_51\n        HA_52\n    }\n}\n"
KINDS = {
    "ipv4": Kind(instance(V4, SECOND), (V4, SECOND)),
    "ipv6": Kind(instance(V6, "2001:0DB8::C8/64"), (V6, FAR6)),
    "vmac": Kind(instance(V4, words="use_vmac vrrp.51"), (V4,), links=("vrrp.51",)),
    "ipv6 vmac": Kind(
        instance(V6, FAR6, words="use_vmac vrrp6.51"), (V6, FAR6), links=("vrrp6.51",)
    ),
    "routes and rules": Kind(
        instance(V4, words=HELD), (V4,), ("198.51.100.0/24", "203.0.113.0/24"), ("lookup 100",)
    ),
    "sync group": Kind(GROUP + instance(V4) + instance(SECOND, vrid=52), (V4, SECOND)),
    "sync group of both families": Kind(GROUP + instance(V4) + instance(V6, vrid=52), (V4, V6)),
}


class Pair:
    """Two nodes on one cable with the same kind of instance, and who looks on."""

    def __init__(self, kind: Kind, a: Node, b: Node, witness: Witness) -> None:
        self.kind, self.a, self.b, self.witness = kind, a, b, witness

    def masters(self, node: Node) -> bool:
        return {i.state for i in node.status().instances} == {"MASTER"}

    def has_all(self, node: Node) -> bool:
        shown = ip(node, "addr")
        return all(f" {address} " in shown for address in self.kind.addresses)

    def has_none(self, node: Node) -> bool:
        shown = ip(node, "addr")
        return not any(f" {address} " in shown for address in self.kind.addresses)

    def rest(self, node: Node) -> tuple[bool, ...]:
        """Whether each route and rule is in the kernel."""
        routes, rules = ip(node, "route", "show", "table", "all"), ip(node, "rule")
        return (
            *(route in routes for route in self.kind.routes),
            *(rule in rules for rule in self.kind.rules),
        )

    def moves(self, node: Node) -> list[tuple[str, str]]:
        return [(e.data["to"], e.cause) for e in node.events() if e.kind == "transition"]


def ip(node: Node, *words: str) -> str:
    done = subprocess.run(
        ["ip", "-n", node.namespace, *words], capture_output=True, text=True, check=True
    )
    return done.stdout


def links(node: Node) -> dict[str, tuple[int, str]]:
    """Name: index and MAC."""
    shown = json.loads(ip(node, "-j", "link"))
    return {link["ifname"]: (link["ifindex"], link["address"]) for link in shown}


def text_of(kind: Kind, name: str, interval_s: float) -> str:
    text = kind.text.replace("@INTERVAL@", f"{interval_s:g}")
    return text.replace("@PRIORITY@", str(PRIORITY[name]))


def story(kind: Kind, interval_s: float, then: Callable[[Pair], None]) -> None:
    """A is MASTER and B BACKUP; then something is done to A."""
    with directory() as one, directory() as two:
        a, b = Node(one), Node(two)
        try:
            for node, name in ((a, "a"), (b, "b")):
                node.file.write_text(text_of(kind, name, interval_s))
            a.join(b)
            with witnessed({"a": a.namespace, "b": b.namespace}) as witness:
                pair = Pair(kind, a, b, witness)
                a.start()
                until(lambda: pair.masters(a) and pair.has_all(a), within_s=20)
                b.start()
                until(lambda: {i.state for i in b.status().instances} == {"BACKUP"})
                until(lambda: all(i.master for i in b.status().instances), within_s=10)
                assert all(pair.rest(a))
                time.sleep(0.6)  # it has left word that it was alive
                then(pair)
        finally:
            for node in (a, b):
                node.destroy()
                print(node.log.read_text() if node.log.exists() else "")


def back_in_time(pair: Pair) -> None:
    """Nobody notices: not the kernel, not the backup, not the link below."""
    a, b, witness = pair.a, pair.b, pair.witness
    before = links(a)
    moved, already = pair.moves(b), len(pair.moves(a))
    a.kill_group()
    assert pair.has_all(a), "kill -9 leaves the addresses"
    a.start()
    until(lambda: pair.masters(a), within_s=3)
    resumed = ("MASTER", "resumed: it was master a moment ago")
    since = pair.moves(a)[already:]
    assert since == [resumed] * len(a.status().instances), "and no script is told of BACKUP"
    time.sleep(4 * SLOW_S)  # longer than B's patience
    assert pair.moves(b) == moved, "B never missed an advert"
    assert pair.has_none(b)
    for address in pair.kind.addresses:
        assert len(witness.held("a", address)) == 1, "it was there all the time"
        assert witness.holders(address) == ["a"]
        assert not witness.held("b", address)
    assert all(pair.rest(a)), "routes and rules are there still"
    assert {n: v for n, v in links(a).items() if n in pair.kind.links} == {
        n: v for n, v in before.items() if n in pair.kind.links
    }, "the virtual interface is the same one"
    assert a.stop() == 0
    until(lambda: pair.has_all(b), within_s=3)
    assert pair.has_none(a)
    assert not any(pair.rest(a))
    assert not set(links(a)) & set(pair.kind.links)


def back_too_late(pair: Pair) -> None:
    """The backup has taken over: what was left goes before anything else, and comes with A."""
    a, b, witness = pair.a, pair.b, pair.witness
    a.kill_group()
    until(lambda: pair.has_all(b), within_s=5)
    assert pair.has_all(a), "kill -9 leaves the addresses"
    since_s = time.time()
    a.start()
    until(lambda: pair.has_none(a) or pair.masters(a), within_s=RESTART_S)
    until(lambda: pair.masters(a) and pair.has_all(a), within_s=6)
    until(lambda: pair.has_none(b), within_s=3)
    began = [to for to, _cause in pair.moves(a)]
    count = len(a.status().instances)
    assert began[-2 * count :].count("BACKUP") == count, "it began as BACKUP"
    for address in pair.kind.addresses:
        first, *others = witness.held("a", address)
        assert first[1] - since_s < RESTART_S
        assert len(others) == 1, "taken away once, and taken back once"
        assert witness.both_s(address, since_s=first[1] + 0.001) < 0.15, "B let go at once"
        assert witness.holders(address) == ["a"]
    assert all(pair.rest(a))
    assert not any(pair.rest(b))


Story = Future[None]


@pytest.fixture(scope="module")
def told() -> Iterator[dict[tuple[str, str], Story]]:
    with ThreadPoolExecutor(4) as pool:
        yield {
            (name, when): pool.submit(story, kind, interval_s, then)
            for name, kind in KINDS.items()
            for when, interval_s, then in (
                ("in time", SLOW_S, back_in_time),
                ("too late", FAST_S, back_too_late),
            )
        }


@pytest.mark.parametrize("when", ["in time", "too late"])
@pytest.mark.parametrize("name", list(KINDS))
def test_killed_engine_is_started_again(
    told: dict[tuple[str, str], Story], name: str, when: str
) -> None:
    told[name, when].result(150)
