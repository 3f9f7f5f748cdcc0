"""How a revision is written: the document, and each node's file with its hash."""

from __future__ import annotations

import hashlib
from datetime import datetime

from webapp.accounts.models import User
from webapp.configs.models import Revision, RevisionFile
from webapp.inventory.models import Cluster


def write_revision(
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
