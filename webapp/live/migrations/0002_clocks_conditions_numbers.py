"""Events get a time that no node's clock can falsify; nodes get conditions and a highest number."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

CHUNK = 2_000


def place_in_time(apps: Any, schema_editor: Any) -> None:
    """By the node's clock where that can be right: neither before 2020 nor after it was heard."""
    event = apps.get_model("live", "Event")
    earliest = datetime(2020, 1, 1, tzinfo=UTC)
    found: list[Any] = []
    for row in event.objects.filter(at=None).only("wall_us", "heard_at").iterator(CHUNK):
        try:
            said = datetime.fromtimestamp(row.wall_us / 1e6, UTC)
        except (OverflowError, ValueError, OSError):
            said = earliest
        row.at = said if earliest < said <= row.heard_at else row.heard_at
        found.append(row)
        if len(found) == CHUNK:
            event.objects.bulk_update(found, ["at"])
            found = []
    event.objects.bulk_update(found, ["at"])


class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial"), ("live", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Condition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=20)),
                ("text", models.TextField()),
                ("since", models.DateTimeField()),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="conditions",
                        to="inventory.node",
                    ),
                ),
            ],
            options={"ordering": ["node", "kind"]},
        ),
        migrations.AddConstraint(
            model_name="condition",
            constraint=models.UniqueConstraint(fields=("node", "kind"), name="condition_once"),
        ),
        migrations.AddField(
            model_name="nodestatus", name="clock_ahead_s", field=models.FloatField(null=True)
        ),
        migrations.AddField(
            model_name="nodestatus",
            name="newest_revision",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="event", name="at", field=models.DateTimeField(null=True)
        ),
        migrations.RunPython(place_in_time, migrations.RunPython.noop),
        migrations.AlterField(model_name="event", name="at", field=models.DateTimeField()),
        migrations.AlterModelOptions(
            name="event", options={"ordering": ["-at", "-wall_us", "-seq"]}
        ),
        migrations.RemoveIndex(model_name="event", name="live_event_node_id_b6de85_idx"),
        migrations.AddIndex(
            model_name="event", index=models.Index(fields=["node", "-at"], name="live_event_node_id_235c37_idx")
        ),
    ]
