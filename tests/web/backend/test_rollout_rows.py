"""A rollout's rows: what the plan reads from them, what its decisions write, and only once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.db.models import F
from django.utils import timezone

from hanode import apply, wire
from webapp.accounts.models import AuditEntry, User
from webapp.celery import app
from webapp.configs import services as configs
from webapp.configs.models import RevisionFile
from webapp.inventory.models import Cluster, Node
from webapp.inventory.services import enrol
from webapp.live.models import Event, NodeStatus
from webapp.live.services import cluster_view
from webapp.rollout import desired, plan, services, transport
from webapp.rollout.models import Rollout, Step
from webapp.rollout.views import in_push_order, steps_in_order

pytestmark = pytest.mark.django_db

NUMBER = 1
"""Of the cluster's first revision."""


@pytest.fixture
def rollout(cluster: Cluster, editor: User, operator: User) -> Rollout:
    """Just pushed: revision 1 of the pair with one more address; nothing is sent yet."""
    group = cluster.groups.get()
    configs.add_vip(actor=editor, group=group, version=1, address="192.168.192.201/24")
    return services.push(actor=operator, cluster=cluster, message="", draft_version=2)


def instance(name: str, state: str) -> wire.InstanceStatus:
    return wire.InstanceStatus(name, 51, "ens33", state, 1, "", 100, 100)


def report(node: Node, at: datetime, **status: Any) -> None:
    """The node's last status, heard at that time; of a revision it runs what was sent."""
    file = RevisionFile.objects.filter(
        node=node, revision__number=status.get("revision") or -1
    ).first()
    values: dict[str, Any] = {
        "node": node.wire_id,
        "name": node.name,
        "wall_us": int(at.timestamp() * 1e6),
        "mono_us": 1,
        "revision": 0,
        "confirmed_revision": 0,
        "config_sha256": file.sha256 if file else "",
        "started_us": 1,
        "instances": (instance("HA_Group", "BACKUP"),),
    }
    NodeStatus.objects.update_or_create(
        node=node,
        defaults={
            "status": wire.encode(wire.NodeStatus(**{**values, **status})),
            "heard_at": at,
        },
    )


def node_of(rollout: Rollout, name: str) -> Node:
    return rollout.revision.cluster.nodes.get(name=name)


def step_of(rollout: Rollout, name: str) -> Step:
    return rollout.steps.get(node__name=name)


def advance(rollout: Rollout, now: datetime) -> bool:
    """Every move that is due; the broker takes every message as soon as it is due."""
    told(rollout)
    moved = services.advance(rollout.pk, now=now)
    while told(rollout) and services.advance(rollout.pk, now=now):
        pass
    rollout.refresh_from_db()
    return moved


def told(rollout: Rollout) -> int:
    return rollout.steps.filter(state__in=["sent", "live"], told_at=None).update(told_at=F("at"))


def started(rollout: Rollout, **master: Any) -> datetime:
    """Both are heard and the backup has been sent the revision; when."""
    now = timezone.now()
    report(node_of(rollout, "NodeA"), now, instances=(instance("HA_Group", "MASTER"),))
    report(node_of(rollout, "NodeB"), now, **master)
    assert advance(rollout, now)
    assert step_of(rollout, "NodeB").state == "sent"
    return now


# Constants that depend on each other


def test_the_node_is_told_the_time_that_the_plan_counts_on(rollout: Rollout) -> None:
    node = node_of(rollout, "NodeA")
    file = RevisionFile.objects.get(revision=rollout.revision, node=node)
    bundle = wire.from_json(wire.Bundle, desired.bundle_of(node, file).payload)
    assert bundle.confirm_within_s == plan.NODE_REVERTS_AFTER_S
    assert bundle.confirm_within_s >= plan.ANSWER_WITHIN_S + plan.CONFIRM_WITHIN_S
    assert bundle.confirm_within_s <= apply.CONFIRM_WITHIN_MAX_S  # more would be cut by the node


def test_what_a_lost_nudge_would_have_said_arrives_in_time_all_the_same() -> None:
    reconcile = app.conf.beat_schedule["reconcile"]
    assert reconcile["options"]["expires"] <= reconcile["schedule"]  # they do not pile up
    late_s = reconcile["schedule"] + django_settings.HEARTBEAT_S
    assert late_s < plan.CONFIRM_WITHIN_S
    assert late_s < plan.ANSWER_WITHIN_S
    assert reconcile["schedule"] < transport.EXPIRES_S


