"""The verbs on a document: what they change, what they refuse, what they write down."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from hanode import conf
from tests.web.conftest import pair
from webapp.accounts.models import AuditEntry, User
from webapp.configs import services
from webapp.configs.errors import BadImport, ConfigRefused, NothingToPush, StaleDraft, TooLarge
from webapp.configs.models import Draft, GroupNode, Vip
from webapp.configs.rows.compile import compile_cluster
from webapp.inventory.models import Cluster


def test_import_makes_rows_and_revision_zero(cluster: Cluster) -> None:
    group = cluster.groups.get()
    assert (group.name, group.vrid, group.auth_pass) == ("HA_Group", 51, "secure12")
    assert [(m.node.name, m.state, m.priority) for m in group.members.all()] == [
        ("NodeA", "MASTER", 100),
        ("NodeB", "BACKUP", 95),
    ]
    assert [v.address for v in group.vips.all()] == ["192.168.192.200/24"]
    server = cluster.virtual_servers.get()
    assert [str(r) for r in server.real_servers.all()] == [
        "192.168.192.112:80",
        "192.168.192.114:80",
    ]
    revision = cluster.revisions.get()
    assert revision.number == 0
    assert {f.node.name: f.text for f in revision.files.all()} == pair()


def test_import_refuses_a_file_with_errors_and_makes_nothing(admin: User) -> None:
    files = pair()
    files["NodeB"] = files["NodeB"].replace("virtual_router_id 51", "virtual_router_id 999")
    with pytest.raises(ConfigRefused) as refused:
        services.import_files(actor=admin, cluster_name="x", files=files)
    assert "NodeB:9" in str(refused.value)
    assert not Cluster.objects.exists()


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "one file per node"),
        ({"No de": "x"}, "no name for a node"),
        ({"A": "  \n"}, "the file is empty"),
        ({"A": "x" * 4_000_001}, "too large"),
    ],
)
def test_import_answers_wrong_files_with_a_sentence(
    admin: User, files: dict[str, str], sentence: str
) -> None:
    with pytest.raises(BadImport, match=sentence):
        services.import_files(actor=admin, cluster_name="x", files=files)


def test_the_same_cluster_name_twice_is_refused(admin: User, cluster: Cluster) -> None:
    with pytest.raises(BadImport, match="already a cluster"):
        services.import_files(actor=admin, cluster_name=cluster.name, files=pair())


def test_preview_saves_nothing(db: None) -> None:
    preview = services.preview_import(pair())
    assert "@NodeA priority 100" in preview.merged_text
    assert preview.cluster is None
    assert not Cluster.objects.exists()


def test_fixes_are_made_on_request(db: None) -> None:
    files = pair()
    files["NodeA"] = files["NodeA"].replace("lb_kind DR", "lb_kind DR\n    nat_mask 255.255.255.0")
    assert "nat_mask" in services.preview_import(files).merged_text
    assert "nat_mask" not in services.preview_import(files, fixes=True).merged_text


def test_reader_cannot_save_and_operator_cannot_edit(
    reader: User, operator: User, cluster: Cluster
) -> None:
    group = cluster.groups.get()
    for user in (reader, operator):
        with pytest.raises(PermissionDenied):
            services.save_group(actor=user, group=group, version=1, values={"vrid": 52})
    with pytest.raises(PermissionDenied):
        services.import_files(actor=operator, cluster_name="y", files=pair())


def test_editing_a_group_changes_every_node_and_the_version(editor: User, cluster: Cluster) -> None:
    saved = services.save_group(
        actor=editor, group=cluster.groups.get(), version=1, values={"vrid": 52}
    )
    assert saved.version == services.draft_version(cluster) == 2
    assert {m.instances[0].vrid for m in compile_cluster(cluster).values()} == {52}
    assert AuditEntry.objects.filter(verb="edit group", actor=editor).count() == 1


def test_a_form_ends_what_one_node_said_differently(editor: User, admin: User) -> None:
    files = pair()
    files["NodeB"] = files["NodeB"].replace("advert_int 1", "advert_int 1\n    nopreempt")
    made = services.import_files(actor=admin, cluster_name="two", files=files).cluster
    assert made is not None
    assert [m.instances[0].nopreempt for m in compile_cluster(made).values()] == [False, True]
    services.save_group(
        actor=editor, group=made.groups.get(), version=1, values={"nopreempt": False}
    )
    assert [m.instances[0].nopreempt for m in compile_cluster(made).values()] == [False, False]


def test_a_form_ends_what_one_node_said_differently_of_a_check(editor: User, admin: User) -> None:
    files = pair()
    files["NodeB"] = files["NodeB"].replace("connect_timeout 3", "connect_timeout 5")
    made = services.import_files(actor=admin, cluster_name="two", files=files).cluster
    assert made is not None
    real = made.virtual_servers.get().real_servers.all()[0]
    services.save_real_server(
        actor=editor, real=real, version=1, values={"check_json": {"connect_timeout_us": 4_000_000}}
    )
    checks = [m.virtual_servers[0].real_servers[0].check for m in compile_cluster(made).values()]
    assert [check and check.connect_timeout_us for check in checks] == [4_000_000, 4_000_000]


def test_the_second_of_two_savers_is_told(editor: User, cluster: Cluster) -> None:
    group = cluster.groups.get()
    services.save_group(actor=editor, group=group, version=1, values={"vrid": 52})
    with pytest.raises(StaleDraft, match="changed meanwhile"):
        services.save_group(actor=editor, group=group, version=1, values={"vrid": 53})
    assert cluster.groups.get().vrid == 52


def test_an_edit_with_an_error_changes_nothing(editor: User, cluster: Cluster) -> None:
    member = GroupNode.objects.get(node__name="NodeA")
    with pytest.raises(ConfigRefused):
        services.save_group_node(actor=editor, member=member, version=1, values={"priority": 999})
    member.refresh_from_db()
    assert member.priority == 100
    assert Draft.objects.get(cluster=cluster).version == 1
    assert not AuditEntry.objects.filter(verb="edit group on node").exists()


def test_addresses_come_and_go(editor: User, cluster: Cluster) -> None:
    group = cluster.groups.get()
    services.add_vip(actor=editor, group=group, version=1, address="192.168.192.201/24")
    for model in compile_cluster(cluster).values():
        assert [str(a) for a in model.instances[0].vips][-1] == "192.168.192.201/24"
    services.remove_vip(actor=editor, vip=Vip.objects.get(address="192.168.192.200/24"), version=2)
    assert "192.168.192.200/24" not in services.document_text(cluster)


def test_a_broken_address_is_refused_with_a_sentence(editor: User, cluster: Cluster) -> None:
    with pytest.raises(ConfigRefused) as refused:
        services.add_vip(
            actor=editor, group=cluster.groups.get(), version=1, address="192.168.192.999/24"
        )
    assert "192.168.192.999" in str(refused.value)


def test_real_servers_are_edited_added_and_removed(editor: User, cluster: Cluster) -> None:
    server = cluster.virtual_servers.get()
    real = server.real_servers.get(ip="192.168.192.112")
    services.save_real_server(
        actor=editor,
        real=real,
        version=1,
        values={"weight": 3, "check_json": {"connect_port": 81}},
    )
    services.add_real_server(
        actor=editor,
        server=server,
        version=2,
        values={"ip": "192.168.192.115", "port": 80, "weight": 1, "check_json": {}},
    )
    services.remove_real_server(
        actor=editor, real=server.real_servers.get(ip="192.168.192.114"), version=3
    )
    reals = compile_cluster(cluster)["NodeB"].virtual_servers[0].real_servers
    assert [(r.ip, r.weight) for r in reals] == [("192.168.192.112", 3), ("192.168.192.115", 1)]
    assert reals[0].check is not None
    assert (reals[0].check.connect_port, reals[0].check.connect_timeout_us) == (81, 3_000_000)


def test_the_text_editor_saves_the_document(editor: User, cluster: Cluster) -> None:
    text = services.document_text(cluster).replace("@NodeA priority 100", "@NodeA priority 120")
    services.save_document(actor=editor, cluster=cluster, text=text, version=1)
    assert GroupNode.objects.get(node__name="NodeA").priority == 120


def test_the_text_editor_refuses_errors_with_their_line(editor: User, cluster: Cluster) -> None:
    text = services.document_text(cluster).replace("virtual_router_id 51", "virtual_router_id x")
    problems = services.check_document(cluster, text)["problems"]
    line = 1 + text[: text.index("virtual_router_id x")].count("\n")
    assert any(p["severity"] == "error" and p["line"] == line for p in problems)
    with pytest.raises(ConfigRefused, match=f":{line}:"):
        services.save_document(actor=editor, cluster=cluster, text=text, version=1)


def test_any_text_can_be_checked(cluster: Cluster) -> None:
    for text in ("", "}}}{", "\x00\x01", "vrrp_instance", "@NodeA", "é" * 1000):
        assert "problems" in services.check_document(cluster, text)


def test_pending_shows_what_a_push_changes_without_secrets(editor: User, cluster: Cluster) -> None:
    services.save_group(
        actor=editor,
        group=cluster.groups.get(),
        version=1,
        values={"auth_pass": "hunter22"},
    )
    what = services.pending(cluster)
    assert what.any
    assert what.version == 2
    for file in what.files:
        assert file.old_revision == 0
        assert "auth_pass" in file.diff
        assert conf.MASK in file.diff
        assert "hunter22" not in file.diff
        assert "secure12" not in file.diff


def test_a_frozen_revision_holds_every_nodes_file(editor: User, cluster: Cluster) -> None:
    services.add_vip(
        actor=editor, group=cluster.groups.get(), version=1, address="192.168.192.201/24"
    )
    revision = services.freeze(actor=editor, cluster=cluster, message="more", version=2)
    assert revision.number == 1
    for file in revision.files.all():
        assert "192.168.192.201/24" in file.text
        assert "@" not in file.text
        assert conf.check(file.text, node=file.node.name).model.instances


AUTHENTICATION = """authentication {
        auth_type PASS
        auth_pass secure12
    }"""
SIGNED = """auth_hmac {
        key 7 0123456789abcdef0123456789abcdef
        active_key 7
    }"""


def test_adverts_that_a_document_signs_are_signed_in_every_nodes_file(
    editor: User, cluster: Cluster
) -> None:
    """The file is for our engine; keepalived 2.2.7 would ignore the block and miscount braces."""
    text = services.document_text(cluster)
    assert AUTHENTICATION in text
    signed = text.replace(AUTHENTICATION, SIGNED)
    assert services.check_document(cluster, signed)["problems"] == []
    services.save_document(actor=editor, cluster=cluster, text=signed, version=1)
    assert all(
        conf.MASK in f.diff and "456789" not in f.diff for f in services.pending(cluster).files
    )
    revision = services.freeze(actor=editor, cluster=cluster, message="", version=2)
    for file in revision.files.all():
        assert SIGNED in file.text


def test_nothing_to_push_is_said(editor: User, cluster: Cluster) -> None:
    revision = services.freeze(actor=editor, cluster=cluster, message="", version=1)
    revision.files.update(live_at=timezone.now())
    with pytest.raises(NothingToPush):
        services.freeze(actor=editor, cluster=cluster, message="", version=1)


def test_the_first_push_is_worth_it_though_no_line_changes(
    editor: User, canonical: Cluster
) -> None:
    what = services.pending(canonical)
    assert [file.diff for file in what.files] == ["", ""]
    assert what.any
    revision = services.freeze(actor=editor, cluster=canonical, message="", version=1)
    revision.files.filter(node__name="NodeB").update(live_at=timezone.now())
    assert services.pending(canonical).any  # NodeA is not yet in our care
    revision.files.update(live_at=timezone.now())
    assert not services.pending(canonical).any
    with pytest.raises(NothingToPush):
        services.freeze(actor=editor, cluster=canonical, message="", version=1)


@pytest.mark.parametrize("name", ["a name {", "ens33 label x", "}", "longer-than-fifteen", "a#b"])
def test_what_is_no_interface_is_refused_by_every_verb(
    editor: User, cluster: Cluster, name: str
) -> None:
    group = cluster.groups.get()
    with pytest.raises(ConfigRefused, match="is no network interface's name"):
        services.add_vip(
            actor=editor, group=group, version=1, address="192.168.192.201/24", dev=name
        )
    with pytest.raises(ConfigRefused, match="is no network interface's name"):
        services.save_group_node(
            actor=editor, member=group.members.all()[0], version=1, values={"interface": name}
        )
    assert group.vips.count() == 1
    assert services.draft_version(cluster) == 1


def test_a_name_that_no_row_holds_is_refused_with_a_sentence(admin: User) -> None:
    files = {name: text.replace("HA_Group", "X" * 300) for name, text in pair().items()}
    if connection.vendor == "sqlite":  # its columns have no width
        made = services.import_files(actor=admin, cluster_name="long", files=files)
        assert made.cluster is not None
        assert made.cluster.groups.get().name == "X" * 300
        return
    with pytest.raises(TooLarge, match="255 characters"):
        services.import_files(actor=admin, cluster_name="long", files=files)
    assert not Cluster.objects.exists()


def test_a_document_without_end_is_not_even_read(editor: User, cluster: Cluster) -> None:
    text = "# x\n" * 1_000_001
    assert services.check_document(cluster, text)["problems"][0]["code"] == "too-long"
    with pytest.raises(ConfigRefused, match="longer than"):
        services.save_document(actor=editor, cluster=cluster, text=text, version=1)


def test_names_of_clusters_become_addresses(admin: User) -> None:
    made = services.import_files(actor=admin, cluster_name="Büro  Süd (2)", files=pair()).cluster
    assert made is not None
    assert made.slug == "buro-sud-2"
    with pytest.raises(BadImport, match="no name for a cluster"):
        services.import_files(actor=admin, cluster_name="!!!", files=pair())


def test_a_value_with_a_line_break_is_refused_and_changes_nothing(
    cluster: Cluster, editor: User
) -> None:
    group = cluster.groups.get()
    with pytest.raises(ConfigRefused, match="line break"):
        services.save_group(
            actor=editor, group=group, version=1, values={"auth_pass": "x\nnotify /bin/sh"}
        )
    group.refresh_from_db()
    assert group.auth_pass == "secure12"
