"""The document as text: saved, refused, checked at pauses, and masked for readers."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client
from django.urls import reverse

from tests.web.pages.test_doors import address
from webapp.configs.models import GroupNode
from webapp.configs.services import document_text
from webapp.inventory.models import Cluster


def test_editor_saves_what_was_typed(cluster: Cluster, as_editor: Client) -> None:
    text = document_text(cluster).replace("priority 100", "priority 120")
    form = {"version": 1, "text": text.replace("\n", "\r\n")}
    assert as_editor.post(address("config-text", cluster), form).status_code == 302
    assert list(GroupNode.objects.values_list("priority", flat=True)) == [120, 95]
    assert "\r" not in document_text(cluster)


def test_an_error_is_refused_with_its_line_and_the_text_is_kept(
    cluster: Cluster, as_editor: Client
) -> None:
    text = document_text(cluster).replace("virtual_router_id 51", "virtual_router_id 300")
    line = text[: text.index("virtual_router_id")].count("\n") + 1
    answer = as_editor.post(address("config-text", cluster), {"version": 1, "text": text})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f"line {line}" in page
    assert "virtual_router_id 300" in page
    assert "virtual_router_id 300" not in document_text(cluster)


def test_a_stale_editor_keeps_its_text(cluster: Cluster, as_editor: Client) -> None:
    text = document_text(cluster).replace("priority 100", "priority 120")
    as_editor.post(address("config-text", cluster), {"version": 1, "text": text})
    mine = text.replace("priority 120", "priority 130")
    answer = as_editor.post(address("config-text", cluster), {"version": 1, "text": mine})
    assert answer.status_code == 422
    assert "was changed meanwhile" in answer.content.decode()
    assert "priority 130" in answer.content.decode()


def test_reader_sees_the_text_without_its_secrets(cluster: Cluster, as_reader: Client) -> None:
    page = as_reader.get(address("config-text", cluster)).content.decode()
    assert "virtual_router_id 51" in page
    assert "secure12" not in page
    assert "readonly" in page


def test_text_that_looks_like_markup_stays_text(cluster: Cluster, as_editor: Client) -> None:
    evil = document_text(cluster) + "# </textarea><script>alert(1)</script>\n"
    as_editor.post(address("config-text", cluster), {"version": 1, "text": evil})
    page = as_editor.get(address("config-text", cluster)).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page


def check(client: Client, cluster: Cluster, body: Any) -> tuple[int, dict[str, Any]]:
    where = reverse("config-check", args=[cluster.slug])
    answer = client.post(where, json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json()


def test_the_check_tells_lines_and_fixes(cluster: Cluster, as_editor: Client) -> None:
    text = document_text(cluster).replace("lb_kind DR", "lb_kind DR\n    nat_mask 255.255.255.0")
    code, answer = check(as_editor, cluster, {"text": text})
    problem = next(p for p in answer["problems"] if "nat_mask" in p["message"])
    assert code == 200
    assert problem["line"] == text[: text.index("nat_mask")].count("\n") + 1
    assert problem["nodes"] == ["NodeA", "NodeB"]


def test_the_check_of_a_sound_text_finds_no_error(cluster: Cluster, as_editor: Client) -> None:
    _, answer = check(as_editor, cluster, {"text": document_text(cluster)})
    assert [p for p in answer["problems"] if p["severity"] == "error"] == []


def test_the_check_refuses_what_is_no_text(cluster: Cluster, as_editor: Client) -> None:
    for body in ({"text": 5}, {}, [], "x", {"text": "x" * 1_000_001}):
        code, answer = check(as_editor, cluster, body)
        assert code == 400
        assert "Send" in answer["detail"]


def test_the_check_saves_nothing(cluster: Cluster, as_editor: Client) -> None:
    before = document_text(cluster)
    check(as_editor, cluster, {"text": "vrrp_instance X {"})
    assert document_text(cluster) == before
