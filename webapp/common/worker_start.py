"""SYSTEM. Imported first by the fork server of `workers`: Django's apps, which models need."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
django.setup()
