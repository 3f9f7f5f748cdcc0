"""Clusters, their nodes, and each node's enrolment."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models

from webapp.vault.fields import SealedText


class Cluster(models.Model):
    """Nodes that back each other up and share one cluster document."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def channel_group(self) -> str:
        """The channel layer's group of all browsers that watch this cluster."""
        return f"cluster.{self.id.hex}"


class Node(models.Model):
    """One host of a cluster."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="nodes")
    name = models.CharField(max_length=60)
    """Config id: the NAME in the `@NAME` lines of the document."""
    wire_id = models.CharField(
        max_length=60, unique=True, validators=[RegexValidator(r"^[a-z0-9-]+$")]
    )
    """Names its queue, its stream and its broker user."""
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["cluster", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cluster", "name"], name="node_name_in_cluster")
        ]

    def __str__(self) -> str:
        return self.name


class Enrolment(models.Model):
    """A node's right to use the broker; only the hash of its password is kept."""

    node = models.OneToOneField(Node, on_delete=models.CASCADE, related_name="enrolment")
    broker_password_hash = models.CharField(max_length=64)
    """SHA-256 in hex, as Valkey's ACL takes it."""
    content_key = SealedText(null=True)
    """As wire.Enrolment has it; null: an earlier release enrolled the node, which has none."""
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"enrolment of {self.node_id}"