# What the plan reads


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"revision": 0}, "did not report revision 1 yet"),
        ({"revision": 1, "stopping": True}, "it did not settle yet"),
        ({"instances": (instance("X", "FAULT"),)}, "X is in FAULT and did not recover yet"),
        ({"instances": (instance("X", "INIT"),)}, "X did not settle yet"),
        (
            {"instances": (instance("X", "MASTER"), instance("Y", ""), instance("Z", "FAULT"))},
            "Z is in FAULT and did not recover yet",
        ),
    ],
)
def test_a_node_that_is_not_well_is_not_live(
    rollout: Rollout, status: dict[str, Any], reason: str
) -> None:
    now = started(rollout)
    report(node_of(rollout, "NodeB"), now, **{"revision": 1, **status})
    assert not advance(rollout, now)
    assert step_of(rollout, "NodeB").state == "sent"
    assert rollout.reason.startswith("Waits: NodeB ")
    assert rollout.reason.endswith(f"{reason}.")
    report(node_of(rollout, "NodeB"), now, revision=1)
    assert advance(rollout, now)
    assert step_of(rollout, "NodeB").state == "live"


def test_a_node_is_heard_for_three_heartbeats(rollout: Rollout) -> None:
    now = started(rollout)
    stale = timedelta(seconds=3 * django_settings.HEARTBEAT_S)
    report(node_of(rollout, "NodeB"), now, revision=1)
    assert not advance(rollout, now + stale)
    assert rollout.reason == "Waits: NodeB was not heard yet."
    assert advance(rollout, now + stale - timedelta(milliseconds=1))


def test_nothing_is_sent_to_a_node_that_never_reported(rollout: Rollout) -> None:
    now = timezone.now()
    report(node_of(rollout, "NodeA"), now)
    assert not advance(rollout, now)
    assert (rollout.state, rollout.reason) == (
        "waiting",
        "Waits for NodeB, which is not heard at the moment.",
    )


def test_a_status_that_is_not_understood_is_none(rollout: Rollout) -> None:
    now = started(rollout)
    NodeStatus.objects.filter(node__name="NodeB").update(status={"revision": "one"})
    assert not advance(rollout, now)
    assert rollout.reason == "Waits: NodeB was not heard yet."


def happened(node: Node, at: datetime, phase: str, cause: str = "", revision: int = NUMBER) -> None:
    seq = Event.objects.count() + 1
    Event.objects.create(
        node=node,
        journal="j",
        seq=seq,
        wall_us=1,
        kind="config",
        subject="",
        cause=cause,
        data={"phase": phase, "revision": revision},
        heard_at=at,
        at=at,
    )


@pytest.mark.parametrize("phase", ["refused", "reverted"])
def test_the_nodes_own_word_ends_it(rollout: Rollout, phase: str) -> None:
    now = started(rollout)
    report(node_of(rollout, "NodeB"), now, revision=1)
    happened(node_of(rollout, "NodeB"), now, phase, "line 3")
    happened(node_of(rollout, "NodeB"), now + timedelta(seconds=1), "reverted", "later")
    assert advance(rollout, now)
    step = step_of(rollout, "NodeB")
    verb = {"refused": "refused the revision", "reverted": "went back"}[phase]
    assert (step.state, step.detail) == (phase, f"NodeB {verb}: line 3.")
    assert rollout.state == "failed"


def test_without_a_cause_it_says_so(rollout: Rollout) -> None:
    now = started(rollout)
    happened(node_of(rollout, "NodeB"), now, "refused")
    advance(rollout, now)
    detail = "NodeB refused the revision: it did not say why."
    assert step_of(rollout, "NodeB").detail == detail


@pytest.mark.parametrize(
    ("phase", "revision", "late_s", "who", "counts"),
    [
        ("refused", NUMBER, -60, "NodeB", True),  # numbered: whenever it came
        ("refused", NUMBER + 1, 1, "NodeB", False),
        ("refused", NUMBER, 1, "NodeA", False),
        ("staged", NUMBER, 1, "NodeB", False),
        ("refused", 0, 0, "NodeB", True),  # an envelope that it could not open
        ("refused", 0, -0.001, "NodeB", False),
        ("reverted", 0, 1, "NodeB", False),
    ],
)
def test_only_what_is_said_of_this_revision_counts(
    rollout: Rollout, phase: str, revision: int, late_s: float, who: str, counts: bool
) -> None:
    now = started(rollout)
    at = now + timedelta(seconds=late_s)
    happened(node_of(rollout, who), at, phase, "because", revision)
    advance(rollout, now)
    assert (step_of(rollout, "NodeB").state == phase) is counts


