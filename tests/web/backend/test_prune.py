"""What is old goes; what is young, still open, or wanted for ever stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from webapp.accounts import services
from webapp.accounts.models import AuditEntry
from webapp.accounts.tasks import prune as prune_audit
from webapp.celery import app
from webapp.inventory.models import Cluster
from webapp.live.models import Event, Outage, Probe
from webapp.live.tasks import prune_live


def us(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


def event(cluster: Cluster, seq: int, days: float) -> None:
    Event.objects.create(
        node=cluster.nodes.all()[0],
        journal="j",
        seq=seq,
        wall_us=1,
        kind="transition",
        subject="G",
        heard_at=timezone.now() - timedelta(days=days),
        at=timezone.now(),
    )


def test_events_and_outages_go_after_their_time(
    cluster: Cluster, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "PRUNED_AT_ONCE", 2)
    settings.KEEP_EVENTS_DAYS = 10
    for seq in range(5):
        event(cluster, seq, days=11)
    event(cluster, 5, days=9)
    probe = Probe.objects.create(cluster=cluster, name="p", wire_id="p")
    old, young = (us(timezone.now() - timedelta(days=days)) for days in (11, 9))
    for begin, end in ((1, old), (2, young), (3, None)):
        Outage.objects.create(probe=probe, from_us=begin, to_us=end)
    prune_live()
    assert list(Event.objects.values_list("seq", flat=True)) == [5]
    assert sorted(Outage.objects.values_list("from_us", flat=True)) == [2, 3]
    assert AuditEntry.objects.get(verb="prune").detail == {"rows": 6, "older_than_days": 10}
    prune_live()
    assert AuditEntry.objects.filter(verb="prune").count() == 1


def test_zero_days_is_for_ever(cluster: Cluster, settings: Any) -> None:
    settings.KEEP_EVENTS_DAYS = settings.KEEP_AUDIT_DAYS = 0
    event(cluster, 1, days=10_000)
    AuditEntry.objects.update(at=timezone.now() - timedelta(days=10_000))
    count = AuditEntry.objects.count()
    prune_live()
    prune_audit()
    assert Event.objects.count() == 1
    assert AuditEntry.objects.count() == count > 0


def test_the_audit_trail_says_that_it_was_shortened(cluster: Cluster, settings: Any) -> None:
    settings.KEEP_AUDIT_DAYS = 5
    services.audit(None, "young", "x")
    old = AuditEntry.objects.exclude(verb="young")
    count = old.update(at=timezone.now() - timedelta(days=6))
    Session.objects.create(session_key="a", expire_date=timezone.now() - timedelta(days=1))
    Session.objects.create(session_key="b", expire_date=timezone.now() + timedelta(days=1))
    prune_audit()
    assert set(AuditEntry.objects.values_list("verb", flat=True)) == {"young", "prune"}
    assert AuditEntry.objects.get(verb="prune").detail["entries"] == count
    assert list(Session.objects.values_list("session_key", flat=True)) == ["b"]


def test_the_worker_knows_every_task_that_beat_sends() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)
