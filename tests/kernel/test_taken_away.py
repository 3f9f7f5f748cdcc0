"""Another program takes away what a master holds: it is back at once, and the master stays."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from hanode.vrrp.engine_settings import Address, Route
from tests.interop.stage import v3
from tests.kernel.engines import Keepalived, Ours
from tests.kernel.harness import INTERFACE, VIP, Wire, inside, until, wired
from tests.kernel.pairs import instance, keepalived_file

pytestmark = pytest.mark.needs("root", "netns")

WITHIN_S = 0.05
SECOND = "192.168.192.201"
VIP6 = "fd00::200"
RTM_NEWADDR, RTM_DELADDR = 20, 21
DELETER = """
import sys, time
from pyroute2 import IPRoute
with IPRoute() as ip:
    ip.addr("del", index=int(sys.argv[1]), address=sys.argv[2], prefixlen=24)
    sys.stdin.read()
"""


class Gaps:
    """When addresses were away, by the kernel's own messages."""

    def __init__(self, net: Wire, node: str) -> None:
        def opened() -> socket.socket:
            made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
            made.bind((0, 0x10 | 0x100))
            made.settimeout(2)
            return made

        self._socket = inside(net.namespaces[node], opened)

    def longest_s(self, count: int) -> float:
        """Of the next `count` losses."""
        gone: dict[bytes, float] = {}
        found: list[float] = []
        while len(found) < count:
            data, now_s = self._socket.recv(65536), time.monotonic()
            at = 0
            while at + 16 <= len(data):
                length, kind = struct.unpack_from("=IH", data, at)
                place = data[at + 16 : at + 18] + data[at + 20 : at + 32]
                if kind == RTM_DELADDR:
                    gone[place] = now_s
                elif kind == RTM_NEWADDR and place in gone:
                    found.append(now_s - gone.pop(place))
                at += length + (-length % 4)
        return max(found)

    def close(self) -> None:
        self._socket.close()


def warnings(node: Ours) -> list[str]:
    return [event.cause for event in node.events("warning")]


def test_each_address_is_back_at_once_and_nobody_else_becomes_master() -> None:
    """keepalived beside it, which would take over, sees nothing."""
    with wired() as net:
        a = Ours(net, "a", instance("a", VIP, SECOND))
        b = Keepalived(net, "b", keepalived_file(instance("b", VIP, SECOND)))
        gaps = Gaps(net, "a")
        try:
            until(lambda: net.has_vip("a", SECOND), "A is master")
            time.sleep(0.3)
            gaps.close()
            gaps = Gaps(net, "a")
            for time_ in range(3):
                net.ip("a", "addr", "del", f"{VIP}/24", "dev", INTERFACE)
                assert gaps.longest_s(1) < WITHIN_S
                until(lambda: len(warnings(a)) == time_ + 1, "told each time", 1)  # noqa: B023
            with contextlib.suppress(AssertionError):  # `ip` gives up: they are back too soon
                net.ip("a", "addr", "flush", "dev", INTERFACE, "to", "192.168.192.200/31")
            assert gaps.longest_s(2) < WITHIN_S
            until(lambda: net.has_vip("a") and net.has_vip("a", SECOND), "both are back", 1)
            assert a.state() == "MASTER"
            assert len([c for c in a.causes() if c.startswith("BACKUP")]) == 1, "at its start"
            assert not net.has_vip("b")
            assert [f for f in net.adverts("a") if f.advert_priority == 0] == []
            a.stop()
        finally:
            gaps.close()
            a.close()
            b.close()


def test_the_kernel_tells_who_it_was() -> None:
    with wired() as net:
        a = Ours(net, "a", v3("a", advert_int_us=100_000))
        try:
            until(lambda: net.has_vip("a"), "A is master")
            index = net.ip("a", "-o", "link", "show", INTERFACE).partition(":")[0]
            deleter = subprocess.Popen(
                ["ip", "netns", "exec", net.namespaces["a"], sys.executable, "-c", DELETER,
                 index, VIP],
                stdin=subprocess.PIPE,
            )  # fmt: skip
            try:
                told = until(lambda: warnings(a), "it is told")[0]
                with open(f"/proc/{deleter.pid}/comm") as comm:
                    name = comm.read().strip()
                assert told == (
                    f"{VIP}/24 was removed from {INTERFACE} by {name} (pid {deleter.pid}),"
                    " and is put back"
                )
            finally:
                assert deleter.stdin is not None
                deleter.stdin.close()
                deleter.wait(5)
            assert a.state() == "MASTER"
            a.stop()
        finally:
            a.close()


def test_a_fight_is_told_as_one_and_does_not_fill_a_core() -> None:
    with wired() as net:
        a = Ours(net, "a", v3("a", advert_int_us=100_000))
        try:
            until(lambda: net.has_vip("a"), "A is master")
            loop = f"while sleep 0.02; do ip addr del {VIP}/24 dev {INTERFACE} 2>/dev/null; done"
            enemy = subprocess.Popen(
                ["ip", "netns", "exec", net.namespaces["a"], "sh", "-c", loop],
                start_new_session=True,
            )
            try:
                time.sleep(3)
            finally:
                os.killpg(enemy.pid, 15)
                enemy.wait(5)
            until(lambda: net.has_vip("a"), "it is back when the fight is over", 2)
            told = warnings(a)
            assert len(told) == 5
            assert "is removed from ens33 again and again by " in told[-1]
            assert told[-1].endswith("keep that program away from it")
            assert a.state() == "MASTER"
            a.stop()
        finally:
            a.close()


def test_an_ipv6_address_and_a_route_from_an_address_are_back_too() -> None:
    route = Route(4, "198.51.100.0/24", dev=INTERFACE, source=VIP)
    six = Address(VIP6, 64, INTERFACE)
    with wired() as net:
        one = replace(v3("a", advert_int_us=100_000), routes=(route,), excluded=(six,))
        a = Ours(net, "a", one)
        try:
            until(lambda: "198.51.100.0/24" in net.ip("a", "route"), "the route is there")
            net.ip("a", "addr", "del", f"{VIP6}/64", "dev", INTERFACE)
            until(lambda: net.has_vip("a", VIP6), "IPv6", 0.5)
            net.ip("a", "addr", "del", f"{VIP}/24", "dev", INTERFACE)
            until(lambda: net.has_vip("a"), "IPv4", 0.5)
            until(lambda: "198.51.100.0/24" in net.ip("a", "route"), "the route went with it", 0.5)
            net.ip("a", "route", "del", "198.51.100.0/24")
            until(lambda: "198.51.100.0/24" in net.ip("a", "route"), "the route", 0.5)
            until(lambda: len(warnings(a)) >= 3, "all are told")
            assert warnings(a)[0].startswith(f"{VIP6}/64 was removed from {INTERFACE} by ")
            assert warnings(a)[-1].startswith(f"the route {route} was removed by ")
            assert a.state() == "MASTER"
            a.stop()
        finally:
            a.close()