def test_an_event_of_another_kind_is_no_refusal(rollout: Rollout) -> None:
    now = started(rollout)
    happened(node_of(rollout, "NodeB"), now, "refused")
    Event.objects.update(kind="node")
    advance(rollout, now)
    assert step_of(rollout, "NodeB").state == "sent"


def test_time_counts_from_each_steps_last_move(rollout: Rollout) -> None:
    now = started(rollout)
    for after_s, state in ((plan.ANSWER_WITHIN_S, "sent"), (plan.ANSWER_WITHIN_S + 1, "timed_out")):
        advance(rollout, now + timedelta(seconds=after_s))
        assert step_of(rollout, "NodeB").state == state


def test_the_start_is_given_up_that_long_after_the_last_move(rollout: Rollout) -> None:
    now = rollout.started_at
    report(node_of(rollout, "NodeB"), now)
    Step.objects.update(at=now + timedelta(seconds=100))
    advance(rollout, now + timedelta(seconds=plan.START_WITHIN_S + 99))
    assert rollout.state == "waiting"
    advance(rollout, now + timedelta(seconds=plan.START_WITHIN_S + 101))
    assert rollout.state == "failed"


# What a decision writes


def test_sending_writes_when_and_which_faults_there_were(rollout: Rollout) -> None:
    faults = (instance("GW", "FAULT"), instance("HA_Group", "BACKUP"))
    now = started(rollout, instances=faults)
    step = step_of(rollout, "NodeB")
    assert (step.sent_at, step.at, step.faults_before) == (now, now, ["GW"])
    assert step_of(rollout, "NodeA").sent_at is None
    report(node_of(rollout, "NodeB"), now, revision=1, instances=faults)
    later = now + timedelta(seconds=1)
    report(node_of(rollout, "NodeB"), later, revision=1, instances=faults)
    assert advance(rollout, later)
    step = step_of(rollout, "NodeB")
    assert (step.state, step.sent_at, step.at) == ("live", now, later)
    assert step.faults_before == ["GW"]


def test_a_decision_on_rows_that_moved_meanwhile_writes_nothing(rollout: Rollout) -> None:
    """Two workers decided on the same rows: the second comes too late."""
    now = started(rollout)
    old = plan.Decision(
        marks=(plan.Mark("NodeB", "waiting", "sent", "again"),),
        state=rollout.state,
        reason=rollout.reason,
    )
    assert not services._write(rollout, old, now + timedelta(seconds=9))
    step = step_of(rollout, "NodeB")
    assert (step.sent_at, step.detail) == (now, "")


def test_the_end_is_written_once(rollout: Rollout) -> None:
    now = started(rollout)
    happened(node_of(rollout, "NodeB"), now, "refused", "line 3")
    assert advance(rollout, now)
    later = now + timedelta(seconds=5)
    assert not advance(rollout, later)
    assert (rollout.state, rollout.finished_at) == ("failed", now)
    entries = AuditEntry.objects.filter(verb="rollout failed")
    assert [(e.target, e.detail["reason"]) for e in entries] == [
        (f"{rollout.revision.cluster.slug}: revision 1", rollout.reason)
    ]
    assert services.open_rollout(rollout.revision.cluster) is None


def test_a_file_is_live_once_its_node_keeps_it(rollout: Rollout) -> None:
    now = started(rollout)
    node = node_of(rollout, "NodeB")

    def live_at(name: str) -> datetime | None:
        return RevisionFile.objects.get(revision=rollout.revision, node__name=name).live_at

    report(node, now, revision=1)
    advance(rollout, now)
    assert (step_of(rollout, "NodeB").state, live_at("NodeB")) == ("live", None)
    assert rollout.finished_at is None
    report(node, now, revision=1, confirmed_revision=1)
    advance(rollout, now)
    assert (step_of(rollout, "NodeB").state, live_at("NodeB")) == ("confirmed", now)
    assert live_at("NodeA") is None
    assert step_of(rollout, "NodeA").state == "sent"  # it is next, in the same run
    report(node_of(rollout, "NodeA"), now, revision=1, confirmed_revision=1)
    advance(rollout, now)
    assert (rollout.state, live_at("NodeA")) == ("running", now)
    assert rollout.reason == "Every node keeps it. Waits: no node is master of HA_Group."
    master = (instance("HA_Group", "MASTER"),)
    report(node_of(rollout, "NodeA"), now, revision=1, confirmed_revision=1, instances=master)
    advance(rollout, now)
    assert (rollout.state, rollout.finished_at) == ("done", now)
    assert AuditEntry.objects.filter(verb="rollout done").count() == 1


# What each node should run


