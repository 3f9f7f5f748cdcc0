"""The forms of a virtual server and of a real server with its check."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from webapp.configs import keyword_help
from webapp.configs.forms.fields import field_of
from webapp.configs.forms.versioned import RowForm, in_lines
from webapp.configs.models import RealServer, VirtualServer
from webapp.configs.models.lvs import CHECK
from webapp.configs.models.row import Row


class VirtualServerForm(RowForm):
    """A virtual_server's own lines."""

    ROW = VirtualServer


class RealServerForm(RowForm):
    """A real_server and its TCP_CHECK."""

    ROW = RealServer

    checked = forms.BooleanField(
        label="Check it with TCP_CHECK",
        required=False,
        help_text=keyword_help.hint("real_server", "TCP_CHECK"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields |= {column.name: field_of(column) for column in CHECK}
        self.remember_what_was_shown()

    @classmethod
    def initial_of(cls, row: Row) -> dict[str, Any]:
        """The row's and its check's. Raises UnreadableRow."""
        check = row.read().columns["check"]
        return {**(check or {}), **super().initial_of(row), "checked": check is not None}

    def check_lines(self) -> list[list[BoundField]]:
        """The check's fields as the page shows them."""
        return in_lines([self[column.name] for column in CHECK], per_line=4)

    def values(self) -> dict[str, Any]:
        """The row's columns; `check_json` is None for a server that is never checked."""
        values = super().values()
        check = {column.name: values.pop(column.name) for column in CHECK}
        checked = values.pop("checked")
        return {**values, "check_json": check if checked else None}
