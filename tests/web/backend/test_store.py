"""Records → rows: what comes late, twice or out of order changes nothing that is newer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings

from hanode import wire
from webapp.inventory.models import Cluster, Node
from webapp.live.models import Event, NodeStatus, Outage, Probe
from webapp.live.services import ensure_probe, view_of
from webapp.live.store import AfterCommit, store_node, store_probe
from webapp.live.streams import OutageReport, ProbeReport, Record

pytestmark = pytest.mark.django_db

NOON = datetime(2025, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def node(cluster: Cluster) -> Node:
    return cluster.nodes.get(name="NodeA")


@pytest.fixture
def probe(cluster: Cluster) -> Probe:
    return ensure_probe(cluster)


def entry(at_s: float, seq: int = 0) -> bytes:
    """The id that the broker gives an entry so many seconds after noon."""
    return f"{int(NOON.timestamp() * 1000) + round(at_s * 1000)}-{seq}".encode()


def status(**changes: Any) -> wire.NodeStatus:
    values: dict[str, Any] = {
        "node": "n",
        "name": "NodeA",
        "wall_us": 1,
        "mono_us": 1,
        "revision": 0,
        "confirmed_revision": 0,
        "config_sha256": "",
        "started_us": 1,
        "instances": (wire.InstanceStatus("HA", 51, "eth0", "BACKUP", 1, "", 100, 100),),
    }
    return wire.NodeStatus(**{**values, **changes})


def event(seq: int, kind: str = "warning", journal: str = "j", **more: Any) -> wire.Event:
    return wire.Event(kind, f"no {seq}", "", 5, 5, journal=journal, seq=seq, **more)


def say(source: Node | Probe, *records: tuple[float, Record], now_s: float = 60.0) -> AfterCommit:
    """Store one batch; the records' times are those of the broker."""
    after, now = AfterCommit(), NOON + timedelta(seconds=now_s)
    batch = [
        (entry(at_s, place), _at(record, min(at_s, now_s)))
        for place, (at_s, record) in enumerate(records)
    ]
    if isinstance(source, Node):
        store_node(source, batch, after, now)
    else:
        store_probe(source, batch, after, now)
    return after


def _at(record: Record, at_s: float) -> Record:
    """A status that names no time was made just before the broker took it."""
    if isinstance(record, wire.NodeStatus) and record.wall_us == 1:
        return replace(record, wall_us=int((NOON.timestamp() + at_s) * 1e6))
    return record


def messages(after: AfterCommit, source: Node | Probe) -> list[dict[str, Any]]:
    """What the cluster's browsers are sent; nobody else is."""
    assert set(after.messages) <= {source.cluster.channel_group}
    return after.messages.get(source.cluster.channel_group, [])


def topics(after: AfterCommit, source: Node | Probe) -> list[str]:
    return [m["topic"] for m in messages(after, source) if m["kind"] == "changed"]


def shown(node: Node, now_s: float = 0.0) -> Any:
    row = Node.objects.select_related("live").get(pk=node.pk)
    return view_of(row, NOON + timedelta(seconds=now_s))


# Statuses


def test_an_older_status_does_not_replace_a_newer_one(node: Node) -> None:
    """A second ingest took over what another had read and never stored."""
    say(node, (10, status(revision=2)))
    after = say(node, (5, status(revision=1)))
    view = shown(node, 10)
    assert (view["revision"], view["heard_at"]) == (2, "2025-11-22T12:00:10.000+00:00")
    assert messages(after, node) == []
    assert after.cluster_ids == {node.cluster_id}


def test_of_two_statuses_in_one_millisecond_the_second_counts(node: Node) -> None:
    say(node, (10, status(revision=1)))
    say(node, (10, status(revision=2)))
    assert shown(node, 10)["revision"] == 2


def test_of_a_batch_the_last_status_counts(node: Node) -> None:
    after = say(node, (1, status(revision=1)), (2, status(revision=2)), (3, status(revision=3)))
    assert (shown(node, 3)["revision"], shown(node, 3)["heard_ago_s"]) == (3, 0.0)
    assert len([m for m in messages(after, node) if m["kind"] == "node"]) == 1


def test_a_status_is_never_heard_in_the_future(node: Node) -> None:
    say(node, (3600, status()), now_s=1)
    heard = NodeStatus.objects.get(node=node).heard_at
    assert heard == NOON + timedelta(seconds=1)


