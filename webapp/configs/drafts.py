"""One way to change a draft, whoever asks: take the version, change, check, write down, tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import DataError, transaction
from django.db.models import F

from hanode.conf import Unwritable
from webapp.accounts import access
from webapp.accounts.models import User
from webapp.accounts.services import audit
from webapp.configs import language
from webapp.configs.compile import compile_cluster
from webapp.configs.errors import ConfigRefused, StaleDraft, TooLarge
from webapp.configs.language import NodeProblem, Understood
from webapp.configs.models import Draft
from webapp.inventory.models import Cluster
from webapp.live import publish


@dataclass(frozen=True, slots=True)
class Saved:
    """The draft after a change: its new version, and warnings worth reading."""

    version: int
    problems: tuple[NodeProblem, ...]


def document_text(cluster: Cluster) -> str:
    """The cluster's one document, made from the rows."""
    return language.document_of(compile_cluster(cluster))


def understood(cluster: Cluster) -> Understood:
    """The draft's document, its meaning and its problems."""
    names = list(cluster.nodes.values_list("name", flat=True))
    return language.understand(document_text(cluster), names)


def draft_version(cluster: Cluster) -> int:
    """The version that a form or the editor was opened with."""
    return Draft.objects.get_or_create(cluster=cluster)[0].version


def change_draft(
    *,
    actor: User,
    cluster: Cluster,
    version: int,
    verb: str,
    target: str,
    change: Callable[[], None],
) -> Saved:
    """Run `change` on the rows, all or nothing.

    Raises StaleDraft, ConfigRefused, TooLarge, PermissionDenied.
    """
    access.require(actor, "edit")
    with all_or_nothing():
        take_version(cluster, version)
        change()
        try:
            result = understood(cluster)
        except Unwritable as error:
            raise ConfigRefused((language.unwritable(error),)) from None
        if result.refused:
            raise ConfigRefused(result.problems)
        audit(actor, verb, f"{cluster.slug}: {target}", version=version + 1)
        publish.changed(cluster, "config")
    return Saved(version + 1, result.problems)


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """A transaction in which a value that no column holds is the user's mistake: TooLarge."""
    try:
        with transaction.atomic():
            yield
    except (DataError, OverflowError):
        raise TooLarge from None


def take_version(cluster: Cluster, version: int) -> None:
    """Compare and set. Raises StaleDraft."""
    Draft.objects.get_or_create(cluster=cluster)
    rows = Draft.objects.filter(cluster=cluster, version=version)
    if rows.update(version=F("version") + 1) != 1:
        raise StaleDraft(version, Draft.objects.get(cluster=cluster).version)
