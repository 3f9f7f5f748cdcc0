"""Debian's keepalived 2.2.7 accepts our files and what we generate."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from hanode import conf
from hanode.conf.text.expand import expand
from hanode.conf.text.tree import parse
from hanode.system.includes import Recorder
from tests.conf.samples import CORPUS, text_of

pytestmark = pytest.mark.needs("root", "netns", "keepalived")

HOST = """
ip link set lo up
for name in ens33 eth0 eth1; do
    ip link add $name type veth peer name p$name && ip link set $name up && ip link set p$name up
done
ip address add 192.168.192.100/24 dev ens33
exec keepalived --config-test --use-file="$1" --config-id="$2"
"""
"""A network namespace with the interfaces that the files name."""


def keepalived_says(path: Path, node: str = "none") -> tuple[int, list[str]]:
    """The exit code and the messages, without duplicates."""
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", HOST, "sh", str(path), node],
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=30,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    return done.returncode, list(dict.fromkeys((done.stdout + done.stderr).splitlines()))


def blamed(lines: list[str]) -> set[int]:
    """The lines that keepalived's messages name."""
    found = (re.match(r"\((?:.*: )?Line (\d+)\)", line) for line in lines)
    return {int(match.group(1)) for match in found if match}


@pytest.mark.parametrize("node", ["a", "b"])
def test_it_names_the_lines_that_we_name(node: str) -> None:
    path = CORPUS / f"pair_{node}.conf"
    code, said = keepalived_says(path)
    ours = {p.line for p in conf.check(text_of(path)).problems if p.code != "port-kept"}
    assert code == 5
    assert blamed(said) == ours


@pytest.mark.parametrize("node", ["a", "b"])
def test_it_says_nothing_about_what_we_generate(node: str, tmp_path: Path) -> None:
    for fixes in (False, True):
        text = text_of(CORPUS / f"pair_{node}.conf")
        if fixes:
            text = conf.apply_fixes(text, conf.check(text).problems)
        generated = tmp_path / "generated.conf"
        generated.write_text(conf.render(conf.check(text).model).text)
        assert keepalived_says(generated) == (0, [])


def test_it_reads_the_merged_document_as_each_node(tmp_path: Path) -> None:
    files = {node: text_of(CORPUS / f"pair_{node}.conf") for node in ("a", "b")}
    fixed = {node: conf.apply_fixes(t, conf.check(t).problems) for node, t in files.items()}
    document = tmp_path / "document.conf"
    document.write_text(conf.merge(fixed).text)
    for node in files:
        assert keepalived_says(document, node) == (0, [])


def test_it_reads_conditions_definitions_and_repetitions_as_we_do(tmp_path: Path) -> None:
    text = text_of(CORPUS / "conditional.conf")
    for node in ("a", "b"):
        original = tmp_path / "original.conf"
        original.write_text(text)
        generated = tmp_path / "generated.conf"
        generated.write_text(conf.render(conf.check(text, node=node).model).text)
        assert keepalived_says(original, node) == (0, [])
        assert keepalived_says(generated, node) == (0, [])
        assert not conf.check(text, node=node).problems


@pytest.mark.needs("shared")
def test_the_labs_files_generated_are_silent(shared: Path, tmp_path: Path) -> None:
    for node in ("NodeA", "NodeB"):
        path = shared / "lab" / f"{node}.conf"
        code, said = keepalived_says(path, node)
        assert code == 5
        checked = conf.check(text_of(path), node=node)
        assert blamed(said) == {p.line for p in checked.problems}
        generated = tmp_path / f"{node}.conf"
        generated.write_text(conf.render(checked.model).text)
        assert keepalived_says(generated, node) == (0, [])


BROKEN = [
    ("virtual_router_id 7", "virtual_router_id 256"),
    ("virtual_router_id 7", "virtual_router_id 0"),
    ("virtual_router_id 7", "virtual_router_id"),
    ("priority 150", "priority 300"),
    ("priority 150", "priority 1x"),
    ("priority 150", "prioritie 150"),
    ("state MASTER", "state PRIMARY"),
    ("advert_int 1", "advert_int 0"),
    ("advert_int 1", "advert_int 256"),
    ("auth_type PASS", "auth_type MD5"),
    ("192.168.192.10/24 dev", "192.168.192.300/24 dev"),
    ("192.168.192.10/24 dev", "192.168.192.10/33 dev"),
    ("label ens33:1", "colour blue"),
    ("lb_algo wrr", "lb_algo fastest"),
    ("lb_kind DR", "lb_kind BRIDGE"),
    ("protocol TCP", "protocol ICMP"),
    ("delay_loop 5", "delay_loop five"),
    ("weight 2", "weight 2147483648"),
    ("connect_timeout 2.5", "connect_timeout 0"),
    ("connect_port 8443", "connect_port 70000"),
    ("\tretry 4", "\tretry none"),
    ("router_id lb-one", "routerid lb-one"),
    ("interface ens33", "interfaces ens33"),
]


