"""Newer keepalived, 2.3.3 and 2.3.4, beside our engine: elections, failovers, frames.

What 2.2.7 does is tried in full in the other files of this room; here is what a change in a
release could break. All stories run at once; each test waits for its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from hanode.vrrp.engine_settings import InstanceSettings
from tests.interop.releases import RELEASES, Release
from tests.interop.stage import (
    EARLY_S,
    VIP6,
    Engine,
    Start,
    ipv6,
    life_of_a_pair,
    ours,
    spoken,
    unicast,
    unicast6,
    v3,
    with_ipv6,
    with_vmac,
)
from tests.interop.test_keepalived import (
    cut_heals,
    link_goes_and_comes,
    nopreempt,
    preempt_delayed,
    reload_of_the_master,
    reload_of_the_priority,
)
from tests.kernel.engines import Keepalived
from tests.kernel.harness import SLACK_S, VIP, Wire
from tests.kernel.pairs import instance, keepalived_file

pytestmark = pytest.mark.needs("root", "netns", "newer")

TENTH = 100_000
QUICK = {"garp_master_delay_us": 1_000_000}
PAIRS: dict[str, Callable[[str], InstanceSettings]] = {
    "v2_pass": instance,
    "v2_ah": lambda node: instance(node, auth_type="AH"),
    "v3": lambda node: v3(node, advert_int_us=TENTH),
    "unicast": lambda node: unicast(node, advert_int_us=TENTH),
    "vmac": lambda node: with_vmac(v3(node, advert_int_us=TENTH)),
    "ipv6": lambda node: ipv6(node, advert_int_us=TENTH),
    "ipv6_unicast": lambda node: unicast6(node, advert_int_us=TENTH),
}
STORIES: dict[str, Callable[[Start, Start], None]] = {
    story.__name__: story
    for story in (
        nopreempt, cut_heals, preempt_delayed, link_goes_and_comes, reload_of_the_master,
        reload_of_the_priority,
    )
}  # fmt: skip
SPOKEN: dict[str, InstanceSettings] = {
    "v2_pass": instance("a", VIP, "192.168.192.201", auth_pass="secret", **QUICK),
    "v2_ah": instance("a", auth_type="AH", auth_pass="secret", **QUICK),
    "v3": v3("a", **QUICK),
    "unicast": unicast("a", **QUICK),
    "ipv6": ipv6("a", VIP6, "2001:db8::10", **QUICK),
    "ipv6_unicast": unicast6("a", **QUICK),
}


def newer(release: Release) -> Start:
    """Starts that keepalived."""

    def start(net: Wire, node: str, settings: InstanceSettings) -> Engine:
        return Keepalived(net, node, keepalived_file(settings), release)

    return start


WAYS = {
    f"{release}_then_ours" if first else f"ours_then_{release}": (
        (newer(release), ours) if first else (ours, newer(release))
    )
    for release in RELEASES
    for first in (True, False)
}
Told = dict[tuple[str, str], Future[object]]


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    with ThreadPoolExecutor(8) as pool:
        futures: Told = {}
        for way, starts in WAYS.items():
            for kind, make in PAIRS.items():
                futures[kind, way] = pool.submit(life_of_a_pair, *starts, make, with_ipv6)
            for name, story in STORIES.items():
                futures[name, way] = pool.submit(story, *starts)
        for name, settings in SPOKEN.items():
            for who, start in {"ours": ours, **{str(r): newer(r) for r in RELEASES}}.items():
                futures[f"spoken_{name}", who] = pool.submit(spoken, start, settings, with_ipv6)
        yield futures


@pytest.mark.parametrize("release", RELEASES, ids=str)
def test_the_tree_has_the_release_that_was_meant(release: Release) -> None:
    found = tuple(map(int, release.found.split(".")))
    assert found >= tuple(map(int, release.version.split(".")))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", PAIRS)
def test_pair_fails_over_in_time(told: Told, kind: str, way: str) -> None:
    late = told[kind, way].result(180)
    assert isinstance(late, dict)
    limits = {"stop": SLACK_S, "kill": SLACK_S, "start": 1.5}
    for step, seconds in late.items():
        assert -EARLY_S <= seconds <= limits[step], (step, late)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("story", STORIES)
def test_story_ends_as_with_2_2_7(told: Told, story: str, way: str) -> None:
    told[story, way].result(180)


@pytest.mark.parametrize("release", RELEASES, ids=str)
@pytest.mark.parametrize("name", SPOKEN)
def test_frames_are_byte_equal(told: Told, name: str, release: Release) -> None:
    theirs, mine = (told[f"spoken_{name}", who].result(180) for who in (str(release), "ours"))
    assert mine == theirs
