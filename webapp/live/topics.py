"""What a browser can be told about, and the names that go over the socket."""

from __future__ import annotations

from typing import Literal

Topic = Literal["events", "rollout", "config", "outages", "groups"]
"""Something on the page changed: the page fetches that fragment again by its own URL."""

HANDLER = "cluster.message"
"""Channels' name of the consumer's method that takes a message of a cluster's group."""
