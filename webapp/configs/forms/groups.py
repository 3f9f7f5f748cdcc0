"""The forms of a group: what all its nodes share, what one node says, one more address."""

from __future__ import annotations

from typing import Any

from webapp.configs.forms.versioned import RowForm
from webapp.configs.models import Group, GroupNode, Vip


class GroupForm(RowForm):
    """What the nodes of a vrrp_instance have in common."""

    ROW = Group
    PER_LINE = 2

    def values(self) -> dict[str, Any]:
        """Without the password where none was typed: then the old one stays."""
        values = super().values()
        if values["auth_type"] is None:
            values["auth_pass"] = None
        elif not values["auth_pass"]:
            del values["auth_pass"]
        return values


class GroupNodeForm(RowForm):
    """What is one node's own in a group."""

    ROW = GroupNode


class VipForm(RowForm):
    """One more virtual address."""

    ROW = Vip
