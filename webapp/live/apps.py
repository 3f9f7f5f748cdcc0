"""Django's name for this app."""

from django.apps import AppConfig


class LiveConfig(AppConfig):
    """webapp.live"""

    name = "webapp.live"
    label = "live"
