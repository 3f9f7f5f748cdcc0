"""What every template of the house uses: icons, tabs, times, fields, state words."""

from __future__ import annotations

import datetime
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """A decorative symbol of static/img/icons.svg; the word beside it carries the meaning."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("img/icons.svg"),
        name,
    )


@register.simple_tag(takes_context=True)
def tab(context: template.Context, url_name: str, label: str) -> SafeString:
    """A link of the cluster's tab line; the current page says so to screen readers too."""
    request = context.get("request")
    match = request.resolver_match if request else None
    current = bool(match) and match.url_name == url_name
    return format_html(
        '<a href="{}"{}>{}</a>',
        reverse(url_name, args=[context["cluster"].slug]),
        SafeString(' aria-current="page"') if current else "",
        label,
    )


@register.filter
def moment(value: object) -> SafeString:
    """A moment (datetime, or microseconds since the epoch) that the browser shows in its zone."""
    at = _datetime(value)
    if at is None:
        return SafeString("–")
    return format_html(
        '<local-time><time datetime="{}">{} UTC</time></local-time>',
        at.isoformat(timespec="milliseconds"),
        at.strftime("%Y-%m-%d %H:%M:%S"),
    )


@register.filter
def milliseconds(value_us: int | float | None) -> str:
    """Microseconds as whole milliseconds with thin thousands: `3 412 ms`."""
    if value_us is None:
        return "–"
    return f"{round(value_us / 1000):,} ms".replace(",", "\u202f")


@register.filter
def get(mapping: Any, key: str) -> Any:
    """`mapping[key]`, or None."""
    return mapping.get(key) if hasattr(mapping, "get") else None


@register.inclusion_tag("_field.html")
def field(bound: BoundField) -> dict[str, Any]:
    """One form field: label, control, help, and its errors in one sentence right under it."""
    return {"field": bound, "check": isinstance(bound.field.widget, CheckboxInput)}


def _datetime(value: object) -> datetime.datetime | None:
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC)
    if isinstance(value, int | float) and value > 0:
        return datetime.datetime.fromtimestamp(value / 1e6, datetime.UTC)
    if isinstance(value, str) and value:
        return datetime.datetime.fromisoformat(value).astimezone(datetime.UTC)
    return None
