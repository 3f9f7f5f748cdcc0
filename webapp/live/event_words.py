"""An event in the page's words. Decides only: every kind of `hanode.events` has its words here."""

from __future__ import annotations

from typing import TypedDict, assert_never

from hanode import events


class EventWords(TypedDict):
    """One line of the timeline."""

    state: str
    """A word that static/css/components/states.css knows: colour and shape."""
    word: str
    """What the state is called."""
    text: str
    """What it is about."""
    more: str
    """A detail in small print; empty: none."""


def event_words(event: events.Event) -> EventWords:
    """What happened, without its cause."""
    match event:
        case events.Transition() | events.GroupTransition():
            return _transition(event)
        case events.PriorityChange():
            word = f"priority {event.priority}"
            return _words("info", word, event.subject, _sum(event))
        case events.TrackerChange():
            return _tracker(event)
        case events.AddressChange():
            state, word = ("present", "here") if event.present else ("absent", "gone")
            where = f"on {event.interface}" if event.interface else ""
            return _words(state, word, event.subject, where)
        case events.RealServerChange():
            of = f"of {event.virtual_server}" if event.virtual_server else ""
            state = "up" if event.up else "warning"
            return _words(state, events.up_word(event.up), event.subject, of)
        case events.VirtualServerChange():
            word = events.up_word(event.up)
            return _words(word, word, event.subject, "" if event.up else "no quorum")
        case events.RevisionStep():
            state = "info" if event.phase in events.STAGES else event.phase
            return _words(state, event.phase, event.subject)
        case events.PartChange():
            return _words(event.severity, event.phase, event.subject)
        case events.NodeWarning():
            of = f"of {event.virtual_server}" if event.virtual_server else ""
            return _words("warning", "warning", event.subject, of)
        case events.UnknownEvent():
            more = events.unread(event).strip(" ()")
            return _words(event.severity, event.kind or "unknown", event.subject, more)
        case _:
            assert_never(event)


def _transition(event: events.Transition | events.GroupTransition) -> EventWords:
    whose = "sync group, " if isinstance(event, events.GroupTransition) else ""
    return _words(event.new, event.new, event.subject, f"{whose}was {event.old}")


def _tracker(event: events.TrackerChange) -> EventWords:
    if event.tracker == "file":
        return _words("info", f"value {event.value}", event.subject)
    return _words(event.severity, "works" if event.up else "failed", event.subject)


def _sum(event: events.PriorityChange) -> str:
    """Only where it is a sum."""
    return event.arithmetic if event.arithmetic != str(event.priority) else ""


def _words(state: str, word: str, text: str, more: str = "") -> EventWords:
    return {"state": state, "word": word, "text": text, "more": more}
