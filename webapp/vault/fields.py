"""Columns whose values are sealed: text and JSON.

The database sees only sealed text, so it can neither compare nor search these columns: every
lookup but `isnull` is refused. The label of a value is the column's name, `configs.group.extra`; a
renamed model or field needs a migration that seals its values again.
"""

from __future__ import annotations

import json
from typing import Any

from django.db import models

from webapp.vault.keyring import is_sealed, keyring, open_sealed


class SealedText(models.TextField):  # type: ignore[type-arg] # generic only to the type checker
    """A text; in the database sealed."""

    @property
    def seal_label(self) -> str:
        """What is authenticated together with the value."""
        return f"{self.model._meta.label_lower}.{self.name}"

    def written(self, value: Any) -> str:
        """The value as text, before it is sealed."""
        return str(value)

    def understood(self, text: str) -> Any:
        """The inverse of `written`."""
        return text

    def opened(self, stored: str) -> Any:
        """The value of what the database has; what an earlier release wrote is not sealed.

        Raises VaultError.
        """
        if not is_sealed(stored):
            return self.understood(stored)
        return self.understood(open_sealed(stored, self.seal_label))

    def from_db_value(self, value: str | None, _expression: Any, _connection: Any) -> Any:
        """Called by Django for every value that it reads."""
        return None if value is None else self.opened(value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Called by Django for every value that it writes."""
        if value is None or hasattr(value, "as_sql"):
            return super().get_db_prep_save(value, connection)
        return keyring().seal(self.written(value), self.seal_label)

    def get_lookup(self, lookup_name: str) -> Any:
        """Equal values are sealed differently, so that no comparison would find them."""
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None


class SealedJson(SealedText):
    """Plain JSON values; in the database sealed."""

    def written(self, value: Any) -> str:
        """The value as JSON."""
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def understood(self, text: str) -> Any:
        """The JSON's value."""
        return json.loads(text)

    def to_python(self, value: Any) -> Any:
        """JSON values need no conversion."""
        return value

    def value_to_string(self, obj: models.Model) -> Any:
        """As Django's JSONField: a dump of rows has the value itself."""
        return self.value_from_object(obj)
