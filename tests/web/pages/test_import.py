"""Import: look first, then create; what was typed or uploaded is never lost."""

from __future__ import annotations

import html
import re
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


def words(page: str, begin: str, end: str) -> str:
    """What a person reads between two words of the page."""
    part = page.partition(begin)[2].partition(end)[0]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", part)).split())


def test_a_look_saves_nothing_and_shows_what_it_makes(as_editor: Client) -> None:
    code, page = send(as_editor, form(*both(), preview="1"))
    assert code == 200
    assert "@NodeA" in page
    made = words(page, "What it makes", "Kept in the text")
    assert "2 nodes: NodeA, NodeB" in made
    assert "HA_Group vrrp_instance, VRID 51 192.168.192.200/24" in made
    assert "NodeA MASTER, priority 100, ens33 NodeB BACKUP, priority 95, ens33" in made
    assert "192.168.192.200:80/TCP virtual_server 192.168.192.112:80 192.168.192.114:80" in made
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
    assert "2 nodes: NodeA, NodeB" in words(look, "What it makes", "The one document")
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
    kept = words(page, "Kept in the text, without a form", "The one document")
    assert "global_defs router_id" in kept
    assert "the file virtual_server fwmark 3 , vrrp_sync_group G" in kept
    assert "fwmark 3 virtual_server, kept in the text" in words(page, "What it makes", "Kept in")


def test_a_second_check_is_kept_and_named(as_editor: Client) -> None:
    check = "TCP_CHECK {\n            connect_timeout 3\n        }"
    text = pair()["NodeA"].replace(check, f"{check}\n        {check}", 1)
    _, page = send(as_editor, form(("NodeA", text), ("", ""), preview="1"))
    kept = words(page, "Kept in the text, without a form", "The one document")
    assert "real_server 192.168.192.112:80 TCP_CHECK" in kept
    as_editor.post(reverse("import"), form(("NodeA", text), ("", ""), create="1"))
    reals = Cluster.objects.get().virtual_servers.get().real_servers.all()
    assert [real.other_checks for real in reals] == [["TCP_CHECK"], []]


def test_every_word_of_an_object_that_no_form_shows_is_named(as_editor: Client) -> None:
    text = (
        pair()["NodeA"]
        .replace(
            "    advert_int 1\n", "    advert_int 1\n    preempt_delay 5\n    garp_master_delay 2\n"
        )
        .replace("connect_timeout 3", "connect_timeout 3\n            warmup 2")
        .replace("lb_kind DR", "lb_kind DR\n    persistence_timeout 60")
    )
    _, page = send(as_editor, form(("NodeA", text), both()[1], preview="1"))
    kept = words(page, "Kept in the text, without a form", "The one document")
    assert "vrrp_instance HA_Group preempt_delay , garp_master_delay on NodeA" in kept
    assert "virtual_server 192.168.192.200:80/TCP persistence_timeout on NodeA" in kept
    assert "2 real servers of 192.168.192.200:80/TCP TCP_CHECK warmup on NodeA" in kept


def test_a_problem_shows_its_line_with_its_place_and_no_secret(as_editor: Client) -> None:
    faulty = FAULTY.replace("secure12", "topsecret99")
    _, page = send(as_editor, form(("NodeA", faulty), both()[1], preview="1"))
    assert "<mark>nat_mask</mark> 255.255.255.0" in page.replace(
        " 255.255.255.0</mark>", "</mark> 255.255.255.0"
    )
    assert "auth_pass has 11 characters" in page
    assert "topsecret99" not in words(page, "Problems found", "</form>")


def upload(client: Client, *files: tuple[str, bytes]) -> tuple[int, str]:
    data = form(*((node, "") for node, _ in files), preview="1")
    for i, (_, content) in enumerate(files):
        data[f"form-{i}-upload"] = SimpleUploadedFile("keepalived.conf", content)
    return send(client, data)


A, B = (text.encode() for text in pair().values())
ODD: dict[str, tuple[list[tuple[str, bytes]], int, str]] = {
    "empty": ([("NodeA", b"")], 422, "This file is empty"),
    "blank": ([("NodeA", b" \n\n")], 422, "The file of NodeA is missing"),
    "program": ([("NodeA", Path("/bin/true").read_bytes())], 422, "This is no text file"),
    "utf-16": ([("NodeA", A.decode().encode("utf-16"))], 422, "This is no text file"),
    "5 MB": ([("NodeA", b"# comment line\n" * 350_000)], 422, "This file is over 4 MB"),
    "latin-1": ([("NodeA", A + b"# f\xfcr\n")], 200, f"Line {A.count(10) + 1} of this file is not"),
    "crlf": ([("NodeA", A.replace(b"\n", b"\r\n")), ("NodeB", B)], 200, "2 nodes: NodeA, NodeB"),
    "byte order mark": ([("NodeA", b"\xef\xbb\xbf" + A)], 200, "NodeA, line 1"),
    "include on one node": (
        [("NodeA", b"include conf.d/*.conf\n" + A), ("NodeB", B)], 200, "keepalived follows an",
    ),
    "include": ([("NodeA", b"include conf.d/*.conf\n" + A)], 200, "include conf.d/*.conf"),
    "macros": ([("NodeA", A.replace(b"100", b"$P") + b"$P=7\n")], 200, "NodeA, line"),
    "html": ([("NodeA", b"<html><script>alert(1)</script>\n")], 200, "&lt;script&gt;"),
    "one long line": ([("NodeA", b"x" * 1_000_000)], 200, "x" * 80 + "…"),
    "bomb": ([("NodeA", b"$A=" + b"x " * 500 + b"\n" + b"$A $A $A\n" * 2_000)], 200, "NodeA, line"),
    "many nodes": ([(f"N{n}", A) for n in range(16)], 200, "16 nodes: N0, N1"),
    "too many nodes": ([(f"N{n}", A) for n in range(17)], 422, "At most 16 nodes"),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
def test_whatever_is_uploaded_gets_a_clear_page(case: str, as_editor: Client) -> None:
    files, status, sentence = ODD[case]
    code, page = upload(as_editor, *files)
    assert code == status
    assert sentence in page
    assert len(page) < 4_000_000


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
        assert "1 node: NodeA" in words(page, "What it makes", "The one document")
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
