"""A thousand instances in one process: the work between adverts delays none of them."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from hanode.vrrp.engine_settings import Address, InstanceSettings
from tests.kernel.engines import Ours
from tests.kernel.harness import run, until, wired

pytestmark = pytest.mark.needs("root", "netns")

INTERFACES, EACH = 4, 255
LATE_US = 100_000
"""A tenth of the interval, because the machine may be busy. Alone, it is 0.2 ms."""


def instances(priority: int) -> list[InstanceSettings]:
    return [
        InstanceSettings(
            f"V{number}_{vrid}",
            f"e{number}",
            vrid,
            priority,
            (Address(f"10.{number}.1.{vrid}", 16, f"e{number}"),),
            version=3,
            garp_master_repeat=1,
            garp_master_delay_us=0,
        )
        for number in range(INTERFACES)
        for vrid in range(1, EACH + 1)
    ]


def test_a_reload_a_status_and_a_thousand_takeovers_keep_every_beat() -> None:
    with wired() as net:
        for number in range(INTERFACES):
            for node in "ab":
                space = net.namespaces[node]
                if node == "a":
                    run("ip", "-n", space, "link", "add", f"e{number}", "type", "veth",
                        "peer", "name", f"e{number}", "netns", net.namespaces["b"])  # fmt: skip
                last = 1 if node == "a" else 2
                run("ip", "-n", space, "addr", "add", f"10.{number}.0.{last}/16",
                    "dev", f"e{number}")  # fmt: skip
                run("ip", "-n", space, "link", "set", f"e{number}", "up")
        wanted = instances(150)
        a = Ours(net, "a", *wanted)
        try:
            until(lambda: net.ip("a", "-o", "-4", "addr").count("/16 ") >= 4 + len(wanted), "all")
            b = Ours(net, "b", *instances(100))
            try:
                time.sleep(1.5)
                moved = len(b.events())
                began_us = a.status()["late_us_max"]
                changed = [replace(wanted[0], priority=151), *wanted[1:]]
                assert a.configure(*changed)["changed"] == ["V0_1 changed"]
                status = a.status()
                assert len(status["instances"]) == len(wanted)
                assert {i["state"] for i in status["instances"]} == {"MASTER"}
                time.sleep(2.2)
                assert len(b.events()) == moved, "nobody moved"
                assert max(began_us, a.status()["late_us_max"]) < LATE_US
                a.kill()
                since_s = time.time()
                until(lambda: net.ip("b", "-o", "-4", "addr").count("/16 ") >= 4 + len(wanted), "B")
                assert time.time() - since_s < 3.61 + 1
                late_us = b.status()["late_us_max"]
                print("latest timer of the one that took over:", late_us, "us")
                assert late_us < LATE_US
            finally:
                b.close()
        finally:
            a.close()
