"""Verbs about people: the audit trail, the end of guessing, and the one-time sign-in link."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import QuerySet
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
REFUSALS_OF_ADDRESS_MAX = 50
"""More than of one name: a whole office may come from one address, but nobody tries many names."""
REFUSALS_MINUTES = 5
TOO_MANY_REFUSALS = (
    f"Too many wrong passwords for this name; wait {REFUSALS_MINUTES} minutes, or use a sign-in "
    "link (manage.py sign_in_link)."
)
TOO_MANY_FROM_HERE = (
    f"Too many wrong passwords from your address; wait {REFUSALS_MINUTES} minutes, or use a "
    "sign-in link (manage.py sign_in_link)."
)


def note_refusal(name: str, address: str) -> None:
    """Somebody at this address gave a wrong password for this name."""
    audit(None, REFUSED, name, address=_whose(address))


def guessing(name: str, address: str) -> str | None:
    """What to say where passwords are being guessed; None where they are not.

    It is the same for names that nobody has.
    """
    since = timezone.now() - timedelta(minutes=REFUSALS_MINUTES)
    rows = AuditEntry.objects.filter(at__gte=since, verb=REFUSED)
    if rows.filter(target=name[:200]).count() >= REFUSALS_MAX:
        return TOO_MANY_REFUSALS
    here = _whose(address)
    if here and rows.filter(detail__address=here).count() >= REFUSALS_OF_ADDRESS_MAX:
        return TOO_MANY_FROM_HERE
    return None


def _whose(address: str) -> str:
    """The address as its owner has it: of IPv6 the network, since one machine has many there."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is None:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(getattr(ip, "ipv4_mapped", None) or ip)


PRUNED_AT_ONCE = 2_000
"""Rows of one statement, so that nobody waits long for the database."""


def prune(days: float, now: datetime) -> int:
    """Forget what was done more than `days` ago, and sign-ins that ended; 0 days: never.

    How many entries of the audit trail went is written into it.
    """
    Session.objects.filter(expire_date__lt=now).delete()
    old = AuditEntry.objects.filter(at__lt=now - timedelta(days=days)).order_by("pk")
    gone = delete_in_parts(old) if days else 0
    if gone:
        audit(None, "prune", "audit trail", entries=gone, older_than_days=days)
    return gone


def delete_in_parts(rows: QuerySet[Any]) -> int:
    """Delete these rows, a few at a time; how many there were."""
    gone = 0
    while found := list(rows.values_list("pk", flat=True)[:PRUNED_AT_ONCE]):
        rows.model._default_manager.filter(pk__in=found).delete()
        gone += len(found)
    return gone


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
