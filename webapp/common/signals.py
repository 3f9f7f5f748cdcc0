"""What lower apps tell the upper ones, which they must not import."""

from django.dispatch import Signal

nodes_reported = Signal()
"""ingest wrote rows: `cluster_ids: set[UUID]` whose nodes said something that matters to a push."""
