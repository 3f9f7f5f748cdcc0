"""The REST API; thin: it calls the same access and services as the pages."""

from __future__ import annotations

from ninja import NinjaAPI
from ninja.security import django_auth

api = NinjaAPI(title="Keepsight", version="1", auth=django_auth)
