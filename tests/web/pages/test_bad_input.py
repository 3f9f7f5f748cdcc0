"""Whatever is sent, the answer is a page or a sentence: nothing reaches a traceback."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.web.pages.test_doors import EDIT, POST_EDIT, address
from webapp.inventory.models import Cluster

HUGE_NUMBER = "9" * 400
WORDS = (
    "",
    " ",
    "\0",
    "\ud83d".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    "é\u202e\u2028\x1b[31m",
    "'\";--<script>{{7*7}}{% now %}",
    "x" * 70_000,
    HUGE_NUMBER,
    "-1",
    "1e999",
    "NaN",
    "0x10",
    "192.168.192.201/99",
    "fe80::1%eth0/64",
    "a\nb",
    "a name {",
)
FIELDS = (
    *("vrid", "advert_int_us", "auth_type", "auth_pass", "nopreempt", "state", "priority"),
    *("interface", "address", "dev", "ip", "port", "protocol", "lb_algo", "lb_kind", "weight"),
    *("delay_loop_us", "checked", "connect_port", "connect_timeout_us", "retry"),
    *("delay_before_retry_us", "text", "message", "name", "username", "password", "next"),
)


def form(word: str) -> dict[str, str]:
    return {name: word for field in FIELDS for name in (field, f"NodeA-{field}")}


@pytest.mark.parametrize("version", ["1", HUGE_NUMBER, "x\0", ""])
@pytest.mark.parametrize("name", [*EDIT, *POST_EDIT, "push"])
def test_no_form_breaks(name: str, version: str, cluster: Cluster, as_editor: Client) -> None:
    where = address(name, cluster)
    for word in WORDS if version == "1" else WORDS[:1]:
        answer = as_editor.post(where, {**form(word), "version": version, "NodeA-version": version})
        assert answer.status_code in (302, 400, 404, 422), (name, word[:40], answer.status_code)


@pytest.mark.parametrize(
    "sound",
    [
        ("group-edit", {"vrid": "51", "auth_type": "PASS"}, "auth_pass"),
        ("group-edit", {"vrid": "51"}, "advert_int_us"),
        ("group-edit", {"address": "192.168.192.201/24"}, "dev"),
        ("group-edit", {"dev": "eth9"}, "address"),
        ("virtual-server-edit", {"ip": "192.168.192.200"}, "port"),
        ("virtual-server-edit", {"ip": "192.168.192.200", "port": "80"}, "delay_loop_us"),
        ("real-server-add", {"ip": "192.168.192.119", "port": "80", "checked": "on"}, "retry"),
        ("real-server-add", {"port": "80", "checked": "on"}, "ip"),
        ("config-text", {}, "text"),
    ],
    ids=lambda sound: f"{sound[0]} {sound[2]}",
)
def test_no_single_value_breaks(
    sound: tuple[str, dict[str, str], str], cluster: Cluster, as_editor: Client
) -> None:
    name, rest, field = sound
    where = address(name, cluster)
    for word in WORDS:
        answer = as_editor.post(where, {**rest, field: word, "version": "1"})
        assert answer.status_code in (302, 422), (field, word[:40], answer.status_code)
        if answer.status_code == 302:
            break  # saved: the next ones would only be stale


@pytest.mark.parametrize("word", WORDS)
def test_no_import_breaks(word: str, as_editor: Client) -> None:
    for key in ("preview", "create", "more"):
        for data in (
            {"form-TOTAL_FORMS": word, "form-INITIAL_FORMS": word, "name": word},
            {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "0", "name": word}
            | {"form-0-node": word, "form-0-text": word},
            {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "0", "name": "a", "form-0-node": "a"}
            | {"form-0-text": word},
            {},
        ):
            answer = as_editor.post(reverse("import"), {**data, key: "1"})
            assert answer.status_code in (200, 302, 422), (key, data)


def test_no_upload_breaks(as_editor: Client) -> None:
    start = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "0", "name": "a", "form-0-node": "a"}
    for content in (b"", b"\xff\xfe\x00", bytes(range(1, 256)), b"{" * 9000, b"}\n" * 9000):
        upload = SimpleUploadedFile("a/../\u202e.conf", content)
        answer = as_editor.post(
            reverse("import"), {**start, "form-0-upload": upload, "preview": "1"}
        )
        assert answer.status_code in (200, 422)


@pytest.mark.parametrize("word", WORDS)
def test_no_sign_in_breaks(word: str, db: None) -> None:
    answer = Client().post(reverse("sign-in"), form(word))
    assert answer.status_code in (200, 400)  # 400: more than any form of ours holds
    assert Client().get(reverse("sign-in-link"), {"sesame": word}).status_code == 403
    assert Client().get(reverse("sign-in"), {"next": word}).status_code == 200


BODIES: tuple[Any, ...] = (
    b"",
    b"\xff\xfe",
    b"{",
    b"null",
    b"[" * 100_000,
    b'{"text": "' + b"x" * 1_100_000 + b'"}',
    *(json.dumps({"text": value}).encode() for value in (None, 1, [], {}, True, "\0", "\ud800")),
    b'{"text": ' + b"9" * 5000 + b"}",
    b'{"other": 1}',
)


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
@pytest.mark.parametrize("which", ["page", "api"])
def test_no_json_body_breaks(which: str, body: bytes, cluster: Cluster, as_reader: Client) -> None:
    where = address("config-check", cluster)
    if which == "api":
        where = f"/api/clusters/{cluster.slug}/check"
    answer = as_reader.post(where, body, content_type="application/json")
    assert answer.status_code in (200, 400, 413, 422)
    assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize(
    "path",
    [
        *("/c/%00/", "/c/x/live/%00/", "/c/" + "x" * 5000 + "/", "/c/{slug}/live/%ff/"),
        *(
            "/c/{slug}/revisions/99999999999999999999999/",
            "/c/{slug}/rollouts/9999999999999999999/",
        ),
        *("/c/{slug}/config/groups/99999999999999999999/", "/c/{slug}/?timeline=%00", "/%ff"),
        *("/c/{slug}/config/servers/99999999999999999999/", "/api/clusters/%00/status"),
        *("/api/clusters/{slug}/nothing", "/static/../../etc/passwd", "/static/%00"),
    ],
)
def test_no_address_breaks(path: str, cluster: Cluster, as_editor: Client) -> None:
    for send in (as_editor.get, as_editor.post):
        answer = send(path.replace("{slug}", cluster.slug))
        assert answer.status_code in (200, 400, 404, 405), answer.status_code
