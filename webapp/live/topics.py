"""The topics of messages to browsers, and the handler's name in Channels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from hanode import events

OwnTopic = Literal["rollout", "outages", "nodes"]
"""What changes without a word of a node; `nodes`: a condition that somebody else found."""

Topic = events.Topic | OwnTopic
"""Something on the page changed: the page fetches that fragment again by its own URL."""

TOPICS: tuple[Topic, ...] = (*get_args(events.Topic), *get_args(OwnTopic))

HANDLER = "cluster.message"
"""Channels' name of the consumer's method that takes a message of a cluster's group."""


def touched_by(told: Iterable[events.Event]) -> list[Topic]:
    """What is out of date after these events."""
    touched = {topic for event in told for topic in event.topics}
    return [topic for topic in TOPICS if topic in touched]
