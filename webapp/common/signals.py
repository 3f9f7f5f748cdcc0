"""Signals from lower apps to upper ones, which they must not import."""

from django.dispatch import Signal

nodes_reported = Signal()
"""ingest stored reports; `cluster_ids: set[UUID]` are the clusters whose nodes sent them."""
