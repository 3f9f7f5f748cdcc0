"""Users, their roles, and the audit trail."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    """Each role includes the rights of the roles before it; a user without a role sees nothing."""

    NONE = "", "no access"
    READER = "reader", "reader"
    OPERATOR = "operator", "operator"
    EDITOR = "editor", "editor"
    ADMIN = "admin", "admin"


class User(AbstractUser):
    """A person who signs in."""

    role = models.CharField(max_length=10, choices=Role, default=Role.NONE, blank=True)


class SignInTry(models.Model):
    """A password that is being tried; gone as soon as it is known to be right or wrong."""

    name = models.CharField(max_length=200)
    client = models.CharField(max_length=60)
    device = models.CharField(max_length=20)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} from {self.client}"


class AuditEntry(models.Model):
    """Who did what to what, and when; never changed."""

    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=150, default="system")
    """The name stays when the user is deleted."""
    at = models.DateTimeField(db_index=True)
    verb = models.CharField(max_length=60)
    target = models.CharField(max_length=200)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.verb} {self.target}"
