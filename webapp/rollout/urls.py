"""URLs of the push page and of a rollout."""

from django.urls import path

from webapp.rollout import views

urlpatterns = [
    path("c/<slug:slug>/push/", views.push, name="push"),
    path("c/<slug:slug>/rollouts/<int:number>/", views.rollout, name="rollout"),
]
