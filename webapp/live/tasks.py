"""Celery's entry points; each may run twice."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from webapp.celery import task
from webapp.live import prune


@task("live.prune")
def prune_live() -> None:
    """Every hour: delete what is older than the settings allow."""
    prune.prune(settings.KEEP_EVENTS_DAYS, timezone.now())
