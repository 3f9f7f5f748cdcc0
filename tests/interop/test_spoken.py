"""Both engines send the same bytes: whole frames, from the first advert to priority 0."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from hanode.vrrp.engine_settings import InstanceSettings
from tests.interop.stage import (
    IP6,
    VIP6,
    ipv6,
    keepalived,
    ours,
    ours_apart,
    spoken,
    unicast,
    unicast6,
    v3,
    with_ipv6,
    with_vmac,
)
from tests.kernel.harness import VIP
from tests.kernel.pairs import instance

pytestmark = pytest.mark.needs("root", "netns", "keepalived")

QUICK = {"garp_master_delay_us": 1_000_000}
SPOKEN: dict[str, InstanceSettings] = {
    "v2_pass_two_addresses": instance(
        "a", VIP, "192.168.192.201", garp_master_delay_us=2_000_000, auth_pass="secret"
    ),
    "v2_no_auth": instance("a", auth_type="NONE", **QUICK),
    "v2_ah": instance("a", auth_type="AH", auth_pass="secret", **QUICK),
    "v2_unicast": unicast("a", version=2, **QUICK),
    "v2_unicast_ah": unicast("a", version=2, auth_type="AH", auth_pass="secret", **QUICK),
    "v2_vmac": with_vmac(instance("a", auth_type="NONE", **QUICK)),
    "v2_unicast_pass": unicast("a", version=2, auth_type="PASS", auth_pass="secret", **QUICK),
    "v3": v3("a", **QUICK),
    "v3_twenty_addresses": v3("a", *(f"192.168.192.{200 + i}" for i in range(20)), **QUICK),
    "v3_unicast": unicast("a", **QUICK),
    "v3_unicast_old_checksum": unicast("a", unicast_checksum="old", **QUICK),
    "v3_vmac": with_vmac(v3("a", **QUICK)),
    "v3_vmac_xmit_base": with_vmac(v3("a", **QUICK), xmit_base=True),
    "ipv6": ipv6("a", VIP6, "2001:db8::10", **QUICK),
    "ipv6_unicast": unicast6("a", **QUICK),
    "v3_unicast_vmac": with_vmac(unicast("a", **QUICK), xmit_base=True),
    "ipv6_unicast_vmac": with_vmac(unicast6("a", **QUICK), xmit_base=True),
    "ipv6_vmac": with_vmac(ipv6("a", **QUICK)),
    "ipv6_vmac_xmit_base": with_vmac(ipv6("a", **QUICK), xmit_base=True),
}
assert set(IP6) == {"a", "b"}

APART = {"v2_unicast", "v2_unicast_ah", "v3_unicast", "ipv6_unicast"}
"""Settings that need no interface; keepalived 2.2.7 requires one nevertheless."""

Both = tuple[tuple[list[str], list[str]], tuple[list[str], list[str]]]


def compared(settings: InstanceSettings) -> Both:
    """keepalived's frames, and ours."""
    with ThreadPoolExecutor(2) as pool:
        theirs, mine = pool.map(
            lambda start: spoken(start, settings, with_ipv6), (keepalived, ours)
        )
    return theirs, mine


def apart(settings: InstanceSettings) -> Both:
    """keepalived's frames, and ours without an interface."""
    with ThreadPoolExecutor(2) as pool:
        theirs = pool.submit(spoken, keepalived, settings, with_ipv6)
        mine = pool.submit(spoken, ours_apart, settings, with_ipv6)
    return theirs.result(), mine.result()


@pytest.fixture(scope="module")
def told() -> Iterator[dict[str, Future[Both]]]:
    with ThreadPoolExecutor(7) as pool:
        futures = {name: pool.submit(compared, settings) for name, settings in SPOKEN.items()}
        futures |= {f"{name}_apart": pool.submit(apart, SPOKEN[name]) for name in APART}
        yield futures


@pytest.mark.parametrize("name", list(SPOKEN))
def test_frames_are_byte_equal(told: dict[str, Future[Both]], name: str) -> None:
    theirs, mine = told[name].result(90)
    assert mine[0] == theirs[0]
    assert mine[1] == theirs[1]
    assert len(mine[0]) == 5
    assert len(mine[1]) == 10 * len(SPOKEN[name].vips)


@pytest.mark.parametrize("name", sorted(APART))
def test_unicast_from_no_interface_is_the_same_bytes(
    told: dict[str, Future[Both]], name: str
) -> None:
    theirs, mine = told[f"{name}_apart"].result(90)
    assert mine == theirs
