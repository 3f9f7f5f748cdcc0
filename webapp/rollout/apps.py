"""Django's name for this app; it connects rollouts to the reports that ingest stores."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.apps import AppConfig


class RolloutConfig(AppConfig):
    """webapp.rollout"""

    name = "webapp.rollout"
    label = "rollout"

    def ready(self) -> None:
        """Connect the signal: a node's report may be what a rollout waits for."""
        from webapp.common.signals import nodes_reported

        nodes_reported.connect(_nodes_reported, dispatch_uid="rollout")


def _nodes_reported(sender: Any, cluster_ids: set[UUID], **_: Any) -> None:
    from webapp.rollout.services import advance_clusters  # models are ready only now

    advance_clusters(cluster_ids)
