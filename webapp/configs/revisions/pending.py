"""What a push would change, and the freeze that makes it a revision."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

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
from webapp.live.services import status_of


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
    runs: str = ""
    """What the node runs instead, in a sentence; empty: the file of `old_revision`, as far as is
    known."""
    heard: bool = True
    """Whether the node has ever said anything."""


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
        return any(file.diff or file.runs or not file.old_revision for file in self.files)

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
    bases = {name: _base(nodes[name]) for name in rows}
    old = {name: file.text if file else "" for name, (file, _) in bases.items()}
    drawn = workers.run(foreign.draw_push, rows, old)
    files = tuple(
        PendingFile(
            node=nodes[name],
            old_revision=base.revision.number if base else None,
            old_text=old[name],
            new_text=drawn.files[name].text,
            diff=drawn.files[name].diff,
            changes=drawn.files[name].changes,
            more_changes=drawn.files[name].more_changes,
            problems=drawn.files[name].problems,
            runs=runs,
            heard=status_of(nodes[name]) is not None,
        )
        for name, (base, runs) in bases.items()
    )
    return Pending(now, drawn.document, files, drawn.found)


def _base(node: Node) -> tuple[RevisionFile | None, str]:
    """The file that the node runs, as far as it is known here; and what it runs instead."""
    files = RevisionFile.objects.filter(node=node).select_related("revision")
    kept = files.filter(live_at__isnull=False).order_by("-live_at", "-revision__number").first()
    status = status_of(node)
    if status is None or kept is None or not status.revision:
        return kept, ""
    if status.config_sha256 == kept.sha256 or status.revision < kept.revision.number:
        return kept, ""
    number = status.revision
    same = files.filter(revision__number=number, sha256=status.config_sha256).first()
    if same is not None:  # on its way, or kept although its rollout did not succeed
        return (same if status.confirmed_revision == number else kept), ""
    return kept, (
        f"{node.name} runs a revision {number} that is not known here; below it is compared with "
        f"revision {kept.revision.number}, the last that is. A push replaces what it runs."
    )


def newest_number(cluster_id: UUID) -> int:
    """The highest number that a revision of the cluster has; 0 before the first push."""
    last = Revision.objects.filter(cluster=cluster_id).order_by("-number").first()
    return last.number if last else 0


def freeze(
    *,
    actor: User,
    cluster: Cluster,
    message: str,
    version: int,
    what: Pending | None = None,
    above: int = 0,
) -> Revision:
    """The draft as a new immutable revision; the caller holds the transaction.

    Its number is higher than `above` too: nodes may know of revisions that the database forgot.
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
    number = max(newest_number(cluster.pk), above) + 1
    files = {file.node.name: file.new_text for file in what.files}
    now = timezone.now()
    revision = write_revision(actor, cluster, number, message, what.document, files, now)
    audit(actor, "freeze revision", f"{cluster.slug}: revision {number}", message=message)
    publish.changed(cluster, "config")
    return revision
