"""Links that are asked, and changes that must last before they count."""

from __future__ import annotations

import time

import pytest

from hanode.system.linkbeat import LinkProbe
from hanode.vrrp.engine_settings import LinkDelay
from tests.interop.stage import v3
from tests.kernel.engines import Ours
from tests.kernel.harness import INTERFACE, inside, until, wired


@pytest.mark.needs("root", "netns")
def test_real_cards_are_asked_in_the_ways_that_they_know() -> None:
    with wired() as net:
        probe = inside(net.namespaces["a"], LinkProbe)
        assert probe.has_link(INTERFACE, "ETHTOOL") is True
        assert probe.has_link(INTERFACE, "IOCTL") is True
        assert probe.has_link(INTERFACE, "MII") is None, "a veth has no MII"
        assert probe.has_link("nothing", "any") is None
        net.ip("s", "link", "set", "port-a", "down")
        assert probe.has_link(INTERFACE, "ETHTOOL") is False
        assert probe.has_link(INTERFACE, "any") is False
        probe.close()


@pytest.mark.needs("root", "netns")
def test_a_short_loss_of_the_link_moves_nothing_where_delays_are_set() -> None:
    delays = (LinkDelay(INTERFACE, 600_000, 300_000),)
    with wired() as net:
        a = Ours(net, "a", v3("a"), link_delays=delays, linkbeat_use_polling=True)
        try:
            until(lambda: net.has_vip("a"), "A holds the VIP")
            net.ip("s", "link", "set", "port-a", "down")
            time.sleep(0.2)
            net.ip("s", "link", "set", "port-a", "up")
            time.sleep(1)
            assert a.state() == "MASTER"
            assert len(a.causes()) == 2
            net.ip("s", "link", "set", "port-a", "down")
            until(lambda: a.state() == "FAULT", "after 0.6 s it counts", 2)
            a.says(f"FAULT: {INTERFACE} down")
        finally:
            a.close()
