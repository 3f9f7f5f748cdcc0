"""Each node's last status, the events, the probe's reports, and the state of the broker."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from hanode import events
from webapp.inventory.models import Cluster, Node


class NodeStatus(models.Model):
    """The last status that a node sent, and when: an old one is shown as unknown."""

    node = models.OneToOneField(Node, on_delete=models.CASCADE, related_name="live")
    status = models.JSONField(default=dict)
    """wire.NodeStatus, encoded."""
    heard_at = models.DateTimeField(null=True)
    """When the broker took the message, by the control plane's clock."""
    journal = models.CharField(max_length=64, default="", blank=True)
    seq = models.PositiveBigIntegerField(default=0)
    """Every event of this journal up to this number is stored."""
    clock_ahead_s = models.FloatField(null=True)
    """By how much its clock is off, as its last status showed; null: it is right, or unknown."""
    newest_revision = models.PositiveBigIntegerField(default=0)
    """The highest revision that this node ever spoke of. No other content may get its number."""

    def __str__(self) -> str:
        return f"status of {self.node_id}"


class Condition(models.Model):
    """Something about a node that a person has to look at; it stands as long as it is so."""

    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="conditions")
    kind = models.CharField(max_length=20)
    """One of `webapp.live.conditions.KINDS`."""
    text = models.TextField()
    """What is wrong and what to do, as sentences."""
    since = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["node", "kind"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["node", "kind"], name="condition_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.node_id}"


class Event(models.Model):
    """wire.Event; one row, however often it arrived."""

    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="events")
    journal = models.CharField(max_length=64)
    seq = models.PositiveBigIntegerField()
    wall_us = models.BigIntegerField()
    kind = models.CharField(max_length=30)
    subject = models.CharField(max_length=200)
    cause = models.TextField(blank=True)
    data = models.JSONField(default=dict)
    heard_at = models.DateTimeField()
    at = models.DateTimeField()
    """When it happened: by the node's clock, or where that is off, when it was heard."""

    class Meta:
        ordering: ClassVar = ["-at", "-wall_us", "-seq"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["node", "journal", "seq"], name="event_once")
        ]
        indexes: ClassVar = [models.Index(fields=["node", "-at"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"

    @property
    def typed(self) -> events.Event:
        """What it tells."""
        return events.read(self.kind, self.subject, self.cause, self.data)


class Probe(models.Model):
    """A client that sends requests to a virtual address several times a second."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="probes")
    name = models.CharField(max_length=60)
    wire_id = models.CharField(max_length=60, unique=True)
    target = models.CharField(max_length=200, blank=True)
    state = models.JSONField(default=dict)
    """The last report: sent, lost, rtt_us, up, wall_us."""
    heard_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Outage(models.Model):
    """A time in which the probe received no answer; it lasts while `to_us` is null."""

    probe = models.ForeignKey(Probe, on_delete=models.CASCADE, related_name="outages")
    from_us = models.BigIntegerField()
    to_us = models.BigIntegerField(null=True)
    lost_ms = models.PositiveBigIntegerField(default=0)
    sent = models.PositiveBigIntegerField(default=0)
    lost = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-from_us"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["probe", "from_us"], name="outage_once")
        ]

    def __str__(self) -> str:
        return f"{self.probe_id} from {self.from_us}"


class BrokerState(models.Model):
    """One row: whether ingest reaches the broker, and since when. It is in the database, because
    it has to be readable while the broker is away."""

    up = models.BooleanField(default=False)
    since = models.DateTimeField()
    checked_at = models.DateTimeField()

    def __str__(self) -> str:
        return "broker up" if self.up else "broker down"
