"""The document as one text: what is wrong with it, and how it becomes the cluster's rows."""

from __future__ import annotations

from typing import Any

from webapp.accounts import access
from webapp.accounts.models import User
from webapp.common.collector import uncollected
from webapp.configs import language
from webapp.configs.errors import ConfigRefused
from webapp.configs.language import NodeProblem
from webapp.configs.rows.absorb import absorb
from webapp.configs.rows.drafts import Saved, change_draft
from webapp.inventory.models import Cluster


def check_document(cluster: Cluster, text: str) -> dict[str, list[dict[str, Any]]]:
    """{"problems": […]}: conf.Problem as JSON, each with the `nodes` that have it."""
    return {"problems": [problem.as_json() for problem in problems_of(cluster, text)]}


@uncollected
def problems_of(cluster: Cluster, text: str) -> tuple[NodeProblem, ...]:
    """What is wrong with this text as the cluster's document."""
    names = list(cluster.nodes.values_list("name", flat=True))
    long = language.too_long(text, len(names))
    return (long,) if long else language.understand(text, names).problems


@uncollected
def save_document(*, actor: User, cluster: Cluster, text: str, version: int) -> Saved:
    """The document becomes the cluster's rows.

    Raises ConfigRefused, StaleDraft, TooLarge, UnreadableRow, PermissionDenied.
    """
    names = list(cluster.nodes.values_list("name", flat=True))
    if long := language.too_long(text, len(names)):
        raise ConfigRefused((long,))
    seen = language.understand(text, names)
    if seen.refused:
        access.require(actor, "edit")
        raise ConfigRefused(seen.problems)
    return change_draft(
        actor=actor,
        cluster=cluster,
        version=version,
        verb="edit document",
        target="document",
        change=lambda: absorb(cluster, seen.models),
    )
