"""The document as text: saved, refused, checked at pauses, and masked for readers."""

from __future__ import annotations

import gzip
import json
from typing import Any

from django.test import Client
from django.urls import reverse

from hanode.conf.keywords import blocks
from tests.web.pages.test_doors import address
from webapp.configs.keyword_help import edition
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
    edit = {"first": 0, "gone": 1, "lines": ["x"], "total": 1}
    bodies: list[Any] = [{"text": 5}, {}, [], "x", {"text": "x", "session": "no name/"}]
    bodies += [{"text": "x", "session": 5}, {"edit": edit, "number": 1}]
    bodies += [{"session": "a" * 32, "edit": edit}, {"session": "a" * 32, "edit": [], "number": 1}]
    for wrong in ({"first": -1}, {"gone": "1"}, {"lines": "x"}, {"lines": [5]}, {"total": None}):
        bodies.append({"session": "a" * 32, "edit": {**edit, **wrong}, "number": 1})
    for body in bodies:
        code, answer = check(as_editor, cluster, body)
        assert code == 400
        assert "Send" in answer["detail"]


def test_the_check_saves_nothing(cluster: Cluster, as_editor: Client) -> None:
    before = document_text(cluster)
    check(as_editor, cluster, {"text": "vrrp_instance X {"})
    assert document_text(cluster) == before


def test_what_is_too_long_is_said_and_not_read(cluster: Cluster, as_editor: Client) -> None:
    code, answer = check(as_editor, cluster, {"text": "# x\n" * 1_000_001, "session": "a" * 32})
    assert code == 200
    assert [problem["code"] for problem in answer["problems"]] == ["too-long"]
    assert "4,000,000 characters" in answer["problems"][0]["message"]


def test_after_the_first_text_the_page_sends_only_lines(
    cluster: Cluster, as_editor: Client, as_reader: Client
) -> None:
    lines = document_text(cluster).split("\n")
    at = next(i for i, line in enumerate(lines) if "lb_kind" in line)
    code, answer = check(as_editor, cluster, {"session": "a" * 32, "text": "\n".join(lines)})
    assert code == 200
    edit = {"first": at, "gone": 1, "lines": [lines[at], "frobnicate 1"], "total": len(lines) + 1}
    body = {"session": "a" * 32, "number": answer["number"], "edit": edit}
    assert check(as_reader, cluster, body)[0] == 409, "another person's page"
    code, after = check(as_editor, cluster, body)
    assert code == 200
    assert [p["line"] for p in after["problems"] if "frobnicate" in p["message"]] == [at + 2]
    assert check(as_editor, cluster, body)[0] == 409, "the same change again"
    assert check(as_editor, cluster, {**body, "number": after["number"]})[0] == 409, "other lines"


def test_a_text_full_of_problems_shows_the_worst_and_says_how_many_more(
    cluster: Cluster, as_editor: Client
) -> None:
    text = document_text(cluster) + "frobnicate 1\n" * 600 + "vrrp_instance X {\n"
    code, answer = check(as_editor, cluster, {"session": "b" * 32, "text": text})
    assert code == 200
    assert len(answer["problems"]) == 500
    assert answer["more"] > 100
    assert any(problem["severity"] == "error" for problem in answer["problems"])
    page = as_editor.post(address("config-text", cluster), {"version": 1, "text": text})
    assert page.content.count(b'class="problem"') == 501  # one of them is the template
    assert f"and {answer['more']} more" in page.content.decode()


def test_the_words_come_from_the_tables(as_reader: Client) -> None:
    answer = as_reader.get(reverse("words"), headers={"accept-encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    said = json.loads(gzip.decompress(answer.content))
    for name, block in blocks().items():
        assert set(said["blocks"][name]["words"]) == set(block.keywords)
    word = said["blocks"]["vrrp_instance"]["words"]["priority"]
    assert (word["value"], word["default"]) == ("a whole number from 1 to 255", "100")
    assert "rr" in said["blocks"]["virtual_server"]["words"]["lb_algo"]["options"]
    fresh = as_reader.get(reverse("words"), {"v": edition()})
    assert "immutable" in fresh.headers["Cache-Control"]
    old = as_reader.get(reverse("words"), {"v": "old"})
    assert "no-store" in old.headers["Cache-Control"]
