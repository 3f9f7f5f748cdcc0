"""Every address of the control plane; each app names its own."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from webapp.api.api import api


@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers; says nothing about what it watches."""
    return JsonResponse({"ok": True})


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("api/", api.urls),
    path("", include("webapp.accounts.urls")),
    path("", include("webapp.live.urls")),
    path("", include("webapp.configs.urls")),
    path("", include("webapp.rollout.urls")),
]
