"""Rows of every earlier shape mean what they meant; what is not understood is never dropped."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest
from django.core import serializers

from tests.web.backend.rows_written import written
from webapp.accounts.models import User
from webapp.configs import services
from webapp.configs.errors import UnreadableRow
from webapp.configs.language import understand
from webapp.configs.models import Draft, Group, GroupNode, RealServer, Vip, VirtualServer, shapes
from webapp.configs.models import row as row_module
from webapp.configs.models.row import Row
from webapp.configs.models.shapes import SHAPE, STEPS, upgraded
from webapp.configs.models.strict import Misfit
from webapp.configs.rows.compile import compile_cluster
from webapp.inventory.models import Cluster

DATA = Path(__file__).with_name("data")
KINDS: tuple[type[Row], ...] = (Draft, Group, GroupNode, Vip, VirtualServer, RealServer)


def kept(shape: int) -> dict[str, Any]:
    """The rows that a release of that shape wrote, and what it made of them."""
    read: dict[str, Any] = json.loads((DATA / f"rows_shape_{shape}.json").read_text())
    return read


def load(rows: list[dict[str, Any]]) -> None:
    """Into the database as they stand, past everything that writes rows today."""
    for row in serializers.deserialize("json", json.dumps(rows)):
        row.save()


def meaning() -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    clusters = list(Cluster.objects.all())
    return {each.slug: services.document_text(each) for each in clusters}, {
        each.slug: {f.node.name: f.new_text for f in services.pending(each).files}
        for each in clusters
    }


@pytest.mark.parametrize("shape", range(SHAPE + 1))
def test_rows_of_a_shape_give_the_same_document_byte_for_byte(db: None, shape: int) -> None:
    data = kept(shape)
    load(data["rows"])
    numbers = {row["fields"]["extra"].get("shape", 0) for row in data["rows"] if kind(row)}
    assert numbers == {shape}
    documents, files = meaning()
    assert documents == data["documents"]
    assert files == data["files"]


def kind(row: dict[str, Any]) -> bool:
    return row["model"] in {f"configs.{each.__name__.lower()}" for each in KINDS}


def test_the_data_hold_what_could_be_lost() -> None:
    """nopreempt of one node, comments, unknown words, a check's own, orders and absences."""
    data = kept(0)
    text = json.dumps(data["rows"])
    for word in ("frob_global", "frob_instance", "frob_check", "warmup", "@position", "absent"):
        assert f'"{word}"' in text
    assert {"nopreempt": False} in [
        {k: v for k, v in said.items() if k == "nopreempt"}
        for row in data["rows"]
        for said in row["fields"].get("extra", {}).get("nodes", {}).values()
    ]
    assert "@alpha nopreempt # stay" in data["documents"]["pair"]


def test_this_release_writes_what_its_data_say(db: None) -> None:
    """Else somebody changed what rows hold: add a step to models.shapes and a file for it."""
    now, then = written(), kept(SHAPE)
    assert now["documents"] == then["documents"]
    extras = [
        sorted(json.dumps(row["fields"]["extra"]) for row in data["rows"] if kind(row))
        for data in (now, then)
    ]
    assert extras[0] == extras[1]


def test_rows_of_an_older_shape_get_the_number_when_they_are_saved(admin: User) -> None:
    load(kept(0)["rows"])
    for cluster in Cluster.objects.all():
        before = services.document_text(cluster)
        version = services.draft_version(cluster)
        services.save_document(actor=admin, cluster=cluster, text=before, version=version)
        nodes = compile_cluster(cluster)
        assert nodes == understand(before, nodes).models
        assert understand(services.document_text(cluster), nodes).models == nodes
    assert {row.extra["shape"] for each in KINDS for row in each._default_manager.all()} == {SHAPE}


