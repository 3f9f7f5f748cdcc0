"""The document as one text: what is wrong with it, and how it becomes the cluster's rows."""

from __future__ import annotations

from typing import Any

from webapp.accounts import access
from webapp.accounts.models import User
from webapp.common import workers
from webapp.configs import language
from webapp.configs.editor import checking
from webapp.configs.errors import ConfigRefused
from webapp.configs.language import Found, found_of
from webapp.configs.rows import foreign
from webapp.configs.rows.absorb import absorb_fields
from webapp.configs.rows.drafts import Saved, change_draft
from webapp.inventory.models import Cluster


def check_document(cluster: Cluster, text: str) -> dict[str, Any]:
    """{"problems": […], "more": int}: conf.Problem as JSON, each with the `nodes` that have it."""
    return problems_of(cluster, text).as_json()


def check_json(cluster: Cluster, body: bytes) -> dict[str, Any]:
    """The same for a text as JSON: {"text": …}. Raises NotUnderstood, workers.Overload."""
    return workers.run(checking.check_text_request, _names(cluster), body)


def problems_of(cluster: Cluster, text: str) -> Found:
    """What is wrong with this text as the cluster's document. Raises workers.Overload."""
    names = _names(cluster)
    long = language.too_long(text, len(names))
    return found_of((long,)) if long else workers.run(foreign.problems, text, names)


def save_document(*, actor: User, cluster: Cluster, text: str, version: int) -> Saved:
    """The document becomes the cluster's rows.

    Raises ConfigRefused, StaleDraft, TooLarge, UnreadableRow, PermissionDenied, workers.Overload.
    """
    names = _names(cluster)
    if long := language.too_long(text, len(names)):
        raise ConfigRefused((long,))
    read = workers.run(foreign.read, text, names)
    if read.found.refused:
        access.require(actor, "edit")
        raise ConfigRefused(read.found)
    return change_draft(
        actor=actor,
        cluster=cluster,
        version=version,
        verb="edit document",
        target="document",
        change=lambda: absorb_fields(cluster, read.fields),
        outcome=read.written,
    )


def _names(cluster: Cluster) -> tuple[str, ...]:
    return tuple(cluster.nodes.values_list("name", flat=True))
