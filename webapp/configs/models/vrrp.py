"""vrrp_instance as rows.

A column is what the nodes have in common. What single nodes have instead, and what has no column,
is in `extra` (`webapp.configs.models.row`).
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from hanode import conf
from webapp.configs.models import columns
from webapp.configs.models.row import Row
from webapp.inventory.models import Cluster, Node


class Group(Row):
    """One vrrp_instance on all nodes that have it."""

    LANGUAGE = conf.VrrpInstance
    ELSEWHERE = frozenset({"vips", "excluded", "state", "priority", "interface"})

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="groups")
    position = models.PositiveIntegerField()
    name = columns.name_of_row()
    vrid = columns.needed("vrrp_instance", "virtual_router_id", "Virtual router id")
    advert_int_us = columns.seconds("vrrp_instance", "advert_int", "Advert interval (s)")
    version = columns.small("vrrp_instance", "version")
    auth_type = columns.word("authentication", "auth_type", "Authentication")
    auth_pass = columns.secret("authentication", "auth_pass", "Password")
    nopreempt = columns.flag(
        "vrrp_instance", "nopreempt", "Do not take the addresses back (nopreempt)"
    )

    class Meta:
        ordering: ClassVar = ["cluster", "position"]

    def __str__(self) -> str:
        return self.name


class GroupNode(Row):
    """A group on one node. All of it has a column; `extra` is empty."""

    LANGUAGE = None

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="members")
    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="memberships")
    priority = columns.whole("vrrp_instance", "priority", "Priority")
    state = columns.word("vrrp_instance", "state", "Initial state")
    interface = columns.interface("vrrp_instance", "interface", "Interface")

    class Meta:
        ordering: ClassVar = ["group", "node__position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["group", "node"], name="node_once_in_group")
        ]

    def __str__(self) -> str:
        return f"{self.group_id} on {self.node_id}"

    @property
    def called(self) -> str:
        """The name of the row in a sentence."""
        return f"group {self.group} on {self.node.name}"


class Vip(Row):
    """One address of a group."""

    LANGUAGE = conf.Address
    ELSEWHERE = frozenset({"ip", "prefix"})

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="vips")
    position = models.PositiveIntegerField()
    address = columns.address("Address")
    """As written: `192.168.192.200/24`."""
    dev = columns.device("Device")
    excluded = models.BooleanField(default=False)
    """In virtual_ipaddress_excluded: held, but not in the advert."""

    class Meta:
        ordering: ClassVar = ["group", "excluded", "position"]

    def __str__(self) -> str:
        return self.address

    @property
    def called(self) -> str:
        """The name of the row in a sentence."""
        return f"address {self} of group {self.group}"
