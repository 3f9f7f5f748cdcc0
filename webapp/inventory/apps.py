"""Django's name for this app."""

from django.apps import AppConfig


class InventoryConfig(AppConfig):
    """webapp.inventory"""

    name = "webapp.inventory"
    label = "inventory"
