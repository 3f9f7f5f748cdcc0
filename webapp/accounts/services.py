"""The audit trail, and the one-time sign-in link."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from sesame.utils import get_query_string

from webapp.accounts.models import AuditEntry, Role, User


def audit(actor: User | None, verb: str, target: str, **detail: Any) -> AuditEntry:
    """Record who did what; call it inside the transaction of the action."""
    return AuditEntry.objects.create(
        actor=actor,
        actor_name=actor.get_username() if actor else "system",
        at=timezone.now(),
        verb=verb,
        target=target[:200],
        detail=detail,
    )


PRUNED_AT_ONCE = 2_000
"""Rows that one statement deletes, so that other transactions do not wait long."""


def prune(days: float, now: datetime) -> int:
    """Delete entries older than `days` (0: none) and expired sessions; return the entries deleted.

    The audit trail records how many of its entries were deleted.
    """
    Session.objects.filter(expire_date__lt=now).delete()
    old = AuditEntry.objects.filter(at__lt=now - timedelta(days=days)).order_by("pk")
    gone = delete_in_parts(old) if days else 0
    if gone:
        audit(None, "prune", "audit trail", entries=gone, older_than_days=days)
    return gone


def delete_in_parts(rows: QuerySet[Any]) -> int:
    """Delete these rows, a few at a time; return how many there were."""
    gone = 0
    while found := list(rows.values_list("pk", flat=True)[:PRUNED_AT_ONCE]):
        rows.model._default_manager.filter(pk__in=found).delete()
        gone += len(found)
    return gone


def sign_in_path(user: User) -> str:
    """A path that signs this user in once, within settings.SESAME_MAX_AGE."""
    return str(reverse("sign-in-link") + get_query_string(user))


def ensure_admin(username: str) -> User:
    """The administrator of that name; created without a usable password if missing."""
    user, created = User.objects.get_or_create(
        username=username,
        defaults={"role": Role.ADMIN, "is_staff": True, "is_superuser": True},
    )
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
        audit(None, "create user", username, role=Role.ADMIN)
    return user
