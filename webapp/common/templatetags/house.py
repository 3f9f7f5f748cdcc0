"""Tags and filters of all templates: icons, tabs, times, fields, words for states."""

from __future__ import annotations

import datetime
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """A decorative symbol of static/img/icons.svg; the text beside it has the meaning."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("img/icons.svg"),
        name,
    )


UNDER = {
    "group-edit": "config",
    "virtual-server-edit": "config",
    "real-server-add": "config",
    "real-server-edit": "config",
    "rollout": "push",
    "revision": "revisions",
}
"""Pages without a tab, and the tab they belong to."""


@register.simple_tag(takes_context=True)
def tab(context: template.Context, url_name: str, label: str) -> SafeString:
    """A link in the cluster's row of tabs; the current one is marked for screen readers too."""
    request = context.get("request")
    match = request.resolver_match if request else None
    shown = match.url_name or "" if match else ""
    current = UNDER.get(shown, shown) == url_name
    return format_html(
        '<a href="{}"{}>{}</a>',
        reverse(url_name, args=[context["cluster"].slug]),
        SafeString(' aria-current="page"') if current else "",
        label,
    )


@register.filter
def moment(value: object) -> SafeString:
    """A time (datetime or ISO 8601) that the browser shows in its own time zone."""
    return _moment(value, "")


@register.filter
def moment_ms(value: object) -> SafeString:
    """The same with milliseconds, for the timeline."""
    return _moment(value, " ms")


@register.filter
def ago(value: object) -> SafeString:
    """How long ago; the browser keeps it up to date."""
    at = _datetime(value)
    if at is None:
        return SafeString("–")
    return format_html(
        '<ago-time datetime="{}">{} ago</ago-time>', at.isoformat(), timesince(at, depth=1)
    )


@register.filter
def thin(number: int) -> str:
    """A number with thin spaces between thousands: 3 412."""
    return f"{number:,}".replace(",", "\u202f")


@register.filter
def seconds(value_us: int | None) -> str:
    """Microseconds as seconds: 1 s, 0.5 s; a dash if unset."""
    return "–" if value_us is None else f"{value_us / 1_000_000:g} s"


@register.simple_tag
def now_iso() -> str:
    """The server's time; the browser corrects its own clock by it."""
    return timezone.now().isoformat(timespec="milliseconds")


IMPACTS = {
    "none": "no effect on traffic",
    "programs": "changes what runs on the node",
    "adverts": "changes adverts",
    "vip_moves": "an address moves",
    "connections": "connections may drop",
    "restart": "needs a restart",
}

STEPS = {
    "waiting": "waits for its turn",
    "sent": "sent",
    "live": "runs it, not confirmed yet",
    "confirmed": "runs it, confirmed",
    "refused": "refused it",
    "reverted": "went back by itself",
    "timed_out": "did not answer in time",
}


@register.filter
def impact_words(impact: str) -> str:
    """What applying a change does to the traffic, in words."""
    return IMPACTS.get(impact, impact)


@register.filter
def step_words(state: str) -> str:
    """A rollout step's state in words."""
    return STEPS.get(state, state)


@register.filter
def diff_lines(diff: str) -> list[dict[str, str]]:
    """A unified diff's lines, each with its kind (add, del, at or empty), without the header."""
    kinds = {"+": "add", "-": "del", "@": "at"}
    return [
        {"kind": kinds.get(line[:1], ""), "text": line or " "}
        for line in diff.splitlines()
        if not line.startswith(("--- ", "+++ "))
    ]


@register.filter
def get(mapping: Any, key: str) -> Any:
    """`mapping[key]`, or None."""
    return mapping.get(key) if hasattr(mapping, "get") else None


@register.inclusion_tag("_field.html")
def field(bound: BoundField) -> dict[str, Any]:
    """One form field: label, control, help, and its errors in one sentence right under it."""
    return {"field": bound, "check": isinstance(bound.field.widget, CheckboxInput)}


def _moment(value: object, attribute: str) -> SafeString:
    at = _datetime(value)
    if at is None:
        return SafeString("–")
    text = at.isoformat(" ", "milliseconds" if attribute else "seconds").partition("+")[0]
    return format_html(
        '<local-time{}><time datetime="{}">{} UTC</time></local-time>',
        attribute,
        at.isoformat(timespec="milliseconds"),
        text,
    )


def _datetime(value: object) -> datetime.datetime | None:
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC)
    if isinstance(value, str) and value:
        return datetime.datetime.fromisoformat(value).astimezone(datetime.UTC)
    return None
