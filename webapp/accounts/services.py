"""Verbs about people: the audit trail and the one-time sign-in link."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils import timezone
from sesame.utils import get_query_string

from webapp.accounts.models import AuditEntry, Role, User


def audit(actor: User | None, verb: str, target: str, **detail: Any) -> AuditEntry:
    """Write down who did what; called inside the verb's transaction."""
    return AuditEntry.objects.create(
        actor=actor,
        actor_name=actor.get_username() if actor else "system",
        at=timezone.now(),
        verb=verb,
        target=target[:200],
        detail=detail,
    )


def sign_in_path(user: User) -> str:
    """A path that signs this user in once, within settings.SESAME_MAX_AGE."""
    return str(reverse("sign-in-link") + get_query_string(user))


def ensure_admin(username: str) -> User:
    """The administrator of that name; made without a usable password where missing."""
    user, created = User.objects.get_or_create(
        username=username,
        defaults={"role": Role.ADMIN, "is_staff": True, "is_superuser": True},
    )
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
        audit(None, "create user", username, role=Role.ADMIN)
    return user
