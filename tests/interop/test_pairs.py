"""The life of a pair of different engines, each in both roles, in every kind of VRRP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from hanode.vrrp.engine_settings import InstanceSettings
from tests.interop.stage import (
    EARLY_S,
    ipv6,
    keepalived,
    life_of_a_pair,
    ours,
    ours_apart,
    unicast,
    unicast6,
    v3,
    with_ipv6,
    with_vmac,
)
from tests.kernel.harness import SLACK_S
from tests.kernel.pairs import instance

pytestmark = pytest.mark.needs("root", "netns", "keepalived")

TENTH = 100_000
PAIRS: dict[str, Callable[[str], InstanceSettings]] = {
    "v2_pass": instance,
    "v2_ah": lambda node: instance(node, auth_type="AH"),
    "v2_unicast": lambda node: unicast(node, version=2, auth_type="PASS", auth_pass="secret12"),
    "v2_unicast_ah": lambda node: unicast(node, version=2, auth_type="AH", auth_pass="secret12"),
    "v2_vmac": lambda node: with_vmac(instance(node)),
    "v3_10_ms": lambda node: v3(node, advert_int_us=10_000),
    "unicast": lambda node: unicast(node, advert_int_us=TENTH),
    "vmac": lambda node: with_vmac(v3(node, advert_int_us=TENTH)),
    "ipv6": lambda node: ipv6(node, advert_int_us=TENTH),
    "ipv6_unicast": lambda node: unicast6(node, advert_int_us=TENTH),
    "ipv6_vmac": lambda node: with_vmac(ipv6(node, advert_int_us=TENTH)),
}
APART = {"unicast_apart": PAIRS["unicast"], "ipv6_unicast_apart": PAIRS["ipv6_unicast"]}
"""Our engine sends from an address, without an interface."""
WAYS = {"keepalived_then_ours": (keepalived, ours), "ours_then_keepalived": (ours, keepalived)}


@pytest.fixture(scope="module")
def told() -> Iterator[dict[tuple[str, str], Future[dict[str, float]]]]:
    with ThreadPoolExecutor(8) as pool:
        yield {
            (kind, way): pool.submit(
                life_of_a_pair,
                *(ours_apart if kind in APART and start is ours else start for start in starts),
                make,
                with_ipv6,
            )
            for kind, make in {**PAIRS, **APART}.items()
            for way, starts in WAYS.items()
        }


@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize("kind", [*PAIRS, *APART])
def test_pair_fails_over_in_time(
    told: dict[tuple[str, str], Future[dict[str, float]]],
    kind: str,
    way: str,
    record_property: Callable[[str, object], None],
) -> None:
    late = told[kind, way].result(120)
    record_property("late_s", json.dumps(late))
    print(kind, way, "late by (s):", late)
    limits = {"stop": SLACK_S, "kill": SLACK_S, "start": 1.5}  # includes the start of a process
    for step, seconds in late.items():
        assert -EARLY_S <= seconds <= limits[step], (step, late)
