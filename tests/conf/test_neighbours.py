"""We divide a line into words as keepalived 2.2.7 does, whatever two characters are neighbours."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from hanode import conf
from hanode.conf.text.expand import expand
from hanode.conf.text.lexer import SINCE_2_4, TO_2_2, TO_2_3, Reading
from hanode.conf.text.tree import parse
from tests.conf.differential_neighbours import ALPHABET, CONTEXTS, SIGNS, measure


@pytest.mark.needs("root", "keepalived")
def test_every_two_neighbours_are_read_as_keepalived_reads_them() -> None:
    lines, differ = measure()
    assert lines > 300_000
    assert (len(CONTEXTS), len(ALPHABET), len(SIGNS)) == (27, 149, 70)
    assert not differ, differ[:20]


def words(text: str, reading: Reading, node: str = "a") -> list[str]:
    return [
        line.text for line in expand(parse(text, "x.conf", reading), node=node).lines if line.text
    ]


@pytest.mark.parametrize(
    ("text", "to_2_3", "since_2_4"),
    [
        # A backslash before a mark: the children of older releases see a comment.
        ("auth_pass ab\\#cd\n", ["auth_pass ab"], ["auth_pass ab\\#cd"]),
        ("vrrp_instance VI\\!1 {\n", ["vrrp_instance VI"], ["vrrp_instance VI\\!1 {"]),
        ("$V=\\#\nx${V}y\n", ["xy"], ["x\\#y"]),
        # A comment that ends in a backslash.
        ("$V=a # one \\\n b\n$V\n", ["a", "b"], ["b", "a"]),
        ("$V=a \\\n# one \\\n b\n$V\n", ["a", "b"], ["b", "a"]),
        ("$V=a \\\n# one\n b\n$V\n", ["b", "a"], ["b", "a"]),
        ("# one \\\ntwo\n", ["\\", "two"], ["two"]),
        ("one # a \\\ntwo\n", ["one\\", "two"], ["one", "two"]),
        # Outside of definitions a backslash continues nothing.
        ("interface eth0 \\\ntwo\n", ["interface eth0\\", "two"], ["interface eth0\\", "two"]),
        # The rest holds for all.
        ("$X=\n$X @a yes\n$X @b no\n", ["yes"], ["yes"]),
        ("$V=one { @a two }\n$V\n", ["one {", "two }"], ["one {", "two }"]),
        ("$V=one { @b two }\n$V\n", ["one {"], ["one {"]),
        ("@b one { @a two }\nthree { @b four } five\n", ["three {"], ["three {"]),
        ("x ${no}@b y\n", ["x ${no}"], ["x ${no}"]),
        ("$V=v { \\\n@a one \\\n@b two \\\n}\n$V\n", ["v {", "one", "}"], ["v {", "one", "}"]),
        ("~SEQx(A,0x9,0x1,0xc) x$A\n", ["x9", "xa", "xb", "xc"], ["x9", "xa", "xb", "xc"]),
        ("~SEQ(A, 010) x$A\n", [f"x{n}" for n in range(1, 9)], [f"x{n}" for n in range(1, 9)]),
        ("~SEQ(A, -2) x$A\n", ["x-1", "x-2"], ["x-1", "x-2"]),
        ("a\u00a0b\u3000c d\n", ["a\u00a0b\u3000c d"], ["a\u00a0b\u3000c d"]),
        ("one \0 two\nthree\n", ["one", "three"], ["one", "three"]),
    ],
)
def test_what_differs_between_releases(text: str, to_2_3: list[str], since_2_4: list[str]) -> None:
    assert words(text, TO_2_3) == to_2_3
    assert words(text, SINCE_2_4) == since_2_4


def test_the_target_decides() -> None:
    text = "vrrp_instance a {\n    authentication {\n        auth_pass ab\\#cd\n    }\n}\n"
    said = {
        target: conf.check(text, target=target).model.instances[0].auth_pass
        for target in ("keepalived-2.2.7", "keepalived-2.3.4", "keepalived-2.4.3", "hanode")
    }
    assert list(said.values()) == ["ab", "ab", "ab#cd", "ab#cd"]


@pytest.mark.needs("keepalived")
@pytest.mark.parametrize("value", ["@a f z", "@a ff zzz q", "@a priority 90", "@b no way"])
def test_a_condition_in_a_name_is_cut_off_as_keepalived_does(value: str, tmp_path: Path) -> None:
    names = ["V" * size for size in range(2, 20)]
    text = "".join(f"${name}={value}\n${name}\n" for name in names)
    path = tmp_path / "x.conf"
    path.write_text(text)
    done = subprocess.run(
        ["keepalived", "-t", "-f", str(path), "-i", "a"],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    said = dict.fromkeys(re.findall(r"Line (\d+)\) Unknown keyword '(.*)'", done.stderr))
    read = {  # what stands on the lines, in keepalived's order
        (str(line.source.line_of(line.start)), line.text.split()[0]): None
        for line in expand(parse(text, reading=TO_2_2), node="a").lines
    }
    assert list(read) == list(said)
    sound = [line.text for line in expand(parse(text, reading=TO_2_3), node="a").lines]
    assert sound == ([] if value.startswith("@b") else [value[3:]] * len(names))


def test_a_condition_in_a_name_is_told_for_the_releases_that_lose_it() -> None:
    text = "$V=@a vrrp_strict\nglobal_defs {\n    $V\n}\n"
    for target, codes in (("keepalived-2.2.7", ["condition-in-name"]), ("keepalived-2.3.3", [])):
        found = [p.code for p in conf.check(text, node="a", target=target).problems]
        assert [code for code in found if code == "condition-in-name"] == codes
    assert "2.2.7 dies of it" in str(conf.check("$V=@abc x\n$V\n", node="abc").problems)


MARKED = "first\n\\{mark} second\nthird\n"


@pytest.mark.needs("keepalived")
@pytest.mark.parametrize("mark", ["#", "!"])
def test_a_mark_behind_a_backslash_at_the_start_breaks_the_file(mark: str, tmp_path: Path) -> None:
    text = MARKED.replace("{mark}", mark)
    path = tmp_path / "x.conf"
    path.write_text(text)
    done = subprocess.run(
        ["keepalived", "-t", "-f", str(path)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    # The parent reads all lines. A child loses its place, or dies.
    assert done.returncode < 0 or done.stderr.count("(Line 3) Unknown keyword 'third'") < 4
    found = [(p.code, p.severity, p.line) for p in conf.check(text).problems]
    assert ("comment-cuts", "error", 2) in found
    assert not [p for p in conf.check(text, target="hanode").problems if p.code == "comment-cuts"]


@pytest.mark.needs("keepalived")
def test_a_conditional_include_is_read_twice_by_the_children(tmp_path: Path) -> None:
    (tmp_path / "inner.conf").write_text("inside\n")
    (tmp_path / "main.conf").write_text("@a include inner.conf\n@b include inner.conf\n")
    done = subprocess.run(
        ["keepalived", "-t", "-f", str(tmp_path / "main.conf"), "-i", "a"],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert done.stderr.count("Unknown keyword 'inside'") == 1 + 3 * 2
    files = {"inner.conf": (("inner.conf", "inside\n"),)}
    for target, codes in (("keepalived-2.2.7", ["include-twice"]), ("keepalived-2.4.3", [])):
        found = conf.check(
            "@a include inner.conf\n", node="a", target=target, read=lambda name, _: files.get(name)
        ).problems
        assert [p.code for p in found if p.code.startswith("include")] == codes
