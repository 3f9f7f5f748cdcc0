"""The verbs on a cluster's document: import, check, save, what is pending, freeze a revision.

Every verb that writes is one transaction with an audit row; browsers are told after it. The
forms' verbs are in `webapp.configs.rows.edits`, and offered here too.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from hanode.conf import Change, Config, Problem
from webapp.accounts import access
from webapp.accounts.models import User
from webapp.accounts.services import audit
from webapp.common.collector import uncollected
from webapp.configs import language
from webapp.configs.errors import BadImport, ConfigRefused, NothingToPush, StaleDraft
from webapp.configs.language import NodeProblem
from webapp.configs.models import Draft, Revision, RevisionFile
from webapp.configs.rows.absorb import absorb
from webapp.configs.rows.compile import compile_cluster
from webapp.configs.rows.drafts import (
    Saved,
    all_or_nothing,
    change_draft,
    document_text,
    draft_version,
    seen,
    understood,
)
from webapp.configs.rows.edits import (
    add_real_server,
    add_vip,
    remove_real_server,
    remove_vip,
    save_group,
    save_group_node,
    save_real_server,
    save_virtual_server,
)
from webapp.inventory.models import Cluster, Node
from webapp.inventory.services import create_cluster, slug_of
from webapp.live import publish

__all__ = [
    "Imported",
    "Pending",
    "PendingFile",
    "Saved",
    "add_real_server",
    "add_vip",
    "check_document",
    "document_text",
    "draft_version",
    "freeze",
    "import_files",
    "pending",
    "preview_import",
    "problems_of",
    "remove_real_server",
    "remove_vip",
    "save_document",
    "save_group",
    "save_group_node",
    "save_real_server",
    "save_virtual_server",
    "seen",
]

NODES_MAX = 16
NODE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import made, or would make."""

    cluster: Cluster | None
    merged_text: str
    problems: tuple[NodeProblem, ...]
    files: dict[str, str]
    """As imported: with the fixes made where they were asked for."""
    models: dict[str, Config]
    """What each node's file means."""

    @property
    def refused(self) -> bool:
        """Whether errors forbid it."""
        return any(problem.is_error for problem in self.problems)


@uncollected
def preview_import(files: dict[str, str], *, fixes: bool = False) -> Imported:
    """What importing {node name: text} would make. Raises BadImport; saves nothing."""
    _check_files(files)
    files = language.with_fixes(files) if fixes else dict(files)
    seen = language.understand_files(files)
    return Imported(None, seen.text, seen.problems, files, seen.models)


@uncollected
def import_files(
    *, actor: User, cluster_name: str, files: dict[str, str], fixes: bool = False
) -> Imported:
    """Make a cluster of its nodes' files.

    Raises BadImport, ConfigRefused, TooLarge, PermissionDenied.
    The files become revision 0: what the nodes run before the first push.
    """
    access.require(actor, "edit")
    slug = slug_of(cluster_name)
    if not slug:
        raise BadImport(f"{cluster_name!r} is no name for a cluster; use letters and digits.")
    if Cluster.objects.filter(slug=slug).exists():
        raise BadImport(f"There is already a cluster named {cluster_name}; choose another name.")
    preview = preview_import(files, fixes=fixes)
    if preview.refused:
        raise ConfigRefused(preview.problems)
    with all_or_nothing():
        cluster = create_cluster(actor=actor, name=cluster_name, node_names=list(files))
        absorb(cluster, preview.models)
        now = timezone.now()
        _write_revision(actor, cluster, 0, "imported", preview.merged_text, preview.files, now)
        RevisionFile.objects.filter(revision__cluster=cluster).update(live_at=now)
        audit(actor, "import", cluster.slug, nodes=list(files), fixes=fixes)
    return replace(preview, cluster=cluster)


