"""The topics of messages to browsers, and the handler's name in Channels."""

from __future__ import annotations

from typing import Literal

Topic = Literal["events", "rollout", "config", "outages", "groups"]
"""A part of the page that is out of date: the page fetches that fragment again by its URL."""

HANDLER = "cluster.message"
"""Channels' name for the consumer's method that handles a message of a cluster's group."""
