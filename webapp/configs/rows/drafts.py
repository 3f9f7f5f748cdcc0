"""The one way to change a draft, for forms and the editor.

Take the version, change the rows, check the document, write the audit entry, tell the browsers.

A check may take long, and nobody else can write while a transaction has written (SQLite) or holds
the draft (PostgreSQL). So the change is tried and taken back, its outcome is checked by a process
of the user's own, and then the change is made, if no other came between.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import DataError, connection, transaction
from django.db.models import F

from webapp.accounts import access
from webapp.accounts.models import User
from webapp.accounts.services import audit
from webapp.common import workers
from webapp.configs.errors import ConfigRefused, StaleDraft, TooLarge
from webapp.configs.language import Found, NodeProblem
from webapp.configs.models import Draft
from webapp.configs.rows import foreign, summary
from webapp.configs.rows.compile import read_rows
from webapp.inventory.models import Cluster
from webapp.live import publish


@dataclass(frozen=True, slots=True)
class Saved:
    """The draft after a change: its new version and its problems, which are no errors."""

    version: int
    problems: tuple[NodeProblem, ...]


def document_text(cluster: Cluster) -> str:
    """The cluster's document, made of the rows. Raises UnreadableRow."""
    return workers.run(foreign.document, read_rows(cluster))


def drawn(cluster: Cluster) -> foreign.Drawn:
    """The draft's document, its problems, and what else pages show. Raises UnreadableRow."""
    return workers.run(foreign.draw, read_rows(cluster))


@dataclass(frozen=True, slots=True)
class Seen:
    """The draft as pages show it."""

    version: int
    text: str
    masked: str
    """The text for those who may not see secrets."""
    found: Found
    kept: tuple[summary.Kept, ...]
    """Keywords that no form shows."""
    formless: tuple[summary.ServerRow, ...]
    """Virtual servers by mark or group."""


KEPT_MAX = 8
"""Drafts that are kept in memory as pages showed them; a large one takes seconds to make."""
_kept: OrderedDict[tuple[str, int, tuple[str, ...]], Seen] = OrderedDict()
_kept_lock = threading.Lock()


def seen(cluster: Cluster) -> Seen:
    """The draft's document and what is wrong with it.

    Every change of the rows is a new version, so what was made for a version can be shown again;
    but not inside a transaction, whose version may never come to be.
    """
    names = tuple(cluster.nodes.values_list("name", flat=True))
    version = draft_version(cluster)
    key = (str(cluster.pk), version, names)
    usable = not connection.in_atomic_block
    with _kept_lock:
        if usable and key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    draft = drawn(cluster)
    made = Seen(version, draft.text, draft.masked, draft.found, draft.kept, draft.formless)
    if usable and draft_version(cluster) == version:
        with _kept_lock:
            _kept[key] = made
            while len(_kept) > KEPT_MAX:
                _kept.popitem(last=False)
    return made


def draft_version(cluster: Cluster) -> int:
    """The draft's version. A form or the editor sends it back with a change."""
    return Draft.objects.get_or_create(cluster=cluster)[0].version


def change_draft(
    *,
    actor: User,
    cluster: Cluster,
    version: int,
    verb: str,
    target: str,
    change: Callable[[], None],
    outcome: Found | None = None,
) -> Saved:
    """Run `change` on the rows, all or nothing; it runs twice where no `outcome` of it is given.

    Raises StaleDraft, ConfigRefused, TooLarge, UnreadableRow, PermissionDenied, workers.Overload.
    """
    access.require(actor, "edit")
    outcome = outcome or _tried(cluster, version, change)
    if outcome.refused:
        raise ConfigRefused(outcome)
    with all_or_nothing():
        take_version(cluster, version)
        change()
        audit(actor, verb, f"{cluster.slug}: {target}", version=version + 1)
        publish.changed(cluster, "config")
    return Saved(version + 1, outcome.problems)


class _TakenBack(Exception):
    """The change was made only to see its outcome."""


def _tried(cluster: Cluster, version: int, change: Callable[[], None]) -> Found:
    """What is wrong with the document after the change, which is not there afterwards."""
    try:
        with all_or_nothing():
            take_version(cluster, version)
            change()
            rows = read_rows(cluster)
            raise _TakenBack
    except _TakenBack:
        pass
    return workers.run(foreign.check_rows, rows)


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """A transaction. Raises TooLarge where a value does not fit into the database."""
    try:
        with transaction.atomic():
            yield
    except (DataError, OverflowError):
        raise TooLarge from None


def take_version(cluster: Cluster, version: int) -> None:
    """Increase the draft's version, if it is still this one. Raises StaleDraft."""
    Draft.objects.get_or_create(cluster=cluster)
    rows = Draft.objects.filter(cluster=cluster, version=version)
    if rows.update(version=F("version") + 1) != 1:
        raise StaleDraft(version, Draft.objects.get(cluster=cluster).version)
