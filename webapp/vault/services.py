"""The data key at a start, and its rotation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import OperationalError, ProgrammingError
from django.db.models import F, Model, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from webapp.vault import keyring as keys
from webapp.vault.fields import SealedText
from webapp.vault.keyring import Keyring, VaultError
from webapp.vault.models import DataKey

PROOF = "the data key of this database"
BATCH = 200


def prepare() -> None:
    """Refuse a missing or wrong data key; make the first one, and note the newest.

    Does nothing while the database is away or not migrated. Raises VaultError.
    """
    ring = keys.keyring()
    try:
        known = {row.id: row.proof for row in DataKey.objects.all()}
    except (OperationalError, ProgrammingError):
        return
    if absent := set(known) - set(ring.ids):
        raise VaultError(keys.missing(absent, ring))
    for proof in known.values():
        ring.open(proof, PROOF)
    if not ring.keys:
        try:
            ring = keys.make_file()
        except OSError as error:
            raise VaultError(
                f"{keys.key_file()}: {error.strerror}; set {keys.VARIABLE} or make it writable."
            ) from None
    _note(ring)


def _note(ring: Keyring) -> None:
    newest = ring.ids[0]
    if not DataKey.objects.filter(pk=newest).exists():
        proof = ring.seal(PROOF, PROOF)
        DataKey.objects.get_or_create(pk=newest, defaults={"proof": proof, "since": timezone.now()})


def columns() -> Iterator[tuple[type[Model], SealedText]]:
    """Every sealed column of the installed apps."""
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, SealedText):
                yield model, field


def stale(model: type[Model], field: SealedText) -> Any:
    """The rows whose value the newest key has not sealed, each with the stored text as `stored`."""
    stored = Cast(F(field.attname), TextField())
    rows = model._default_manager.annotate(stored=stored).filter(stored__isnull=False)
    return rows.exclude(stored__startswith=keys.keyring().prefix).order_by("pk")


def seal_again(model: type[Model], field: SealedText) -> int:
    """Seal the column's stale values with the newest key; how many were.

    Row by row, each only where it still is what was read: a save meanwhile counts, a run that
    ends halfway leaves every value readable, and the next one goes on. Raises VaultError.
    """
    done, after = 0, None
    while True:
        rows = stale(model, field)
        if after is not None:
            rows = rows.filter(pk__gt=after)
        batch = list(rows.values_list("pk", "stored")[:BATCH])
        if not batch:
            return done
        for pk, stored in batch:
            same = model._default_manager.annotate(stored=Cast(F(field.attname), TextField()))
            value = field.opened(stored)
            done += same.filter(pk=pk, stored=stored).update(**{field.attname: value})
        after = batch[-1][0]


def rotate() -> int:
    """Seal everything with the newest key; how many values were. Raises VaultError."""
    prepare()
    done = sum(seal_again(model, field) for model, field in columns())
    if not waiting():
        DataKey.objects.exclude(pk=keys.keyring().ids[0]).delete()
    return done


def waiting() -> int:
    """How many values the newest key has not sealed."""
    return sum(stale(model, field).count() for model, field in columns())
