"""A rollout: a revision that is sent to the nodes, one after the other."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from webapp.accounts.models import User
from webapp.configs.models import Revision
from webapp.inventory.models import Node


class RolloutState(models.TextChoices):
    """WAITING: nothing was sent yet."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


OPEN_STATES = (RolloutState.WAITING, RolloutState.RUNNING)


class StepState(models.TextChoices):
    """The state of one node's step."""

    WAITING = "waiting"
    SENT = "sent"
    LIVE = "live"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    REVERTED = "reverted"
    TIMED_OUT = "timed_out"


class Rollout(models.Model):
    """One push of one revision."""

    revision = models.OneToOneField(Revision, on_delete=models.CASCADE, related_name="rollout")
    state = models.CharField(max_length=10, choices=RolloutState, default=RolloutState.WAITING)
    reason = models.TextField(blank=True)
    """Why it waits or why it failed, as a sentence."""
    started_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    at_once = models.BooleanField(default=False)
    """All nodes are sent it at one time, and none keeps it unless all do."""

    class Meta:
        ordering: ClassVar = ["-started_at", "-id"]

    def __str__(self) -> str:
        return f"rollout of {self.revision_id}"


class Step(models.Model):
    """One node's part of a rollout."""

    rollout = models.ForeignKey(Rollout, on_delete=models.CASCADE, related_name="steps")
    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=StepState, default=StepState.WAITING)
    detail = models.TextField(blank=True)
    at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    """When the broker took what this state means for the node; null: it has not yet. The limits of
    the states `sent` and `live` count from here: a worker may die between commit and message."""
    faults_before = models.JSONField(default=list)
    """Instances that were in FAULT when it was sent; the push did not cause these faults."""

    class Meta:
        ordering: ClassVar = ["rollout", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rollout", "node"], name="step_once")
        ]

    def __str__(self) -> str:
        return f"{self.node_id}: {self.state}"
