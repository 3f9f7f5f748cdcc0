"""Requests of the text editor while somebody types: checks at every pause, help for keywords.

Nothing here saves anything.
"""

from __future__ import annotations

import json
import re
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_POST

from webapp.accounts.models import User
from webapp.configs import keyword_help, language
from webapp.configs.editor import documents
from webapp.configs.editor.checking import SESSIONS, Busy, Edit, Unknown
from webapp.configs.language import NodeProblem
from webapp.inventory.access import cluster_for

SESSION_NAME = re.compile(r"[A-Za-z0-9-]{8,64}")
HOW = (
    'Send {"text": …} as JSON, or with {"session", "number", "edit"} the lines that changed since '
    "the last answer."
)


@require_POST
def config_check(request: HttpRequest, slug: str) -> JsonResponse:
    """Takes the text or the lines that changed; answers with problems at their lines."""
    cluster = cluster_for(request.user, slug)
    assert isinstance(request.user, User)  # cluster_for refuses everybody else
    try:
        body = json.loads(request.body)
        text, edit = _asked(body)
        session = _session(body)
    except (ValueError, KeyError, TypeError, RecursionError):
        return JsonResponse({"detail": HOW}, status=400)
    names = tuple(cluster.nodes.values_list("name", flat=True))
    key = (request.user.pk, str(cluster.pk), session)
    try:
        if edit is not None:
            return _answer(*SESSIONS.check_edit(key, names, edit))
        if long := language.too_long(text, len(names)):
            return _answer((long,), None)
        if not session:
            return JsonResponse(documents.check_document(cluster, text))
        return _answer(*SESSIONS.check_text(key, names, text))
    except Unknown:
        return JsonResponse({"detail": "Send the whole text."}, status=409)
    except Busy:
        return JsonResponse({"detail": "Others are being checked; ask again."}, status=503)


def _asked(body: dict[str, Any]) -> tuple[str, Edit | None]:
    """The text, or the change to it. Raises ValueError, KeyError or TypeError for other JSON."""
    if "edit" not in body:
        text = body["text"]
        if not isinstance(text, str):
            raise TypeError
        return text, None
    said = body["edit"]
    first, gone, total, number = (
        _count(each) for each in (said["first"], said["gone"], said["total"], body["number"])
    )
    lines = said["lines"]
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise TypeError
    return "", Edit(number, first, gone, tuple(lines), total)


def _count(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise TypeError
    return value


def _session(body: dict[str, Any]) -> str:
    """The name of the page's session; "": a single check. Raises ValueError."""
    name = body.get("session", "")
    if not isinstance(name, str) or (not SESSION_NAME.fullmatch(name) and ("edit" in body or name)):
        raise ValueError
    return name


@require_GET
@gzip_page
def words_json(request: HttpRequest) -> HttpResponse:
    """Every keyword of the language, for the editor's help; the address contains the edition."""
    answer = HttpResponse(keyword_help.as_json(), content_type="application/json")
    if request.GET.get("v") == keyword_help.edition():
        answer.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return answer


def _answer(problems: tuple[NodeProblem, ...], number: int | None) -> JsonResponse:
    shown, more = language.shown(problems)
    said = [each.as_json() for each in shown]
    return JsonResponse({"problems": said, "more": more, "number": number})
