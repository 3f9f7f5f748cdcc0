"""Django's name for this app."""

from django.apps import AppConfig


class ConfigsConfig(AppConfig):
    """webapp.configs"""

    name = "webapp.configs"
    label = "configs"
