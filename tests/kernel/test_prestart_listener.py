"""Adverts received before the engine had a configuration, and what the engine does with them."""

from __future__ import annotations

import socket
import time

import pytest

from hanode.system.prestart_listener import PrestartListener
from tests.interop.stage import ipv6, v3
from tests.kernel.engines import Ours
from tests.kernel.harness import Wire, inside, until, wired

pytestmark = pytest.mark.needs("root", "netns")

TENTH = 100_000


def begin(net: Wire, node: str) -> PrestartListener:
    prestart = inside(net.namespaces[node], PrestartListener.begin)
    assert prestart is not None
    return prestart


def index(net: Wire, node: str) -> int:
    return inside(net.namespaces[node], lambda: socket.if_nametoindex("ens33"))


@pytest.mark.parametrize("family", [4, 6])
def test_it_hears_who_speaks_and_on_which_interface(family: int) -> None:
    with wired() as net:
        quiet = begin(net, "a").end()
        assert quiet is not None
        assert quiet.speakers == frozenset()
        assert quiet.interfaces == {"ens33": index(net, "a")}, "up, and not the loopback"
        prestart = begin(net, "a")
        b = Ours(net, "b", (v3 if family == 4 else ipv6)("b", advert_int_us=TENTH))
        try:
            until(lambda: b.state() == "MASTER", "B is master")
            time.sleep(0.3)
            heard = prestart.end()
        finally:
            b.close()
        assert heard is not None
        assert heard.speakers == {("ens33", family, 51)}


def test_an_interface_without_a_carrier_is_not_listened_on() -> None:
    with wired() as net:
        net.ip("a", "link", "set", "ens33", "down")
        heard = begin(net, "a").end()
        assert heard is not None
        assert heard.interfaces == {}


def test_silence_while_the_engine_was_started_counts() -> None:
    with wired() as net:
        prestart = begin(net, "a")
        began_s = time.time()
        time.sleep(1.5)
        a = Ours(net, "a", v3("a"), prestart=prestart)
        try:
            advert = until(lambda: net.adverts("a"), "A is master")[0]
            a.says("MASTER: no advert heard for 3.609 s")
        finally:
            a.close()
        # 3 s and the skew time of priority 100, from the first moment on.
        assert 3.6 < advert.at_s - began_s < 4


def test_who_was_heard_meanwhile_is_left_in_peace() -> None:
    with wired() as net:
        b = Ours(net, "b", v3("b", nopreempt=True))
        try:
            until(lambda: b.state() == "MASTER", "B is master")
            prestart = begin(net, "a")
            time.sleep(4)
            a = Ours(net, "a", v3("a", nopreempt=True), prestart=prestart)
            try:
                time.sleep(3.8)
                assert a.causes() == ["BACKUP: start"]
                assert not net.adverts("a")
            finally:
                a.close()
        finally:
            b.close()
