"""A node's status as the page shows it, and the cluster's groups; time is passed in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from hanode import wire
from webapp.live.nodeview import (
    STALE_AFTER,
    WALL_US_MAX,
    delta,
    group_views,
    iso,
    node_view,
    stale_after_s,
    stale_at,
    stamp,
    vip_places,
)
from webapp.live.shape import InstanceView, NodeView

NOON = datetime(2025, 11, 22, 12, 0, tzinfo=UTC)
SINCE_US = int(NOON.timestamp() * 1e6)
VIP = wire.VipStatus("192.0.2.1/24", "eth0", True)
INSTANCE = wire.InstanceStatus(
    "HA", 51, "eth0", "MASTER", SINCE_US, "no advert", 100, 80, vips=(VIP,)
)
STATUS = wire.NodeStatus(
    node="a-1",
    name="A",
    wall_us=1,
    mono_us=1,
    revision=7,
    confirmed_revision=6,
    config_sha256="",
    started_us=1,
    instances=(INSTANCE,),
    ipvs="kernel",
    problems=("port 80 is taken",),
)


def view(
    status: wire.NodeStatus | None = STATUS, ago_s: float | None = 0.0, name: str = "A"
) -> NodeView:
    heard = None if ago_s is None else NOON - timedelta(seconds=ago_s)
    if status is not None and status.wall_us == 1 and heard is not None:
        status = replace(status, wall_us=int(heard.timestamp() * 1e6))
    return node_view(("pk", name, f"{name}-1"), status, heard, now=NOON, heartbeat_s=2.0)


def test_a_node_is_shown_as_it_reported() -> None:
    assert view(ago_s=1.25) == {
        "id": "pk",
        "name": "A",
        "wire_id": "A-1",
        "state": "up",
        "heard_at": "2025-11-22T11:59:58.750+00:00",
        "heard_ago_s": 1.2,
        "unknown_since": None,
        "revision": 7,
        "confirmed_revision": 6,
        "engine": "up",
        "ipvs": "kernel",
        "problems": ["port 80 is taken"],
        "conditions": [],
        "clock_ahead_s": None,
        "instances": [
            {
                "name": "HA",
                "vrid": 51,
                "interface": "eth0",
                "state": "MASTER",
                "since": "2025-11-22T12:00:00.000+00:00",
                "cause": "no advert",
                "priority": 100,
                "effective_priority": 80,
                "vips": [{"address": "192.0.2.1/24", "dev": "eth0", "present": True}],
            }
        ],
    }


def test_a_silent_node_is_unknown_and_so_is_all_that_time_may_have_changed() -> None:
    known, silent = view(), view(ago_s=60)
    instance: InstanceView = {
        **known["instances"][0],
        "state": "unknown",
        "since": None,
        "cause": "",
        "vips": [{"address": "192.0.2.1/24", "dev": "eth0", "present": None}],
    }
    assert silent == {
        **known,
        "state": "unknown",
        "heard_at": "2025-11-22T11:59:00.000+00:00",
        "heard_ago_s": 60.0,
        "unknown_since": "2025-11-22T11:59:06.000+00:00",
        "engine": "unknown",
        "ipvs": "unknown",
        "problems": [],
        "instances": [instance],
    }


def test_a_node_that_never_reported_is_unknown() -> None:
    never = view(None, None)
    assert (never["state"], never["heard_at"], never["heard_ago_s"]) == ("unknown", None, None)
    assert (never["unknown_since"], never["revision"], never["confirmed_revision"]) == (None,) * 3
    assert (never["engine"], never["ipvs"]) == ("unknown", "unknown")
    assert (never["problems"], never["instances"]) == ([], [])
    assert view(STATUS, None)["state"] == "unknown"
    assert view(None, 0.0)["state"] == "unknown"  # heard, and not understood


def test_a_stopping_engine_is_said_to_stop_while_it_is_heard() -> None:
    stopping = replace(STATUS, stopping=True)
    assert view(stopping)["engine"] == "stopping"
    assert view(stopping, ago_s=60)["engine"] == "unknown"


def test_three_heartbeats_are_too_long() -> None:
    assert STALE_AFTER == 3
    assert stale_after_s(0.5) == 1.5
    assert stale_at(NOON, 2.0) == NOON + timedelta(seconds=6)
    assert view(ago_s=5.999)["state"] == "up"
    assert view(ago_s=6)["state"] == "unknown"


@pytest.mark.parametrize("wall_us", [None, 0, -1, WALL_US_MAX, 2**62])
def test_what_is_no_date_is_none(wall_us: int | None) -> None:
    assert iso(wall_us) is None


def test_times_are_in_utc_with_milliseconds() -> None:
    assert iso(1_763_812_800_123_456) == "2025-11-22T12:00:00.123+00:00"
    assert iso(1) == "1970-01-01T00:00:00.000+00:00"
    assert str(iso(WALL_US_MAX - 1_000_000)).startswith("9999-12-31T23:59:59")
    assert stamp(NOON.astimezone(timezone(timedelta(hours=2)))) == "2025-11-22T12:00:00.000+00:00"
    assert stamp(None) is None


# The groups: one vrrp_instance across the cluster


def member(node: str, state: str, since_s: float = 0, ago_s: float = 0.0, **more: Any) -> NodeView:
    since = SINCE_US + int(since_s * 1e6)
    one = replace(INSTANCE, state=state, since_us=since, cause=f"{node} said so", **more)
    return view(replace(STATUS, instances=(one,)), ago_s, node)


def test_one_master_is_well() -> None:
    assert group_views([member("A", "BACKUP", 9), member("B", "MASTER", 5)]) == [
        {
            "name": "HA",
            "vrid": 51,
            "master": "B",
            "masters": ["B"],
            "since": "2025-11-22T12:00:05.000+00:00",
            "cause": "B said so",
            "verdict": "ok",
        }
    ]


def test_two_masters_are_so_since_the_second_became_one() -> None:
    group = group_views([member("A", "MASTER", 5), member("B", "MASTER", 4)])[0]
    assert (group["verdict"], group["master"], group["masters"]) == (
        "two masters",
        None,
        ["A", "B"],
    )
    assert (group["since"], group["cause"]) == ("2025-11-22T12:00:05.000+00:00", "A said so")


def test_nobody_is_master() -> None:
    group = group_views([member("A", "FAULT", 1), member("B", "BACKUP", 2)])[0]
    assert (group["verdict"], group["master"], group["masters"]) == ("no master", None, [])
    assert (group["since"], group["cause"]) == ("2025-11-22T12:00:02.000+00:00", "B said so")


def test_a_silent_node_may_be_the_master() -> None:
    group = group_views([member("A", "MASTER", 1, ago_s=60), member("B", "BACKUP", 2)])[0]
    assert (group["verdict"], group["masters"]) == ("unknown", [])
    assert (group["since"], group["cause"]) == ("2025-11-22T11:59:00.000+00:00", "")
    well = group_views([member("A", "BACKUP", 1, ago_s=60), member("B", "MASTER", 2)])[0]
    assert (well["verdict"], well["master"]) == ("ok", "B")


def test_there_is_no_master_since_the_last_one_left() -> None:
    nodes = [member("A", "FAULT", 1), member("B", "BACKUP", 2), member("C", "BACKUP", 3)]
    left = {("HA", "A"): "2025-11-22T12:00:07.000+00:00", ("HA", "B"): None}
    group = group_views(nodes, left)[0]
    assert (group["since"], group["cause"]) == (left["HA", "A"], "A said so")
    # B never said that it left: it came back as BACKUP at :02
    group = group_views(nodes, {("HA", "B"): None})[0]
    assert (group["since"], group["cause"]) == ("2025-11-22T12:00:02.000+00:00", "B said so")
    # what is known of another group is not of this one
    group = group_views(nodes, {("GW", "A"): left["HA", "A"]})[0]
    assert (group["since"], group["cause"]) == ("2025-11-22T12:00:03.000+00:00", "C said so")


def test_a_silent_nodes_leaving_is_its_silence() -> None:
    nodes = [member("A", "MASTER", 1, ago_s=60), member("B", "BACKUP", 2)]
    left = {("HA", "A"): "2025-11-22T12:00:07.000+00:00"}
    assert group_views(nodes, left)[0]["since"] == "2025-11-22T11:59:00.000+00:00"


def test_every_group_is_there_once_in_the_nodes_order() -> None:
    other = member("B", "BACKUP", name="GW", vrid=52)
    groups = group_views([member("A", "MASTER"), other])
    assert [(g["name"], g["vrid"], g["verdict"]) for g in groups] == [
        ("HA", 51, "ok"),
        ("GW", 52, "no master"),
    ]
    assert group_views([]) == []


def test_nobody_said_since_when() -> None:
    group = group_views([member("A", "INIT", -SINCE_US / 1e6)])[0]
    assert (group["since"], group["cause"]) == (None, "A said so")


def test_an_address_is_where_the_kernels_have_it() -> None:
    absent = (replace(VIP, present=False),)
    nodes = [
        member("A", "MASTER"),
        member("B", "BACKUP", vips=absent),
        member("C", "MASTER", ago_s=60),
        member("D", "MASTER"),
        member("E", "MASTER", name="GW"),
    ]
    ha = {"address": "192.0.2.1/24", "group": "HA", "dev": "eth0"}
    assert vip_places(nodes) == [
        {**ha, "nodes": ["A", "D"], "unknown": ["C"]},
        {**ha, "group": "GW", "nodes": ["E"], "unknown": []},
    ]


def test_a_delta_is_what_changed_and_always_how_fresh_it_is() -> None:
    old, new = view(ago_s=1), view(replace(STATUS, revision=8), ago_s=1)
    fresh = {"state", "heard_at", "heard_ago_s"}
    assert set(delta(old, new)) == fresh | {"revision"}
    assert delta(old, new)["revision"] == 8
    assert set(delta(new, new)) == fresh
    assert delta(None, new) == new
