"""Creating clusters, enrolling nodes, and revoking their enrolment."""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

import redis
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from hanode import wire
from webapp.accounts.models import User
from webapp.accounts.services import audit
from webapp.common import broker
from webapp.inventory import acl, keys
from webapp.inventory.content_keys import new_content_key
from webapp.inventory.models import Cluster, Enrolment, Node

log = logging.getLogger(__name__)


def create_cluster(*, actor: User | None, name: str, node_names: list[str]) -> Cluster:
    """Create a cluster with nodes of these names, in this order."""
    with transaction.atomic():
        cluster = Cluster.objects.create(slug=slug_of(name), name=name[:100])
        for position, node_name in enumerate(node_names):
            Node.objects.create(
                cluster=cluster,
                name=node_name,
                wire_id=new_wire_id(cluster, node_name),
                position=position,
            )
        audit(actor, "create cluster", cluster.slug, nodes=node_names)
    return cluster


def slug_of(name: str) -> str:
    """The cluster's name in URLs; empty if the name has no letter or digit."""
    return slugify(name)[:60].strip("-")


def new_wire_id(cluster: Cluster, name: str) -> str:
    """A unique id that is readable in a log."""
    stem = re.sub(r"[^a-z0-9]+", "-", f"{cluster.slug}-{name}".lower()).strip("-")
    return f"{stem[:50]}-{secrets.token_hex(4)}"


def enrol(*, actor: User | None, node: Node) -> wire.Enrolment:
    """Give the node a new broker password; an older enrolment ends. The password is returned once.

    The user is created in the broker at once if it is up; ingest repeats that whenever it connects.
    """
    password, content_key = secrets.token_urlsafe(32), new_content_key()
    digest = hashlib.sha256(password.encode()).hexdigest()
    with transaction.atomic():
        Enrolment.objects.update_or_create(
            node=node,
            defaults={
                "broker_password_hash": digest,
                "content_key": content_key,
                "created_at": timezone.now(),
                "revoked_at": None,
            },
        )
        audit(actor, "enrol", f"{node.cluster.slug}: {node.name}")
    try:
        client = broker.client()
        acl.apply(client, node, digest)
        acl.close_connections(client, node)
    except redis.RedisError as error:
        log.warning("the broker learns of %s when it is back: %s", acl.user_of(node), error)
    return _enrolment(node, password, content_key)


def _enrolment(node: Node, password: str, content_key: str) -> wire.Enrolment:
    return wire.Enrolment(
        node=node.wire_id,
        name=node.name,
        cluster=str(node.cluster_id),
        broker_url=broker.with_credentials(settings.NODE_BROKER_URL, acl.user_of(node), password),
        public_key=keys.public_key(),
        heartbeat_s=settings.HEARTBEAT_S,
        content_key=content_key,
    )


def stands(node: Node, enrolment: wire.Enrolment) -> bool:
    """Whether the node may go on with this enrolment: nothing in it has changed since."""
    row = Enrolment.objects.filter(node=node, revoked_at=None).first()
    password = urlsplit(enrolment.broker_url).password or ""
    digest = hashlib.sha256(unquote(password).encode()).hexdigest()
    if row is None or row.broker_password_hash != digest:
        return False
    now = _enrolment(node, unquote(password), row.content_key or "")
    return now == enrolment


def enrolment_of(node: Node) -> Enrolment | None:
    """The enrolment that counts; None: the node has none, or it was revoked."""
    return Enrolment.objects.select_related("node").filter(node=node, revoked_at=None).first()


def readable_in_broker(nodes: Iterable[Node]) -> list[Node]:
    """The nodes whose revisions anybody can read who reads the broker: they have no content key."""
    rows = Enrolment.objects.filter(node__in=list(nodes), revoked_at=None, content_key__isnull=True)
    return [row.node for row in rows.select_related("node")]


def revoke(*, actor: User, node: Node) -> None:
    """End the node's right to use the broker; its engine goes on with the configuration it has."""
    with transaction.atomic():
        Enrolment.objects.filter(node=node, revoked_at=None).update(revoked_at=timezone.now())
        audit(actor, "revoke", f"{node.cluster.slug}: {node.name}")
    try:
        broker.client().acl_deluser(acl.user_of(node))
    except redis.RedisError as error:
        log.warning("the broker forgets %s when it is back: %s", acl.user_of(node), error)
