"""Whom instances and sync groups tell of their changes.

PURE; data only.
"""

from __future__ import annotations

from hanode.conf.language.schema import Keyword, switch, word
from hanode.conf.language.values import Script


def notify_script(name: str, help: str) -> Keyword:
    """The row of a command that is told of changes; keepalived keeps the first."""
    return word(name, Script(), help, keeps="first", engine="runs")


NOTIFY = (
    notify_script("notify_master", "Command to run on becoming MASTER."),
    notify_script("notify_backup", "Command to run on becoming BACKUP."),
    notify_script("notify_fault", "Command to run on entering FAULT."),
    notify_script("notify_stop", "Command to run when VRRP stops."),
    notify_script(
        "notify", "Command to run on every change; it is told type, name, state and priority."
    ),
    switch(
        "notify_priority_changes", "Tell notify scripts when the priority changes.", engine="runs"
    ),
    switch("smtp_alert", "Send mail on every change.", engine="runs"),
)
