"""A push changes the lines that were changed: the rest of a node's file keeps its bytes."""

from __future__ import annotations

import pytest

from tests.conf.samples import corpus
from tests.web.conftest import pair
from webapp.accounts.models import User
from webapp.configs.errors import ConfigError
from webapp.configs.language import models_of
from webapp.configs.models import GroupNode
from webapp.configs.rows.drafts import draft_version
from webapp.configs.rows.layout import _meaning
from webapp.configs.rows.node_overlay import fields_of
from webapp.configs.services import (
    add_vip,
    document_text,
    import_files,
    pending,
    save_document,
    save_group_node,
)
from webapp.inventory.models import Cluster

ODD = """! Only NodeA says this
global_defs {
  router_id NodeA    # its name
}
vrrp_instance VI_1 {
        virtual_router_id 51
\tpriority 100 # of NodeA
        interface   eth0


        # where NodeA began
        state MASTER
        advert_int 1
        virtual_ipaddress {
           10.0.0.1/24 dev eth0
           10.0.0.2/24
        } }
"""


def odd() -> dict[str, str]:
    """Two files in nobody's layout, each with comments of its own."""
    other = ODD.replace("NodeA", "NodeB").replace("100", "90").replace("MASTER", "BACKUP")
    return {"NodeA": ODD, "NodeB": other}


def made(user: User, files: dict[str, str]) -> Cluster:
    cluster = import_files(actor=user, cluster_name="Odd", files=files).cluster
    assert cluster is not None
    return cluster


def lines(diff: str) -> list[str]:
    return [line for line in diff.splitlines()[2:] if line[:1] in "+-"]


def test_nothing_changed_is_nothing_to_send(admin: User) -> None:
    assert [file.diff for file in pending(made(admin, odd())).files] == ["", ""]


@pytest.mark.parametrize("files", [pair(), odd()], ids=["pair", "odd"])
@pytest.mark.parametrize("how", ["form", "text"])
def test_one_character_changes_one_line(files: dict[str, str], how: str, admin: User) -> None:
    """It was 23 + 24 lines, and NodeA's comments went into NodeB's file."""
    cluster = made(admin, files)
    if how == "form":
        member = GroupNode.objects.get(node__name="NodeA", group__cluster=cluster)
        save_group_node(actor=admin, member=member, version=1, values={"priority": 101})
    else:
        text = document_text(cluster).replace("priority 100", "priority 101")
        save_document(actor=admin, cluster=cluster, text=text, version=1)
    a, b = pending(cluster).files
    assert b.diff == ""
    assert b.new_text == files["NodeB"]
    want = files["NodeA"].replace("priority 100", "priority 101")
    assert a.new_text.split() == want.split()
    assert len(lines(a.diff)) == 2


def test_what_is_new_for_all_brings_no_comments_along(admin: User) -> None:
    cluster = made(admin, odd())
    text = document_text(cluster).replace("advert_int 1", "advert_int 2")
    save_document(actor=admin, cluster=cluster, text=text, version=1)
    group = cluster.groups.get()
    version = draft_version(cluster)
    add_vip(actor=admin, group=group, version=version, address="10.0.0.3/24")
    for file in pending(cluster).files:
        other = "NodeB" if file.node.name == "NodeA" else "NodeA"
        assert other not in file.new_text
        changed = lines(file.diff)
        assert [line[1:].strip() for line in changed if line[0] == "+"][:1] == ["advert_int 2"]
        assert any("10.0.0.3/24" in line for line in changed)
        assert len(changed) <= 6


def test_a_new_comment_is_sent(admin: User) -> None:
    cluster = made(admin, pair())
    text = document_text(cluster).replace("    lb_algo rr", "    # in turn\n    lb_algo rr")
    save_document(actor=admin, cluster=cluster, text=text, version=1)
    for file in pending(cluster).files:
        assert [line.strip("+ ") for line in lines(file.diff)] == ["# in turn"]


def test_what_is_sent_means_what_the_rows_mean(admin: User) -> None:
    """For every file of the corpora, with an address more."""
    tried = 0
    for number, path in enumerate(corpus()):
        text = path.read_bytes().decode(errors="replace")
        files = {"A": text, "B": text.replace("MASTER", "BACKUP").replace("100", "99")}
        try:
            cluster = import_files(actor=admin, cluster_name=f"c{number}", files=files).cluster
            assert cluster is not None
            group = cluster.groups.first()
            if group is None:
                continue
            add_vip(actor=admin, group=group, version=1, address="203.0.113.77/32")
        except ConfigError:
            continue
        said = pending(cluster)
        for file in said.files:
            assert "203.0.113.77/32" in file.new_text
        again = import_files(
            actor=admin,
            cluster_name=f"again{number}",
            files={file.node.name: file.new_text for file in said.files},
        ).cluster
        assert again is not None
        want = models_of({f.node.name: f.new_text for f in pending(again).files})
        have = models_of({f.node.name: f.new_text for f in said.files})
        for node in have:
            assert _meaning(fields_of(have[node])) == _meaning(fields_of(want[node]))
        tried += 1
    assert tried > 10
