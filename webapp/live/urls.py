"""URLs of the cluster list, a cluster's live page and its fragments, and the lab's buttons."""

from django.urls import path

from webapp.live import views

urlpatterns = [
    path("", views.home, name="home"),
    path("c/<slug:slug>/", views.cluster, name="cluster"),
    path("c/<slug:slug>/live/<slug:part>/", views.cluster_live, name="cluster-live"),
    path("c/<slug:slug>/lab/<str:target>/<slug:verb>/", views.lab_action, name="lab-action"),
]
