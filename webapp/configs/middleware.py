"""A page for rows that cannot be read, whichever view met them."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin
from django.utils.html import format_html

from webapp.configs.errors import UnreadableRow

log = logging.getLogger(__name__)


class UnreadableRows(MiddlewareMixin):
    """UnreadableRow is the operator's to mend: its sentence is shown, and written to the log."""

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A page with the sentence, or only the sentence where htmx puts it into a page."""
        if not isinstance(error, UnreadableRow):
            return None
        log.error("%s", error)
        if request.headers.get("HX-Request") == "true":
            note = '<p class="note note--error" role="alert">{}</p>'
            return HttpResponse(format_html(note, str(error)))
        context = {"sentence": str(error)}
        return render(request, "configs/unreadable.html", context, status=500)
