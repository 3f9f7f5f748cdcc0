"""Clusters and nodes have no page of their own: they are seen through live and configs."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
