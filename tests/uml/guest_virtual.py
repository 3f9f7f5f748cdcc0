"""Runs in the guest: ipvlans and VRFs, which few hosts' kernels have; prints the results.

keepalived and our engine run the same files, alone and as a pair. Then our engine does what
keepalived 2.2.7 cannot: unicast without an interface in a VRF.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.interop.alone import instances, lived, start
from tests.kernel.engines import Ours
from tests.kernel.harness import INTERFACE, IP, SECOND, Wire, run, set_sysctl, until, wired

PRIORITY = {"a": 100, "b": 95}
FILE = """global_defs {{
    router_id X
    vrrp_garp_master_delay 1
    vrrp_garp_master_repeat 2
}}
vrrp_instance V {{
    state BACKUP
    {where}
    virtual_router_id 51
    priority {priority}
    advert_int 0.5
    version 3
    virtual_ipaddress {{
        {vips}
    }}
}}
"""
AT_ONCE = 5
"""Runs at the same time: each waits most of the time."""
OWN = {"a": "192.168.192.150", "b": "192.168.192.151"}
VIP, VIP6 = "192.168.192.200", "fe80::200"
FAR = f"10.9.192.200/24 dev {SECOND}"
LIVES = {
    "ipvlan": (f"interface {INTERFACE}\nuse_ipvlan iv0 {OWN['a']}/24", f"{VIP}/24\n{FAR}"),
    "ipvlan6": (f"interface {INTERFACE}\nuse_ipvlan iv6", f"{VIP6}/64\n2001:db8::1/64"),
    "ipvlan6_address": (f"interface {INTERFACE}\nuse_ipvlan fe80::99", f"{VIP6}/64"),
    "vmac_in_vrf": (f"interface {INTERFACE}\nuse_vmac\nuse_vmac_addr", f"{VIP}/24\n{FAR}"),
    "ipvlan_in_vrf": (f"interface {INTERFACE}\nuse_ipvlan {OWN['a']}/24", f"{VIP}/24"),
}
PAIRS = {
    "ipvlan": ("interface ens33\nuse_ipvlan iv0 {own}/24", f"{VIP}/24"),
    "ipvlan6": ("interface ens33\nuse_ipvlan iv0", f"{VIP6}/64"),
    "vmac_in_vrf": ("interface ens33\nuse_vmac", f"{VIP}/24"),
}
WAYS = (("keepalived", "hanode"), ("hanode", "keepalived"))


def file(where: str, vips: str, node: str = "a") -> str:
    return FILE.format(where=where, priority=PRIORITY[node], vips=vips)


def vrf(net: Wire, node: str, *interfaces: str) -> None:
    """Makes a VRF with these interfaces."""
    net.ip(node, "link", "add", "red", "type", "vrf", "table", "10")
    net.ip(node, "link", "set", "red", "up")
    for interface in interfaces:
        set_sysctl(net.namespaces[node], f"ipv6/conf/{interface}/keep_addr_on_down", 1)
        net.ip(node, "link", "set", interface, "master", "red")


def settled(net: Wire) -> None:
    """Switches duplicate address detection off for interfaces that an engine makes."""
    for node in "ab":
        set_sysctl(net.namespaces[node], "ipv6/conf/default/accept_dad", 0)
        set_sysctl(net.namespaces[node], "ipv6/conf/all/accept_dad", 0)


def life(name: str, whose: str) -> dict[str, Any]:
    def prepare(net: Wire) -> None:
        settled(net)
        if "vrf" in name:
            vrf(net, "a", INTERFACE)

    return lived(file(*LIVES[name]), whose, prepare, 2.2)


def pair(name: str, ways: tuple[str, str]) -> list[str]:
    """The holder of the address after each step."""
    where, vips = PAIRS[name]
    vip, seen = vips.partition("/")[0], []
    with wired() as net:
        settled(net)
        for node in "ab":
            if "vrf" in name:
                vrf(net, node, INTERFACE)
        files = {node: file(where.format(own=OWN[node]), vips, node) for node in "ab"}
        engines = {n: start(net, files[n], w, n) for n, w in zip("ab", ways, strict=True)}

        def holders() -> str:
            return "".join(node for node in "ab" if net.has_vip(node, vip))

        def step(what: str, wanted: str) -> None:
            until(lambda: holders() == wanted, f"{name} {ways}: {what}, not {wanted}", 15)
            time.sleep(1)
            seen.append(f"{what}: {holders()}")

        try:
            step("start", "a")
            engines["a"].stop()
            step("stop", "b")
            engines["a"] = start(net, files["a"], ways[0], "a")
            step("start", "a")
            engines["a"].kill()
            until(lambda: "b" in holders(), "B takes over")
            seen.append("kill: b")
            engines["a"] = start(net, files["a"], ways[0], "a")
            step("start", "a")
        finally:
            for engine in engines.values():
                engine.close()
    return seen


def master(net: Wire, node: str, link: str) -> str | None:
    """The VRF of an interface."""
    (shown,) = json.loads(net.ip(node, "-j", "link", "show", link))
    return shown.get("master")  # type: ignore[no-any-return]


def follows() -> dict[str, Any]:
    """A macvlan follows the interface below it into its VRF."""
    text = file(f"interface {INTERFACE}\nuse_vmac", f"{VIP}/24")
    with wired() as net:
        vrf(net, "a")
        ours = Ours(net, "a", *instances(text))
        try:
            until(lambda: net.has_vip("a"), "A is master")
            before = master(net, "a", "vrrp.51")
            net.ip("a", "link", "set", INTERFACE, "master", "red")
            until(lambda: master(net, "a", "vrrp.51") == "red", "it follows")
            until(lambda: net.has_vip("a"), "and is master there")
            net.ip("a", "link", "set", INTERFACE, "nomaster")
            until(lambda: master(net, "a", "vrrp.51") is None, "and back")
            return {"before": before, "warnings": [e.cause for e in ours.events("warning")]}
        finally:
            ours.close()


def apart(other: str) -> dict[str, Any]:
    """Unicast without an interface in a VRF; `other` runs on the other node with an interface."""
    peers = {"a": "b", "b": "a"}
    where = {n: f"unicast_src_ip {IP[n]}\nunicast_peer {{\n{IP[p]}\n}}" for n, p in peers.items()}
    vips = f"{VIP}/24 dev {INTERFACE}"
    with wired() as net:
        net.plug_second("a")
        vrf(net, "a", INTERFACE)
        vrf(net, "b", INTERFACE)
        ours = Ours(net, "a", *instances(file(f"vrf red\n{where['a']}", vips)))
        text = file(f"interface {INTERFACE}\n{where['b']}", vips, "b")
        second = start(net, text, other, "b")
        try:
            until(lambda: net.has_vip("a") and not net.has_vip("b"), "A is master", 15)
            status = ours.status()["instances"][0]
            net.ip("a", "link", "set", INTERFACE, "nomaster")
            until(lambda: net.has_vip("b"), "B takes over", 15)
            until(lambda: ours.state() == "FAULT", "the address is in no VRF")
            cause = ours.causes()[-1]
            net.ip("a", "link", "set", INTERFACE, "master", "red")
            until(lambda: net.has_vip("a") and not net.has_vip("b"), "A takes it back", 15)
            net.ip("a", "link", "del", "red")
            until(lambda: net.has_vip("b"), "B takes over", 15)
            gone = ours.causes()[-1]
            return {"interface": status["interface"], "cause": cause, "gone": gone}
        finally:
            ours.close()
            second.close()


def reloaded() -> list[str | None]:
    """An ipvlan before and after a reload that changes its mode and its address; and the answer."""

    def words(own: str, mode: str) -> Any:
        where = f"interface {INTERFACE}\nuse_ipvlan iv0 {own}/24 {mode}"
        return instances(file(where, f"{VIP}/24"))

    def shown() -> str:
        told = net.ip("a", "-d", "addr", "show", "iv0").split()
        at = told.index("ipvlan")
        own = [word for word in told if word.endswith("/24")]
        return " ".join([*told[at : at + 4], *own])

    with wired() as net:
        ours = Ours(net, "a", *words(OWN["a"], "vepa"))
        try:
            until(lambda: net.has_vip("a"), "A is master")
            before = shown()
            answer = ours.configure(*words(OWN["b"], "private"))
            until(lambda: OWN["b"] in net.ip("a", "addr", "show", "iv0"), "the other address")
            since_s = time.time()
            said = until(lambda: net.adverts("a", since_s)[1:], "adverts")
            source = ".".join(str(byte) for byte in said[-1].data[26:30])
            seen = [before, answer["error"], shown(), source, ours.state()]
            ours.kill()
            ours = Ours(net, "a", *words(OWN["a"], "bridge"))
            until(lambda: OWN["a"] in net.ip("a", "addr", "show", "iv0"), "the first address")
            return [*seen, shown()]
        finally:
            ours.close()


def main() -> None:
    run("modprobe", "-a", "vrf", "ipvlan", "macvlan", "veth", "bridge")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        alone = {
            name: {whose: pool.submit(life, name, whose) for whose in ("keepalived", "hanode")}
            for name in LIVES
        }
        pairs = {f"{n} {w[0]} {w[1]}": pool.submit(pair, n, w) for n in PAIRS for w in WAYS}
        beside = {other: pool.submit(apart, other) for other in ("keepalived", "hanode")}
        seen = {
            "follows": pool.submit(follows).result(),
            "reloaded": pool.submit(reloaded).result(),
            "alone": {n: {w: f.result() for w, f in both.items()} for n, both in alone.items()},
            "pairs": {name: future.result() for name, future in pairs.items()},
            "apart": {other: future.result() for other, future in beside.items()},
        }
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
