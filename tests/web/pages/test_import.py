"""Import: look first, then create; what was typed or uploaded is never lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.web.conftest import pair
from tests.web.pages.markup import Markup
from webapp.configs.services import document_text, preview_import
from webapp.inventory.models import Cluster

FAULTY = pair()["NodeA"].replace("lb_kind DR", "lb_kind DR\n    nat_mask 255.255.255.0")


def form(*files: tuple[str, str], **more: Any) -> dict[str, Any]:
    data = {"form-TOTAL_FORMS": len(files), "form-INITIAL_FORMS": 0, "name": "Front"}
    for i, (node, text) in enumerate(files):
        data |= {f"form-{i}-node": node, f"form-{i}-text": text}
    return data | more


def both() -> list[tuple[str, str]]:
    return list(pair().items())


def send(client: Client, data: dict[str, Any]) -> tuple[int, str]:
    answer = client.post(reverse("import"), data)
    return answer.status_code, answer.content.decode()


def test_a_look_saves_nothing_and_shows_what_it_makes(as_editor: Client) -> None:
    code, page = send(as_editor, form(*both(), preview="1"))
    assert code == 200
    assert "@NodeA" in page
    assert "Group HA_Group, VRID 51, with 192.168.192.200/24, on NodeA and NodeB" in page
    assert "Create the cluster" in page
    assert not Cluster.objects.exists()
    assert Markup(page).faults == []


def test_it_shows_each_problem_at_its_line(as_editor: Client) -> None:
    _, page = send(as_editor, form(("NodeA", FAULTY), both()[1], preview="1"))
    line = FAULTY[: FAULTY.index("nat_mask")].count("\n") + 1
    assert f"NodeA, line {line}" in page
    assert "nat_mask" in page


def test_it_creates(as_editor: Client) -> None:
    answer = as_editor.post(reverse("import"), form(*both(), create="1"))
    cluster = Cluster.objects.get()
    assert answer.headers["Location"] == reverse("config", args=[cluster.slug])
    assert [node.name for node in cluster.nodes.all()] == ["NodeA", "NodeB"]


def test_the_second_click_of_a_double_click_creates_nothing(as_editor: Client) -> None:
    send(as_editor, form(*both(), create="1"))
    code, page = send(as_editor, form(*both(), create="1"))
    assert code == 422
    assert "There is already a cluster named Front" in page
    assert Cluster.objects.count() == 1


def test_one_more_node_keeps_what_was_typed(as_editor: Client) -> None:
    code, page = send(as_editor, form(*both(), more="1"))
    assert code == 200
    assert 'name="form-2-node"' in page
    assert 'value="Front"' in page
    assert "priority 95" in page
    assert Markup(page).faults == []


def test_an_upload_is_held_for_the_next_submit(as_editor: Client) -> None:
    upload = SimpleUploadedFile("keepalived.conf", FAULTY.encode())
    data = form(("NodeA", ""), both()[1], preview="1") | {"form-0-upload": upload}
    _, page = send(as_editor, data)
    assert page.count("nat_mask 255.255.255.0") >= 1
    assert "Create the cluster" in page


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([("", "vrrp_instance X {}")], "Which node is this file of?"),
        ([("NodeA", "")], "The file of NodeA is missing"),
        ([], "Give one file per node"),
        ([("Node A!", "global_defs {\n}\n")], "is no name for a node"),
    ],
)
def test_a_half_filled_form_is_refused_in_a_sentence(
    files: list[tuple[str, str]], sentence: str, as_editor: Client
) -> None:
    _, page = send(as_editor, form(*files, create="1"))
    assert sentence in page
    assert not Cluster.objects.exists()


def test_two_files_of_one_node_are_refused(as_editor: Client) -> None:
    code, page = send(as_editor, form(("NodeA", "a"), ("NodeA", "b"), create="1"))
    assert code == 422
    assert "two files of NodeA" in page
    assert not Cluster.objects.exists()


@pytest.mark.parametrize("content", [b"\x00\x01\x02", b"x" * 4_000_001], ids=["binary", "huge"])
def test_what_is_no_configuration_is_refused(content: bytes, as_editor: Client) -> None:
    data = form(("NodeA", ""), preview="1") | {
        "form-0-upload": SimpleUploadedFile("keepalived.conf", content)
    }
    _, page = send(as_editor, data)
    assert "This file is over 4 MB" in page or "This is no text file" in page


def test_errors_forbid_the_import_and_say_so(as_editor: Client) -> None:
    broken = pair()["NodeA"].replace("virtual_router_id 51", "virtual_router_id 300")
    code, page = send(as_editor, form(("NodeA", broken), both()[1], create="1"))
    assert code == 422
    assert not Cluster.objects.exists()
    _, look = send(as_editor, form(("NodeA", broken), both()[1], preview="1"))
    assert "It cannot be imported while it has errors" in look
    assert "Create the cluster" not in look
    assert "virtual_router_id 300" in page


def test_one_document_of_all_nodes_makes_them_all(as_editor: Client) -> None:
    document = preview_import(pair()).merged_text
    assert "@NodeB" in document
    _, look = send(as_editor, form(("", document), ("", ""), preview="1"))
    assert "on NodeA and NodeB" in look
    assert "Virtual server 192.168.192.200:80/TCP with 192.168.192.112:80" in look
    as_editor.post(reverse("import"), form(("", document), ("", ""), create="1"))
    cluster = Cluster.objects.get()
    assert [node.name for node in cluster.nodes.all()] == ["NodeA", "NodeB"]
    members = cluster.groups.get().members.all()
    assert [(one.node.name, one.priority) for one in members] == [("NodeA", 100), ("NodeB", 95)]
    assert document_text(cluster) == document


def test_a_document_of_all_nodes_stands_alone(as_editor: Client) -> None:
    document = preview_import(pair()).merged_text
    code, page = send(as_editor, form(("", document), both()[1], create="1"))
    assert code == 422
    assert "A document of all nodes stands alone" in page
    assert not Cluster.objects.exists()


def test_one_node_alone_is_a_cluster_too(as_editor: Client) -> None:
    as_editor.post(reverse("import"), form(both()[0], ("", ""), create="1"))
    assert [node.name for node in Cluster.objects.get().nodes.all()] == ["NodeA"]


def test_what_has_no_form_is_said_to_be_kept(as_editor: Client) -> None:
    text = pair()["NodeA"] + "\nvirtual_server fwmark 3 {\n}\nvrrp_sync_group G {\n}\n"
    _, page = send(as_editor, form(("NodeA", text), ("", ""), preview="1"))
    assert "Kept in the text, without a form:" in page
    assert "vrrp_sync_group G" in page.split("Kept in the text")[1].split("</li>")[0]


FOUND = Path(__file__).resolve().parents[4] / "shared" / "configs"


@pytest.mark.needs("shared")
def test_files_as_people_have_them_are_shown_or_refused_at_their_lines(as_editor: Client) -> None:
    files = sorted(FOUND.glob("*.conf"))
    assert len(files) == 34
    created = 0
    for path in files:
        text = path.read_bytes().decode("utf-8", "replace")
        code, page = send(as_editor, form(("NodeA", text), preview="1"))
        assert code == 200, path.name
        assert "Node NodeA" in page
        answer = as_editor.post(
            reverse("import"), form(("NodeA", text), create="1", name=path.stem)
        )
        if "cannot be imported" in page:
            assert answer.status_code == 422, path.name
            assert ">error</span>" in page
        else:
            assert answer.status_code == 302, path.name
            created += 1
    assert created >= 25
