"""auth_hmac between two of our own engines: Debian's keepalived is too old for it."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from hanode.vrrp.engine_settings import HmacKey, HmacSettings, InstanceSettings
from tests.interop.stage import ipv6, unicast, v3
from tests.kernel.engines import Ours
from tests.kernel.harness import until, wired

pytestmark = pytest.mark.needs("root", "netns")

TENTH = 100_000
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
