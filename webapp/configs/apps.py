"""The app as Django knows it."""

from django.apps import AppConfig


class ConfigsConfig(AppConfig):
    """webapp.configs"""

    name = "webapp.configs"
    label = "configs"
