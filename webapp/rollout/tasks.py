"""Celery's entry points: each calls one service, and may run twice."""

from __future__ import annotations

from webapp.celery import task
from webapp.common.alive import alive
from webapp.rollout import services


@task("rollout.advance")
def advance(rollout_id: int) -> None:
    """Make the moves of one rollout that are due."""
    services.advance(rollout_id)


@task("rollout.reconcile")
def reconcile() -> None:
    """Every few seconds: make up for lost messages."""
    services.reconcile()
    alive()
