"""A cluster that meets another one is told so at its import and on its configuration page."""

from __future__ import annotations

import html
import re

from django.test import Client
from django.urls import reverse

from tests.web.conftest import pair
from tests.web.pages.test_import import form
from webapp.accounts.models import User
from webapp.configs.services import import_files


def said(page: bytes) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page.decode())).split())


def other(**changes: str) -> dict[str, str]:
    files = pair()
    for old, new in {"HA_Group": "Web", **changes}.items():
        files = {node: text.replace(old, new) for node, text in files.items()}
    return files


def look(client: Client, files: dict[str, str]) -> str:
    data = form(*files.items(), preview="1") | {"name": "Second"}
    return said(client.post(reverse("import"), data).content)


NUMBER = (
    "Web uses virtual_router_id 51 in 192.168.192.0/24, as does HA_Group of the cluster First with "
    "other addresses: each hears the other's adverts"
)
ADDRESS = "Web: 192.168.192.200 belongs to HA_Group of the cluster First too"
MOVED = {"192.168.192.200": "192.168.192.210"}


def test_an_import_tells_of_the_number_and_the_address(as_editor: Client, admin: User) -> None:
    assert "the cluster First" not in look(as_editor, other())
    import_files(actor=admin, cluster_name="First", files=pair())
    assert ADDRESS in look(as_editor, other())
    assert "both use virtual_router_id 51" in look(as_editor, other())
    page = look(as_editor, other(**MOVED))
    assert NUMBER in page
    assert ADDRESS not in page
    assert "Create the cluster" in page, "it is no error"
    assert "the cluster First" not in look(as_editor, other(**MOVED, **{"id 51": "id 52"}))


def test_the_configuration_page_tells_it_on_both_sides(as_reader: Client, admin: User) -> None:
    import_files(actor=admin, cluster_name="First", files=pair())
    import_files(actor=admin, cluster_name="Second", files=other(**MOVED))
    second = said(as_reader.get(reverse("config", args=["second"])).content)
    assert NUMBER in second
    assert re.search(r"line [1-9]\d* ?: Web uses", second)
    first = said(as_reader.get(reverse("config", args=["first"])).content)
    assert "as does Web of the cluster Second" in first


def test_a_cluster_alone_meets_nobody(as_reader: Client, admin: User) -> None:
    import_files(actor=admin, cluster_name="First", files=pair())
    assert "the cluster" not in said(as_reader.get(reverse("config", args=["first"])).content)
