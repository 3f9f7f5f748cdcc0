"""Unicast without an interface: from an address, wherever the machine has it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode import wire
from hanode.vrrp.engine_settings import InstanceSettings, Peer
from tests.interop.stage import IP6, unicast, unicast6, with_ipv6
from tests.kernel.engines import Ours
from tests.kernel.harness import INTERFACE, IP, SECOND, until, wired

pytestmark = pytest.mark.needs("root", "netns")

QUICK = {"advert_int_us": 100_000, "garp_master_delay_us": 0}


def apart(settings: InstanceSettings) -> InstanceSettings:
    return replace(settings, interface="")


@pytest.mark.parametrize("make", [unicast, unicast6])
def test_a_pair_elects_and_takes_over(make: object) -> None:
    settings = {node: apart(make(node, **QUICK)) for node in "ab"}  # type: ignore[operator]
    vip = settings["a"].vips[0].ip
    with wired() as net:
        with_ipv6(net)
        a, b = Ours(net, "a", settings["a"]), Ours(net, "b", settings["b"])
        try:
            until(lambda: net.has_vip("a", vip) and not net.has_vip("b", vip), "A holds the VIP")
            assert b.state() == "BACKUP"
            until(lambda: net.announcements("a", vip=vip), "it is announced where it lives")
            a.kill()
            until(lambda: net.has_vip("b", vip), "B takes over")
            a = Ours(net, "a", settings["a"])
            until(lambda: not net.has_vip("b", vip), "A takes it back")
            assert a.status()["instances"][0]["interface"] == ""
            a.stop()
            until(lambda: net.has_vip("b", vip), "B takes over at once")
            source = IP["a"] if make is unicast else IP6["a"]
            b.says(f"MASTER: {source} announced priority 0 (it is stopping)")
        finally:
            a.close()
            b.close()


def test_the_address_to_speak_from_comes_and_goes_with_words() -> None:
    settings = apart(unicast("a", **QUICK))
    settings = replace(settings, vips=(replace(settings.vips[0], dev=SECOND),))
    with wired() as net:
        net.plug_second("a")
        net.ip("a", "addr", "del", f"{IP['a']}/24", "dev", INTERFACE)
        a = Ours(net, "a", settings)
        try:
            until(lambda: a.state() == "FAULT", "there is no such address")
            a.says(f"FAULT: this machine has not the address {IP['a']}")
            assert not net.adverts("a")
            net.ip("a", "addr", "add", f"{IP['a']}/24", "dev", INTERFACE)
            until(lambda: net.has_vip("a"), "now there is")
            until(lambda: a.state() == "MASTER", "and the engine says so")
            assert a.causes()[-2] == f"BACKUP: {IP['a']} is back"
            until(lambda: net.adverts("a"), "adverts leave through the interface that has it")
            net.ip("a", "addr", "del", f"{IP['a']}/24", "dev", INTERFACE)
            until(lambda: not net.has_vip("a"), "it is gone again")
            net.ip("a", "addr", "add", f"{IP['a']}/24", "dev", SECOND)
            until(lambda: net.has_vip("a"), "any interface may have it")
            net.ip("a", "link", "set", SECOND, "down")
            until(lambda: a.state() == "FAULT", "the address's own interface counts too")
            a.says(f"FAULT: {SECOND} down")
        finally:
            a.close()


def test_others_adverts_are_not_for_it() -> None:
    """The kernel gives a socket without an interface only packets for its address."""
    another = "192.168.192.150"
    with wired() as net:
        net.ip("a", "addr", "add", f"{another}/24", "dev", INTERFACE)
        nobody = replace(unicast("a", **QUICK), unicast_peers=(Peer("192.168.192.199"),))
        a = Ours(net, "a", apart(nobody))
        b = Ours(net, "b", replace(unicast("b", **QUICK), unicast_peers=(Peer(another),)))
        try:
            until(lambda: net.has_vip("a") and net.has_vip("b"), "they do not hear each other")
            until(lambda: len(net.adverts("b")) > 10, "B speaks to A's other address")
            counters = a.status()["instances"][0]["counters"]
            assert not [name for name in counters if name.endswith("_err") and counters[name]]
            assert counters.get("advert_rcvd", 0) == 0
        finally:
            a.close()
            b.close()


def test_two_of_one_vrid_are_refused_in_words() -> None:
    with wired() as net:
        one = apart(unicast("a", **QUICK))
        a = Ours(net, "a", one)
        try:
            a.say(verb="configure", revision=9, settings={"instances": [
                {**_plain(one), "name": name} for name in ("One", "Two")
            ]})  # fmt: skip
            answer = until(lambda: a.of_kind("configured")[1:], "an answer")[0]
            assert answer["error"] == (
                "VrrpSettings: One and Two both use virtual_router_id 51 without an interface"
            )
            assert net.has_vip("a") or a.state() in ("BACKUP", "MASTER")
        finally:
            a.close()


def _plain(settings: InstanceSettings) -> dict[str, object]:
    return dict(wire.encode(settings))
