"""What a push would change, and the freeze that makes it a revision."""

from __future__ import annotations

from dataclasses import dataclass

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
        return any(file.diff or not file.old_revision for file in self.files)

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
    last = cluster.revisions.order_by("-number").first()
    number = last.number + 1 if last else 1
    files = {file.node.name: file.new_text for file in what.files}
    now = timezone.now()
    revision = write_revision(actor, cluster, number, message, what.document, files, now)
    audit(actor, "freeze revision", f"{cluster.slug}: revision {number}", message=message)
    publish.changed(cluster, "config")
    return revision