@pytest.mark.parametrize(
    ("state", "keep"),
    [
        ("waiting", None),
        ("sent", False),
        ("live", True),
        ("confirmed", True),
        ("refused", None),
        ("reverted", None),
        ("timed_out", None),
    ],
)
def test_a_node_should_run_what_it_was_sent_until_it_is_lost(
    rollout: Rollout, state: str, keep: bool | None
) -> None:
    node = node_of(rollout, "NodeB")
    rollout.steps.filter(node=node).update(state=state)
    wanted = desired.wanted_for(node)
    assert (wanted.keep if wanted else None) is keep
    if wanted:
        assert (wanted.file.node, wanted.file.revision) == (node, rollout.revision)


def test_of_two_revisions_the_newer_that_counts(
    rollout: Rollout, editor: User, operator: User
) -> None:
    cluster = rollout.revision.cluster
    Rollout.objects.update(state="done")
    Step.objects.update(state="confirmed")
    group = cluster.groups.get()
    configs.add_vip(actor=editor, group=group, version=2, address="192.168.192.202/24")
    second = services.push(actor=operator, cluster=cluster, message="", draft_version=3)
    node = node_of(rollout, "NodeB")
    for state, number in (("waiting", 1), ("sent", 2), ("timed_out", 1)):
        second.steps.filter(node=node).update(state=state)
        wanted = desired.wanted_for(node)
        assert wanted is not None
        assert wanted.file.revision.number == number


@pytest.mark.needs("valkey")
@pytest.mark.parametrize(
    ("step", "status", "ago_s", "first", "again"),
    [
        ("sent", None, 0, True, False),  # never heard: only because something changed
        ("sent", {"revision": 0}, 0, True, True),
        ("sent", {"revision": 0}, 60, True, False),  # not heard: it looks when it is back
        ("sent", {"revision": 1}, 0, False, False),
        ("confirmed", {"revision": 1}, 0, True, True),  # it has not heard that it may keep it
        ("confirmed", {"revision": 1, "confirmed_revision": 1}, 0, False, False),
    ],
)
def test_only_a_node_that_is_behind_is_nudged(
    rollout: Rollout,
    broker: redis.Redis,
    step: str,
    status: dict[str, Any] | None,
    ago_s: float,
    first: bool,
    again: bool,
) -> None:
    now, node = timezone.now(), node_of(rollout, "NodeB")
    enrol(actor=None, node=node)
    rollout.steps.filter(node=node).update(state=step)
    if status is not None:
        report(node, now - timedelta(seconds=ago_s), **status)
    queue = f"node.{node.wire_id}:node.{node.wire_id}"
    desired.send(node, now)
    assert bool(broker.delete(queue)) is first
    desired.send(node, now)
    assert bool(broker.delete(queue)) is again


# What the pages show


def test_pages_show_the_order_in_which_the_plan_sends(rollout: Rollout) -> None:
    cluster = rollout.revision.cluster
    now = timezone.now()
    report(node_of(rollout, "NodeA"), now, instances=(instance("HA_Group", "MASTER"),))
    report(node_of(rollout, "NodeB"), now - timedelta(seconds=60))
    view = cluster_view(cluster, now)
    names = [step.node.name for step in steps_in_order(rollout, view)]
    assert names == ["NodeB", "NodeA"]
    rows = in_push_order(configs.pending(cluster).files, view)
    assert [row["role"] for row in rows] == ["unknown", "MASTER"]
    report(node_of(rollout, "NodeB"), now)
    view = cluster_view(cluster, now)
    rows = in_push_order(configs.pending(cluster).files, view)
    assert [row["role"] for row in rows] == ["BACKUP", "MASTER"]
    assert advance(rollout, now)
    assert step_of(rollout, names[0]).state == "sent"


def test_what_was_sent_stays_first_whoever_is_master_now(rollout: Rollout) -> None:
    cluster = rollout.revision.cluster
    now = timezone.now()
    report(node_of(rollout, "NodeB"), now, instances=(instance("HA_Group", "MASTER"),))
    rollout.steps.filter(node__name="NodeB").update(sent_at=now)
    view = cluster_view(cluster, now)
    assert [s.node.name for s in steps_in_order(rollout, view)] == ["NodeB", "NodeA"]
    rollout.steps.filter(node__name="NodeA").update(sent_at=now + timedelta(seconds=1))
    assert [s.node.name for s in steps_in_order(rollout, view)] == ["NodeB", "NodeA"]
    rollout.steps.filter(node__name="NodeA").update(sent_at=now - timedelta(seconds=1))
    assert [s.node.name for s in steps_in_order(rollout, view)] == ["NodeA", "NodeB"]
