"""Celery's entry points: harmless the second time."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from webapp.accounts import services
from webapp.celery import task


@task("accounts.prune")
def prune() -> None:
    """Every hour: forget what is older than the settings say."""
    services.prune(settings.KEEP_AUDIT_DAYS, timezone.now())
