"""The REST API; thin: it calls the same access and services as the pages."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError
from ninja.security import django_auth

from webapp.common.workers import Busy, Overload
from webapp.configs.services import NotUnderstood, check_json
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


TEXT_IN = {
    "requestBody": {
        "content": {"application/json": {"schema": TextIn.json_schema()}},
        "required": True,
    }
}
"""Not read here: a body of 16 MB may cost seconds, which only its sender should wait."""


@api.exception_handler(Overload)
def refuse(request: HttpRequest, error: Overload | type[Overload]) -> HttpResponse:
    """The work that was not done, in a sentence."""
    status = 503 if isinstance(error, Busy) else 422
    return api.create_response(request, {"detail": str(error)}, status=status)


@api.get("/clusters", response=list[ClusterOut])
def list_clusters(request: HttpRequest) -> Any:
    """The clusters that you may see."""
    return clusters_for(request.user)


@api.get("/clusters/{slug}/status")
def status(request: HttpRequest, slug: str) -> Any:
    """Everything on the cluster's page."""
    return cluster_view(cluster_for(request.user, slug), timezone.now())


@api.post("/clusters/{slug}/check", openapi_extra=TEXT_IN)
def check(request: HttpRequest, slug: str) -> Any:
    """The problems of a document, saved nowhere; of very many, 500 and the number of the others."""
    try:
        return check_json(cluster_for(request.user, slug), request.body)
    except NotUnderstood:
        raise HttpError(400, 'Send {"text": …} as JSON.') from None
