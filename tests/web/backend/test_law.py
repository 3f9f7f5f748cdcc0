"""Rows and document have the same meaning: absorb and compile are inverse."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hanode import conf
from tests.conf.differential_generate import generate
from tests.conf.samples import corpus
from tests.web.conftest import pair
from webapp.accounts.models import User
from webapp.configs.language import understand_files
from webapp.configs.rows.absorb import absorb
from webapp.configs.rows.compile import compile_cluster
from webapp.configs.rows.drafts import document_text
from webapp.configs.rows.node_overlay import fields_of, merge_rows
from webapp.configs.services import import_files
from webapp.inventory.models import Cluster
from webapp.inventory.services import create_cluster

INSTANCE = """vrrp_instance {name} {{
    state BACKUP
    interface eth0
    virtual_router_id {vrid}
    priority {priority}
    virtual_ipaddress {{
{vips}
    }}
}}
"""


def instance(name: str, vrid: int = 10, priority: int = 100, *vips: str) -> str:
    lines = "\n".join(f"        {vip}" for vip in vips or ("10.0.0.1/24",))
    return INSTANCE.format(name=name, vrid=vrid, priority=priority, vips=lines)


CASES: dict[str, dict[str, str]] = {
    "the pair": pair(),
    "one node": {"Solo": instance("A")},
    "a group on one node only": {"A": instance("X") + instance("Y", 11), "B": instance("X")},
    "addresses in another order": {
        "A": instance("X", 10, 100, "10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/24"),
        "B": instance("X", 10, 90, "10.0.0.3/24", "10.0.0.1/24", "10.0.0.2/24"),
    },
    "an address on one node only": {
        "A": instance("X", 10, 100, "10.0.0.1/24", "10.0.0.9/24"),
        "B": instance("X", 10, 90, "10.0.0.1/24"),
    },
    "other vrid (a mistake that must survive to be seen)": {
        "A": instance("X", 10),
        "B": instance("X", 11),
    },
    "groups in another order": {
        "A": instance("X") + instance("Y", 11),
        "B": instance("Y", 11) + instance("X"),
    },
    "address options and devices": {
        "A": instance("X", 10, 100, "10.0.0.1/24 dev eth1 label eth1:0 scope global"),
        "B": instance("X", 10, 90, "10.0.0.1/24 dev eth2"),
    },
    "unknown words and blocks": {
        "A": "frobnicate 3\nweird {\n  deep {\n    x 1\n  }\n}\n" + instance("X"),
        "B": instance("X").replace("priority", "strange_word 4\n    priority"),
    },
    "servers that differ": {
        "A": "virtual_server 10.0.0.1 80 {\n lb_algo rr\n"
        " real_server 10.0.0.2 80 {\n weight 2\n }\n"
        " real_server 10.0.0.3 80 {\n weight 1\n }\n}\n",
        "B": "virtual_server 10.0.0.1 80 {\n lb_algo wrr\n real_server 10.0.0.3 80 {\n weight 5\n"
        " TCP_CHECK {\n connect_port 81\n frob 2\n }\n }\n}\n",
    },
    "comments only": {"A": "# nothing yet\n", "B": instance("X")},
}


def meaning(files: dict[str, str]) -> dict[str, conf.Config]:
    return {node: conf.check(text, node=node).model for node, text in files.items()}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.django_db
def test_rows_mean_what_the_files_meant(case: str) -> None:
    files = CASES[case]
    cluster = create_cluster(actor=None, name="law", node_names=list(files))
    absorb(cluster, meaning(files))
    assert compile_cluster(cluster) == meaning(files)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.django_db
def test_the_document_means_what_the_files_meant(case: str) -> None:
    files = CASES[case]
    cluster = create_cluster(actor=None, name="law", node_names=list(files))
    absorb(cluster, meaning(files))
    document = document_text(cluster)
    seen = {node: conf.expand_for(document, node).model for node in files}
    assert seen == meaning(files)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.django_db
def test_absorbing_the_own_document_changes_nothing(case: str) -> None:
    files = CASES[case]
    cluster = create_cluster(actor=None, name="law", node_names=list(files))
    absorb(cluster, meaning(files))
    before = document_text(cluster)
    keys = list(cluster.groups.values_list("pk", flat=True))
    absorb(cluster, {node: conf.expand_for(before, node).model for node in files})
    assert document_text(cluster) == before
    assert list(cluster.groups.values_list("pk", flat=True)) == keys


@pytest.mark.needs("shared")
def test_the_seed_pair_survives_import_with_its_comments(admin: User, shared: Path) -> None:
    files = {
        name: (shared / "lab" / f"{name}.conf").read_text(encoding="utf-8")
        for name in ("NodeA", "NodeB")
    }
    made = import_files(actor=admin, cluster_name="seed", files=files)
    assert made.cluster is not None
    assert compile_cluster(made.cluster) == meaning(files)
    document = document_text(made.cluster)
    for comment in ("# Unique identifier for this node", "# The shared virtual IP address"):
        assert comment in document
    assert "nat_mask" in document  # kept and reported, never dropped
    lines = {(p.problem.file, p.problem.line) for p in made.found.problems}
    assert {("NodeA", 20), ("NodeA", 31), ("NodeA", 38), ("NodeA", 47)} <= lines


def both_ways(files: dict[str, str], number: int) -> None:
    """bind(compile(absorb(doc))) == bind(doc), as rows and as a document, and once more.

    An include on some nodes only cannot be said in one document; the import refuses it.
    """
    cluster = create_cluster(actor=None, name=f"law {number}", node_names=list(files))
    absorb(cluster, meaning(files))
    assert compile_cluster(cluster) == meaning(files)
    if "include-lonely" in {problem.code for problem in conf.merge(files).problems}:
        assert understand_files(files).refused
        return
    document = document_text(cluster)
    seen = {node: conf.expand_for(document, node).model for node in files}
    assert seen == meaning(files)
    absorb(cluster, seen)
    assert document_text(cluster) == document


def as_uploaded(path: Path) -> str:
    """As the import page reads it, but for the way to read what is not UTF-8."""
    return path.read_bytes().decode(errors="replace")


@pytest.mark.parametrize("path", corpus(), ids=lambda path: path.name)
def test_files_of_the_corpora_survive(db: None, path: Path) -> None:
    text = as_uploaded(path)
    other = text.replace("MASTER", "BACKUP").replace("100", "99")
    if conf.node_ids(text):
        both_ways(dict.fromkeys(conf.node_ids(text), text), 1)
    both_ways({"A": text, "B": other}, 2)
    both_ways({"A": text, "B": ""}, 3)
    both_ways({"A": "", "B": text}, 4)


@pytest.mark.needs("shared")
def test_files_found_in_the_wild_survive(db: None, shared: Path) -> None:
    for number, path in enumerate(sorted((shared / "configs").glob("*.conf"))):
        text = as_uploaded(path)
        both_ways({"A": text, "B": text.replace("MASTER", "BACKUP").replace("100", "99")}, number)


def test_two_files_of_the_corpora_that_have_nothing_to_do_with_each_other(db: None) -> None:
    files = corpus()
    for number, (one, other) in enumerate(pairwise(files)):
        both_ways({"A": as_uploaded(one), "B": as_uploaded(other)}, number)


def test_generated_files_survive(db: None) -> None:
    for number, made in enumerate(generate(200, seed=4)):
        both_ways({"A": made.text}, number)


def test_comments_differing_per_node_come_back(db: None) -> None:
    files = pair()
    files["NodeB"] = files["NodeB"].replace("# higher wins", "# lower waits")
    cluster = create_cluster(actor=None, name="law", node_names=list(files))
    absorb(cluster, meaning(files))
    for node, model in compile_cluster(cluster).items():
        assert fields_of(model) == fields_of(meaning(files)[node])  # notes too, unlike ==


ADDRESSES = st.lists(st.sampled_from([f"10.0.0.{n}/24" for n in range(1, 7)]), unique=True)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=ADDRESSES, second=ADDRESSES, vrids=st.tuples(st.integers(1, 3), st.integers(1, 3)))
@pytest.mark.django_db(transaction=False)
def test_any_lists_of_addresses_come_back(
    first: list[str], second: list[str], vrids: tuple[int, int]
) -> None:
    Cluster.objects.all().delete()
    files = {
        "A": instance("X", vrids[0], 100, *first) if first else "",
        "B": instance("X", vrids[1], 90, *second),
    }
    cluster = create_cluster(actor=None, name="law", node_names=list(files))
    absorb(cluster, meaning(files))
    assert compile_cluster(cluster) == meaning(files)


def test_merged_rows_keep_an_order_that_fits_everybody() -> None:
    rows = merge_rows({"A": [("x", {}), ("z", {})], "B": [("x", {}), ("y", {}), ("z", {})]})
    assert [row.key for row in rows] == ["x", "y", "z"]
    assert all("@position" not in fields for row in rows for fields in row.by_node.values())
