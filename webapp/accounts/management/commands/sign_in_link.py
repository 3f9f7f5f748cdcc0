"""DRIVER. manage.py sign_in_link USER: a path that signs that user in once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.accounts.models import User
from webapp.accounts.services import sign_in_path


class Command(BaseCommand):
    """For the first sign-in, and for users who lost their password."""

    help = "Print a path that signs the user in, once, for a quarter of an hour."

    def add_arguments(self, parser: CommandParser) -> None:
        """USER"""
        parser.add_argument("user")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the path."""
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(
                f"There is no active user {options['user']}.",
                returncode=2,
            )
        self.stdout.write(sign_in_path(user))
