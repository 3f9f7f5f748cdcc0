"""auth_hmac between two of our own engines: Debian's keepalived is too old for it."""

from __future__ import annotations

import re
import socket
import sys
import time
from dataclasses import replace

import pytest

from hanode.vrrp.engine_settings import HmacKey, HmacSettings, InstanceSettings
from hanode.vrrp.packet import CHECKSUM_AT
from hanode.vrrp.transmit import Transmitter
from tests.interop.stage import GROUP6, ipv6, unicast, v3
from tests.kernel.engines import Ours
from tests.kernel.harness import INTERFACE, inside, until, wired

pytestmark = pytest.mark.needs("root", "netns")

TENTH, SECOND_US = 100_000, 1_000_000
OLD, NEW = HmacKey(1, "11" * 32), HmacKey(2, "22" * 32)
BOTH_KEYS = HmacSettings((OLD, NEW), active=1, window_us=5_000_000)


def signed(made: InstanceSettings, **more: object) -> InstanceSettings:
    """The same instance with both keys."""
    return replace(made, advert_int_us=TENTH, hmac=replace(BOTH_KEYS, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [v3, ipv6, unicast], ids=["IPv4", "IPv6", "unicast"])
def test_a_signed_pair_fails_over_and_changes_its_keys_without_a_flap(kind: object) -> None:
    with wired() as net:
        a = Ours(net, "a", signed(kind("a")))  # type: ignore[operator]
        b = Ours(net, "b", signed(kind("b")))  # type: ignore[operator]
        try:
            until(lambda: a.state() == "MASTER" and b.state() == "BACKUP", "A is master")
            for node, engine in (("a", a), ("b", b)):
                engine.configure(signed(kind(node), active=2))  # type: ignore[operator]
                time.sleep(0.5)
            assert (a.state(), b.state()) == ("MASTER", "BACKUP")
            assert len(b.causes()) == 1, "one after the other, and nobody missed an advert"
            last = net.adverts("a")[-1]
            assert last.data[-28:-25] == bytes((1, 2, 0)), "signed with the new key"
            a.kill()
            until(lambda: b.state() == "MASTER", "B takes over", 1)
        finally:
            a.close()
            b.close()


def test_who_does_not_sign_is_not_believed() -> None:
    with wired() as net:
        a = Ours(net, "a", v3("a", advert_int_us=TENTH))
        b = Ours(net, "b", signed(v3("b")))
        try:
            until(lambda: b.state() == "MASTER", "B is master beside A", 3)
            counters = b.status()["instances"][0]["counters"]
            assert counters["auth_ext_missing"] > 0
        finally:
            a.close()
            b.close()


def listening() -> socket.socket:
    """A socket for VRRP over IPv6 as keepalived makes it: the kernel looks at the checksum."""
    heard = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 112)
    heard.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_CHECKSUM, CHECKSUM_AT)
    index = socket.if_nametoindex(INTERFACE)
    group = socket.inet_pton(socket.AF_INET6, GROUP6) + index.to_bytes(4, sys.byteorder)
    heard.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
    heard.settimeout(3)
    return heard


def test_the_kernel_of_a_keepalived_takes_our_signed_advert_over_ipv6() -> None:
    """It drops what does not sum up, before keepalived sees it."""
    with wired() as net:
        with inside(net.namespaces["b"], listening) as heard:
            a = Ours(net, "a", signed(ipv6("a")))
            try:
                said = heard.recv(2000)
                assert said == net.adverts("a")[0].data[54:]
                assert len(said) == 8 + 16 + 28
            finally:
                a.close()


def test_we_take_a_signed_advert_over_ipv6_that_the_kernel_has_summed() -> None:
    """keepalived sends its adverts with a checksum of 0, and the kernel puts one in."""
    with wired() as net:
        b = Ours(net, "b", replace(signed(ipv6("b")), advert_int_us=SECOND_US))
        speaker = Transmitter(replace(signed(ipv6("a")), advert_int_us=SECOND_US))
        try:
            until(lambda: b.state() == "BACKUP", "B listens")

            def speak() -> None:
                link_local = net.ip("a", "-6", "-o", "addr", "show", "scope", "link")
                source = re.search(r"fe80::[0-9a-f:]+", link_local)
                assert source is not None
                speaker.prepare(200, socket.inet_pton(socket.AF_INET6, source[0]))
                with socket.socket(socket.AF_INET6, socket.SOCK_RAW, 112) as sock:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_CHECKSUM, CHECKSUM_AT)
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
                    for _ in range(5):
                        (advert,) = speaker.adverts(wall_us=time.time_ns() // 1_000)
                        blank = advert.payload[:6] + b"\0\0" + advert.payload[8:]
                        sock.sendto(blank, (GROUP6, 0, 0, socket.if_nametoindex(INTERFACE)))
                        time.sleep(1)

            inside(net.namespaces["a"], speak)
            told = b.status()["instances"][0]
            assert told["counters"]["advert_rcvd"] == 5, told
            assert told["state"] == "BACKUP"
        finally:
            b.close()
