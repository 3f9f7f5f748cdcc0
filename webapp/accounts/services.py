"""Verbs about people: the audit trail and the one-time sign-in link."""

from __future__ import annotations

from datetime import timedelta
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


REFUSED = "sign-in refused"
REFUSALS_MAX = 10
REFUSALS_MINUTES = 5
TOO_MANY_REFUSALS = (
    f"Too many wrong passwords for this name; wait {REFUSALS_MINUTES} minutes, or use a sign-in "
    "link (manage.py sign_in_link)."
)


def note_refusal(name: str) -> None:
    """Somebody gave a wrong password for this name."""
    audit(None, REFUSED, name)


def too_many_refusals(name: str) -> bool:
    """Whether passwords for this name are being guessed; the same for names that nobody has."""
    since = timezone.now() - timedelta(minutes=REFUSALS_MINUTES)
    rows = AuditEntry.objects.filter(at__gte=since, verb=REFUSED, target=name[:200])
    return rows.count() >= REFUSALS_MAX


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
