"""Django's name for this app."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """webapp.common"""

    name = "webapp.common"
    label = "common"
