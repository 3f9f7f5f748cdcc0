"""A mask that was copied from a page is refused wherever a value is taken, with its line."""

from __future__ import annotations

import html
import json
import re

import pytest
from django.test import Client
from django.urls import reverse

from hanode.conf import MASK, mask_secrets
from tests.web.conftest import pair
from tests.web.pages.test_doors import address
from tests.web.pages.test_forms import group_form
from tests.web.pages.test_import import form, send
from webapp.configs.models import Group
from webapp.configs.services import document_text
from webapp.inventory.models import Cluster

SENTENCE = "the dots are the mask of a secret"


def line_of_mask(text: str) -> int:
    return next(n for n, line in enumerate(text.split("\n"), 1) if MASK[0] in line)


def is_untouched(cluster: Cluster) -> bool:
    return "auth_pass secure12" in document_text(cluster) and MASK not in document_text(cluster)


def test_a_masked_revision_pasted_into_the_text(cluster: Cluster, as_editor: Client) -> None:
    """The revision's page shows each node's file with its secrets masked."""
    page = as_editor.get(reverse("revision", args=[cluster.slug, 0])).content.decode()
    blocks = re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    shown = html.unescape(re.sub(r"<[^>]+>", "", blocks[0]))
    assert MASK in shown
    answer = as_editor.post(address("config-text", cluster), {"version": 1, "text": shown})
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert SENTENCE in page
    assert f"line {line_of_mask(shown)}" in page
    assert is_untouched(cluster)


MASKED = {
    "whole": f"auth_pass {MASK}",
    "quoted": f'auth_pass "{MASK}"',
    "as long as the secret": "auth_pass ••••••••",
    "one character": "auth_pass •",
    "of one node": f"@NodeB auth_pass {MASK}\n@NodeA auth_pass secure12",
    "in an unknown word": f"auth_pass secure12\nfrob {MASK}",
}


@pytest.mark.parametrize("how", MASKED)
def test_a_mask_in_the_text_or_asked_of_the_api(
    how: str, cluster: Cluster, as_editor: Client
) -> None:
    text = document_text(cluster).replace("auth_pass secure12", MASKED[how])
    answer = as_editor.post(address("config-text", cluster), {"version": 1, "text": text})
    assert answer.status_code == 422
    assert is_untouched(cluster)
    for where in (f"/api/clusters/{cluster.slug}/check", address("config-check", cluster)):
        said = as_editor.post(where, json.dumps({"text": text}), content_type="application/json")
        found = [one for one in said.json()["problems"] if one["code"] == "masked-value"]
        assert [(one["line"], one["severity"]) for one in found] == [(line_of_mask(text), "error")]


def test_what_a_macro_brings_is_found_at_its_use(cluster: Cluster, as_editor: Client) -> None:
    text = f"$PASS={MASK}\n" + document_text(cluster).replace("secure12", "$PASS")
    answer = as_editor.post(address("config-text", cluster), {"version": 1, "text": text})
    assert answer.status_code == 422
    assert SENTENCE in html.unescape(answer.content.decode())


def test_a_comment_may_have_dots(cluster: Cluster, as_editor: Client) -> None:
    text = document_text(cluster) + f"# auth_pass {MASK}\n"
    answer = as_editor.post(address("config-text", cluster), {"version": 1, "text": text})
    assert answer.status_code == 302


@pytest.mark.parametrize("typed", [MASK, "••", "•", f"x{MASK}"])
def test_a_mask_typed_into_the_form(typed: str, cluster: Cluster, as_editor: Client) -> None:
    answer = as_editor.post(address("group-edit", cluster), group_form(auth_pass=typed))
    assert answer.status_code == 422
    assert "mask of a password" in answer.content.decode()
    assert Group.objects.get().auth_pass == "secure12"


def test_a_password_with_a_dot_inside_is_a_password(cluster: Cluster, as_editor: Client) -> None:
    answer = as_editor.post(address("group-edit", cluster), group_form(auth_pass="a•b"))
    assert answer.status_code == 302
    assert Group.objects.get().auth_pass == "a•b"


@pytest.mark.parametrize("fixes", ["", "1"])
def test_an_import_of_masked_files(fixes: str, as_editor: Client) -> None:
    files = [(name, mask_secrets(text)) for name, text in pair().items()]
    code, page = send(as_editor, form(*files, create="1", fixes=fixes))
    assert code == 422
    assert SENTENCE in html.unescape(page)
    assert f"NodeA:{line_of_mask(files[0][1])}" in page
    assert not Cluster.objects.exists()
