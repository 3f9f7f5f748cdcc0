"""Words of the live page: one verdict for a whole cluster, one sentence for an event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

from django import template
from django.conf import settings

from hanode import events
from webapp.live.conditions import KINDS
from webapp.live.event_words import EventWords
from webapp.live.event_words import event_words as words_of
from webapp.live.nodeview import stale_after_s
from webapp.live.shape import ClusterView, EventView

register = template.Library()


class Overall(TypedDict):
    """The state of a whole cluster, as one chip."""

    state: str
    """A word that static/css/components/states.css knows."""
    text: str


@register.simple_tag
def overall(view: ClusterView) -> Overall:
    """The worst state that is known, with all the facts in a few words; unknown is never ok."""
    facts = [*_masters_wrong(view), *_not_known(view), *_lesser(view)]
    if facts:
        return {"state": facts[0]["state"], "text": " · ".join(fact["text"] for fact in facts)}
    if not view["groups"]:
        return {"state": "unknown", "text": "nothing to watch yet"}
    masters = dict.fromkeys(g["master"] or "?" for g in view["groups"])
    return {"state": "ok", "text": f"{', '.join(masters)} is master"}


def _masters_wrong(view: ClusterView) -> Iterator[Overall]:
    for verdict in ("two masters", "no master"):
        names = [g["name"] for g in view["groups"] if g["verdict"] == verdict]
        if names:
            yield {"state": verdict, "text": f"{verdict}: {', '.join(names)}"}


def _not_known(view: ClusterView) -> Iterator[Overall]:
    if not view["broker"]["up"]:
        yield {"state": "unknown", "text": "unknown: broker down"}
    elif silent := silent_nodes(view):
        yield {"state": "unknown", "text": f"not heard: {', '.join(silent)}"}
    elif any(group["verdict"] == "unknown" for group in view["groups"]):
        yield {"state": "unknown", "text": "master unknown"}


def _lesser(view: ClusterView) -> Iterator[Overall]:
    faulty = [n["name"] for n in view["nodes"] for i in n["instances"] if i["state"] == "FAULT"]
    if faulty:
        yield {"state": "warning", "text": f"fault on {', '.join(dict.fromkeys(faulty))}"}
    if odd := _odd(view):
        yield {"state": "warning", "text": odd}
    if failing := _failing(view):
        yield {"state": "warning", "text": failing}
    down = {
        real["key"]
        for server in view["virtual_servers"]
        for real in server["real_servers"]
        if any(one["up"] is False for one in real["nodes"].values())
    }
    if down:
        yield {"state": "warning", "text": f"{len(down)} real server{'s' * (len(down) > 1)} down"}


def _odd(view: ClusterView) -> str:
    """`NodeA runs an unknown revision`, of the worst condition; empty: no node has one."""
    nodes: dict[str, list[str]] = {}
    for node in view["nodes"]:
        for one in node["conditions"]:
            nodes.setdefault(one["kind"], []).append(node["name"])
    worst = next((kind for kind in KINDS if kind in nodes), None)
    return "" if worst is None else f"{', '.join(nodes[worst])} {KINDS[worst]}"


def _failing(view: ClusterView) -> str:
    """`script chk_http fails on NodeA`; empty: every tracker that is known works."""
    failing: dict[str, list[str]] = {}
    for one in view["trackers"]:
        if one["up"] is False:
            failing.setdefault(f"{one['kind']} {one['name']}", []).append(one["node"])
    if len(failing) > 1:
        return f"{len(failing)} trackers fail"
    return "".join(f"{name} fails on {', '.join(nodes)}" for name, nodes in failing.items())


@register.filter
def silent_nodes(view: ClusterView) -> list[str]:
    """The names of the nodes that were not heard lately."""
    return [node["name"] for node in view["nodes"] if node["state"] == "unknown"]


@register.filter
def never_heard(view: ClusterView) -> list[str]:
    """The names of the nodes that have never reported."""
    return [node["name"] for node in view["nodes"] if node["heard_at"] is None]


@register.simple_tag
def stale_after() -> float:
    """Seconds without a report after which the page shows a node as unknown."""
    return stale_after_s(float(settings.HEARTBEAT_S))


@register.filter
def worth_telling(told: list[EventView], everything: bool) -> list[EventView]:
    """The events without the stages on a revision's way, unless everything is asked for."""
    return [event for event in told if everything or not _is_stage(_typed(event))]


def _is_stage(event: events.Event) -> bool:
    return isinstance(event, events.RevisionStep) and event.phase in events.STAGES


@register.simple_tag
def event_words(event: EventView) -> EventWords:
    """What happened, in words and in a state that the CSS knows."""
    return words_of(_typed(event))


def _typed(event: EventView) -> events.Event:
    return events.read(event["kind"], event["subject"], event["cause"], event["data"])


@register.filter
def up_word(up: bool | None) -> str:
    """up, down, or unknown (not checked yet, or not heard lately)."""
    return "unknown" if up is None else "up" if up else "down"


@register.filter
def ipvs_words(ipvs: str) -> str:
    """Why the kernel does not balance, in a sentence."""
    if ipvs.startswith("absent"):
        reason = ipvs.partition(":")[2].strip()
        more = f" ({reason})" if reason else ""
        return f"This kernel has no IPVS: checks run, balancing does not{more}."
    return "Whether the kernel balances is not known now."
