"""The audit trail, the limit on failed sign-ins, and the one-time sign-in link."""

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
    """Record who did what; call it inside the transaction of the action."""
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
"""Higher than for one name, because a whole office may share an address."""
REFUSALS_MINUTES = 5
TOO_MANY_REFUSALS = (
    f"Too many wrong passwords for this name; wait {REFUSALS_MINUTES} minutes, or use a sign-in "
    "link (manage.py sign_in_link)."
)
TOO_MANY_FROM_HERE = (
    f"Too many wrong passwords from your address; wait {REFUSALS_MINUTES} minutes, or use a "
    "sign-in link (manage.py sign_in_link)."
)


def record_failed_sign_in(name: str, address: str) -> None:
    """Record that a sign-in with this name failed from this address."""
    audit(None, REFUSED, name, address=_client_of(address))


def sign_in_refusal(name: str, address: str) -> str | None:
    """Why a sign-in is refused after too many failures; None: the password may be tried.

    Names without a user get the same answer, so that it does not show which users exist.
    """
    since = timezone.now() - timedelta(minutes=REFUSALS_MINUTES)
    rows = AuditEntry.objects.filter(at__gte=since, verb=REFUSED)
    if rows.filter(target=name[:200]).count() >= REFUSALS_MAX:
        return TOO_MANY_REFUSALS
    here = _client_of(address)
    if here and rows.filter(detail__address=here).count() >= REFUSALS_OF_ADDRESS_MAX:
        return TOO_MANY_FROM_HERE
    return None


def _client_of(address: str) -> str:
    """Whom failures are counted for: the address, or the /64 of IPv6, where a machine has many."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is None:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(getattr(ip, "ipv4_mapped", None) or ip)


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