def test_a_first_status_is_sent_whole_and_later_ones_as_what_changed(node: Node) -> None:
    first = say(node, (1, status()), now_s=1)
    sent = next(m for m in messages(first, node) if m["kind"] == "node")
    assert (sent["node"], sent["delta"]) == (node.wire_id, shown(node, 1))
    assert topics(first, node) == ["groups", "config"]
    again = say(node, (2, status()), now_s=2)
    sent = next(m for m in messages(again, node) if m["kind"] == "node")
    assert set(sent["delta"]) == {"state", "heard_at", "heard_ago_s"}
    assert topics(again, node) == []


def test_fragments_are_out_of_date_where_what_they_show_changed(node: Node) -> None:
    say(node, (1, status()), now_s=1)
    master = wire.InstanceStatus("HA", 51, "eth0", "MASTER", 1, "", 100, 100)
    assert topics(say(node, (2, status(instances=(master,))), now_s=2), node) == ["groups"]
    moved = say(node, (3, status(instances=(master,), revision=1)), now_s=3)
    assert topics(moved, node) == ["config"]


def test_a_node_that_comes_back_is_said_to_be_up(node: Node) -> None:
    say(node, (1, status()), now_s=1)
    back = say(node, (60, status()), now_s=60)
    delta = next(m for m in messages(back, node) if m["kind"] == "node")["delta"]
    assert delta["state"] == "up"
    assert [i["state"] for i in delta["instances"]] == ["BACKUP"]
    assert topics(back, node) == ["groups"]


def test_a_status_with_another_result_of_a_tracker_or_a_check_moves_the_page(node: Node) -> None:
    """Its event came before it, when the page could only read the status of before."""
    works = wire.TrackerStatus("script", "chk_http", True)
    server = wire.VirtualServerStatus("10.0.0.1:80/TCP", up=True, in_kernel=None)
    say(node, (1, status(trackers=(works,), virtual_servers=(server,))))
    failed, down = replace(works, up=False), replace(server, up=False)
    same = say(node, (2, status(trackers=(works,), virtual_servers=(server,))))
    assert topics(same, node) == []
    tracker = say(node, (3, status(trackers=(failed,), virtual_servers=(server,))))
    assert topics(tracker, node) == ["groups"]
    check = say(node, (4, status(trackers=(failed,), virtual_servers=(down,))))
    assert topics(check, node) == ["groups"]


def test_a_status_of_before_that_is_not_understood_is_no_status(node: Node) -> None:
    NodeStatus.objects.create(node=node, status={"revision": "x"}, heard_at=NOON)
    after = say(node, (1, status()), now_s=1)
    assert shown(node, 1)["state"] == "up"
    assert topics(after, node) == ["groups", "config"]


# Events


def test_events_of_a_batch_are_rows_and_move_the_cursor(node: Node) -> None:
    after = say(node, (1, event(1)), (2, event(2, "transition", data={"to": "MASTER"})))
    row = Event.objects.get(seq=2)
    assert (row.node, row.journal, row.kind, row.subject) == (node, "j", "transition", "no 2")
    assert (row.data, row.wall_us) == ({"to": "MASTER"}, 5)
    assert row.heard_at == NOON + timedelta(seconds=2)
    assert after.cursors == {node.wire_id: "j 2"}
    assert after.cluster_ids == {node.cluster_id}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("warning", ["events"]),
        ("config", ["events", "config"]),
        *((kind, ["events", "groups"]) for kind in ("transition", "address")),
        *((kind, ["events", "groups"]) for kind in ("virtual_server", "real_server")),
    ],
)
def test_an_event_makes_the_fragments_that_show_it_out_of_date(
    node: Node, kind: str, expected: list[str]
) -> None:
    assert topics(say(node, (1, event(1, kind)), (1, event(2, kind))), node) == expected


def test_the_same_event_again_is_no_news(node: Node) -> None:
    say(node, (1, event(1)), (2, event(2)))
    after = say(node, (3, event(2)), (3, event(1)))
    assert Event.objects.count() == 2
    assert Event.objects.get(seq=1).heard_at == NOON + timedelta(seconds=1)
    assert messages(after, node) == []
    assert after.cursors == {node.wire_id: "j 2"}  # the receipt that was lost is written again


def test_the_same_event_twice_in_one_batch_is_one_row(node: Node) -> None:
    say(node, (1, event(1)), (1, event(1)))
    assert Event.objects.count() == 1


def test_an_older_event_does_not_turn_the_cursor_back(node: Node) -> None:
    say(node, (1, event(7)))
    assert say(node, (2, event(3))).cursors == {node.wire_id: "j 7"}
    assert set(Event.objects.values_list("seq", flat=True)) == {3, 7}


