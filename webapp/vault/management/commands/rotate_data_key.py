"""DRIVER. keepsight rotate_data_key: seals everything with the newest data key."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.vault import keyring, services
from webapp.vault.keyring import VaultError


class Command(BaseCommand):
    """May be ended and run again at any time; until it is through both keys are needed."""

    help = "Seal the database's secrets with the newest data key (docs/OPERATING.md, Keys)."

    def add_arguments(self, parser: CommandParser) -> None:
        """--new, --drop-old, --check"""
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--new", action="store_true", help="put a new key into the key file first"
        )
        what.add_argument(
            "--drop-old", action="store_true", help="then take the old keys out of the key file"
        )
        what.add_argument("--check", action="store_true", help="only say how far it is")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal again, and say what is left."""
        try:
            self._rotate(options)
        except VaultError as error:
            raise CommandError(str(error), returncode=2) from None
        except OSError as error:
            where = error.filename or keyring.key_file()
            raise CommandError(f"{where}: {error.strerror}.", returncode=2) from None

    def _rotate(self, options: dict[str, Any]) -> None:
        services.prepare()
        if options["new"]:
            keyring.add_to_file()
        if not options["check"]:
            self.stdout.write(f"{services.rotate()} values were sealed again.")
        newest, *old = keyring.keyring().ids
        left = services.waiting()
        if left:
            self.stdout.write(f"{left} values still need another key than {newest}; run it again.")
            return
        if options["drop_old"]:
            keyring.keep_newest()
            old = []
        more = f"; {', '.join(old)} is not needed any more (--drop-old)" if old else ""
        self.stdout.write(f"Every value is sealed with the data key {newest}{more}.")
