"""Seal the rows of earlier releases, and let nothing of them stay in the database's files.

PostgreSQL keeps old rows until a table is written anew, SQLite keeps freed pages and its log; backups
made before have them in clear for ever.
"""

from __future__ import annotations

from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from webapp.vault.fields import SealedText
from webapp.vault.services import prepare, seal_again

SEALED = [
    *("Draft", "Group", "GroupNode", "Vip", "VirtualServer", "RealServer"),
    *("Revision", "RevisionFile"),
]


def seal(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    prepare()
    for model in _models(apps):
        for field in model._meta.local_concrete_fields:
            if isinstance(field, SealedText):
                seal_again(model, field)


def forget(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    tables = [model._meta.db_table for model in _models(apps) if model.objects.exists()]
    if not tables:
        return
    with editor.connection.cursor() as cursor:
        if editor.connection.vendor == "sqlite":
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        elif editor.connection.vendor == "postgresql":
            for table in tables:
                cursor.execute(f"VACUUM FULL {editor.quote_name(table)}")


def _models(apps: Apps) -> list[Any]:
    return [apps.get_model("configs", name) for name in SEALED]


class Migration(migrations.Migration):
    atomic = False  # no VACUUM runs inside a transaction

    dependencies = [
        ('configs', '0004_sealed_columns'),
    ]

    operations = [
        migrations.RunPython(seal, atomic=True),
        migrations.RunPython(forget, atomic=False),
    ]
