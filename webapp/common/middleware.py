"""Security headers of every response, and the sign-in that every view requires.

Django 5.2 sets no Content-Security-Policy; ours allows this origin only, so an injected script
can neither be loaded from another origin nor send to one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.decorators import sync_and_async_middleware
from django.utils.deprecation import MiddlewareMixin
from django.utils.html import format_html

from webapp.common import workers

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


@sync_and_async_middleware
def SecurityHeaders(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Add the Content-Security-Policy, and deny the browser features that no page uses."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            return _with_headers(await get_response(request))

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        return _with_headers(get_response(request))

    return answer


def _with_headers(response: HttpResponseBase) -> HttpResponseBase:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    # Pages show secrets to those who may see them; static files have said how long they last.
    response.headers.setdefault("Cache-Control", "no-store, private")
    response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    return response


class Readers(MiddlewareMixin):
    """Tells `workers` whom it works for; shows its sentence where it refuses to."""

    def process_request(self, request: HttpRequest) -> None:
        """The user is looked up later, and only if there is work."""
        workers.request.set(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A page with the sentence; JSON to scripts; a note where htmx puts it into a page."""
        if not isinstance(error, workers.Overload):
            return None
        status = 503 if isinstance(error, workers.Busy) else 422
        if request.content_type == "application/json" or request.path.startswith("/api/"):
            return JsonResponse({"detail": str(error)}, status=status)
        if request.headers.get("HX-Request") == "true":
            note = '<p class="note note--error" role="alert">{}</p>'
            return HttpResponse(format_html(note, str(error)))
        context = {"sentence": str(error), "status": status}
        return render(request, "overload.html", context, status=status)


class SignInRequired(LoginRequiredMiddleware):
    """Django's rule, except that the API and htmx get a status instead of a sign-in page."""

    def handle_no_permission(  # type: ignore[override] # the stubs promise a redirect
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        """401 for the API; 401 with HX-Redirect for htmx; a redirect for browsers."""
        if request.path.startswith("/api/"):
            return JsonResponse({"detail": "Sign in first."}, status=401)
        response = super().handle_no_permission(request, view_func)
        if request.headers.get("HX-Request") == "true":
            answer = JsonResponse({"detail": "Sign in first."}, status=401)
            answer.headers["HX-Redirect"] = response.headers.get("Location", "/")
            return answer
        return response