def _check_files(files: dict[str, str]) -> None:
    if not files or len(files) > NODES_MAX:
        raise BadImport(f"Give one file per node, at least one and at most {NODES_MAX}.")
    for name, text in files.items():
        if not NODE_NAME.fullmatch(name):
            raise BadImport(f"{name!r} is no name for a node; use letters, digits, - _ and dots.")
        if len(text) > language.chars_max(len(files)):
            raise BadImport(
                f"{name}: the file is too large; it has {len(text):,} characters, and at most "
                f"{language.chars_max(len(files)):,} can be in each of {len(files)}."
            )
        if not text.strip():
            raise BadImport(f"{name}: the file is empty; choose the node's keepalived.conf.")


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

    Raises ConfigRefused, StaleDraft, TooLarge, PermissionDenied.
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


@dataclass(frozen=True, slots=True)
class PendingFile:
    """What a push would change on one node."""

    node: Node
    old_revision: int | None
    old_text: str
    new_text: str
    diff: str
    """Unified, secrets masked; empty: nothing changes."""
    changes: tuple[Change, ...]
    problems: tuple[Problem, ...]
    """What could not be said in the node's file."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What a push would change on the whole cluster."""

    version: int
    files: tuple[PendingFile, ...]
    problems: tuple[NodeProblem, ...]

    @property
    def any(self) -> bool:
        """Whether there is something to push.

        The first push is worth it even when no line changes: it puts the nodes under our care.
        """
        return any(file.diff or not file.old_revision for file in self.files)

    @property
    def refused(self) -> bool:
        """Whether errors forbid the push."""
        return any(problem.is_error for problem in self.problems)


@uncollected
def pending(cluster: Cluster) -> Pending:
    """Per node: from the file it last confirmed to the one that the rows make."""
    version = draft_version(cluster)
    models = compile_cluster(cluster)
    nodes = {node.name: node for node in cluster.nodes.all()}
    files = tuple(_pending_file(nodes[name], language.file_of(m)) for name, m in models.items())
    return Pending(version, files, understood(cluster).problems)


def _pending_file(node: Node, new: language.NodeFile) -> PendingFile:
    base = (
        RevisionFile.objects.filter(node=node, live_at__isnull=False)
        .select_related("revision")
        .order_by("-live_at", "-revision__number")
        .first()
    )
    old_text = base.text if base else ""
    number = base.revision.number if base else None
    same = old_text == new.text
    return PendingFile(
        node=node,
        old_revision=number,
        old_text=old_text,
        new_text=new.text,
        diff=""
        if same
        else language.unified_diff(
            old_text, new.text, f"{node.name} as it runs", f"{node.name} after the push"
        ),
        changes=() if same else language.changes(old_text, new.text, node.name),
        problems=new.problems,
    )


def freeze(*, actor: User, cluster: Cluster, message: str, version: int) -> Revision:
    """The draft as a new immutable revision; the caller holds the transaction.

    Raises StaleDraft, ConfigRefused, NothingToPush.
    """
    Draft.objects.select_for_update().get_or_create(cluster=cluster)
    what = pending(cluster)
    if what.version != version:
        raise StaleDraft(version, what.version)
    if what.refused:
        raise ConfigRefused(what.problems)
    if not what.any:
        raise NothingToPush
    last = cluster.revisions.order_by("-number").first()
    number = last.number + 1 if last else 1
    files = {file.node.name: file.new_text for file in what.files}
    revision = _write_revision(
        actor, cluster, number, message, document_text(cluster), files, timezone.now()
    )
    audit(actor, "freeze revision", f"{cluster.slug}: revision {number}", message=message)
    publish.changed(cluster, "config")
    return revision


def _write_revision(
    actor: User,
    cluster: Cluster,
    number: int,
    message: str,
    document: str,
    files: dict[str, str],
    now: datetime,
) -> Revision:
    revision = Revision.objects.create(
        cluster=cluster,
        number=number,
        document=document,
        created_by=actor,
        created_at=now,
        message=message[:500],
    )
    nodes = {node.name: node for node in cluster.nodes.all()}
    for name, text in files.items():
        RevisionFile.objects.create(
            revision=revision,
            node=nodes[name],
            text=text,
            sha256=hashlib.sha256(text.encode()).hexdigest(),
        )
    return revision
