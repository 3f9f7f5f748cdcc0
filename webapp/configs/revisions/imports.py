"""Import: the files of running nodes become a cluster, its rows, and revision 0."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from django.db.models import QuerySet
from django.utils import timezone

from webapp.accounts import access
from webapp.accounts.models import User
from webapp.accounts.services import audit
from webapp.common import workers
from webapp.configs import language
from webapp.configs.errors import BadImport, ConfigRefused
from webapp.configs.language import Found
from webapp.configs.models import RevisionFile
from webapp.configs.revisions.write import write_revision
from webapp.configs.rows import foreign
from webapp.configs.rows.absorb import absorb_fields
from webapp.configs.rows.drafts import all_or_nothing
from webapp.configs.rows.elsewhere import alike
from webapp.inventory.access import clusters_for
from webapp.inventory.models import Cluster
from webapp.inventory.services import create_cluster, slug_of

NODES_MAX = 16
NODE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import, or of its preview."""

    cluster: Cluster | None
    drawn: foreign.ImportDrawn

    @property
    def found(self) -> Found:
        """What is wrong with the files."""
        return self.drawn.found

    @property
    def merged_text(self) -> str:
        """The one document."""
        return self.drawn.text

    @property
    def files(self) -> dict[str, str]:
        """By node name; with the fixes where they were asked for."""
        return self.drawn.files

    @property
    def refused(self) -> bool:
        """Whether errors forbid it."""
        return self.found.refused


def preview_import(
    files: dict[str, str], *, fixes: bool = False, beside: QuerySet[Cluster] | None = None
) -> Imported:
    """Check and merge the files {node name: text}; saves nothing.

    `beside` are the clusters that its addresses and numbers are compared with. Raises BadImport,
    workers.Overload.
    """
    _check_files(files)
    drawn = workers.run(foreign.draw_import, dict(files), fixes)
    others = alike(drawn.numbers, drawn.ips, beside) if beside is not None else {}
    if others:
        drawn = workers.run(foreign.draw_import, dict(files), fixes, others)
    return Imported(None, drawn)


def import_files(
    *, actor: User, cluster_name: str, files: dict[str, str], fixes: bool = False
) -> Imported:
    """Make a cluster of the files {node name: text}.

    Raises BadImport, ConfigRefused, TooLarge, PermissionDenied, workers.Overload.
    The files become revision 0: what the nodes run before the first push.
    """
    access.require(actor, "edit")
    slug = slug_of(cluster_name)
    if not slug:
        raise BadImport(f"{cluster_name!r} is no name for a cluster; use letters and digits.")
    if Cluster.objects.filter(slug=slug).exists():
        raise BadImport(f"There is already a cluster named {cluster_name}; choose another name.")
    preview = preview_import(files, fixes=fixes, beside=clusters_for(actor))
    if preview.refused:
        raise ConfigRefused(preview.found)
    with all_or_nothing():
        cluster = create_cluster(actor=actor, name=cluster_name, node_names=list(files))
        absorb_fields(cluster, preview.drawn.fields)
        now = timezone.now()
        write_revision(actor, cluster, 0, "imported", preview.merged_text, preview.files, now)
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
