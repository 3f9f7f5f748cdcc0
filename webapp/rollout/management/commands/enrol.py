"""DRIVER. manage.py enrol CLUSTER NODE: prints the node's enrolment."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hanode import wire
from webapp.inventory.models import Node
from webapp.inventory.services import enrol


class Command(BaseCommand):
    """The password is printed only here; a new enrolment ends the one before."""

    help = "Print a node's enrolment as JSON: its broker password and our public key."

    def add_arguments(self, parser: CommandParser) -> None:
        """CLUSTER NODE"""
        parser.add_argument("cluster", help="slug of the cluster")
        parser.add_argument("node", help="name of the node, as in the document's @NAME lines")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the enrolment."""
        node = (
            Node.objects.select_related("cluster")
            .filter(cluster__slug=options["cluster"], name=options["node"])
            .first()
        )
        if node is None:
            raise CommandError(
                f"Cluster {options['cluster']} has no node {options['node']}; check both names.",
                returncode=2,
            )
        self.stdout.write(wire.to_json(enrol(actor=None, node=node)))
