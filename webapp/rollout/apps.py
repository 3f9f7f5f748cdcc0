"""Django's name for this app."""

from django.apps import AppConfig


class RolloutConfig(AppConfig):
    """webapp.rollout"""

    name = "webapp.rollout"
    label = "rollout"