@pytest.mark.parametrize(("good", "bad"), BROKEN, ids=[bad for _, bad in BROKEN])
def test_both_blame_the_line_that_was_broken(good: str, bad: str, tmp_path: Path) -> None:
    text = text_of(CORPUS / "pair_a.conf")
    text = conf.apply_fixes(text, conf.check(text).problems)
    assert text.count(good) == 1
    line = text[: text.index(good)].count("\n") + 1
    broken = text.replace(good, bad)
    path = tmp_path / "broken.conf"
    path.write_text(broken)
    _, said = keepalived_says(path)
    assert line in blamed(said), said
    assert line in {p.line for p in conf.check(broken).problems}


INCLUDING = """\
first
include {b,a}.conf
include d/{a,{e/a,b}}.conf
include d/*.conf
include d/n.inc
include {a,gone}.conf
include nothing*.conf
include\ta.conf
last
"""


def test_it_reads_the_included_files_that_we_read(tmp_path: Path) -> None:
    (tmp_path / "d" / "e").mkdir(parents=True)
    for name in ("a", "b", "d/a", "d/b", "d/e/a"):
        (tmp_path / f"{name}.conf").write_text(f"word_{name.replace('/', '_')}\n")
    (tmp_path / "d" / "n.inc").write_text("include e/{a,a}.conf\n")
    (tmp_path / "d" / "run.conf").write_text("word_run\n")
    (tmp_path / "d" / "run.conf").chmod(0o755)
    main = tmp_path / "main.conf"
    main.write_text(INCLUDING)
    done = subprocess.run(
        ["keepalived", "--config-test", f"--use-file={main}"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    said = re.findall(r"^\((?:(.*): )?Line \d+\) Unknown keyword '(\w+)'", done.stderr, re.M)
    once = [word for _, word in said[: [word for _, word in said].index("last") + 1]]
    problems = conf.check(INCLUDING, name=str(main), read=Recorder().read).problems
    expanded = expand(parse(INCLUDING, str(main)), read=Recorder().read)
    ours = [line.text for line in expanded.lines if not line.text.startswith("include")]
    assert ours == once
    assert [p.line for p in problems if p.code == "include-not-found"] == [6]


MACROS = """\
$one=a_${N} z
$N=4
~SEQ(N, 5, 6) $one
~LST(N, a, b) $one
$two=b_${N}_${M} z
~LST({N,M}, {1,2}, {3,4}) $two
~SEQ(M, 1, 2) ~SEQ(N, 7, 8) $two
$one
$low=1
~SEQ(i, $low, 3) c_$i z
$list=p, q
~LST(i, $list) d_${i} z
$loop=~SEQ(i, 2) e_$i z
$loop
$when=@a f z
$when
$never=@b g z
$never
$define=$Z=5
$define
h_${Z} z
$lines=i z \\
  j z \\
  k_$N z
$lines
~SEQ(N, 1, 2) $lines
~SEQ(i, 3, 1) l_$i z
~SEQ(i, 1, 2, 5) m_$i z
~SEQ(i, 0) n_$i z
~SEQx(i, 8, 11) o_$i z
~SEQ(i, 2) p_${i}_q z
~LST(i,,x) r_${i} z
~SEQ (i, 2) s z
 ~SEQ(i, 2) t_$i z
u ~SEQ(i, 2) $i
~LST({a,b}, {1}, {2,3}) v_${a}_${b} z
~SEQ(i, 1, 2) $A=x$i
w_$A z
"""


def test_it_repeats_and_replaces_as_we_do(tmp_path: Path) -> None:
    path = tmp_path / "macros.conf"
    path.write_text(MACROS)
    _, said = keepalived_says(path, "a")
    theirs = re.findall(r"^\(Line (\d+)\) Unknown keyword '(.*)'$", "\n".join(said), re.M)
    expanded = expand(parse(MACROS), node="a")
    ours = [(str(x.source.line_of(x.start)), x.text.split()[0]) for x in expanded.lines]
    assert list(dict.fromkeys(ours)) == theirs
    assert [p.code for p in expanded.problems] == ["condition-in-name"]