def test_a_form_upgrades_the_check_together_with_the_number(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the next shape gave `retry` one more: saving the weight may not do it again later."""
    load(kept(0)["rows"])
    real = RealServer.objects.filter(check_json__retry=2).first()
    assert real is not None

    def one_more(row: str, said: dict[str, Any]) -> dict[str, Any]:
        check = said.get("check_json")
        if check is None or check.get("retry") is None:
            return said
        return {**said, "check_json": {**check, "retry": check["retry"] + 1}}

    next_one = functools.partial(upgraded, steps=(*STEPS, one_more))
    monkeypatch.setattr(shapes, "upgraded", next_one)
    monkeypatch.setattr(row_module, "SHAPE", SHAPE + 1)
    cluster = real.virtual_server.cluster
    assert real.tcp_check is not None
    assert real.tcp_check["retry"] == 3
    version = services.draft_version(cluster)
    services.save_real_server(actor=admin, real=real, version=version, values={"weight": 9})
    real.refresh_from_db()
    assert (real.extra["shape"], real.check_json["retry"]) == (SHAPE + 1, 3)
    assert real.tcp_check["retry"] == 3
    services.save_real_server(
        actor=admin, real=real, version=version + 1, values={"check_json": {"connect_port": 7}}
    )
    assert (real.check_json["retry"], real.check_json["connect_port"]) == (3, 7)


STRANGE: list[tuple[type[Row], dict[str, Any], str]] = [
    (Draft, {"nodes": {"NodeA": {"gloabls": {}}}}, "extra.nodes.NodeA.gloabls"),
    (
        Draft,
        {"nodes": {"NodeA": {"globals": {"router": "x"}}}},
        "extra.nodes.NodeA.globals.router",
    ),
    (Group, {"nodes": {"NodeB": {"no_preempt": True}}}, "extra.nodes.NodeB.no_preempt"),
    (Group, {"fields": {"vips": []}}, "extra.fields.vips"),
    (Group, {"fields": {"origin": {}}}, "extra.fields.origin"),
    (GroupNode, {"fields": {"priority": 3}}, "extra.fields.priority"),
    (Vip, {"fields": {"prefix": 24}}, "extra.fields.prefix"),
    (Vip, {"fields": {"notes": [{"at": "", "above": []}]}}, "extra.fields.notes[0].above"),
    (VirtualServer, {"fields": {"lb_algoo": "rr"}}, "extra.fields.lb_algoo"),
    (
        VirtualServer,
        {"fields": {"other": [{"words": ["a"], "children": [{"words": ["b"], "kids": []}]}]}},
        "extra.fields.other[0].children[0].kids",
    ),
    (VirtualServer, {"fields": {"other": [{"children": None}]}}, "extra.fields.other[0].words"),
    (VirtualServer, {"fields": {"other": {}}}, "extra.fields.other"),
    (VirtualServer, {"rows": {}}, "extra.rows"),
    (VirtualServer, {"shape": SHAPE + 1}, "extra.shape"),
    (VirtualServer, {"shape": "1"}, "extra.shape"),
    (RealServer, {"nodes": {"NodeB": {"check": {"tries": 1}}}}, "extra.nodes.NodeB.check.tries"),
    (RealServer, {"nodes": []}, "extra"),
    (RealServer, {"absent": {}}, "extra"),
    (RealServer, {"fields": []}, "extra.fields"),
]


@pytest.mark.parametrize(("row", "extra", "field"), STRANGE)
def test_what_is_not_understood_is_named_and_stays(
    cluster: Cluster, editor: User, row: type[Row], extra: dict[str, Any], field: str
) -> None:
    text = services.document_text(cluster)
    one = row._default_manager.first()
    assert one is not None
    row._default_manager.filter(pk=one.pk).update(extra=extra)
    with pytest.raises(UnreadableRow) as unreadable:
        compile_cluster(cluster)
    one.refresh_from_db()
    assert (unreadable.value.row, unreadable.value.field) == (one.called, field)
    assert one.called in str(unreadable.value)
    with pytest.raises(UnreadableRow):
        services.save_document(actor=editor, cluster=cluster, text=text, version=1)
    one.refresh_from_db()
    assert one.extra == extra
    assert services.draft_version(cluster) == 1


def test_a_check_is_read_as_strictly(cluster: Cluster, editor: User) -> None:
    real = RealServer.objects.all()[0]
    RealServer.objects.filter(pk=real.pk).update(check_json={"retries": 3})
    real.refresh_from_db()
    for verb in (
        lambda: compile_cluster(cluster),
        lambda: services.save_real_server(actor=editor, real=real, version=1, values={"weight": 3}),
    ):
        with pytest.raises(UnreadableRow, match=r"real server .* the field check_json\.retries"):
            verb()
    real.refresh_from_db()
    assert real.check_json == {"retries": 3}


@pytest.mark.parametrize(
    ("row", "extra", "field"),
    [
        (
            RealServer,
            {"nodes": {"NodeB": {"weight": "much"}}},
            "VirtualServer.real_servers[0].weight",
        ),
        (Group, {"fields": {"other": [{"words": [3]}]}}, "VrrpInstance.other[0].words[0]"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(
    cluster: Cluster, row: type[Row], extra: dict[str, Any], field: str
) -> None:
    one = row._default_manager.first()
    assert one is not None
    row._default_manager.filter(pk=one.pk).update(extra=extra)
    with pytest.raises(UnreadableRow, match="does not fit") as unreadable:
        compile_cluster(cluster)
    assert unreadable.value.field == field


def test_steps_are_made_one_after_the_other_and_none_twice() -> None:
    def renamed(row: str, said: dict[str, Any]) -> dict[str, Any]:
        fields = {f"{row} {name}": value for name, value in said["extra"]["fields"].items()}
        return {**said, "extra": {"fields": fields}}

    def counted(row: str, said: dict[str, Any]) -> dict[str, Any]:
        return {**said, "check_json": len(said["extra"]["fields"])}

    steps = (renamed, counted)
    fields = {"fields": {"a": 1}}
    assert upgraded("X", {"extra": fields}, steps) == {
        "extra": {"fields": {"X a": 1}}, "check_json": 1,
    }  # fmt: skip
    assert upgraded("X", {"extra": {**fields, "shape": 1}}, steps) == {
        "extra": fields, "check_json": 1,
    }  # fmt: skip
    assert upgraded("X", {"extra": {**fields, "shape": 2}}, steps) == {"extra": fields}
    with pytest.raises(Misfit, match="reads shapes up to 2"):
        upgraded("X", {"extra": {"shape": 3}}, steps)
