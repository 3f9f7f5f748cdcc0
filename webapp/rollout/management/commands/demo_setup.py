"""DRIVER. manage.py demo_setup: creates the demo's administrator, cluster and enrolments.

It keeps what exists, so that a restarted demo keeps its rows. An enrolment's file that still
stands is kept too: nodes that run with it go on. Another one is written anew, because only the
hash of its password is stored.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hanode import wire
from webapp.accounts.services import ensure_admin, sign_in_path
from webapp.common.env import write_secret
from webapp.configs.errors import ConfigError
from webapp.configs.services import import_files
from webapp.inventory.models import Cluster, Node
from webapp.inventory.services import enrol, slug_of, stands
from webapp.live.services import ensure_probe


class Command(BaseCommand):
    """Prints {"cluster", "nodes", "probe", "sign_in_path"} as JSON."""

    help = "Import the nodes' files as one cluster, enrol the nodes, print how to go on."

    def add_arguments(self, parser: CommandParser) -> None:
        """--cluster NAME --node NodeA=FILE … --out DIR"""
        parser.add_argument("--cluster", required=True, help="name of the cluster")
        parser.add_argument("--node", action="append", required=True, help="NAME=FILE")
        parser.add_argument("--out", required=True, help="folder for the enrolments")
        parser.add_argument("--folders", action="store_true", help="one folder in it for each node")
        parser.add_argument("--admin-user", default="admin")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create what is missing, then print the result."""
        files = dict(_read(argument) for argument in options["node"])
        admin = ensure_admin(options["admin_user"])
        cluster = Cluster.objects.filter(slug=slug_of(options["cluster"])).first()
        if cluster is None:
            try:
                cluster = import_files(
                    actor=admin, cluster_name=options["cluster"], files=files
                ).cluster
            except ConfigError as error:
                raise CommandError(str(error), returncode=2) from None
        assert cluster is not None
        nodes = list(cluster.nodes.all())
        for node in nodes:
            folder = Path(options["out"])
            if options["folders"]:
                folder /= node.name
            path = folder / f"{node.name}.enrolment.json"
            if not _stands(path, node):
                write_secret(path, wire.to_json(enrol(actor=admin, node=node)))
        result = {
            "cluster": cluster.slug,
            "nodes": {node.name: node.wire_id for node in nodes},
            "probe": ensure_probe(cluster).wire_id,
            "sign_in_path": sign_in_path(admin),
        }
        self.stdout.write(json.dumps(result))


def _stands(path: Path, node: Node) -> bool:
    """Whether the node may go on with the enrolment in this file."""
    try:
        return stands(node, wire.from_json(wire.Enrolment, path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return False


def _read(argument: str) -> tuple[str, str]:
    name, equals, path = argument.partition("=")
    if not (name and equals and path):
        raise CommandError(f"--node {argument}: write NAME=FILE.", returncode=2)
    try:
        return name, Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        where = f"byte {error.start}"
        raise CommandError(
            f"--node {argument}: {path}: {where} is no UTF-8; save it as UTF-8.", returncode=2
        ) from None
    except OSError as error:
        raise CommandError(f"--node {argument}: {path}: {error.strerror}.", returncode=2) from None
