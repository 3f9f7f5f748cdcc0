"""Django's name for this app; a migrated database knows its data key at once."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class VaultConfig(AppConfig):
    """webapp.vault"""

    name = "webapp.vault"
    label = "vault"

    def ready(self) -> None:
        """Connect the signal: the first migration makes the key, every one notes it."""
        post_migrate.connect(_migrated, sender=self, dispatch_uid="vault")


def _migrated(sender: Any, **_: Any) -> None:
    from webapp.vault.services import prepare  # models are ready only now

    prepare()
