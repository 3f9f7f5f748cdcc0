"""Words of the live page: one verdict for a whole cluster, one sentence for an event."""

from __future__ import annotations

from typing import Any, TypedDict

from django import template
from django.conf import settings

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
    """The worst state that is known, in a few words; unknown is never ok."""
    for verdict in ("two masters", "no master"):
        names = [g["name"] for g in view["groups"] if g["verdict"] == verdict]
        if names:
            return {"state": verdict, "text": f"{verdict}: {', '.join(names)}"}
    if not view["broker"]["up"]:
        return {"state": "unknown", "text": "unknown: broker down"}
    silent = silent_nodes(view)
    if silent:
        return {"state": "unknown", "text": f"not heard: {', '.join(silent)}"}
    if any(group["verdict"] == "unknown" for group in view["groups"]):
        return {"state": "unknown", "text": "master unknown"}
    return _lesser(view)


def _lesser(view: ClusterView) -> Overall:
    faulty = [n["name"] for n in view["nodes"] for i in n["instances"] if i["state"] == "FAULT"]
    if faulty:
        return {"state": "warning", "text": f"fault on {', '.join(dict.fromkeys(faulty))}"}
    down = {
        real["key"]
        for server in view["virtual_servers"]
        for real in server["real_servers"]
        if any(one["up"] is False for one in real["nodes"].values())
    }
    if down:
        return {"state": "warning", "text": f"{len(down)} real server{'s' * (len(down) > 1)} down"}
    if not view["groups"]:
        return {"state": "unknown", "text": "nothing to watch yet"}
    masters = dict.fromkeys(g["master"] or "?" for g in view["groups"])
    return {"state": "ok", "text": f"{', '.join(masters)} is master"}


@register.filter
def silent_nodes(view: ClusterView) -> list[str]:
    """The names of the nodes that were not heard lately."""
    return [node["name"] for node in view["nodes"] if node["state"] == "unknown"]


@register.simple_tag
def stale_after() -> float:
    """Seconds without a report after which the page shows a node as unknown."""
    return stale_after_s(float(settings.HEARTBEAT_S))


STAGES = ("received", "verified", "checked", "staged")
"""Phases that every revision goes through; shown only if all events are asked for."""


@register.filter
def worth_telling(events: list[EventView], everything: bool) -> list[EventView]:
    """The events without those phases, unless all events are asked for."""
    return [event for event in events if everything or event["data"].get("phase") not in STAGES]


@register.simple_tag
def event_words(event: EventView) -> dict[str, Any]:
    """An event in words: `{"state", "word", "text", "more"}`; the CSS knows the state."""
    data, subject = event["data"], event["subject"]
    match event["kind"]:
        case "transition":
            now = str(data.get("to", "unknown"))
            before = f"was {data['from']}" if data.get("from") else ""
            return {"state": now, "word": now, "text": subject, "more": before}
        case "address":
            here = bool(data.get("present"))
            where = f"on {data['interface']}" if data.get("interface") else ""
            state, word = ("present", "here") if here else ("absent", "gone")
            return {"state": state, "word": word, "text": subject, "more": where}
        case "real_server" | "virtual_server":
            word = "up" if data.get("up") else "down"
            of = f"of {data['virtual_server']}" if data.get("virtual_server") else ""
            return {"state": word, "word": word, "text": subject, "more": of}
        case "config":
            phase = str(data.get("phase", "config"))
            state = "info" if phase in STAGES else phase
            return {"state": state, "word": phase.replace("_", " "), "text": subject}
        case "warning":
            return {"state": "warning", "word": "warning", "text": subject}
        case _:
            phase = str(data.get("phase", event["kind"]))
            state = "warning" if phase in ("died", "stopping") else "info"
            return {"state": state, "word": phase, "text": subject}


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
