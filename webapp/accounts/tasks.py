"""Celery's entry points; each may run twice."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from webapp.accounts import services
from webapp.celery import task


@task("accounts.prune")
def prune() -> None:
    """Every hour: delete what is older than the settings allow."""
    services.prune(settings.KEEP_AUDIT_DAYS, timezone.now())
