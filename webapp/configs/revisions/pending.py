"""What a push would change, and the freeze that makes it a revision."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from hanode.conf import Change, Problem
from webapp.accounts.models import User
from webapp.accounts.services import audit
from webapp.common.collector import uncollected
from webapp.configs import language
from webapp.configs.errors import ConfigRefused, NothingToPush, StaleDraft
from webapp.configs.language import NodeProblem
from webapp.configs.models import Draft, Revision, RevisionFile
from webapp.configs.revisions.write import write_revision
from webapp.configs.rows.compile import compile_cluster
from webapp.configs.rows.drafts import draft_version, understood_models
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
    problems: tuple[Problem, ...]
    """Problems of writing the node's file."""
    runs: str = ""
    """What the node runs instead, in a sentence; empty: the file of `old_revision`, as far as is
    known."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What a push would change on the whole cluster."""

    version: int
    document: str
    """The draft's document; a freeze keeps it, so that it is made once."""
    files: tuple[PendingFile, ...]
    problems: tuple[NodeProblem, ...]

    @property
    def any(self) -> bool:
        """Whether there is something to push.

        The first push counts even when no line changes: from then on the nodes take revisions.
        """
        return any(file.diff or file.runs or not file.old_revision for file in self.files)

    @property
    def refused(self) -> bool:
        """Whether errors forbid the push."""
        return any(problem.is_error for problem in self.problems)


@uncollected
def pending(cluster: Cluster) -> Pending:
    """Per node: from the file it last confirmed to the one that the rows make.

    The rows are compiled once, each node's file and the document are written once; a push takes
    all of it from here. Raises UnreadableRow.
    """
    version = draft_version(cluster)
    models = compile_cluster(cluster)
    nodes = {node.name: node for node in cluster.nodes.all()}
    files = tuple(_pending_file(nodes[name], language.file_of(m)) for name, m in models.items())
    draft = understood_models(models)
    return Pending(version, draft.text, files, draft.problems)


def _pending_file(node: Node, new: language.NodeFile) -> PendingFile:
    base, runs = _base(node)
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
        runs=runs,
    )


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
    *, actor: User, cluster: Cluster, message: str, version: int, above: int = 0
) -> Revision:
    """The draft as a new immutable revision; the caller holds the transaction.

    Its number is higher than `above` too: nodes may know of revisions that the database forgot.
    Raises StaleDraft, ConfigRefused, NothingToPush, UnreadableRow.
    """
    draft, _ = Draft.objects.select_for_update().get_or_create(cluster=cluster)
    if draft.version != version:
        raise StaleDraft(version, draft.version)
    what = pending(cluster)
    if what.refused:
        raise ConfigRefused(what.problems)
    if not what.any:
        raise NothingToPush
    number = max(newest_number(cluster.pk), above) + 1
    files = {file.node.name: file.new_text for file in what.files}
    now = timezone.now()
    revision = write_revision(actor, cluster, number, message, what.document, files, now)
    audit(actor, "freeze revision", f"{cluster.slug}: revision {number}", message=message)
    publish.changed(cluster, "config")
    return revision
