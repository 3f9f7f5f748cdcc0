"""A node whose clock is wrong: its events stand where they were heard, and it is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hanode import wire
from tests.web.backend.test_store import NOON, say, status
from webapp.accounts.models import User
from webapp.inventory.models import Cluster, Node
from webapp.live import clock
from webapp.live.models import Event
from webapp.live.prune import prune
from webapp.live.services import cluster_view, note_broker, recent_events


def us(at: datetime) -> int:
    return int(at.timestamp() * 1e6)


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("ahead", "off"),
    [
        (timedelta(), None),
        (timedelta(seconds=clock.OFF_AFTER_S), None),
        (-timedelta(seconds=clock.OFF_AFTER_S), None),
        (timedelta(seconds=6), 6.0),
        (-timedelta(seconds=6), -6.0),
        (3_650 * DAY, 3_650 * 86_400.0),
    ],
)
def test_how_far_a_clock_is_off(ahead: timedelta, off: float | None) -> None:
    assert clock.off_s(us(NOON + ahead), NOON) == off


def test_what_is_not_known_is_not_off() -> None:
    assert clock.off_s(us(NOON), None) is None
    assert clock.off_s(0, NOON) is None


@pytest.mark.parametrize(
    ("said", "ahead_s", "at"),
    [
        (NOON, None, NOON),
        (NOON - timedelta(hours=9), None, NOON - timedelta(hours=9)),  # the broker was away
        (NOON + timedelta(seconds=2), None, NOON),  # nothing is heard before it happened
        (NOON + 3_650 * DAY, 3_650 * 86_400.0, NOON),
        (NOON + 3_650 * DAY, None, NOON),  # before the first status
        (NOON - timedelta(minutes=5), -300.0, NOON),
        (datetime(1970, 1, 1, 0, 1, tzinfo=UTC), None, NOON),  # no battery, and no status yet
    ],
)
def test_when_an_event_happened(said: datetime, ahead_s: float | None, at: datetime) -> None:
    assert clock.happened_at(us(said), NOON, ahead_s) == at
    assert clock.happened_at(2**62, NOON, None) == NOON


@pytest.mark.parametrize(
    ("ahead_s", "words"),
    [
        (6.4, "6 s ahead"),
        (-119.0, "119 s behind"),
        (120.0, "2 min ahead"),
        (-7_200.0, "2 h behind"),
        (315_360_000.0, "3,650 days ahead"),
    ],
)
def test_a_clock_in_words(ahead_s: float, words: str) -> None:
    assert clock.told(ahead_s) == words


@pytest.fixture
def node(cluster: Cluster) -> Node:
    return cluster.nodes.get(name="NodeA")


def at(moment: datetime, seq: int, journal: str = "j") -> wire.Event:
    return wire.Event("warning", f"no {seq}", "", us(moment), 5, journal=journal, seq=seq)


def subjects(cluster: Cluster) -> list[str]:
    return [one["subject"] for one in recent_events(cluster)]


@pytest.mark.django_db
@pytest.mark.parametrize("together", [True, False], ids=["with a status", "before any status"])
def test_a_clock_of_2036_pins_nothing_on_top(cluster: Cluster, node: Node, together: bool) -> None:
    """C8."""
    future = datetime(2036, 1, 1, tzinfo=UTC)
    if together:
        say(node, (1, status(wall_us=us(future))), (1, at(future, 1)))
    else:
        say(node, (1, at(future, 1)))
    other = cluster.nodes.get(name="NodeB")
    say(other, (2, at(NOON + timedelta(seconds=2), 2)))
    say(node, (3, at(future + timedelta(seconds=2), 3)))
    assert subjects(cluster) == ["no 3", "no 2", "no 1"]
    shown = recent_events(cluster)
    assert [one["at"] for one in shown] == [
        f"2025-11-22T12:00:0{second}.000+00:00" for second in (3, 2, 1)
    ]
    assert [bool(one["node_clock"]) for one in shown] == [True, False, True]
    assert shown[0]["node_clock"] == "2036-01-01T00:00:02.000+00:00"


@pytest.mark.django_db
def test_a_clock_of_1970_buries_nothing(cluster: Cluster, node: Node) -> None:
    other = cluster.nodes.get(name="NodeB")
    say(other, (1, at(NOON + timedelta(seconds=1), 1)))
    past = datetime(1970, 1, 1, 0, 5, tzinfo=UTC)
    say(node, (2, status(wall_us=us(past))), (2, at(past, 2)))
    assert subjects(cluster) == ["no 2", "no 1"]


@pytest.mark.django_db
def test_a_late_event_of_a_right_clock_keeps_its_place(cluster: Cluster, node: Node) -> None:
    say(node, (0, status()))
    other = cluster.nodes.get(name="NodeB")
    say(other, (10, at(NOON + timedelta(seconds=10), 1)))
    say(node, (60, at(NOON + timedelta(seconds=5), 2)))  # its broker was away
    assert subjects(cluster) == ["no 1", "no 2"]


@pytest.mark.django_db
def test_once_the_clock_is_right_again_it_is_believed(cluster: Cluster, node: Node) -> None:
    say(node, (1, status(wall_us=us(NOON + DAY))))
    say(node, (10, status()))
    say(node, (60, at(NOON + timedelta(seconds=20), 1)))
    assert recent_events(cluster)[0]["at"] == "2025-11-22T12:00:20.000+00:00"


@pytest.mark.django_db
@pytest.mark.parametrize("year", [1970, 2036])
def test_old_events_go_whatever_the_clock_said(cluster: Cluster, node: Node, year: int) -> None:
    say(node, (0, at(datetime(year, 6, 1, tzinfo=UTC), 1)))
    assert prune(10, NOON + 9 * DAY) == 0
    assert prune(10, NOON + 11 * DAY) == 1
    assert not Event.objects.exists()


@pytest.mark.django_db
def test_it_is_a_condition_on_the_page_and_in_the_api(
    cluster: Cluster, node: Node, client: Client, reader: User
) -> None:
    now = timezone.now()
    ahead = 3_650 * DAY
    since = us(now + ahead - timedelta(minutes=1))
    instance = wire.InstanceStatus("HA_Group", 51, "ens33", "MASTER", since, "", 100, 100)
    said = status(wall_us=us(now + ahead), instances=(instance,))
    say(node, (now.timestamp() - NOON.timestamp(), said), now_s=now.timestamp() - NOON.timestamp())
    view = cluster_view(cluster, now)
    shown = next(one for one in view["nodes"] if one["name"] == "NodeA")
    assert [one["kind"] for one in shown["conditions"]] == ["clock"]
    assert shown["clock_ahead_s"] == pytest.approx(ahead.total_seconds(), abs=1)
    began: Any = shown["instances"][0]["since"]
    assert abs(datetime.fromisoformat(began) - now + timedelta(minutes=1)) < timedelta(seconds=2)
    client.force_login(reader)
    page = client.get(reverse("cluster", args=[cluster.slug])).content.decode()
    assert "NodeA&#x27;s clock is 3,650 days ahead" in page
    told = client.get(f"/api/clusters/{cluster.slug}/status").json()
    assert told["nodes"][0]["conditions"][0]["kind"] == "clock"


@pytest.mark.django_db
def test_an_agent_that_is_deaf_is_a_condition_and_not_green(
    cluster: Cluster, node: Node, client: Client, reader: User
) -> None:
    """C2: heartbeats go on, and say that nothing else does."""
    now = timezone.now()
    late_s = now.timestamp() - NOON.timestamp()
    for one in cluster.nodes.all():
        state = "MASTER" if one == node else "BACKUP"
        instance = wire.InstanceStatus("HA_Group", 51, "ens33", state, 1, "", 100, 100)
        late = {"orders": 75.0} if one == node else {}
        said = status(late=late, instances=(instance,))
        say(one, (late_s, said), now_s=late_s)
    note_broker(True, now)
    client.force_login(reader)
    page = client.get(reverse("cluster", args=[cluster.slug])).content.decode()
    assert "its agent has not looked for what it should run for 75 s" in page
    assert "NodeA does not look for what it should run" in page, "the chip is no green one"
