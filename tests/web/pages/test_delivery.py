"""How pages and static files reach the browser: compressed, and kept only where that is right."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.core.management import call_command
from django.test import Client, override_settings
from django.urls import reverse

from tests.web.pages.test_doors import EDIT, READ, address
from webapp.common import assets
from webapp.inventory.models import Cluster

NAMED = re.compile(r"(?:from|import) \"\./([^\"]+)\"")
HASHED = re.compile(r"[^/]+\.[0-9a-f]{12}\.js")


@pytest.mark.parametrize("name", [*READ, *EDIT])
def test_no_page_is_kept_by_browser_or_proxy(
    name: str, cluster: Cluster, as_editor: Client
) -> None:
    """They show passwords to who may see them; the text page had no word about it."""
    answer = as_editor.get(address(name, cluster))
    assert answer.status_code == 200
    assert {"no-store", "private"} <= set(answer.headers["Cache-Control"].split(", "))


def test_what_the_api_says_is_not_kept_either(cluster: Cluster, as_reader: Client) -> None:
    answer = as_reader.get(f"/api/clusters/{cluster.slug}/status")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store, private"


def test_pages_are_compressed(cluster: Cluster, as_editor: Client) -> None:
    where = address("config", cluster)
    plain = as_editor.get(where)
    small: Any = as_editor.get(where, headers={"accept-encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert len(small.content) < len(plain.content) / 2
    assert b"</html>" in gzip.decompress(small.content)


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("static")
    storages = settings.STORAGES | {"staticfiles": {"BACKEND": assets.HASHED}}
    with override_settings(STATIC_ROOT=root, STORAGES=storages):
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["src"])
    return root


def test_names_of_static_files_say_their_content(collected: Path) -> None:
    modules = [path for path in (collected / "js").glob("*.js") if HASHED.fullmatch(path.name)]
    assert len(modules) == len(list((collected / "js").glob("*.js"))) / 2
    wanted = {name for path in modules for name in NAMED.findall(path.read_text())}
    assert len(wanted) > 5, "they import one another"
    assert wanted <= {path.name for path in modules}, "by the names with a hash"
    for path in modules:
        assert gzip.decompress(path.with_name(f"{path.name}.gz").read_bytes()) == path.read_bytes()


def test_changed_checkout_is_served_as_it_is(collected: Path, tmp_path: Path) -> None:
    assert not assets.are_collected(tmp_path, []), "nothing was collected"
    source = tmp_path / "css" / "a.css"
    source.parent.mkdir()
    source.write_text("a{}")
    made_s = (collected / "staticfiles.json").stat().st_mtime
    for later_s, fresh in ((-5, True), (5, False)):
        os.utime(source, (made_s + later_s, made_s + later_s))
        assert assets.are_collected(collected, [tmp_path]) is fresh
    assert issubclass(assets.HashedFiles, StaticFilesStorage)


def test_documentation_of_the_api_comes_from_here(as_reader: Client) -> None:
    """The policy lets no other origin's script in, so a page that asks for one stays blank."""
    text = as_reader.get(reverse("api-1:openapi-view")).content.decode()
    named = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert any("swagger" in name for name in named)
    assert [name for name in named if not name.startswith("/static/")] == []
    assert not re.search(r"<script(?![^>]*(src=|application/json))", text), "no script in the page"
