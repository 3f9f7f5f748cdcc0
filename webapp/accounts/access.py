"""Permissions: whether a user may do a kind of thing, and whether a session still exists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeGuard

from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied

from webapp.accounts.models import Role, User

Need = Literal["read", "operate", "edit", "admin"]
Anyone = User | AnonymousUser

_RANK: dict[str, int] = {
    Role.NONE: 0,
    Role.READER: 1,
    Role.OPERATOR: 2,
    Role.EDITOR: 3,
    Role.ADMIN: 4,
}
_NEEDED: dict[str, int] = {"read": 1, "operate": 2, "edit": 3, "admin": 4}


def may(user: Anyone, need: Need) -> TypeGuard[User]:
    """Whether the user is signed in, active, and has a sufficient role."""
    if not isinstance(user, User) or not user.is_active:
        return False
    return user.is_superuser or _RANK.get(user.role, 0) >= _NEEDED[need]


def require(user: Anyone, need: Need) -> User:
    """The user. Raises PermissionDenied where the role does not suffice."""
    if not may(user, need):
        raise PermissionDenied(f"This needs the right to {need}; ask an administrator for it.")
    return user


def existing_sessions(keys: Iterable[str]) -> set[str]:
    """Of these session keys those that still exist: signing out deletes the session. One query."""
    found = Session.objects.filter(session_key__in=set(keys))
    return set(found.values_list("session_key", flat=True))
