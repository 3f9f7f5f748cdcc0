"""Celery's entry points: ids in, a service called, harmless the second time."""

from __future__ import annotations

from webapp.celery import task
from webapp.rollout import services


@task("rollout.advance")
def advance(rollout_id: int) -> None:
    """Make the moves of one rollout that are due."""
    services.advance(rollout_id)


@task("rollout.reconcile")
def reconcile() -> None:
    """Every few seconds: make up for whatever was lost."""
    services.reconcile()
