"""Files given together: which are nodes of one cluster, what is told of the others, and why."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hanode import conf
from tests.conf.test_cli import hanode

INSTANCE = """\
vrrp_instance {name} {{
    state BACKUP
    interface eth0
    virtual_router_id {vrid}
    priority {priority}
    virtual_ipaddress {{
        {vip}
    }}
}}
"""


def instance(
    name: str = "VI_1", vrid: int = 51, vip: str = "192.0.2.10/24", priority: int = 100
) -> str:
    return INSTANCE.format(name=name, vrid=vrid, vip=vip, priority=priority)


SERVICE = """\
virtual_server 203.0.113.10 80 {
    protocol TCP
    lb_algo rr
    lb_kind DR
    real_server 10.0.0.1 80 {
    }
}
"""
UNICAST = "    unicast_src_ip {own}\n    unicast_peer {{\n        {peer}\n    }}\n    priority"


def unicast(text: str, own: str, peer: str) -> str:
    return text.replace("    priority", UNICAST.format(own=own, peer=peer), 1)


def names(**texts: str) -> list[list[str]]:
    """The clusters, each as the names of its files."""
    models = {name: conf.check(text, name=name).model for name, text in texts.items()}
    return [list(each) for each in conf.together(models)]


def codes(**texts: str) -> list[str]:
    models = {name: conf.check(text, name=name).model for name, text in texts.items()}
    return [p.code for p in conf.check_pair(models)]


EXCLUDED = instance().replace("virtual_ipaddress", "virtual_ipaddress_excluded")

PAIRS = {
    "an address": (instance(), instance("web", 52, priority=90), ["name-differs", "vrid-differs"]),
    "a typing mistake": (
        instance(), instance(vip="192.0.2.11/24", priority=90), ["vips-differ"],
    ),
    "a mistake in the network": (
        instance(), instance(vip="192.0.3.10/24", priority=90), ["vips-differ"],
    ),
    "a mistake without a prefix": (
        instance(vip="192.0.2.10"), instance(vip="192.0.2.110", priority=90), ["vips-differ"],
    ),
    "a mistake in IPv6": (
        instance(vip="2001:db8::10/64"), instance(vip="2001:db9::10/64", priority=90),
        ["vips-differ"],
    ),
    "another spelling": (
        instance(vip="2001:db8::10/64"), instance(vip="2001:DB8:0::10/64", priority=90), [],
    ),
    "excluded addresses": (EXCLUDED, EXCLUDED.replace("100", "90").replace("id 51", "id 52"),
                           ["vrid-differs"]),
    "virtual servers": (SERVICE, SERVICE.replace("0.0.1", "0.0.2"), ["service-differs"]),
    "marks": (SERVICE.replace("203.0.113.10 80", "fwmark 3"),
              SERVICE.replace("203.0.113.10 80", "fwmark 3").replace("DR", "NAT"),
              ["service-differs"]),
    "peers": (
        unicast(instance(), "10.0.0.1", "10.0.0.2"),
        unicast(instance("web", vip="198.51.100.7/24", priority=90), "10.0.0.2", "10.0.0.1"),
        ["group-alone", "group-alone"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", PAIRS)
def test_what_nodes_of_one_cluster_have_in_common(kind: str) -> None:
    one, two, found = PAIRS[kind]
    assert names(a=one, b=two) == [["a", "b"]]
    assert codes(a=one, b=two) == found
    other = instance("far", 9, "203.0.113.99/24")
    assert names(a=one, x=other, b=two) == [["a", "b"], ["x"]]


APART = {
    "only a name and a number": (instance(), instance(vip="10.9.8.7/24")),
    "only a name": (instance(), instance(vrid=52, vip="192.0.2.20/24")),
    "only a number and a network": (instance(), instance("web", vip="192.0.2.20/24")),
    "marks beside instances": (
        instance() + SERVICE.replace("203.0.113.10 80", "fwmark 3"),
        instance("web", 9, "10.9.8.7/24") + SERVICE.replace("203.0.113.10 80", "fwmark 3"),
    ),
    "nothing": (instance(), "global_defs {\n}\n"),
}


@pytest.mark.parametrize("kind", APART)
def test_what_says_nothing(kind: str) -> None:
    one, two = APART[kind]
    assert names(a=one, b=two) == [["a"], ["b"]]


def test_a_chain_of_nodes_is_one_cluster() -> None:
    texts = {n: instance(n, i, f"192.0.2.{i}/24") for i, n in enumerate("abc", 1)}
    texts["b"] += instance("x", 1, "192.0.2.1/24") + instance("y", 3, "192.0.2.3/24")
    assert names(**texts) == [["a", "b", "c"]]


def test_instances_are_matched_by_number_and_address_before_their_names() -> None:
    one = instance("VI_1", 51, "192.0.2.10/24") + instance("VI_2", 52, "192.0.2.20/24")
    two = instance("VI_2", 51, "192.0.2.10/24", 90) + instance("VI_1", 52, "192.0.2.20/24", 90)
    assert codes(a=one, b=two) == ["name-differs", "name-differs"]


def test_instances_with_other_names_are_matched_by_number_and_network() -> None:
    one = instance() + instance("same", 9, "198.51.100.1/24")
    two = instance("web", vip="192.0.2.20/24", priority=90)
    two += instance("same", 9, "198.51.100.1/24", 90)
    assert codes(a=one, b=two) == ["name-differs", "vips-differ"]


def met(one: str, two: str) -> list[tuple[str, str]]:
    clusters = {n: {n: conf.check(t, name=n).model} for n, t in (("one", one), ("two", two))}
    return [(p.code, p.message) for p in conf.all_meetings(clusters)]


def test_two_clusters_on_one_segment_are_told_their_number() -> None:
    ((code, message),) = met(instance(), instance("web", vip="192.0.2.20/24"))
    assert code == "vrid-elsewhere"
    assert message == (
        "web uses virtual_router_id 51 in 192.0.2.0/24, as does VI_1 of one with other addresses: "
        "each hears the other's adverts"
    )
    assert [c for c, _ in met(instance(), instance("web", vip="192.0.2.20/28"))] == [code]
    assert [c for c, _ in met(instance(vip="192.0.2.20/28"), instance("web"))] == [code]
    assert [c for c, _ in met(instance(vip="192.0.2.20"), instance("web"))] == [code]
    assert met(instance(), instance("web", 52, "192.0.2.20/24")) == []
    assert met(instance(), instance("web", vip="198.51.100.20/24")) == []
    peers = unicast(instance("web", vip="192.0.2.20/24"), "192.0.2.2", "192.0.2.3")
    assert met(instance(), peers) == met(peers, instance()) == []


def test_two_clusters_with_one_address_are_told_it() -> None:
    ((code, message),) = met(instance(), instance("web"))
    assert code == "address-elsewhere"
    assert "192.0.2.10 belongs to VI_1 of one too" in message
    assert "both use virtual_router_id 51" in message


def check(tmp_path: Path, *options: str, **texts: str) -> str:
    for name, text in texts.items():
        (tmp_path / f"{name}.conf").write_text(text)
    files = [str(tmp_path / f"{name}.conf") for name in texts]
    return hanode("check", *options, *files).stdout


def test_check_says_what_it_compared_and_what_not_and_why(tmp_path: Path) -> None:
    said = check(
        tmp_path,
        a=instance(),
        b=instance(vip="192.0.2.11/24", priority=90),
        c=instance("web", 7, "10.9.8.7/24"),
        d="global_defs {\n    router_id d\n}\n",
        e="@x " + SERVICE.replace("\n", "\n@x ").removesuffix("@x ") + "@y global_defs {\n@y }\n",
    )
    assert "b has no 192.0.2.10 and a has no 192.0.2.11" in said
    assert "\ncompared as the nodes of one cluster: a, b\n" in said
    assert re.search(
        r"\nc is not compared with the other files: it has no address and no name", said
    )
    assert "\nd is not compared with the other files: it has no vrrp_instance and" in said
    assert "\ne is not compared with the other files: it is the document of all nodes" in said


def test_check_tells_of_two_clusters_on_one_segment(tmp_path: Path) -> None:
    said = check(tmp_path, a=instance(), b=instance("web", vip="192.0.2.20/24"))
    assert "[vrid-elsewhere]" in said
    assert "two groups need two numbers" in said
    said = check(tmp_path, "--json", a=instance(), b=instance("web", vip="192.0.2.20/24"))
    told = json.loads(said)
    assert told["compared"] == []
    assert list(told["not_compared"]) == ["a", "b"]
    assert [p["code"] for p in told["problems"]] == ["vrid-elsewhere"]


def test_one_file_is_not_said_to_be_compared_with_none(tmp_path: Path) -> None:
    assert "compared" not in check(tmp_path, a=instance())
