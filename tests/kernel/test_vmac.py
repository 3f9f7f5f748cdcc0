"""Virtual MAC addresses in real kernels: a macvlan that is made, taken over and removed."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from hanode.vrrp.engine_settings import Address, InstanceSettings, Vmac
from tests.interop.stage import v3
from tests.kernel.engines import Ours
from tests.kernel.harness import INTERFACE, IP, VIP, Wire, run, until, wired
from tests.kernel.pairs import PRIORITY

pytestmark = pytest.mark.needs("root", "netns")

NAME = "vrrp.51"
MAC = bytes.fromhex("00005e000133")
MAC6 = bytes.fromhex("00005e000233")
VIP6 = "fe80::200"


def instance(node: str, *, xmit_base: bool = False, family: int = 4) -> InstanceSettings:
    vip = Address(VIP, 24, NAME) if family == 4 else Address(VIP6, 64, NAME)
    return InstanceSettings(
        "HA_Group", INTERFACE, 51, PRIORITY[node], (vip,), version=3, advert_int_us=100_000,
        family=family, mcast_group="224.0.0.18" if family == 4 else "ff02::12",  # type: ignore[arg-type]
        vmac=Vmac(NAME, xmit_base=xmit_base), garp_master_delay_us=0,
    )  # fmt: skip


def has(net: Wire, node: str, ip: str = VIP) -> bool:
    """Whether the virtual interface exists and has the address."""
    links = {link["ifname"] for link in json.loads(net.ip(node, "-j", "link"))}
    return NAME in links and f" {ip}/" in net.ip(node, "addr", "show", NAME)


def states(node: Ours) -> list[str]:
    return [str(one["state"]) for one in node.status()["instances"]]


def switch(net: Wire, node: str, path: str) -> str:
    return run("ip", "netns", "exec", net.namespaces[node], "cat", f"/proc/sys/net/{path}").strip()


def chatter(net: Wire, node: str, mac: bytes) -> list[str]:
    """All frames that the node has sent with that MAC."""
    return [frame.data.hex() for frame in net.seen(node) if frame.data[6:12] == mac]


def test_a_pair_with_virtual_macs_lives_and_leaves_nothing_behind() -> None:
    with wired() as net:
        before = switch(net, "a", f"ipv4/conf/{INTERFACE}/arp_ignore")
        a, b = Ours(net, "a", instance("a")), Ours(net, "b", instance("b"))
        try:
            until(lambda: has(net, "a"), "A has the address on its macvlan")
            adverts = until(lambda: net.adverts("a")[1:], "adverts")
            assert {frame.data[6:12] for frame in adverts} == {MAC}
            garps = until(lambda: net.announcements("a"), "gratuitous ARP")
            assert {frame.data[6:12] for frame in garps} == {MAC}
            shown = json.loads(net.ip("a", "-d", "-j", "link", "show", NAME))[0]
            assert shown["address"] == "00:00:5e:00:01:33"
            assert shown["linkinfo"]["info_data"]["mode"] == "private"
            for name, value in {
                "arp_ignore": "1", "accept_local": "1", "rp_filter": "0", "promote_secondaries": "1"
            }.items():  # fmt: skip
                assert switch(net, "a", f"ipv4/conf/{NAME}/{name}") == value
            assert switch(net, "a", f"ipv4/conf/{INTERFACE}/arp_ignore") == "1"
            assert switch(net, "a", f"ipv6/conf/{NAME}/disable_ipv6") == "1"

            assert chatter(net, "b", MAC) == [], "the switch must not look for the MAC at B"
            a.stop()
            until(lambda: has(net, "b"), "B takes over, by the advert from the virtual MAC")
            b.says(f"MASTER: {IP['a']} announced priority 0 (it is stopping)")
            assert NAME not in net.ip("a", "link"), "the macvlan went with us"
            assert switch(net, "a", f"ipv4/conf/{INTERFACE}/arp_ignore") == before

            a = Ours(net, "a", instance("a"))
            until(lambda: has(net, "a") and not has(net, "b"), "A preempts")
            index = json.loads(net.ip("a", "-j", "link", "show", NAME))[0]["ifindex"]
            a.kill()
            until(lambda: has(net, "b"), "B takes over")
            a = Ours(net, "a", instance("a"))
            until(lambda: a.state() == "MASTER" and not has(net, "b"), "A is back")
            again = json.loads(net.ip("a", "-j", "link", "show", NAME))[0]["ifindex"]
            assert again == index, "what the killed one left was taken over"

            net.ip("a", "link", "del", NAME)
            until(lambda: NAME in net.ip("a", "link"), "a deleted macvlan is made again", 2)
            until(lambda: has(net, "a"), "and the address is there again", 3)
        finally:
            a.close()
            b.close()


def test_adverts_leave_through_the_interface_below_where_that_is_asked_for() -> None:
    with wired() as net:
        a = Ours(net, "a", instance("a", xmit_base=True))
        try:
            until(lambda: has(net, "a"), "A has the address on its macvlan")
            adverts = until(lambda: net.adverts("a")[1:], "adverts")
            assert {frame.data[6:12] for frame in adverts} == {bytes.fromhex("02000000000a")}
            garps = until(lambda: net.announcements("a"), "gratuitous ARP")
            assert {frame.data[6:12] for frame in garps} == {MAC}
        finally:
            a.close()


def test_ipv6_speaks_from_the_link_local_address_of_the_interface_below() -> None:
    with wired() as net:
        until(
            lambda: "tentative" not in net.ip("a", "-6", "addr", "show", INTERFACE), "DAD is over"
        )
        until(lambda: "fe80" in net.ip("b", "-6", "addr", "show", INTERFACE), "B has one too")
        a = Ours(net, "a", instance("a", family=6))
        b = Ours(net, "b", instance("b", family=6))
        try:
            until(lambda: has(net, "a", VIP6), "A has the address on its macvlan")
            time.sleep(0.5)
            assert b.state() == "BACKUP"
            sent = [f.data for f in net.seen("a") if f.data[12:14] == b"\x86\xdd"]
            adverts = [data for data in sent if data[20] == 112]
            assert {data[6:12] for data in adverts} == {MAC6}
            assert {data[22:38].hex() for data in adverts} == {"fe80000000000000000000fffe00000a"}
            announced = [data for data in sent if data[20] == 58 and data[54] == 136]
            assert {data[6:12] for data in announced} == {MAC6}
            assert chatter(net, "b", MAC6) == [], "no MLD report, no router solicitation"
            a.kill()
            until(lambda: has(net, "b", VIP6), "B takes over")
        finally:
            a.close()
            b.close()


def test_an_interface_of_somebody_else_is_left_alone_and_its_instance_in_fault() -> None:
    why = f"{NAME} is there already, and is no macvlan on {INTERFACE}"
    plain = replace(v3("a", advert_int_us=100_000), vrid=52)
    with wired() as net:
        net.ip("a", "link", "add", NAME, "type", "veth", "peer", "name", "other")
        a = Ours(net, "a", replace(instance("a"), name="Taken"), plain)
        try:
            assert a.of_kind("configured")[0]["error"] is None
            until(lambda: states(a) == ["FAULT", "MASTER"], "the other one runs")
            assert f"FAULT: {why}" in a.causes()
            assert a.configure(plain)["error"] is None
            other = replace(instance("a"), name="Other", vrid=53, vmac=Vmac("vrrp.53"))
            taken = replace(instance("a"), name="Taken")
            refused = a.configure(plain, other, taken)["error"]
            assert refused == f"Taken: {why}", "a reload takes nothing from an instance that runs"
            assert "vrrp.53" not in net.ip("a", "link"), "a refused file leaves nothing"
            assert states(a) == ["MASTER"]
            assert net.has_vip("a")
            a.stop()
            assert NAME in net.ip("a", "link")
        finally:
            a.close()
