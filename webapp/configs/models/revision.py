"""The draft, the revisions, and each node's file of a revision."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from hanode import conf
from webapp.accounts.models import User
from webapp.configs.models.row import Row
from webapp.inventory.models import Cluster, Node
from webapp.vault.fields import SealedText


class Draft(Row):
    """The document being edited: its version, and in `extra` all but the groups and servers."""

    LANGUAGE = conf.Config
    ELSEWHERE = frozenset({"instances", "virtual_servers"})

    cluster = models.OneToOneField(Cluster, on_delete=models.CASCADE, related_name="draft")
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f"draft {self.version} of {self.cluster_id}"

    @property
    def called(self) -> str:
        """The name of the row in a sentence."""
        return f"draft of {self.cluster}"


class Revision(models.Model):
    """A document as it was pushed; never changed. Number 0 is the import."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    document = SealedText()
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    message = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering: ClassVar = ["cluster", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cluster", "number"], name="revision_once")
        ]

    def __str__(self) -> str:
        return f"revision {self.number}"


class RevisionFile(models.Model):
    """One node's keepalived.conf of a revision."""

    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="files")
    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="files")
    text = SealedText()
    sha256 = models.CharField(max_length=64)
    live_at = models.DateTimeField(null=True)
    """When the node confirmed the file. The next push compares with the latest of them."""

    class Meta:
        ordering: ClassVar = ["revision", "node__position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["revision", "node"], name="file_once")
        ]

    def __str__(self) -> str:
        return f"{self.node_id} of {self.revision_id}"
