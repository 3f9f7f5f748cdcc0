"""What the forms have in common: the draft's version, and the fields of a row's columns."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.forms.boundfield import BoundField

from webapp.configs.forms.fields import MADE_BY_KIND, field_of
from webapp.configs.language import NodeProblem
from webapp.configs.models.columns import Column, columns_of, in_forms
from webapp.configs.models.row import Row


class VersionedForm(forms.Form):
    """Carries the draft's version that the person saw, so that nobody overwrites unseen work."""

    problems: tuple[NodeProblem, ...] = ()
    """Why the service refused the whole document."""

    version = forms.IntegerField(widget=forms.HiddenInput(attrs={"id": False}))

    def values(self) -> dict[str, Any]:
        """What was typed, without the version."""
        return {k: v for k, v in self.cleaned_data.items() if k != "version"}


class RowForm(VersionedForm):
    """The columns of a row that have a label, in the order of their declaration."""

    ROW: ClassVar[type[Row]]
    PER_LINE: ClassVar[int] = 3
    """Fields in a line; a checkbox has a line of its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields |= {column.name: field_of(column) for column in self.columns()}
        self.remember_what_was_shown()

    def remember_what_was_shown(self) -> None:
        """Send each field's first value along, so that two people's changes can be told apart.

        A page that did not send them gets none: what was typed is not what was there. A password
        is never shown.
        """
        sent = not self.is_bound or any(
            self.add_initial_prefix(n) in self.data for n in self.fields
        )
        for name, field in self.fields.items():
            if name != "version" and not isinstance(field.widget, forms.PasswordInput):
                field.show_hidden_initial = sent

    @classmethod
    def columns(cls) -> tuple[Column, ...]:
        """The columns that the form shows."""
        return tuple(c for c in in_forms(columns_of(cls.ROW)) if c.kind in MADE_BY_KIND)

    @classmethod
    def initial_of(cls, row: Row) -> dict[str, Any]:
        """The row's values for an unbound form, without passwords. Raises UnreadableRow."""
        stored = row.read()
        said = {**stored.columns, **stored.fields}  # too large for its column: then in `fields`
        return {c.name: "" if c.kind == "secret" else said[c.language_field] for c in cls.columns()}

    def values(self) -> dict[str, Any]:
        """By the columns' names; None where nothing is written."""
        return {name: None if value == "" else value for name, value in super().values().items()}

    def lines(self) -> list[list[BoundField]]:
        """The fields in lines, as the page shows them."""
        return in_lines([self[column.name] for column in self.columns()], self.PER_LINE)


def in_lines(fields: list[BoundField], per_line: int) -> list[list[BoundField]]:
    """At most `per_line` fields in a line; a checkbox has a line of its own."""
    lines: list[list[BoundField]] = []
    for field in fields:
        alone = isinstance(field.field, forms.BooleanField)
        last = lines[-1] if lines else []
        full = len(last) >= per_line or (last and isinstance(last[0].field, forms.BooleanField))
        if alone or full or not last:
            lines.append([field])
        else:
            last.append(field)
    return lines
