"""Steps know when the broker took them; a rollout may go to all nodes at one time."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import F


def told_when_sent(apps: object, schema_editor: object) -> None:
    """A step that is under way now was told when it entered its state, as far as is known."""
    step = apps.get_model("rollout", "Step")  # type: ignore[attr-defined]
    step.objects.filter(state__in=["sent", "live"]).update(told_at=F("at"))


class Migration(migrations.Migration):
    dependencies = [("rollout", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="rollout", name="at_once", field=models.BooleanField(default=False)
        ),
        migrations.AddField(
            model_name="step", name="told_at", field=models.DateTimeField(null=True)
        ),
        migrations.RunPython(told_when_sent, migrations.RunPython.noop),
    ]
