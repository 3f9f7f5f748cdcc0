"""Requests of the text editor while somebody types: checks at every pause, help for keywords.

Nothing here saves anything.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_POST

from webapp.accounts.models import User
from webapp.common import workers
from webapp.configs import keyword_help
from webapp.configs.editor import checking
from webapp.inventory.access import cluster_for

HOW = (
    'Send {"text": …} as JSON, or with {"session", "number", "edit"} the lines that changed since '
    "the last answer."
)


@require_POST
def config_check(request: HttpRequest, slug: str) -> JsonResponse:
    """Takes the text or the lines that changed; answers with problems at their lines."""
    cluster = cluster_for(request.user, slug)
    assert isinstance(request.user, User)  # cluster_for refuses everybody else
    names = tuple(cluster.nodes.values_list("name", flat=True))
    whose = (request.user.pk, str(cluster.pk))
    try:
        return JsonResponse(workers.run(checking.check_request, whose, names, request.body))
    except checking.NotUnderstood:
        return JsonResponse({"detail": HOW}, status=400)
    except checking.Unknown:
        return JsonResponse({"detail": "Send the whole text."}, status=409)


@require_GET
@gzip_page
def words_json(request: HttpRequest) -> HttpResponse:
    """Every keyword of the language, for the editor's help; the address contains the edition."""
    answer = HttpResponse(keyword_help.as_json(), content_type="application/json")
    if request.GET.get("v") == keyword_help.edition():
        answer.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return answer
