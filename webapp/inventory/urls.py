"""No URLs: the pages of clusters and nodes belong to live and configs."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
