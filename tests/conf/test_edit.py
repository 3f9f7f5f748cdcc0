"""Edits change only their own bytes, and refuse statements that a macro made."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanode import conf
from hanode.conf import EditRefused
from tests.conf.samples import CORPUS, comments, text_of

TEXT = """\
# head
vrrp_instance  g {   # odd   spacing
\tpriority   100   # the winner
\tvirtual_ipaddress {
\t\t192.0.2.1/24
\t}
}
"""
PRIORITY = ("vrrp_instance g", "priority")


def set_to(text: str, value: str, path: tuple[str, ...] = PRIORITY, node: str | None = None) -> str:
    return conf.set_value(conf.parse(text), path, value, node=node).text()


def test_a_value_changes_and_nothing_else() -> None:
    assert set_to(TEXT, "90") == TEXT.replace("priority   100", "priority 90")


def test_a_missing_statement_is_added_at_the_end_of_its_block() -> None:
    done = set_to(TEXT, "MASTER", ("vrrp_instance g", "state"))
    assert done == TEXT[:-2] + "\tstate MASTER\n}\n"


def test_an_address_is_added_and_removed() -> None:
    added = conf.add_address(conf.parse(TEXT), "g", "192.0.2.9/24 dev eth0")
    assert added.text() == TEXT.replace("1/24\n", "1/24\n\t    192.0.2.9/24 dev eth0\n")
    back = conf.remove_address(added, "g", "192.0.2.9")
    assert back.text() == TEXT
    assert conf.check(added.text()).model.instances[0].vips[1].dev == "eth0"


def test_a_block_for_addresses_is_made_where_there_is_none() -> None:
    text = "vrrp_instance g {\n    priority 1\n}\n"
    done = conf.add_address(conf.parse(text), "g", "192.0.2.1").text()
    assert [str(a) for a in conf.check(done).model.instances[0].vips] == ["192.0.2.1"]
    assert done == (
        "vrrp_instance g {\n    priority 1\n    virtual_ipaddress {\n        192.0.2.1\n    }\n}\n"
    )


def test_one_line_blocks_can_be_edited() -> None:
    text = "vrrp_instance g { virtual_ipaddress { 192.0.2.1 } }\n"
    done = conf.add_address(conf.parse(text), "g", "192.0.2.2").text()
    assert [str(a) for a in conf.check(done).model.instances[0].vips] == ["192.0.2.1", "192.0.2.2"]


def test_the_line_of_one_node_is_edited_for_it_alone() -> None:
    files = {n: text_of(CORPUS / f"pair_{n}.conf") for n in ("a", "b")}
    text = conf.merge(files).text
    path = ("vrrp_instance VI_WEB", "priority")
    assert set_to(text, "99", path, node="b") == text.replace("@b priority 140", "@b priority 99")


def test_a_statement_is_removed_with_its_line() -> None:
    done = conf.remove(conf.parse(TEXT), PRIORITY).text()
    assert done == TEXT.replace("\tpriority   100   # the winner\n", "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("$P=5\nvrrp_instance g {\npriority $P\n}\n", "made by $P on line 3"),
        ("vrrp_instance h {\n}\n", "there is no vrrp_instance g"),
        ("vrrp_instance g {\npriority {\n}\n}\n", "is a block"),
    ],
)
def test_what_cannot_be_edited_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(EditRefused, match=says.replace("$", r"\$")):
        set_to(text, "1")


@pytest.mark.parametrize("value", ["1 }", "1 # x", "1\n2", '"1', "{"])
def test_a_value_cannot_break_out_of_its_line(value: str) -> None:
    with pytest.raises(EditRefused):
        set_to(TEXT, value)


@given(st.lists(comments, min_size=3, max_size=3), st.integers(1, 255))
@settings(max_examples=50, deadline=None)
def test_every_byte_outside_the_edit_stays(around: list[str], value: int) -> None:
    before = f"x{around[0]}\nvrrp_instance g {{{around[1]}\n  priority"
    after = f"{around[2]}\n}}\ny"
    assert set_to(f"{before} 7{after}", str(value)) == f"{before} {value}{after}"


# --- in the model's terms -----------------------------------------------------------------------

CLUSTER = """\
global_defs {
    router_id main
}
vrrp_instance g {
    interface eth0
    priority 100   # who wins
@a    advert_int 1
@b    advert_int 2
    virtual_ipaddress { 192.0.2.1/24 }
}
virtual_server 192.0.2.1 80 {
    lvs_sched rr
    real_server 192.0.2.11 80 {
        weight 1
    }
    real_server 192.0.2.12 80 { weight 2 }
}
"""
DOCUMENT = conf.parse(CLUSTER)


def read_by(document: conf.Document, node: str | None = None) -> conf.Config:
    return conf.check(document.text(), node=node).model


def test_paths_of_the_models_objects() -> None:
    model = read_by(DOCUMENT)
    server = model.virtual_servers[0]
    (instance,) = model.instances
    path = conf.path(server, server.real_servers[0], "weight")
    assert path == ("virtual_server 192.0.2.1 80", "real_server 192.0.2.11 80", "weight")
    assert conf.path(instance, "advert_int_us") == ("vrrp_instance g", "advert_int")
    assert conf.path(model, model.globals, "router_id") == ("global_defs", "router_id")
    assert conf.path(instance, "unicast_peers") == ("vrrp_instance g", "unicast_peer")
    assert conf.path(instance, "vips", "192.0.2.1")[1:] == ("virtual_ipaddress", "192.0.2.1")
    done = conf.set_value(DOCUMENT, path, "5").text()
    assert done == CLUSTER.replace("weight 1", "weight 5")


def test_a_value_of_an_inner_block_makes_the_block() -> None:
    (instance,) = read_by(DOCUMENT).instances
    path = conf.path(instance, "auth_pass")
    assert path == ("vrrp_instance g", "authentication", "auth_pass")
    done = conf.set_value(DOCUMENT, path, "secret")
    done = conf.set_value(done, conf.path(instance, "auth_type"), "PASS")
    block = "    authentication {\n        auth_pass secret\n        auth_type PASS\n    }\n"
    assert done.text() == CLUSTER.replace("192.0.2.1/24 }\n", f"192.0.2.1/24 }}\n{block}")
    assert read_by(done).instances[0].auth_pass == "secret"


def test_virtual_servers_by_mark_or_group_can_be_edited() -> None:
    text = 'virtual_server fwmark 7 {\n}\nvirtual_server group "the web" {\n}\n'
    document = conf.parse(text)
    for server in read_by(document).services:
        document = conf.set_value(document, conf.path(server, "lb_algo"), "rr")
    assert document.text() == text.replace("{\n", "{\n    lb_algo rr\n")


def test_real_servers_come_and_go() -> None:
    (server,) = read_by(DOCUMENT).virtual_servers
    more = ("real_server 192.0.2.13 80 {", "weight 3", "TCP_CHECK {", "}", "}")
    added = conf.add(DOCUMENT, conf.path(server), *more)
    new = (
        "    real_server 192.0.2.13 80 {\n        weight 3\n        TCP_CHECK {\n        }\n    }\n"
    )
    assert added.text() == CLUSTER[:-2] + new + "}\n"
    (grown,) = read_by(added).virtual_servers
    assert grown.real_servers[:2] == server.real_servers
    assert (grown.real_servers[2].key, grown.real_servers[2].weight) == ("192.0.2.13:80", 3)
    gone = conf.remove(added, conf.path(server, grown.real_servers[2]))
    assert gone.text() == CLUSTER
    assert len(read_by(conf.remove(gone, conf.path(server, server.real_servers[1]))).services) == 1


def test_another_spelling_of_the_keyword_is_the_same() -> None:
    (server,) = read_by(DOCUMENT).virtual_servers
    done = conf.set_value(DOCUMENT, conf.path(server, "lb_algo"), "wlc").text()
    assert done == CLUSTER.replace("lvs_sched rr", "lvs_sched wlc")


@pytest.mark.parametrize(
    ("block", "line", "attribute"),
    [
        ("track_script", "chk weight -5", "track_script"),
        ("track_interface", "eth9", "track_interface"),
        ("unicast_peer", "192.0.2.7 min_ttl 254", "unicast_peers"),
        ("virtual_routes", "198.51.100.0/24 via 192.0.2.254 metric 7", "virtual_routes"),
        ("virtual_rules", "from 192.0.2.0/24 table 7 priority 9", "virtual_rules"),
        ("virtual_ipaddress_excluded", "192.0.2.99/24 dev eth1", "excluded"),
    ],
)
def test_lines_come_and_go_with_their_block(block: str, line: str, attribute: str) -> None:
    path = ("vrrp_instance g", block)
    added = conf.add(DOCUMENT, path, line)
    assert len(getattr(read_by(added).instances[0], attribute)) == 1
    twice = conf.add(added, path, line)
    assert len(getattr(read_by(twice).instances[0], attribute)) == 2
    changed = conf.set_value(added, (*path, line.split()[0]), "# 1".strip("# "))
    assert changed.text() == added.text().replace(line, f"{line.split()[0]} 1")
    assert conf.remove(added, path).text() == CLUSTER


def test_one_node_gets_a_value_of_its_own() -> None:
    done = conf.set_value(DOCUMENT, ("vrrp_instance g", "priority"), "90", node="b")
    line = "    priority 100   # who wins\n"
    assert done.text() == CLUSTER.replace(line, f"    @^b {line.strip()}\n    @b priority 90\n")
    assert [read_by(done, n).instances[0].priority for n in (None, "a", "b")] == [100, 100, 90]
    again = conf.set_value(done, ("vrrp_instance g", "priority"), "80", node="b")
    assert again.text() == done.text().replace("@b priority 90", "@b priority 80")
    both = conf.set_value(again, ("vrrp_instance g", "priority"), "70")
    assert [read_by(both, n).instances[0].priority for n in (None, "a", "b")] == [70, 70, 70]


def test_what_some_nodes_say_changes_for_all_who_should_have_it() -> None:
    done = conf.set_value(DOCUMENT, ("vrrp_instance g", "advert_int"), "3", node="a").text()
    assert done == CLUSTER.replace("@a    advert_int 1", "@a    advert_int 3")
    for text in (CLUSTER, CLUSTER.replace("@b    advert_int 2\n", "")):
        path = ("vrrp_instance g", "advert_int")
        if text is CLUSTER:
            # The new line should be for a node that no line names: no condition can express that.
            with pytest.raises(EditRefused, match="only some nodes"):
                conf.set_value(conf.parse(text), path, "3")
            continue
        every = conf.set_value(conf.parse(text), path, "3")
        assert {read_by(every, n).instances[0].advert_int_us for n in (None, "a", "b")} == {
            3 * 10**6
        }


def test_a_block_that_others_read_too_gets_a_line_for_one_node_only() -> None:
    text = "static_ipaddress {\n    @^b 192.0.2.1\n}\n@^b static_ipaddress {\n@^b }\n"
    done = conf.set_value(conf.parse(text), ("static_ipaddress", "192.0.2.1"), "dev eth0").text()
    assert done == text.replace("192.0.2.1\n", "192.0.2.1 dev eth0\n    @b 192.0.2.1 dev eth0\n")


def test_one_node_loses_a_block_that_the_others_keep() -> None:
    done = conf.remove(DOCUMENT, ("virtual_server 192.0.2.1 80",), node="b")
    assert read_by(done, "a").virtual_servers == read_by(DOCUMENT, "a").virtual_servers
    assert read_by(done, "b").virtual_servers == ()
    assert "    @^b lvs_sched rr\n" in done.text()
    one = conf.remove(done, ("virtual_server 192.0.2.1 80",)).text()
    assert one == CLUSTER[: CLUSTER.index("virtual_server")]


def test_new_lines_end_as_the_others_do() -> None:
    text = CLUSTER.replace("\n", "\r\n")
    path = ("vrrp_instance g", "track_interface")
    done = conf.add(conf.parse(text), path, "eth9", node="a").text()
    assert done.replace("\r\n", "\n") == conf.add(DOCUMENT, path, "eth9", node="a").text()
    assert done.count("\r\n") == done.count("\n")


FILES = {"shared.conf": "$PRIO=$BASE\nvrrp_script up {\n    script /bin/true\n}\n"}
MACROS = """\
$BASE=100
include shared.conf
$BLOCK=track_interface {\\
    eth1\\
}
vrrp_instance g {
    priority $PRIO
    $BLOCK
    garp_master_repeat $NOWHERE
~SEQ(N, 1, 2)    garp_master_delay $N
    virtual_ipaddress { 192.0.2.1/24
"""


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (
            ("vrrp_instance g", "priority"),
            "priority 100 is made by $PRIO on line 7, defined on line 1 of shared.conf with $BASE "
            "of line 1: edit it there",
        ),
        (
            ("vrrp_instance g", "track_interface", "eth1"),
            "eth1 is made by $BLOCK on line 8, defined on line 3: edit it there",
        ),
        (
            ("vrrp_instance g", "garp_master_repeat"),
            "line 9 says $NOWHERE, which nothing here defines: edit the text",
        ),
        (
            ("vrrp_instance g", "garp_master_delay"),
            "garp_master_delay 2 is made by ~SEQ on line 10: edit it there",
        ),
        (
            ("vrrp_script up", "script"),
            "script /bin/true stands in shared.conf, line 3: edit that file",
        ),
        (
            ("vrrp_instance g", "virtual_ipaddress", "192.0.2.7"),
            "virtual_ipaddress has no closing brace: put it right first",
        ),
        (("vrrp_instance h", "priority"), "there is no vrrp_instance h"),
    ],
)
def test_a_refusal_says_where_the_words_are(path: tuple[str, ...], says: str) -> None:
    def read(name: str, _from: str) -> tuple[tuple[str, str], ...]:
        return ((name, FILES[name]),)

    with pytest.raises(EditRefused) as refused:
        conf.set_value(conf.parse(MACROS), path, "7", read=read)
    assert str(refused.value) == says


@pytest.mark.parametrize(
    "lines", [(), ("{",), ("a {",), ("}", "a {"), ("@a x",), ("include y",), ("a # b",), ("a\nb",)]
)
def test_lines_cannot_break_out_of_their_block(lines: tuple[str, ...]) -> None:
    with pytest.raises(EditRefused):
        conf.add(DOCUMENT, ("vrrp_instance g",), *lines)


def test_a_name_that_fits_two_blocks_is_not_guessed() -> None:
    two = conf.parse("virtual_server 192.0.2.1 80 {\n}\nvirtual_server 192.0.2.1 81 {\n}\n")
    with pytest.raises(EditRefused, match="names 2 blocks"):
        conf.remove(two, ("virtual_server 192.0.2.1",))
