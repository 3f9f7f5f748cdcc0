"""Addresses of the configuration: import, overview, forms, text editor, revisions."""

from django.urls import path

from webapp.configs import overview
from webapp.configs.editor import check_views, text_views
from webapp.configs.forms import group_views
from webapp.configs.forms import views as forms
from webapp.configs.revisions import import_views
from webapp.configs.revisions import views as revisions

urlpatterns = [
    path("import/", import_views.import_files, name="import"),
    path("language/words.json", check_views.words_json, name="words"),
    path("c/<slug:slug>/config/", overview.config, name="config"),
    path("c/<slug:slug>/config/pending/", overview.config_pending, name="config-pending"),
    path("c/<slug:slug>/config/text/", text_views.config_text, name="config-text"),
    path("c/<slug:slug>/config/check/", check_views.config_check, name="config-check"),
    path("c/<slug:slug>/config/groups/<int:pk>/", group_views.group_edit, name="group-edit"),
    path(
        "c/<slug:slug>/config/servers/<int:pk>/",
        forms.virtual_server_edit,
        name="virtual-server-edit",
    ),
    path(
        "c/<slug:slug>/config/servers/<int:pk>/real/",
        forms.real_server_add,
        name="real-server-add",
    ),
    path(
        "c/<slug:slug>/config/real/<int:pk>/",
        forms.real_server_edit,
        name="real-server-edit",
    ),
    path(
        "c/<slug:slug>/config/real/<int:pk>/remove/",
        forms.real_server_remove,
        name="real-server-remove",
    ),
    path("c/<slug:slug>/revisions/", revisions.revisions, name="revisions"),
    path("c/<slug:slug>/revisions/<int:number>/", revisions.revision, name="revision"),
]
