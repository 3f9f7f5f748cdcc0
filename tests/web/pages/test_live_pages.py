"""The live page and its fragments: what is known is said, what is not known is never green."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hanode import wire
from tests.web.pages.conftest import Say, signed_in
from tests.web.pages.markup import Markup
from webapp.accounts.models import AuditEntry, User
from webapp.inventory.models import Cluster, Node
from webapp.live.models import Event
from webapp.live.services import cluster_view, ensure_probe
from webapp.live.views import PARTS


def part(client: Client, cluster: Cluster, name: str) -> str:
    answer = client.get(reverse("cluster-live", args=[cluster.slug, name]))
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)).strip()


def test_a_healthy_pair_is_said_in_one_sentence(
    cluster: Cluster, as_reader: Client, say: Say
) -> None:
    say("NodeA", "MASTER")
    say("NodeB", "BACKUP")
    text = words(part(as_reader, cluster, "groups"))
    assert "HA_Group: NodeA is master since 2025-11-22" in text
    assert "because the test made it MASTER" in text
    assert words(part(as_reader, cluster, "verdict")) == "NodeA is master"


def test_two_masters_are_an_alarm_with_advice(
    cluster: Cluster, as_reader: Client, say: Say
) -> None:
    say("NodeA", "MASTER")
    say("NodeB", "MASTER")
    html = part(as_reader, cluster, "groups")
    assert 'data-state="two masters"' in html
    assert "NodeA and NodeB both say that they are master" in words(html)
    assert "What to do:" in html
    assert words(part(as_reader, cluster, "verdict")) == "two masters: HA_Group"


def test_no_master_is_an_alarm(cluster: Cluster, as_reader: Client, say: Say) -> None:
    say("NodeA", "FAULT")
    say("NodeB", "FAULT")
    assert "NO MASTER" in part(as_reader, cluster, "groups")


def transition(node: Node, seq: int, before: str, after: str) -> None:
    Event.objects.create(
        node=node,
        journal="j",
        seq=seq,
        wall_us=1_763_820_200_000_000 + seq * 60_000_000,
        kind="transition",
        subject="HA_Group",
        data={"from": before, "to": after},
        heard_at=timezone.now(),
        at=datetime.fromtimestamp(1_763_820_200 + seq * 60, UTC),
    )


def test_no_master_is_said_since_the_last_one_left(
    cluster: Cluster, as_reader: Client, say: Say
) -> None:
    a, b = cluster.nodes.get(name="NodeA"), cluster.nodes.get(name="NodeB")
    transition(b, 1, "BACKUP", "MASTER")
    transition(b, 2, "MASTER", "BACKUP")
    transition(a, 1, "BACKUP", "MASTER")
    transition(a, 5, "MASTER", "FAULT")
    transition(a, 7, "FAULT", "BACKUP")
    transition(a, 8, "BACKUP", "FAULT")
    say("NodeA", "FAULT")
    say("NodeB", "FAULT")
    # five minutes after 14:03:20; the later moves of NodeA were not from being master
    assert "nobody is master since 2025-11-22 14:08:20" in words(part(as_reader, cluster, "groups"))


def test_a_master_that_never_said_goodbye_ended_when_it_came_back_as_another(
    cluster: Cluster, as_reader: Client, say: Say
) -> None:
    transition(cluster.nodes.get(name="NodeA"), 1, "BACKUP", "MASTER")
    say("NodeA", "BACKUP")  # since 14:02:11, says the stage
    say("NodeB", "BACKUP")
    assert "nobody is master since 2025-11-22 14:02:11" in words(part(as_reader, cluster, "groups"))


def test_what_was_heard_too_long_ago_is_unknown(
    cluster: Cluster, as_reader: Client, say: Say
) -> None:
    say("NodeA", "MASTER", ago_s=60)
    say("NodeB", "BACKUP")
    heard = cluster.nodes.get(name="NodeA").live.heard_at
    text = words(part(as_reader, cluster, "groups"))
    assert f"who is master is not known since {heard:%Y-%m-%d %H:%M:%S}" in text
    assert ": NodeA is not heard" in text
    nodes = part(as_reader, cluster, "nodes")
    assert 'data-node="unknown"' in nodes
    assert 'data-state="MASTER"' not in nodes
    assert 'data-state="ok"' not in part(as_reader, cluster, "verdict")


def test_without_the_broker_nothing_is_well(cluster: Cluster, as_reader: Client) -> None:
    assert "Not hearing anything" in part(as_reader, cluster, "broker")
    assert words(part(as_reader, cluster, "verdict")).startswith("unknown: broker down")


def test_the_address_is_said_to_be_in_the_kernel_or_not(
    cluster: Cluster, as_reader: Client, say: Say
) -> None:
    say("NodeA", "MASTER")
    say("NodeB", "BACKUP")
    text = words(part(as_reader, cluster, "nodes"))
    assert "192.168.192.200/24 on ens33 in the kernel" in text
    assert "192.168.192.200/24 on ens33 not here" in text


def test_a_real_server_that_is_down_says_why(cluster: Cluster, as_reader: Client, say: Say) -> None:
    say("NodeA", "MASTER", real_up=False)
    say("NodeB", "BACKUP")
    text = words(part(as_reader, cluster, "servers"))
    assert "down connection refused" in text
    assert "This kernel has no IPVS: checks run, balancing does not (no module ip_vs)." in text
    assert words(part(as_reader, cluster, "verdict")) == "1 real server down"


def test_the_timeline_tells_the_cause(
    cluster: Cluster, as_reader: Client, happened: dict[str, Any]
) -> None:
    text = words(part(as_reader, cluster, "events"))
    assert "NodeB MASTER HA_Group was BACKUP no advert for 3.629 s" in text


def test_the_stages_of_a_revision_are_told_only_where_asked_for(
    cluster: Cluster, as_reader: Client, happened: dict[str, Any]
) -> None:
    data = {"revision": 7, "phase": "staged", "problems": []}
    happened["node"].events.update(kind="config", data=data, subject="revision 7")
    assert "revision 7" not in part(as_reader, cluster, "events")
    where = reverse("cluster-live", args=[cluster.slug, "events"])
    assert "revision 7" in as_reader.get(where, {"timeline": "all"}).content.decode()
    page = as_reader.get(reverse("cluster", args=[cluster.slug]), {"timeline": "all"})
    assert "revision 7" in page.content.decode()


def test_the_timeline_shows_a_failed_script_as_a_failure_and_its_recovery(
    cluster: Cluster, as_reader: Client, happened: dict[str, Any]
) -> None:
    rows, data = happened["node"].events, {"kind": "script", "up": False, "value": 0}
    rows.update(kind="tracker", subject="script chk_http", cause="failed: exit code 1", data=data)
    html = part(as_reader, cluster, "events")
    assert 'data-state="warning"' in html
    assert "NodeB failed script chk_http failed: exit code 1" in words(html)
    rows.update(cause="succeeded 2 times", data={**data, "up": True})
    html = part(as_reader, cluster, "events")
    assert 'data-state="ok"' in html
    assert "NodeB works script chk_http succeeded 2 times" in words(html)


def test_the_verdict_names_a_script_that_fails(
    cluster: Cluster, as_reader: Client, say: Say
) -> None:
    def trackers(name: str, *trackers: wire.TrackerStatus, ago_s: float = 0) -> None:
        say(name, "MASTER" if name == "NodeA" else "BACKUP", ago_s=ago_s)
        live = cluster.nodes.get(name=name).live
        live.status["trackers"] = wire.encode(trackers)
        live.save()

    failed = wire.TrackerStatus("script", "chk_http", False, cause="failed: exit code 1")
    works = wire.TrackerStatus("script", "chk_http", True)
    trackers("NodeA", works)
    trackers("NodeB", wire.TrackerStatus("file", "load", None))
    assert words(part(as_reader, cluster, "verdict")) == "NodeA is master"
    trackers("NodeB", failed)
    html = part(as_reader, cluster, "verdict")
    assert words(html) == "script chk_http fails on NodeB"
    assert 'data-state="warning"' in html
    trackers("NodeA", failed)
    assert words(part(as_reader, cluster, "verdict")) == "script chk_http fails on NodeA, NodeB"
    trackers("NodeA", replace(failed, name="other"))
    assert words(part(as_reader, cluster, "verdict")) == "2 trackers fail"
    trackers("NodeA", works)
    trackers("NodeB", failed, ago_s=60)
    assert words(part(as_reader, cluster, "verdict")) == "not heard: NodeB"
    tracked = cluster_view(cluster, timezone.now())["trackers"]
    assert [(one["node"], one["up"], one["cause"]) for one in tracked] == [
        ("NodeA", True, ""),
        ("NodeB", None, "not heard lately"),
    ]


def test_the_client_tells_the_last_outage_in_milliseconds(
    cluster: Cluster, as_reader: Client, happened: dict[str, Any]
) -> None:
    assert "Last outage 3 412 ms" in words(part(as_reader, cluster, "outages"))
    happened["outage"].to_us = None
    happened["outage"].save()
    assert "not over yet" in words(part(as_reader, cluster, "outages"))
    assert "down-since=" in part(as_reader, cluster, "probe")


@pytest.mark.parametrize("name", PARTS)
def test_a_fragment_is_no_page_and_is_sound(
    name: str, cluster: Cluster, as_reader: Client, say: Say, happened: dict[str, Any]
) -> None:
    say("NodeA", "MASTER")
    html = part(as_reader, cluster, name)
    assert "<html" not in html
    assert Markup(html).faults == []


def test_the_page_holds_every_fragment_it_asks_for_later(
    cluster: Cluster, as_reader: Client, say: Say, happened: dict[str, Any]
) -> None:
    say("NodeA", "MASTER")
    say("NodeB", "BACKUP")
    page = as_reader.get(reverse("cluster", args=[cluster.slug])).content.decode()
    assert Markup(page).faults == []
    for sign in ("is master since", "<node-card", "<probe-line", "no advert for 3.629 s"):
        assert sign in page


def test_an_unknown_fragment_is_not_found(cluster: Cluster, as_reader: Client) -> None:
    where = reverse("cluster-live", args=[cluster.slug, "secrets"])
    assert as_reader.get(where).status_code == 404


def test_a_hostile_cause_stays_text(cluster: Cluster, as_reader: Client, happened: Any) -> None:
    happened["node"].events.update(cause="<script>alert(1)</script>")
    html = part(as_reader, cluster, "events")
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_home_shows_trouble_first_and_calm_in_one_line(
    cluster: Cluster, as_reader: Client, say: Say
) -> None:
    say("NodeA", "MASTER")
    say("NodeB", "BACKUP")
    calm = words(as_reader.get(reverse("home")).content.decode())
    assert "All 1 is well" in calm
    assert "Needs a look" not in calm
    say("NodeB", "MASTER")
    troubled = words(as_reader.get(reverse("home")).content.decode())
    assert "Needs a look 1 of 1" in troubled
    assert "well" not in troubled


def test_home_without_a_cluster_says_how_to_begin(as_editor: Client) -> None:
    page = as_editor.get(reverse("home")).content.decode()
    assert "No cluster yet" in page
    assert reverse("import") in page


def test_home_of_who_has_no_role_says_whom_to_ask(stranger: User, cluster: Cluster) -> None:
    page = signed_in(stranger).get(reverse("home")).content.decode()
    assert "Ask an administrator" in page
    assert cluster.name not in page


def test_home_answers_htmx_with_the_fleet_alone(as_reader: Client, cluster: Cluster) -> None:
    answer = as_reader.get(reverse("home"), headers={"HX-Request": "true"})
    assert "<html" not in answer.content.decode()
    assert cluster.name in answer.content.decode()


def press(client: Client, cluster: Cluster, target: str, verb: str) -> Any:
    where = reverse("lab-action", args=[cluster.slug, target, verb])
    return client.post(where, headers={"HX-Request": "true"})


def test_operator_kills_a_director_in_the_lab(
    cluster: Cluster, as_operator: Client, lab: list[dict[str, str]]
) -> None:
    answer = press(as_operator, cluster, "NodeA", "kill")
    assert {"verb": "kill", "target": "NodeA"} in lab
    row = AuditEntry.objects.get(verb="lab kill")
    assert (row.actor_name, row.target) == ("oscar", f"{cluster.slug}: NodeA")
    assert "stopped" in answer.content.decode()


def test_the_lab_says_what_it_cannot_do(
    cluster: Cluster, as_operator: Client, lab: list[dict[str, str]]
) -> None:
    page = press(as_operator, cluster, "NodeZ", "stop").content.decode()
    assert "the lab has no machine" in page
    assert press(as_operator, cluster, "NodeA", "explode").status_code == 404


def test_reader_has_no_lab_buttons_and_no_lab_rights(
    cluster: Cluster, as_reader: Client, lab: list[dict[str, str]]
) -> None:
    page = as_reader.get(reverse("cluster", args=[cluster.slug])).content.decode()
    assert "/lab/" not in page
    assert press(as_reader, cluster, "NodeA", "kill").status_code == 403
    assert lab == []


def test_without_a_lab_there_are_no_buttons(
    cluster: Cluster, as_operator: Client, settings: Any
) -> None:
    settings.LAB_SOCKET = ""
    page = as_operator.get(reverse("cluster", args=[cluster.slug])).content.decode()
    assert "/lab/" not in page
    assert press(as_operator, cluster, "NodeA", "kill").status_code == 404


def test_another_cluster_has_no_buttons_for_this_one_s_machines(
    cluster: Cluster, as_operator: Client, lab: list[dict[str, str]]
) -> None:
    """Its nodes may bear the same names."""
    other = Cluster.objects.create(slug="other", name="Other pair")
    Node.objects.create(cluster=other, name="NodeA", wire_id="other-a")
    page = as_operator.get(reverse("cluster", args=[other.slug])).content.decode()
    assert "/lab/" not in page
    assert press(as_operator, other, "NodeA", "stop").status_code == 404
    assert lab == []
    assert (
        "/lab/NodeA/kill"
        in as_operator.get(reverse("cluster", args=[cluster.slug])).content.decode()
    )


def test_node_that_fell_silent_has_a_row_in_the_timeline(
    cluster: Cluster, as_reader: Client, say: Say
) -> None:
    say("NodeB", "BACKUP")
    say("NodeA", "MASTER", ago_s=30)
    text = words(part(as_reader, cluster, "events"))
    assert "silent" in text
    assert "nothing was heard since" in text
    assert text.count("silent") == 1, "NodeB is heard"
    say("NodeA", "MASTER")
    assert "silent" not in words(part(as_reader, cluster, "events"))


def test_header_tells_every_fact_and_the_worst_first(
    cluster: Cluster, as_reader: Client, say: Say
) -> None:
    say("NodeA", "BACKUP")
    say("NodeB", "BACKUP", real_up=False)
    assert words(part(as_reader, cluster, "verdict")) == "no master: HA_Group · 1 real server down"


def test_cluster_that_was_imported_and_never_heard_says_so(
    cluster: Cluster, as_reader: Client
) -> None:
    text = words(part(as_reader, cluster, "groups"))
    assert text.startswith("NodeA and NodeB have not reported yet")
    assert "no group" not in text


def test_client_that_has_not_reported_asks_nothing_yet(cluster: Cluster, as_reader: Client) -> None:
    ensure_probe(cluster)
    text = words(part(as_reader, cluster, "probe"))
    assert "It asks" not in text
    assert "has not reported yet" in text


def test_error_pages_are_in_house_style(as_reader: Client) -> None:
    answer = as_reader.get("/no/such/page/")
    assert answer.status_code == 404
    page = answer.content.decode()
    assert "Error 404" in page
    assert Markup(page).faults == []


def test_the_page_learns_from_the_server_how_long_silence_may_last(
    cluster: Cluster, as_reader: Client, say: Say, happened: Any, settings: Any
) -> None:
    settings.HEARTBEAT_S = 0.5
    say("NodeA", "MASTER")
    page = as_reader.get(reverse("cluster", args=[cluster.slug])).content.decode()
    for element in ("live-cluster", "node-card", "probe-line"):
        tags = re.findall(f"<{element} [^>]*>", page)
        assert tags
        assert all(' stale-after="1.5"' in tag for tag in tags), tags
