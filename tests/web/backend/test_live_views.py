"""Rows → what the page shows: the broker, the probe, virtual servers; and entries → records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings

from hanode import wire
from webapp.inventory.models import Cluster
from webapp.live import ingest, services, stream_reader, streams
from webapp.live.models import BrokerState, NodeStatus, Outage
from webapp.live.services import broker_view, cluster_view, ensure_probe, note_broker, probe_view

pytestmark = pytest.mark.django_db

NOON = datetime(2025, 11, 22, 12, 0, tzinfo=UTC)
SILENT_S = 5


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


# The broker


def test_the_time_without_ingest_is_several_of_its_rounds() -> None:
    assert services.INGEST_SILENT_S == SILENT_S
    assert 3 * ingest.REFRESH_S <= services.INGEST_SILENT_S
    assert ingest.BLOCK_MS / 1000 < ingest.REFRESH_S  # it comes to its row in every second
    assert ingest.BACKOFF_S < ingest.REFRESH_S


def test_what_is_taken_over_is_not_what_still_waits_for_the_database() -> None:
    options: dict[str, Any] = django_settings.DATABASES["default"].get("OPTIONS", {})
    assert options.get("timeout", 0) * 1000 < stream_reader.CLAIM_IDLE_MS


def test_before_ingest_ever_ran_nothing_arrives() -> None:
    view = broker_view(NOON)
    assert (view["up"], view["since"]) == (False, None)
    assert "has not started yet" in view["reason"]


def test_the_broker_is_up_as_ingest_says() -> None:
    note_broker(True, NOON)
    note_broker(True, after(3))
    assert broker_view(after(3)) == {
        "up": True,
        "since": "2025-11-22T12:00:00.000+00:00",
        "reason": "",
    }
    note_broker(False, after(4))
    note_broker(False, after(5))
    view = broker_view(after(6))
    assert (view["up"], view["since"]) == (False, "2025-11-22T12:00:04.000+00:00")
    assert view["reason"] == "The message broker does not answer; nodes keep failing over."
    note_broker(True, after(7))
    assert broker_view(after(7))["since"] == "2025-11-22T12:00:07.000+00:00"
    assert BrokerState.objects.count() == 1


def test_a_silent_ingest_is_not_believed() -> None:
    note_broker(True, NOON)
    assert broker_view(after(SILENT_S))["up"]
    view = broker_view(after(SILENT_S + 0.1))
    assert (view["up"], view["since"]) == (False, "2025-11-22T12:00:00.000+00:00")
    assert "does not run" in view["reason"]


# The probe


def test_a_cluster_may_have_no_probe(cluster: Cluster) -> None:
    assert probe_view(cluster, NOON) is None


def test_a_probe_is_shown_as_it_reported_until_it_falls_silent(cluster: Cluster) -> None:
    probe = ensure_probe(cluster)
    assert probe_view(cluster, NOON) == {
        "name": "client",
        "target": "",
        "state": "unknown",
        "heard_at": None,
        "rtt_us": None,
        "sent": 0,
        "lost": 0,
        "outages": [],
    }
    probe.heard_at, probe.target = NOON, "192.0.2.1:80"
    probe.state = {"up": True, "rtt_us": 400, "sent": 9, "lost": 2}
    probe.save()
    Outage.objects.create(probe=probe, from_us=1_000_000, sent=3, lost=2)
    Outage.objects.create(probe=probe, from_us=9_000_000, to_us=9_500_000, lost_ms=500)
    fresh, stale = probe_view(cluster, after(2.9)), probe_view(cluster, after(3))
    assert fresh is not None
    assert stale is not None
    assert (fresh["state"], fresh["rtt_us"], fresh["target"]) == ("up", 400, "192.0.2.1:80")
    assert (stale["state"], stale["rtt_us"]) == ("unknown", None)
    assert (stale["sent"], stale["lost"]) == (9, 2)
    assert stale["heard_at"] == "2025-11-22T12:00:00.000+00:00"
    assert [(o["until"], o["lost_ms"], o["sent"], o["lost"]) for o in fresh["outages"]] == [
        ("1970-01-01T00:00:09.500+00:00", 500, 0, 0),
        (None, 0, 3, 2),
    ]
    assert fresh["outages"][1]["since"] == "1970-01-01T00:00:01.000+00:00"


# Virtual servers


def real(key: str, up: bool | None, weight: int = 1) -> wire.RealServerStatus:
    return wire.RealServerStatus(key, up, weight, 1_000_000, f"{key} {up}")


def reported(cluster: Cluster, name: str, ago_s: float = 0, **status: Any) -> None:
    node = cluster.nodes.get(name=name)
    said = wire.NodeStatus(node.wire_id, name, 1, 1, 0, 0, "", 1, **status)
    NodeStatus.objects.create(
        node=node, status=wire.encode(said), heard_at=NOON - timedelta(seconds=ago_s)
    )


def server(up: bool, *reals: wire.RealServerStatus) -> wire.VirtualServerStatus:
    return wire.VirtualServerStatus("192.0.2.1:80/TCP", up, None, reals)


def test_a_virtual_server_is_up_where_one_nodes_quorum_holds(cluster: Cluster) -> None:
    reported(
        cluster,
        "NodeA",
        virtual_servers=(server(True, real("r1", True, 3)),),
        ipvs="absent: no module",
    )
    reported(
        cluster,
        "NodeB",
        virtual_servers=(server(False, real("r1", False), real("r2", None)),),
        ipvs="kernel",
    )
    since = "1970-01-01T00:00:01.000+00:00"
    assert cluster_view(cluster, NOON)["virtual_servers"] == [
        {
            "key": "192.0.2.1:80/TCP",
            "ipvs": "kernel",
            "up": True,
            "real_servers": [
                {
                    "key": "r1",
                    "weight": 3,
                    "nodes": {
                        "NodeA": {"up": True, "cause": "r1 True", "since": since},
                        "NodeB": {"up": False, "cause": "r1 False", "since": since},
                    },
                },
                {
                    "key": "r2",
                    "weight": 1,
                    "nodes": {"NodeB": {"up": None, "cause": "r2 None", "since": since}},
                },
            ],
        }
    ]


def test_kernel_is_kept_whatever_the_next_node_says(cluster: Cluster) -> None:
    reported(cluster, "NodeA", virtual_servers=(server(False),), ipvs="kernel")
    reported(cluster, "NodeB", virtual_servers=(server(False),), ipvs="absent: x")
    view = cluster_view(cluster, NOON)["virtual_servers"][0]
    assert (view["ipvs"], view["up"]) == ("kernel", False)


def test_what_a_silent_node_said_of_servers_is_not_known_now(cluster: Cluster) -> None:
    reported(cluster, "NodeA", 60, virtual_servers=(server(True, real("r1", True)),), ipvs="kernel")
    view = cluster_view(cluster, NOON)["virtual_servers"][0]
    assert (view["ipvs"], view["up"]) == ("unknown", None)
    assert view["real_servers"][0]["nodes"]["NodeA"] == {
        "up": None,
        "cause": "not heard lately",
        "since": None,
    }


# Entries of a stream


def test_an_entry_was_heard_when_the_broker_took_it_and_never_later_than_now() -> None:
    noon_ms = int(NOON.timestamp() * 1000)
    assert streams.heard_at(f"{noon_ms - 250}-7".encode(), NOON) == after(-0.25)
    assert streams.heard_at(f"{noon_ms}-0".encode(), NOON) == NOON
    assert streams.heard_at(f"{noon_ms + 9000}-0".encode(), NOON) == NOON


PROBE = b'{"target": "x", "wall_us": %d, "sent": 1, "lost": 0, "up": true}'


@pytest.mark.parametrize(
    ("sender", "fields", "bad"),
    [
        (b"probe", {b"t": b"probe", b"d": PROBE % 5}, 0),
        (b"probe", {b"t": b"probe", b"d": PROBE % streams.INTEGER_MAX}, 0),
        (b"probe", {b"t": b"probe", b"d": PROBE % (streams.INTEGER_MAX + 1)}, 1),
        (b"probe", {b"t": b"probe", b"d": PROBE % 0}, 0),
        (b"probe", {b"t": b"probe", b"d": PROBE % -1}, 1),
        (b"node", {b"t": b"probe", b"d": PROBE % 5}, 1),  # not a node's to send
        (b"probe", {b"t": b"status", b"d": PROBE % 5}, 1),
        (b"probe", {b"t": b"probe", b"d": (PROBE % 5).ljust(streams.ENTRY_CHARS_MAX)}, 0),
        (b"probe", {b"t": b"probe", b"d": (PROBE % 5).ljust(streams.ENTRY_CHARS_MAX + 1)}, 1),
        (b"probe", {b"t": b"probe"}, 1),
        (b"probe", {}, 1),
    ],
)
def test_an_entry_is_understood_or_counted(
    sender: bytes, fields: dict[bytes, bytes], bad: int
) -> None:
    good = (b"9-9", {b"t": b"outage", b"d": b'{"from_us":1,"to_us":2500,"lost":1,"sent":1}'})
    entries = [(b"1-0", fields), *([good] if sender == b"probe" else [])]
    records, dropped = streams.read(sender, entries)
    assert dropped == bad
    assert len(records) == len(entries) - bad
    if sender == b"probe":
        assert records[-1][0] == b"9-9"  # what follows arrives


def test_an_outage_takes_as_long_as_it_takes() -> None:
    report = streams.OutageReport
    assert report(1_000, None, 1, 1).lost_ms == 0
    assert report(1_000, 2_001_999, 1, 1).lost_ms == 2000
    assert report(5_000_000, 1, 1, 1).lost_ms == 0


def test_texts_are_made_storable_wherever_they_stand() -> None:
    dirty = {"a\0": ["\ud800", {"b": "x\0y"}], "n": 1, "none": None}
    assert streams.storable(dirty) == {"a\ufffd": ["?", {"b": "x\ufffdy"}], "n": 1, "none": None}