def test_a_new_journal_begins_its_own_count(node: Node) -> None:
    say(node, (1, event(7)))
    after = say(node, (2, event(1, journal="k")), (2, event(2, journal="k")))
    assert after.cursors == {node.wire_id: "k 2"}
    assert Event.objects.count() == 3


def test_the_same_number_of_another_journal_or_node_is_another_event(
    node: Node, cluster: Cluster
) -> None:
    say(node, (1, event(1)), (1, event(2)))
    say(node, (2, event(1, journal="k")))
    say(cluster.nodes.get(name="NodeB"), (3, event(1)))
    assert Event.objects.count() == 4


@pytest.mark.parametrize("nameless", [event(0), event(1, journal="")])
def test_an_event_of_no_journal_is_not_stored_and_moves_nothing(
    node: Node, nameless: wire.Event
) -> None:
    after = say(node, (1, nameless))
    assert not Event.objects.exists()
    assert after.cursors == {}


def test_long_words_are_cut_to_what_a_row_holds(node: Node) -> None:
    long = wire.Event("k" * 99, "s" * 999, "c" * 999, 5, 5, journal="j" * 99, seq=1)
    after = say(node, (1, long))
    row = Event.objects.get()
    assert (len(row.kind), len(row.subject), len(row.cause)) == (30, 200, 999)
    assert row.journal == "j" * 64
    assert after.cursors == {node.wire_id: f"{'j' * 64} 1"}
    say(node, (2, long))
    assert Event.objects.count() == 1


def test_an_empty_batch_changes_nothing(node: Node) -> None:
    after = say(node)
    assert (after.messages, after.cursors, after.cluster_ids) == ({}, {}, set())


# Probes and outages


def report(sent: int, up: bool = True) -> ProbeReport:
    return ProbeReport("192.0.2.1:80", 5, sent, 0, up, 400)


def test_an_older_probe_report_does_not_replace_a_newer_one(probe: Probe) -> None:
    say(probe, (10, report(2)))
    after = say(Probe.objects.get(), (5, report(1, up=False)))
    row = Probe.objects.get()
    assert (row.state["sent"], row.heard_at) == (2, NOON + timedelta(seconds=10))
    assert messages(after, probe) == []


def test_of_a_batch_the_last_probe_report_counts(probe: Probe) -> None:
    after = say(probe, (1, report(1)), (2, report(2)), (2, report(3)), now_s=2)
    row = Probe.objects.get()
    assert (row.state["sent"], row.target) == (3, "192.0.2.1:80")
    assert row.heard_at == NOON + timedelta(seconds=2)
    sent = [m["probe"] for m in messages(after, probe) if m["kind"] == "probe"]
    assert [(p["state"], p["sent"], p["rtt_us"]) for p in sent] == [("up", 3, 400)]


def test_a_probe_is_unknown_after_three_heartbeats(probe: Probe) -> None:
    late_s = 3 * django_settings.HEARTBEAT_S
    after = say(probe, (0, report(1, up=False)), now_s=late_s)
    assert messages(after, probe)[-1]["probe"]["state"] == "unknown"
    after = say(probe, (0, report(1, up=False)), now_s=late_s - 0.1)
    assert messages(after, probe)[-1]["probe"]["state"] == "down"


def test_an_outage_begins_and_ends_once(probe: Probe) -> None:
    begin, end = OutageReport(1_000_000, None, 1, 1), OutageReport(1_000_000, 1_730_000, 3, 4)
    assert topics(say(probe, (1, begin)), probe) == ["outages"]
    row = Outage.objects.get()
    assert (row.to_us, row.lost_ms, row.sent, row.lost) == (None, 0, 1, 1)
    for again in (end, begin, end, OutageReport(1_000_000, 9_000_000, 9, 9)):
        say(probe, (2, again))
        row = Outage.objects.get()
        assert (row.to_us, row.lost_ms, row.sent, row.lost) == (1_730_000, 730, 4, 3)
    say(probe, (3, OutageReport(5_000_000, 4_000_000, 1, 2)))
    row = Outage.objects.get(from_us=5_000_000)
    assert (row.lost_ms, row.sent, row.lost) == (0, 2, 1)


def test_a_message_is_said_once_to_each_cluster(cluster: Cluster, canonical: Cluster) -> None:
    after = AfterCommit()
    for one in (cluster, canonical, cluster):
        after.changed(one.channel_group, "events", "config")
    expected = [{"kind": "changed", "topic": t} for t in ("events", "config")]
    assert after.messages == {c.channel_group: expected for c in (cluster, canonical)}
