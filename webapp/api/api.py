"""The REST API; thin: it calls the same access and services as the pages."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import NinjaAPI, Schema
from ninja.security import django_auth

from webapp.configs.services import check_document
from webapp.inventory.access import cluster_for, clusters_for
from webapp.live.services import cluster_view

api = NinjaAPI(title="Keepsight", version="1", auth=django_auth)


class ClusterOut(Schema):
    """One cluster of the list."""

    slug: str
    name: str


class TextIn(Schema):
    """A cluster document."""

    text: str


@api.get("/clusters", response=list[ClusterOut])
def list_clusters(request: HttpRequest) -> Any:
    """The clusters that you may see."""
    return clusters_for(request.user)


@api.get("/clusters/{slug}/status")
def status(request: HttpRequest, slug: str) -> Any:
    """Everything on the cluster's page."""
    return cluster_view(cluster_for(request.user, slug), timezone.now())


@api.post("/clusters/{slug}/check")
def check(request: HttpRequest, slug: str, body: TextIn) -> Any:
    """The problems of a document, saved nowhere."""
    return check_document(cluster_for(request.user, slug), body.text)
