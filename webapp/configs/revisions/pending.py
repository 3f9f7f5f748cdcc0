"""What a push would change, and the freeze that makes it a revision."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from hanode.conf import Change, Problem
from webapp.accounts.models import User
from webapp.accounts.services import audit
from webapp.common import workers
from webapp.configs.errors import ConfigRefused, NothingToPush, StaleDraft
from webapp.configs.language import Found
from webapp.configs.models import Draft, Revision, RevisionFile
from webapp.configs.revisions.write import write_revision
from webapp.configs.rows import foreign
from webapp.configs.rows.compile import read_rows
from webapp.configs.rows.drafts import draft_version
from webapp.inventory.models import Cluster, Node
from webapp.live import publish


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
    more_changes: int
    """Changes that are left out."""
    problems: tuple[Problem, ...]
    """Problems of writing the node's file."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What a push would change on the whole cluster."""

    version: int
    document: str
    """The draft's document; a freeze keeps it, so that it is made once."""
    files: tuple[PendingFile, ...]
    found: Found

    @property
    def any(self) -> bool:
        """Whether there is something to push.

        The first push counts even when no line changes: from then on the nodes take revisions.
        """
        return any(file.diff or not file.old_revision for file in self.files)

    @property
    def refused(self) -> bool:
        """Whether errors forbid the push."""
        return self.found.refused


def pending(cluster: Cluster, version: int | None = None) -> Pending:
    """Per node: from the file it last confirmed to the one that the rows make.

    The rows are compiled once, each node's file and the document are written once; a push takes
    all of it from here. Raises UnreadableRow, workers.Overload; StaleDraft if the draft has another
    version than the one asked for.
    """
    now = draft_version(cluster)
    if version not in (None, now):
        raise StaleDraft(version, now)
    rows = read_rows(cluster)
    nodes = {node.name: node for node in cluster.nodes.all()}
    live = {name: _live_file(nodes[name]) for name in rows}
    old = {name: file.text if file else "" for name, file in live.items()}
    drawn = workers.run(foreign.draw_push, rows, old)
    files = tuple(
        PendingFile(
            node=nodes[name],
            old_revision=live_file.revision.number if live_file else None,
            old_text=old[name],
            new_text=drawn.files[name].text,
            diff=drawn.files[name].diff,
            changes=drawn.files[name].changes,
            more_changes=drawn.files[name].more_changes,
            problems=drawn.files[name].problems,
        )
        for name, live_file in live.items()
    )
    return Pending(now, drawn.document, files, drawn.found)


def _live_file(node: Node) -> RevisionFile | None:
    """The file that the node confirmed last."""
    return (
        RevisionFile.objects.filter(node=node, live_at__isnull=False)
        .select_related("revision")
        .order_by("-live_at", "-revision__number")
        .first()
    )


def freeze(
    *, actor: User, cluster: Cluster, message: str, version: int, what: Pending | None = None
) -> Revision:
    """The draft as a new immutable revision; the caller holds the transaction.

    `what` is what `pending` found before that transaction, so that nobody waits for a check.
    Raises StaleDraft, ConfigRefused, NothingToPush, UnreadableRow, workers.Overload.
    """
    draft, _ = Draft.objects.select_for_update().get_or_create(cluster=cluster)
    if draft.version != version:
        raise StaleDraft(version, draft.version)
    if what is None or what.version != draft.version:
        what = pending(cluster)
    if what.refused:
        raise ConfigRefused(what.found)
    if not what.any:
        raise NothingToPush
    last = cluster.revisions.order_by("-number").first()
    number = last.number + 1 if last else 1
    files = {file.node.name: file.new_text for file in what.files}
    now = timezone.now()
    revision = write_revision(actor, cluster, number, message, what.document, files, now)
    audit(actor, "freeze revision", f"{cluster.slug}: revision {number}", message=message)
    publish.changed(cluster, "config")
    return revision
