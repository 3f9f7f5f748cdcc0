"""A column is said once: one line in the row's class, and rows, forms and edits know it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, models
from django.test import Client

from tests.web.pages.test_doors import address
from tests.web.pages.test_forms_keep import Forms
from webapp.configs import services
from webapp.configs.forms import servers
from webapp.configs.forms.fields import MADE_BY_KIND
from webapp.configs.models import Group, GroupNode, RealServer, Vip, VirtualServer, columns, lvs
from webapp.configs.models.columns import Column, columns_of, in_forms
from webapp.configs.models.row import Row
from webapp.configs.rows.absorb import absorb
from webapp.configs.rows.compile import compile_cluster
from webapp.inventory.models import Cluster

PROJECT = Path(__file__).resolve().parents[3]
ROWS: tuple[type[Row], ...] = (Group, GroupNode, Vip, VirtualServer, RealServer)

WITH_A_RULE_OF_THEIR_OWN = {
    "auth_type": "no authentication, no password",
    "auth_pass": "where none is typed the old one stays",
    "check_json": "a whole check in one column",
}
"""Names that code besides the declaration has to know, and why."""
OVERVIEW = "templates/configs/config.html"
"""The overview chooses what it shows, and in which words."""


@pytest.fixture
def more(db: None) -> Iterator[str]:
    """One more column of a virtual server, as a line in its class and a migration would make it.

    `fwmark` is a field of hanode.conf.VirtualServer that no server with an address has; the rows
    know it by this line alone.
    """
    name = "fwmark"
    line: models.Field[Any, Any] = columns.whole("virtual_server", "quorum", "Mark of packets")
    line.contribute_to_class(VirtualServer, name)
    columns_of.cache_clear()
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE configs_virtualserver ADD COLUMN {name} integer NULL")
    yield name
    VirtualServer._meta.local_fields.remove(line)
    delattr(VirtualServer, name)
    VirtualServer._meta._expire_cache()  # type: ignore[attr-defined] # the stubs do not have it
    columns_of.cache_clear()


def test_a_column_that_is_declared_is_in_the_form_the_rows_and_the_document(
    cluster: Cluster, as_editor: Client, more: str
) -> None:
    where = address("virtual-server-edit", cluster)
    page = html.unescape(as_editor.get(where).content.decode())
    assert ">Mark of packets</label>" in page
    form = Forms(page, where).forms[where]
    assert form[more] == ""
    assert as_editor.post(where, form | {more: "0"}).status_code == 422  # the table's range
    assert as_editor.post(where, form | {more: "7"}).status_code == 302
    assert VirtualServer.objects.values_list(more, flat=True).get() == 7
    assert 'value="7"' in as_editor.get(where).content.decode()
    compiled = compile_cluster(cluster)
    assert [m.virtual_servers[0].fwmark for m in compiled.values()] == [7, 7]
    VirtualServer.objects.update(**{more: None})
    absorb(cluster, compiled)
    row = VirtualServer.objects.get()
    assert getattr(row, more) == 7
    assert more not in row.extra.get("fields", {})


def test_rows_from_before_the_column_keep_what_they_said(
    cluster: Cluster, as_editor: Client, more: str
) -> None:
    """Their `extra` has it until a form or the editor saves it."""
    VirtualServer.objects.update(extra={"shape": 1, "fields": {more: 9}})
    assert compile_cluster(cluster)["NodeA"].virtual_servers[0].fwmark == 9
    where = address("virtual-server-edit", cluster)
    page = as_editor.get(where).content.decode()
    assert 'value="9"' in page
    form = Forms(page, where).forms[where]
    assert as_editor.post(where, form | {more: "8"}).status_code == 302
    assert compile_cluster(cluster)["NodeA"].virtual_servers[0].fwmark == 8


def test_a_field_of_the_check_is_one_line_too(
    cluster: Cluster, as_editor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Column("connect_ip", "ip", "TCP_CHECK", "connect_ip", "Check address")
    monkeypatch.setattr(servers, "CHECK", (*lvs.CHECK, line))
    where = address("real-server-edit", cluster)
    form = Forms(as_editor.get(where).content.decode(), where).forms[where]
    before = compile_cluster(cluster)
    assert as_editor.post(where, form).status_code == 302
    assert compile_cluster(cluster) == before
    form |= {"version": "2", "connect_ip": "192.0.2.120"}
    assert as_editor.post(where, form).status_code == 302
    assert "connect_ip 192.0.2.120" in services.document_text(cluster)
    assert 'value="192.0.2.120"' in as_editor.get(where).content.decode()


def places_of(name: str) -> list[str]:
    """The files that know a column by its name, once for each line."""
    files = [*(PROJECT / "webapp/configs").rglob("*.py"), *(PROJECT / "templates").rglob("*.html")]
    return [
        str(path.relative_to(PROJECT))
        for path in sorted(files)
        if "migrations" not in path.parts
        for line in path.read_text().splitlines()
        if re.search(rf"(?<![\w-]){name}\b", line.partition("#")[0])
    ]


PECULIAR = [
    column.name
    for row in ROWS
    for column in (*columns_of(row), *(lvs.CHECK if row is RealServer else ()))
    if "_" in column.name and column.name not in WITH_A_RULE_OF_THEIR_OWN
]
"""Columns whose name is no word of everyday English, so that it can be looked for."""


@pytest.mark.parametrize("name", PECULIAR)
def test_a_column_stands_in_one_place(name: str) -> None:
    known = [path for path in places_of(name) if path != OVERVIEW]
    table_too = name in ("lb_algo", "lb_kind", "connect_port")  # the keyword has the same name
    assert 1 <= len(known) <= 1 + table_too, known
    assert {path.rpartition("/")[0] for path in known} == {"webapp/configs/models"}


def test_the_names_that_are_looked_for_are_most_of_them() -> None:
    assert {"lb_algo", "lb_kind", "delay_loop_us", "advert_int_us"} <= set(PECULIAR)


@pytest.mark.parametrize("row", ROWS)
def test_every_column_is_a_field_of_the_language_and_of_the_form(row: type[Row]) -> None:
    language = set((row.LANGUAGE or Group.LANGUAGE).__dataclass_fields__)
    for column in columns_of(row):
        assert column.language_field in language or (row, column.name) == (Vip, "address")
        if column in in_forms(columns_of(row)):
            assert column.kind in MADE_BY_KIND or column.kind == "check"
            assert column.name != "version"  # the form has the draft's there
