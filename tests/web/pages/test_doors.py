"""Who gets through which door: every page of the house, for every persona."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.web.pages.conftest import signed_in
from tests.web.pages.markup import Markup
from webapp.accounts.models import User
from webapp.configs.models import Group, RealServer, VirtualServer
from webapp.inventory.models import Cluster

OPEN = {"sign-in", "sign-in-link"}
"""Without a sign-in; everything else of the pages is in READ, EDIT, OPERATE or OWN."""
OWN = {"home", "sign-out", "words"}
READ = ("cluster", "config", "config-pending", "config-text", "push", "revisions", "revision")
EDIT = ("group-edit", "virtual-server-edit", "real-server-add", "real-server-edit")
POST_EDIT = ("real-server-remove", "config-text")
SPECIAL = {"cluster-live", "config-check", "import", "lab-action", "rollout"}
FOREIGN = {"healthz"}


def address(name: str, cluster: Cluster) -> str:
    """A page's address with the ids of this cluster."""
    group = Group.objects.get(cluster=cluster)
    server = VirtualServer.objects.get(cluster=cluster)
    real = RealServer.objects.first()
    assert real
    more: dict[str, list[Any]] = {
        "revision": [0],
        "group-edit": [group.pk],
        "virtual-server-edit": [server.pk],
        "real-server-add": [server.pk],
        "real-server-edit": [real.pk],
        "real-server-remove": [real.pk],
    }
    return reverse(name, args=[cluster.slug, *more.get(name, [])])


def names(resolver: URLResolver) -> set[str]:
    """The names of all addresses below, the API's own apart."""
    found: set[str] = set()
    for each in resolver.url_patterns:
        if isinstance(each, URLPattern):
            found.add(str(each.name))
        elif not each.namespace:
            found |= names(each)
    return found


def test_every_page_is_in_a_list_of_this_test() -> None:
    known = OPEN | OWN | set(READ) | set(EDIT) | set(POST_EDIT) | SPECIAL | FOREIGN
    assert names(get_resolver()) == known


@pytest.mark.parametrize("name", [*READ, *EDIT])
def test_nobody_gets_in_without_signing_in(name: str, cluster: Cluster) -> None:
    where = address(name, cluster)
    answer = Client().get(where)
    assert answer.status_code == 302
    assert answer.url == f"{reverse('sign-in')}?next={where}"  # type: ignore[attr-defined] # a redirect has it


@pytest.mark.parametrize("name", ["home", "words"])
def test_even_what_belongs_to_no_cluster_needs_a_sign_in(name: str, db: None) -> None:
    assert Client().get(reverse(name)).status_code == 302


@pytest.mark.parametrize("name", [*READ, *EDIT])
def test_who_has_no_role_learns_nothing(name: str, cluster: Cluster, stranger: User) -> None:
    answer = signed_in(stranger).get(address(name, cluster))
    assert answer.status_code == 404
    assert cluster.name not in answer.content.decode()


@pytest.mark.parametrize("name", READ)
def test_reader_sees(name: str, cluster: Cluster, as_reader: Client) -> None:
    assert as_reader.get(address(name, cluster)).status_code == 200


@pytest.mark.parametrize("name", EDIT)
def test_reader_opens_no_form(name: str, cluster: Cluster, as_reader: Client) -> None:
    answer = as_reader.get(address(name, cluster))
    assert answer.status_code == 403
    assert "This needs the right to edit" in answer.content.decode()


@pytest.mark.parametrize("name", [*EDIT, *POST_EDIT, "push"])
def test_reader_changes_nothing(name: str, cluster: Cluster, as_reader: Client) -> None:
    assert as_reader.post(address(name, cluster), {"version": 1}).status_code == 403


@pytest.mark.parametrize("name", [*EDIT, *POST_EDIT])
def test_operator_edits_nothing(name: str, cluster: Cluster, as_operator: Client) -> None:
    assert as_operator.post(address(name, cluster), {"version": 1}).status_code == 403


def test_reader_imports_nothing(as_reader: Client) -> None:
    assert as_reader.get(reverse("import")).status_code == 403


@pytest.mark.parametrize("name", [*READ, *EDIT])
def test_every_page_is_sound_markup(name: str, cluster: Cluster, as_editor: Client) -> None:
    page = as_editor.get(address(name, cluster)).content.decode()
    assert Markup(page).faults == []


@pytest.mark.parametrize("name", ["home", "import"])
def test_pages_outside_of_a_cluster_are_sound_markup(name: str, as_editor: Client) -> None:
    assert Markup(as_editor.get(reverse(name)).content.decode()).faults == []


def test_reader_is_offered_no_button_that_would_be_refused(
    cluster: Cluster, as_reader: Client
) -> None:
    for name in READ:
        page = as_reader.get(address(name, cluster)).content.decode()
        assert "Edit<" not in page
        assert ">Save" not in page
        assert "Push to" not in page


def test_htmx_of_a_signed_out_page_is_told_to_sign_in(cluster: Cluster) -> None:
    answer = Client().get(address("cluster", cluster), headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith(reverse("sign-in"))
