"""What is meant to be: import, forms, the text editor, revisions."""

from django.urls import path

from webapp.configs.editor import check_views
from webapp.configs.editor import text_views as views

urlpatterns = [
    path("import/", views.import_files, name="import"),
    path("language/words.json", check_views.words_json, name="words"),
    path("c/<slug:slug>/config/", views.config, name="config"),
    path("c/<slug:slug>/config/pending/", views.config_pending, name="config-pending"),
    path("c/<slug:slug>/config/text/", views.config_text, name="config-text"),
    path("c/<slug:slug>/config/check/", check_views.config_check, name="config-check"),
    path("c/<slug:slug>/config/groups/<int:pk>/", views.group_edit, name="group-edit"),
    path(
        "c/<slug:slug>/config/groups/<int:pk>/nodes/<str:node>/",
        views.group_node_edit,
        name="group-node-edit",
    ),
    path("c/<slug:slug>/config/groups/<int:pk>/vips/", views.vip_add, name="vip-add"),
    path("c/<slug:slug>/config/vips/<int:pk>/remove/", views.vip_remove, name="vip-remove"),
    path(
        "c/<slug:slug>/config/servers/<int:pk>/",
        views.virtual_server_edit,
        name="virtual-server-edit",
    ),
    path(
        "c/<slug:slug>/config/servers/<int:pk>/real/",
        views.real_server_add,
        name="real-server-add",
    ),
    path(
        "c/<slug:slug>/config/real/<int:pk>/",
        views.real_server_edit,
        name="real-server-edit",
    ),
    path(
        "c/<slug:slug>/config/real/<int:pk>/remove/",
        views.real_server_remove,
        name="real-server-remove",
    ),
    path("c/<slug:slug>/revisions/", views.revisions, name="revisions"),
    path("c/<slug:slug>/revisions/<int:number>/", views.revision, name="revision"),
]
