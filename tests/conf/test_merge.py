"""Merging the nodes' files into one document; macros are kept if they still mean the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from hanode import conf
from tests.conf.samples import corpus, text_of

FILE = """\
$IF=eth0   # the wire
$PRIO={prio}
$VIP=192.0.2.1
$BLOCK=track_interface {{\\
   eth1\\
}}
vrrp_instance $IF {{
  interface $IF
  priority $PRIO
  virtual_router_id 5
  $BLOCK
  virtual_ipaddress {{
     ${{VIP}}/24 dev $IF
     192.0.2.2/24
  }}
}}
virtual_server $VIP 80 {{
  protocol TCP
  ~SEQ(N, 1, 2) real_server 192.0.2.$N 80 {{ weight $N }}
  real_server $VIP 81 {{
    notify_up "/bin/x $IF y" $IF
  }}
}}
"""
PAIR = {"a": FILE.format(prio=150), "b": FILE.format(prio=100)}


def assert_law(files: dict[str, str], text: str, read: conf.Reader | None = None) -> None:
    for node, own in files.items():
        assert conf.expand_for(text, node).model == conf.check(own, node=node, read=read).model


def said(merged: conf.Merged, code: str) -> list[tuple[str, int, str]]:
    return [(p.file, p.line, p.message) for p in merged.problems if p.code == code]


def test_macros_stay_and_each_node_has_its_own_definition() -> None:
    merged = conf.merge(PAIR)
    assert merged.text == (
        "$IF=eth0 # the wire\n"
        "@a $PRIO=150\n"
        "@b $PRIO=100\n"
        "$VIP=192.0.2.1\n"
        "\n"
        "vrrp_instance $IF {\n"
        "    interface $IF\n"
        "    virtual_router_id 5\n"
        "    priority $PRIO\n"
        "    virtual_ipaddress {\n"
        "        ${VIP}/24 dev $IF\n"
        "        192.0.2.2/24\n"
        "    }\n"
        "    track_interface {\n"
        "        eth1\n"
        "    }\n"
        "}\n"
        "\n"
        "virtual_server $VIP 80 {\n"
        "    protocol TCP\n"
        "    real_server 192.0.2.1 80 {\n"
        "        weight 1\n"
        "    }\n"
        "    real_server 192.0.2.2 80 {\n"
        "        weight 2\n"
        "    }\n"
        "    real_server $VIP 81 {\n"
        '        notify_up "/bin/x $IF y" $IF\n'
        "    }\n"
        "}\n"
    )
    assert_law(PAIR, merged.text)
    message = "replaced by what they stand for: $BLOCK, ~SEQ"
    assert said(merged, "macro-replaced") == [("a", 4, message), ("b", 4, message)]


def test_macros_go_where_that_is_asked_for() -> None:
    merged = conf.merge(PAIR, keep_macros=False)
    assert "$" not in merged.text
    assert_law(PAIR, merged.text)
    message = "replaced by what they stand for: $IF, $PRIO, $VIP, $BLOCK, ~SEQ"
    assert said(merged, "macro-replaced") == [("a", 1, message), ("b", 1, message)]


def test_a_name_whose_value_changes_on_the_way_is_replaced() -> None:
    text = "$P=1\n$Q=5\nvrrp_instance a {\n priority $P\n}\n$P=2\n"
    text += "vrrp_instance b {\n priority $P\n garp_master_repeat $Q\n}\n"
    merged = conf.merge({"a": text, "b": text})
    assert merged.text.startswith("$Q=5\n\nvrrp_instance a {\n    priority 1\n}\n")
    assert_law({"a": text, "b": text}, merged.text)
    assert [m for _, _, m in said(merged, "macro-replaced")] == [
        "replaced by what they stand for: $P"
    ] * 2


def test_a_name_that_means_something_only_further_down_stays_as_it_was() -> None:
    text = "vrrp_instance a {\n notify $P\n}\n$P=/bin/true\nvrrp_instance b {\n notify $P\n}\n"
    merged = conf.merge({"a": text, "b": text})
    assert "notify $P\n" in merged.text
    assert "notify /bin/true\n" in merged.text
    assert_law({"a": text, "b": text}, merged.text)


def test_definitions_may_use_each_other_and_stand_in_other_files() -> None:
    def read(name: str, _from: str) -> tuple[tuple[str, str], ...]:
        return ((name, "$NET=192.0.2\n$ALL=$NET\n"),)

    text = "include nets\nvrrp_instance a {\n interface eth0\n virtual_ipaddress {\n"
    files = {node: text + f"  ${{ALL}}.{n}\n }}\n}}\n" for n, node in enumerate("ab")}
    merged = conf.merge(files, read=read)
    assert merged.text.startswith("$NET=192.0.2\n$ALL=$NET\n")
    assert "        @b ${ALL}.1\n" in merged.text
    assert_law(files, merged.text, read)
    assert said(merged, "macro-replaced") == []


def test_a_definition_below_an_include_does_not_move_above_it() -> None:
    above = "$P=1\ninclude more.conf\nnet_namespace $P\n"
    assert "net_namespace $P\n" in conf.merge({"a": above, "b": above}).text
    below = "include more.conf\n$P=1\nnet_namespace $P\n"
    merged = conf.merge({"a": below, "b": below})
    assert merged.text == "include more.conf\nnet_namespace 1\n"
    assert len(said(merged, "macro-replaced")) == 2


def test_nothing_is_dropped() -> None:
    one = "# head\nfrob 1 # odd\nweird { deep { x } }\n$A=1 # why\nnet_namespace $A\n# tail\n"
    merged = conf.merge({"a": one, "b": "$B=x\\\ny # two lines\ninstance z # here\n"})
    for words in (
        "# head",
        "frob 1 # odd",
        "deep {",
        "$A=1 # why",
        "# tail",
        "instance z # here",
        "# two lines",
    ):
        assert words in merged.text
    assert_law({"a": one, "b": "instance z"}, merged.text)
    assert said(merged, "macro-replaced") == [("b", 1, "replaced by what they stand for: $B")]


def test_an_include_that_some_nodes_lack_is_told_at_its_line() -> None:
    files = {"a": "instance x\ninclude more.conf\n", "b": "instance x\n"}
    ((file, line, message),) = said(conf.merge(files), "include-lonely")
    assert (file, line) == ("a", 2)
    assert "include more.conf is in the file of a only" in message
    files["b"] += "include more.conf\n"
    merged = conf.merge(files)
    assert said(merged, "include-lonely") == []
    assert merged.text.count("include more.conf") == 1
    read = {"more.conf": "use_pid_dir\n"}
    inlined = conf.merge(files, read=lambda name, _from: ((name, read[name]),))
    assert inlined.text == "instance x\nuse_pid_dir\n"


@pytest.mark.parametrize("path", corpus(), ids=lambda p: p.name)
def test_the_law_over_the_corpus(path: Path) -> None:
    text = text_of(path)
    files = {"a": text, "b": text.replace("100", "90").replace("MASTER", "BACKUP")}
    if any(p.code == "include-kept" for p in conf.check(text).problems):
        files = {node: own.replace("include", "included") for node, own in files.items()}
    for keep in (True, False):
        assert_law(files, conf.merge(files, keep_macros=keep).text)


@pytest.mark.needs("shared")
def test_the_law_over_real_files(shared: Path) -> None:
    for path in corpus(shared):
        text = text_of(path).replace("include", "included")
        files = {"a": text, "b": text.replace("100", "90").replace("MASTER", "BACKUP")}
        assert_law(files, conf.merge(files).text)
