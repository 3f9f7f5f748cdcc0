"""vrrp_instance as rows.

A column is what the nodes have in common; what one node says differently is in `extra`
(`webapp.configs.rows.node_overlay` has its form), so that nothing of a document is ever lost.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from webapp.inventory.models import Cluster, Node


class Group(models.Model):
    """One vrrp_instance on all nodes that have it."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="groups")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=255)
    vrid = models.PositiveIntegerField(default=0)
    advert_int_us = models.BigIntegerField(null=True, blank=True)
    version = models.PositiveSmallIntegerField(null=True, blank=True)
    auth_type = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 (null: not written)
    auth_pass = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 (null: not written)
    nopreempt = models.BooleanField(default=False)
    extra = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["cluster", "position"]

    def __str__(self) -> str:
        return self.name


class GroupNode(models.Model):
    """What is each node's own in a group."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="members")
    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="memberships")
    state = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 (null: not written)
    priority = models.IntegerField(null=True, blank=True)
    interface = models.CharField(max_length=255, blank=True)
    extra = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["group", "node__position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["group", "node"], name="node_once_in_group")
        ]

    def __str__(self) -> str:
        return f"{self.group_id} on {self.node_id}"


class Vip(models.Model):
    """One address of a group."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="vips")
    position = models.PositiveIntegerField()
    address = models.CharField(max_length=255)
    """As written: `192.168.192.200/24`."""
    dev = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 (null: not written)
    excluded = models.BooleanField(default=False)
    """In virtual_ipaddress_excluded: held, but not in the advert."""
    extra = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["group", "excluded", "position"]

    def __str__(self) -> str:
        return self.address
