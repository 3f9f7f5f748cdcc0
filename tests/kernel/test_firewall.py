"""no_accept in real kernels: the address answers ARP and routes, but accepts no packet."""

from __future__ import annotations

import socket
import time
from dataclasses import replace

import pytest

from hanode.vrrp.engine_settings import InstanceSettings
from tests.interop.stage import VIP6, ipv6, v3, with_ipv6
from tests.kernel.engines import Ours
from tests.kernel.harness import INTERFACE, VIP, Wire, inside, run, until, wired

pytestmark = pytest.mark.needs("root", "netns")


def answers(net: Wire, ip: str) -> bool:
    """Whether A's kernel answers B at that address: a port without a listener is refused."""

    def ask() -> bool:
        six = ":" in ip
        with socket.socket(socket.AF_INET6 if six else socket.AF_INET) as asking:
            asking.settimeout(1)
            scope = socket.if_nametoindex(INTERFACE) if six else 0
            try:
                asking.connect((ip, 9, 0, scope) if six else (ip, 9))
            except ConnectionRefusedError:
                return True
            except OSError:
                return False
        return True

    return inside(net.namespaces["b"], ask)


@pytest.mark.parametrize(
    ("settings", "vip"),
    [
        (v3("a", advert_int_us=100_000, accept=False), VIP),
        (ipv6("a", advert_int_us=100_000, accept=False), VIP6),
    ],
    ids=["ipv4", "ipv6"],
)
def test_an_address_that_does_not_accept_is_there_and_silent(
    settings: InstanceSettings, vip: str
) -> None:
    with wired() as net:
        with_ipv6(net)
        a = Ours(net, "a", settings)
        try:
            until(lambda: net.has_vip("a", vip), "A holds the VIP")
            time.sleep(0.2)
            assert not answers(net, vip)
            assert net.adverts("a"), "adverts leave all the same"
            neighbours = net.ip("b", "neigh", "show", vip)
            assert "02:00:00:00:00:0a" in neighbours, "but its MAC address is found"
            a.configure(replace(settings, accept=True))
            until(lambda: answers(net, vip), "a reload opens it", 3)
            a.configure(settings)
            until(lambda: not answers(net, vip), "and closes it again", 3)
            a.kill()
            a = Ours(net, "a", replace(settings, accept=True))
            until(lambda: net.has_vip("a", vip) and answers(net, vip), "nothing was left", 5)
            a.stop()
            tables = run("ip", "netns", "exec", net.namespaces["a"], "nft", "list", "tables")
            assert "hanode" not in tables
        finally:
            a.close()
