"""Links that are asked, and changes that must last before they count."""

from __future__ import annotations

import time

import pytest

from hanode.kernel.link_state import ASK_EVERY_US, LinkPolicy
from hanode.system.linkbeat import LinkProbe
from hanode.vrrp.settings import Linkbeat, LinkDelay, VrrpSettings
from tests.interop.stage import v3
from tests.kernel.engines import Ours
from tests.kernel.harness import INTERFACE, inside, until, wired


def test_a_change_counts_when_it_has_lasted() -> None:
    watch = LinkPolicy(lambda _name, _kind: None)
    watch.use(VrrpSettings(link_delays=(LinkDelay("d0", 3_000, 1_000),)), now_us=0)
    assert watch.up("d0", True, now_us=0)
    assert watch.deadline_us is None
    assert watch.up("d0", False, now_us=100), "down, but not for long enough"
    assert watch.deadline_us == 3_100
    assert watch.up("d0", True, now_us=200), "up again: nothing has happened"
    assert watch.deadline_us is None
    assert watch.up("d0", False, now_us=300)
    assert watch.due(now_us=3_300) == {"d0"}
    assert not watch.up("d0", False, now_us=3_300)
    assert not watch.up("d0", True, now_us=3_400)
    assert watch.up("d0", True, now_us=4_400)
    assert watch.up("other", False, now_us=0) is False


def test_a_card_that_is_asked_is_believed_before_the_kernel() -> None:
    says: dict[str, bool | None] = {"d0": True}
    watch = LinkPolicy(lambda name, _kind: says[name])
    watch.use(VrrpSettings(linkbeat=(Linkbeat("d0", "MII"),)), now_us=0)
    assert watch.up("d0", True, now_us=0)
    says["d0"] = False
    assert watch.deadline_us == ASK_EVERY_US
    assert watch.due(now_us=ASK_EVERY_US) == {"d0"}
    assert not watch.up("d0", True, now_us=ASK_EVERY_US)
    says["d0"] = None
    assert watch.due(now_us=2 * ASK_EVERY_US) == {"d0"}
    assert watch.up("d0", True, now_us=2 * ASK_EVERY_US), "who cannot be asked is believed"


@pytest.mark.needs("root", "netns")
def test_real_cards_are_asked_in_the_ways_that_they_know() -> None:
    with wired() as net:
        asker = inside(net.namespaces["a"], LinkProbe)
        assert asker.has_link(INTERFACE, "ETHTOOL") is True
        assert asker.has_link(INTERFACE, "IOCTL") is True
        assert asker.has_link(INTERFACE, "MII") is None, "a veth has no MII"
        assert asker.has_link("nothing", "any") is None
        net.ip("s", "link", "set", "port-a", "down")
        assert asker.has_link(INTERFACE, "ETHTOOL") is False
        assert asker.has_link(INTERFACE, "any") is False
        asker.close()


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
