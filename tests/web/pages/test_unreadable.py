"""A row that this release cannot read: every page says so in one sentence, and nothing is lost."""

from __future__ import annotations

import html

import pytest
from django.test import Client

from tests.web.pages.markup import Markup
from tests.web.pages.test_doors import address
from webapp.configs.models import RealServer, VirtualServer
from webapp.inventory.models import Cluster

EXTRA = {"shape": 1, "fields": {"lb_algoo": "rr"}}
SENTENCE = (
    "The configuration cannot be read: in the virtual server 192.168.192.200:80/TCP, the field "
    "extra.fields.lb_algoo is not known to this release of Keepsight. Nothing was changed; run the "
    "release of Keepsight that wrote this row, or restore the database's backup that belongs to "
    "this one."
)


@pytest.fixture
def strange(cluster: Cluster) -> Cluster:
    """Its virtual server holds a field that nobody knows."""
    VirtualServer.objects.update(extra=EXTRA)
    return cluster


@pytest.mark.parametrize("name", ["config", "config-text", "push", "virtual-server-edit"])
def test_a_page_says_which_row_and_what_to_do(
    name: str, strange: Cluster, as_editor: Client
) -> None:
    answer = as_editor.get(address(name, strange))
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 500
    assert SENTENCE in page
    assert "Traceback" not in page
    assert Markup(answer.content.decode()).faults == []


def test_htmx_puts_the_sentence_into_the_page(strange: Cluster, as_editor: Client) -> None:
    where = address("config-pending", strange)
    answer = as_editor.get(where, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert html.unescape(answer.content.decode()).count(SENTENCE) == 1
    assert "<html" not in answer.content.decode()


def test_a_text_that_was_typed_comes_back(strange: Cluster, as_editor: Client) -> None:
    form = {"version": 1, "text": "# typed\nglobal_defs {\n    router_id Typed\n}\n"}
    answer = as_editor.post(address("config-text", strange), form)
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert SENTENCE in page
    assert "router_id Typed" in page
    assert VirtualServer.objects.get().extra == EXTRA


def test_a_form_and_a_push_change_nothing(strange: Cluster, as_editor: Client) -> None:
    form = {"version": 1, "ip": "192.168.192.112", "port": 80, "weight": 9}
    for name in ("real-server-edit", "push"):
        answer = as_editor.post(address(name, strange), form)
        assert answer.status_code in (422, 500)
        assert SENTENCE in html.unescape(answer.content.decode())
    assert not RealServer.objects.filter(weight=9).exists()
    assert strange.revisions.count() == 1


def test_an_overview_that_was_shown_before_does_not_hide_it(
    cluster: Cluster, as_editor: Client
) -> None:
    assert as_editor.get(address("config", cluster)).status_code == 200
    RealServer.objects.update(check_json={"retries": 3})
    answer = as_editor.get(address("config", cluster))
    assert answer.status_code == 500
    assert "check_json.retries" in answer.content.decode()
