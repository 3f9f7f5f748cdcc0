"""Django's name for this app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """webapp.accounts"""

    name = "webapp.accounts"
    label = "accounts"
