"""Every door: a stranger gets nothing, readers cannot write, answers carry their headers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from webapp.accounts.access import may
from webapp.accounts.models import User
from webapp.accounts.services import sign_in_path
from webapp.configs.access import group_for
from webapp.inventory.access import cluster_for, clusters_for, node_for
from webapp.inventory.models import Cluster

OPEN = {"sign-in", "sign-in-link", "healthz"}
EXAMPLES = {
    "slug": "office-pair",
    "pk": "1",
    "number": "0",
    "node": "NodeA",
    "part": "nodes",
    "target": "NodeA",
    "verb": "stop",
}


def addresses() -> Iterator[tuple[str, str]]:
    """Every route of the project as (name, path with examples)."""

    def walk(patterns: list[Any], prefix: str) -> Iterator[tuple[str, str]]:
        for entry in patterns:
            route = prefix + str(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from walk(entry.url_patterns, route)
            elif isinstance(entry, URLPattern):
                for name, example in EXAMPLES.items():
                    for kind in ("slug", "int", "str", "uuid", ""):
                        route = route.replace(f"<{kind}:{name}>" if kind else f"<{name}>", example)
                yield entry.name or route, "/" + route

    yield from walk(get_resolver().url_patterns, "")


def test_there_are_addresses_and_every_example_is_filled_in() -> None:
    routes = list(addresses())
    assert len(routes) > 20
    assert not [path for _, path in routes if "<" in path]


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_gets_nothing_anywhere(cluster: Cluster, method: str) -> None:
    for name, path in addresses():
        if name in OPEN:
            continue
        answer = getattr(Client(), method)(path)
        assert answer.status_code in (302, 401, 405), (name, path, answer.status_code)
        if answer.status_code == 302:
            assert answer.headers["Location"].startswith("/sign-in/"), (name, path)
        assert cluster.name.encode() not in answer.content, (name, path)


@pytest.mark.django_db
def test_a_user_without_a_role_finds_no_cluster(cluster: Cluster, stranger: User) -> None:
    client = Client()
    client.force_login(stranger, "django.contrib.auth.backends.ModelBackend")
    for name, path in addresses():
        if "/c/office-pair/" in path or "clusters/office-pair" in path:
            answer = client.get(path)
            assert answer.status_code in (404, 405), (name, path, answer.status_code)
    assert json.loads(client.get("/api/clusters").content) == []


@pytest.mark.django_db
def test_a_reader_may_look_but_not_post(cluster: Cluster, reader: User) -> None:
    client = Client()
    client.force_login(reader, "django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/c/{cluster.slug}/").status_code == 200
    for name, path in addresses():
        if "/c/office-pair/" not in path or name in ("config-check",):
            continue
        answer = client.post(path, {})
        assert answer.status_code in (403, 404, 405), (name, path, answer.status_code)
    assert client.post("/import/", {}).status_code == 403


def test_needs_are_ordered(
    admin: User, editor: User, operator: User, reader: User, stranger: User
) -> None:
    table = {
        "read": (admin, editor, operator, reader),
        "operate": (admin, editor, operator),
        "edit": (admin, editor),
        "admin": (admin,),
    }
    everybody: list[Any] = [admin, editor, operator, reader, stranger, AnonymousUser()]
    for need, allowed in table.items():
        assert [user for user in everybody if may(user, need)] == list(allowed)  # type: ignore[arg-type] # a Literal in a loop
    admin.is_active = False
    assert not may(admin, "read")


def test_loading_is_authorising(cluster: Cluster, reader: User, stranger: User) -> None:
    group = cluster.groups.get()
    assert cluster_for(reader, cluster.slug) == cluster
    assert list(clusters_for(stranger)) == []
    for user in (stranger, AnonymousUser()):
        with pytest.raises(Http404):
            cluster_for(user, cluster.slug)
        with pytest.raises(Http404):
            group_for(user, cluster.slug, group.pk)
    with pytest.raises(PermissionDenied):
        cluster_for(reader, cluster.slug, "edit")
    with pytest.raises(Http404):
        node_for(reader, cluster.slug, "NodeC")
    with pytest.raises(Http404):
        cluster_for(reader, "nowhere", "admin")


def test_a_group_of_another_cluster_is_not_found(cluster: Cluster, editor: User) -> None:
    Cluster.objects.create(slug="other", name="other")
    with pytest.raises(Http404):
        group_for(editor, "other", cluster.groups.get().pk, "edit")


@pytest.mark.django_db
def test_every_answer_carries_the_policy() -> None:
    for path in ("/sign-in/", "/healthz", "/nowhere/", "/api/clusters"):
        headers = Client().get(path).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"], path
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.django_db
def test_htmx_is_sent_to_the_sign_in_page_whole(cluster: Cluster) -> None:
    answer = Client().get(f"/c/{cluster.slug}/live/nodes/", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/sign-in/")


@pytest.mark.django_db
def test_health_says_nothing_else() -> None:
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"ok": True})


@pytest.mark.django_db
def test_a_post_from_another_site_is_refused(cluster: Cluster, editor: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(editor, "django.contrib.auth.backends.ModelBackend")
    assert client.post(f"/c/{cluster.slug}/push/", {}).status_code == 403
    body = json.dumps({"text": "x"})
    answer = client.post(
        f"/api/clusters/{cluster.slug}/check", body, content_type="application/json"
    )
    assert answer.status_code == 403


@pytest.mark.django_db
def test_a_sign_in_link_works_once(admin: User) -> None:
    path = sign_in_path(admin)
    client = Client()
    client.get(path, follow=True)
    assert client.session.get("_auth_user_id") == str(admin.pk)
    second = Client()
    second.get(path, follow=True)
    assert "_auth_user_id" not in second.session


@pytest.mark.django_db
def test_the_api_answers_who_may_read(cluster: Cluster, reader: User) -> None:
    client = Client()
    client.force_login(reader, "django.contrib.auth.backends.ModelBackend")
    assert client.get("/api/clusters").json() == [{"slug": "office-pair", "name": "Office pair"}]
    view = client.get("/api/clusters/office-pair/status").json()
    assert [node["name"] for node in view["nodes"]] == ["NodeA", "NodeB"]
    answer = client.post(
        "/api/clusters/office-pair/check",
        json.dumps({"text": "vrrp_instance X {\n  priority 999\n}\n"}),
        content_type="application/json",
    )
    assert any(p["line"] == 2 and p["severity"] == "error" for p in answer.json()["problems"])
    assert client.get("/api/clusters/nowhere/status").status_code == 404
