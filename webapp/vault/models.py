"""Which data keys the database needs."""

from __future__ import annotations

from django.db import models


class DataKey(models.Model):
    """A key that sealed something here, so that a start without it is refused at once."""

    id = models.CharField(max_length=16, primary_key=True)
    proof = models.TextField()
    """A known text that this key has sealed: only the right key opens it."""
    since = models.DateTimeField()

    def __str__(self) -> str:
        return self.id
