"""A form that is saved as it came changes nothing; one value changed changes that and no more."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from hanode import conf
from tests.conf.samples import corpus
from webapp.accounts.models import User
from webapp.configs.errors import ConfigError
from webapp.configs.models import Group, RealServer, VirtualServer
from webapp.configs.rows.compile import compile_cluster
from webapp.configs.services import document_text, import_files
from webapp.inventory.models import Cluster

ROWS_TRIED = 3
"""Of each kind in each file: they are all alike."""


class Forms(HTMLParser):
    """What a browser would send of each form of a page, by the form's address."""

    def __init__(self, page: str, where: str) -> None:
        super().__init__()
        self.where = where
        self.forms: dict[str, dict[str, str]] = {}
        self.form: dict[str, str] | None = None
        self.select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "form":
            self.form = self.forms.setdefault(said.get("action") or self.where, {})
        elif tag == "select":
            self.select = said["name"] or ""
        elif self.form is None:
            return
        elif tag == "option" and (self.select not in self.form or "selected" in said):
            self.form[self.select] = said.get("value") or ""
        elif tag == "input" and said.get("name"):
            kind = said.get("type")
            if kind != "checkbox" or "checked" in said:
                self.form[str(said["name"])] = said.get("value") or (
                    "on" if kind == "checkbox" else ""
                )


def clusters(user: User) -> list[Cluster]:
    """Every file of the corpora that can be imported, for two nodes."""
    made = []
    for number, path in enumerate(corpus()):
        text = path.read_bytes().decode(errors="replace")
        files = {"A": text, "B": text.replace("MASTER", "BACKUP").replace("100", "99")}
        try:
            made.append(import_files(actor=user, cluster_name=f"c{number}", files=files).cluster)
        except ConfigError:
            continue
    return [cluster for cluster in made if cluster is not None]


def pages(cluster: Cluster) -> list[str]:
    found = []
    for model, name, whose in (
        (Group, "group-edit", "cluster"),
        (VirtualServer, "virtual-server-edit", "cluster"),
        (RealServer, "real-server-edit", "virtual_server__cluster"),
    ):
        rows: Any = model
        for row in rows.objects.filter(**{whose: cluster})[:ROWS_TRIED]:
            found.append(reverse(name, args=[cluster.slug, row.pk]))
    return found


def test_a_form_saved_as_it_came_changes_nothing(admin: User, as_editor: Client) -> None:
    tried = 0
    for cluster in clusters(admin):
        before = compile_cluster(cluster)
        for where in pages(cluster):
            for action in Forms(as_editor.get(where).content.decode(), where).forms:
                if "/edit" in action or "remove" in action or "vips" in action or "sign" in action:
                    continue
                form = Forms(as_editor.get(where).content.decode(), where).forms[action]
                answer = as_editor.post(action, form)
                assert answer.status_code == 302, (action, form)
                assert compile_cluster(cluster) == before, (cluster.name, action, form)
                tried += 1
    assert tried > 60


RICH = Path(__file__).resolve().parents[2] / "conf" / "corpus" / "services.conf"


@pytest.mark.parametrize(
    ("model", "name", "field", "value", "gone", "come"),
    [
        (VirtualServer, "virtual-server-edit", "delay_loop_us", "17", r"delay_loop \S+", "17"),
        (RealServer, "real-server-edit", "weight", "23", r"weight \S+", "weight 23"),
    ],
)
def test_one_value_changes_one_line(
    model: Any, name: str, field: str, value: str, gone: str, come: str, admin: User,
    as_editor: Client,
) -> None:  # fmt: skip
    text = RICH.read_text()
    cluster = import_files(actor=admin, cluster_name="Rich", files={"A": text}).cluster
    assert cluster is not None
    before = document_text(cluster).splitlines()
    where = reverse(name, args=[cluster.slug, model.objects.first().pk])
    form = Forms(as_editor.get(where).content.decode(), where).forms[where]
    assert as_editor.post(where, form | {field: value}).status_code == 302
    after = document_text(cluster).splitlines()
    assert sum(line not in before for line in after) == 1
    changed = [line for line in after if line not in before]
    assert come in changed[0]
    missing = [line for line in before if line not in after]
    assert all(re.search(gone, line) for line in missing)
    kept = conf.check("\n".join(after)).model
    assert [s.key for s in kept.services] == [s.key for s in conf.check(text).model.services]
