"""The limit on wrong passwords: who may try one, and who must wait.

Counted are the refused sign-ins of the audit trail and the tries that are under way, so that as
many may be tried at once as one after another. Three counts, each with its own limit: of a name
from one address, of all names from one address, and of a name from everywhere.

None of them shuts out who belongs here. A browser that has signed in with a name before keeps a
signed mark (a "device cookie", as OWASP calls it), and is judged by its own mistakes alone. From an
address at which the name has signed in before, what is tried elsewhere does not count.
"""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.core import signing
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from webapp.accounts.models import AuditEntry, SignInTry
from webapp.accounts.services import audit

REFUSED = "sign-in refused"
SIGNED_IN = "sign in"
REFUSALS_MAX = 10
"""Of a name from one address, or of a known browser."""
REFUSALS_OF_ADDRESS_MAX = 50
"""Higher than for one name, because a whole office may share an address."""
REFUSALS_OF_NAME_MAX = 100
"""From all addresses together: somebody guesses with many machines."""
REFUSALS_MINUTES = 5
UNDER_WAY = timedelta(minutes=1)
"""A try that has no outcome after this time has lost its process."""
KNOWN_DAYS = 90
"""How long an address is known after a sign-in there."""
DEVICE_DAYS = 180
DEVICE_COOKIE = "device"

_WAIT = f"wait {REFUSALS_MINUTES} minutes, or use a sign-in link (manage.py sign_in_link)."
TOO_MANY_REFUSALS = f"Too many wrong passwords for this name; {_WAIT}"
TOO_MANY_FROM_HERE = f"Too many wrong passwords from your address; {_WAIT}"


class TooMany(Exception):
    """The password is not tried; the text is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Try:
    """A password that is being tried."""

    pk: int
    name: str
    client: str
    device: str

    def ended(self) -> None:
        """It was right, or could not be tried."""
        SignInTry.objects.filter(pk=self.pk).delete()

    def failed(self) -> None:
        """It was wrong."""
        known = {"device": self.device} if self.device else {}
        with transaction.atomic():
            _one_at_a_time()  # or who counts could see neither the try nor its outcome
            audit(None, REFUSED, self.name, address=self.client, **known)
            self.ended()


def begin(name: str, address: str, mark: str = "") -> Try:
    """Begin to try a password; `mark` is the browser's. Raises TooMany.

    Names without a user get the same answer, so that it does not show which users exist.
    """
    name, client, device = name[:200], client_of(address), device_of(mark, name)
    now = timezone.now()
    with transaction.atomic():
        _one_at_a_time()
        SignInTry.objects.filter(at__lt=now - UNDER_WAY).delete()
        refusal = _refusal(name, client, device)
        if refusal is None:
            made = SignInTry.objects.create(name=name, client=client, device=device, at=now)
    if refusal is not None:
        raise TooMany(refusal)
    return Try(made.pk, name, client, device)


def _one_at_a_time() -> None:
    """Until the transaction ends nobody else counts. SQLite's transactions are so by themselves."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('keepsight sign-in'))")


def _refusal(name: str, client: str, device: str) -> str | None:
    if device:
        count = _count(Q(detail__device=device), Q(device=device))
        return TOO_MANY_REFUSALS if count >= REFUSALS_MAX else None
    here = Q(detail__address=client), Q(client=client)
    of_name = Q(target=name), Q(name=name)
    if _count(here[0] & of_name[0], here[1] & of_name[1]) >= REFUSALS_MAX:
        return TOO_MANY_REFUSALS
    if client and _count(*here) >= REFUSALS_OF_ADDRESS_MAX:
        return TOO_MANY_FROM_HERE
    if _count(*of_name) >= REFUSALS_OF_NAME_MAX and not _is_known(name, client):
        return TOO_MANY_REFUSALS
    return None


def _count(refused: Q, under_way: Q) -> int:
    return _refused().filter(refused).count() + SignInTry.objects.filter(under_way).count()


def _refused() -> QuerySet[AuditEntry]:
    since = timezone.now() - timedelta(minutes=REFUSALS_MINUTES)
    return AuditEntry.objects.filter(at__gte=since, verb=REFUSED)


def _is_known(name: str, client: str) -> bool:
    since = timezone.now() - timedelta(days=KNOWN_DAYS)
    rows = AuditEntry.objects.filter(at__gte=since, verb=SIGNED_IN, actor_name=name)
    return bool(client) and rows.filter(detail__address=client).exists()


def client_of(address: str) -> str:
    """Whom failures are counted for: the address, or the /64 of IPv6, where a machine has many."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is None:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def new_mark(name: str) -> str:
    """The mark of a browser that has just signed in with the name."""
    return signing.dumps([name, secrets.token_hex(8)], salt=DEVICE_COOKIE)


def device_of(mark: str, name: str) -> str:
    """The browser's number, if its mark is for that name; else ""."""
    try:
        marked, device = signing.loads(
            mark, salt=DEVICE_COOKIE, max_age=timedelta(days=DEVICE_DAYS)
        )
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    return str(device) if marked == name else ""
