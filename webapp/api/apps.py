"""Django's name for this app."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """webapp.api"""

    name = "webapp.api"
    label = "api"
