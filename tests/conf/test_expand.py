"""Macros: conditions, definitions, repetitions, includes, and their limits."""

from __future__ import annotations

import pytest

from hanode import conf
from hanode.conf.text.expand import MAX_INCLUDE_DEPTH, expand
from hanode.conf.text.lexer import TO_2_3
from hanode.conf.text.tree import parse


def lines(text: str, node: str | None = None, files: dict[str, str] | None = None) -> list[str]:
    """The logical lines of a node."""

    def read(pattern: str, including: str) -> tuple[tuple[str, str], ...] | None:
        found = (files or {}).get(pattern)
        return None if found is None else ((pattern, found),)

    document = parse(text, reading=TO_2_3)
    done = expand(document, node=node, read=read if files is not None else None)
    return [line.text for line in done.lines if line.text]


def codes(text: str, node: str | None = None) -> list[str]:
    return [p.code for p in conf.check(text, node=node).problems]


def test_a_condition_counts_for_its_line_only() -> None:
    text = "@a one\n@^a two\n  @b three\nfour\n"
    assert lines(text, "a") == ["one", "four"]
    assert lines(text, "b") == ["two", "three", "four"]
    assert lines(text) == ["two", "four"]


def test_a_dropped_opener_leaves_its_body_behind() -> None:
    found = codes("@b vrrp_script x {\n script /bin/true\n}\n", "a")
    assert "extra-brace" in found


def test_the_comment_above_a_dropped_line_goes_with_it() -> None:
    text = "# about a\n@a one\n# about b\n@b two\n"
    done = expand(parse(text), node="b").lines
    assert [line.comment for line in done if line.comment] == ["# about b"]


def test_definitions_are_replaced_where_they_are_used() -> None:
    assert lines("$X=old\n$Y=<${X}>\n$X=new\nsay $Y ${X}er $X,$X) $Xer $X/\n") == [
        "say <new> newer new,new) $Xer $X/"
    ]


def test_a_definition_may_hold_whole_blocks() -> None:
    text = "$B=group { \\\n  a \\\n}\nvrrp_sync_group g {\n$B\n}\n"
    (group,) = conf.check(text).model.other
    assert group.children is not None
    assert [c.words for c in group.children[0].children or ()] == [("a",)]


def test_the_condition_of_a_definition_is_not_for_its_further_lines() -> None:
    """As in keepalived 2.2.7, which reads them as lines of their own."""
    assert lines("@b $X=one \\\n two\nrest\n", "a") == ["two", "rest"]
    assert lines("@b $X=one \\\n @b two\nrest\n", "a") == ["rest"]


def test_repetitions_count_and_list() -> None:
    assert lines("~SEQ(i, 3) a$i\n") == ["a1", "a2", "a3"]
    assert lines("~SEQ(i, 2, 4) $i\n") == ["2", "3", "4"]
    assert lines("~SEQ(i, 10, -5, 0) $i\n") == ["10", "5", "0"]
    assert lines("~SEQx(i, 9, 11) $i\n") == ["9", "a", "b"]
    assert lines("~SEQ(i, 2) ~LST(j, p, q) $i $j\n") == ["1 p", "1 q", "2 p", "2 q"]
    assert lines("~LST({a, b}, {1, 2}, {3, 4}) $b $a\n") == ["2 1", "4 3"]


def test_include_is_followed_behind_conditions_and_with_names_in_it() -> None:
    files = {"x": "from x\n@a only a\n"}
    assert lines("@b include x\nend\n", "a", files) == ["end"]
    assert lines("@a include x\nend\n", "a", files) == ["from x", "only a", "end"]
    assert lines("$N=x\ninclude $N\nend\n", "a", files) == ["from x", "only a", "end"]
    assert lines("include ${_PWD}/x\n", "a", {"./x": "from x\n"}) == ["from x"]


def test_an_include_without_a_reader_is_kept() -> None:
    checked = conf.check("include /etc/keepalived/*.conf\n")
    assert [s.words for s in checked.model.other] == [("include", "/etc/keepalived/*.conf")]
    assert [p.code for p in checked.problems] == ["include-kept"]


def test_a_problem_in_an_included_file_is_placed_there() -> None:
    def read(pattern: str, including: str) -> tuple[tuple[str, str], ...]:
        return (("inner.conf", "\nvrrp_instance x {\n  priority 999\n}\n"),)

    checked = conf.check("include inner.conf\n", read=read)
    bad = next(p for p in checked.problems if p.code == "bad-value")
    assert (bad.file, bad.line, bad.column) == ("inner.conf", 3, 12)


def test_files_that_include_each_other_end() -> None:
    def read(pattern: str, including: str) -> tuple[tuple[str, str], ...]:
        return ((pattern, f"include {pattern}\n"),)

    done = expand(parse("include x\n"), read=read)
    assert [p.code for p in done.problems] == ["include-depth"]
    assert str(MAX_INCLUDE_DEPTH) in done.problems[0].message


def test_macro_bombs_end_in_a_problem() -> None:
    bombs = [
        "$A=$A $A\n$A\n",
        "$A=$B\n$B=$A\nx $A\n",
        "~SEQ(i, 1000000000) x\n",
        "~SEQ(i, 90000) ~SEQ(j, 90000) x\n",
        "".join(f"$X{i}=${{X{i - 1}}}${{X{i - 1}}}\n" for i in range(1, 60)) + "$X0=ab\n$X59\n",
    ]
    for bomb in bombs:
        assert "macro" in codes(bomb), bomb[:40]


def test_what_a_macro_made_is_said_to_be_made_by_it() -> None:
    (problem,) = conf.check("$P=frobnicate it\n$P\n").problems
    assert (problem.line, problem.column, problem.end_column) == (2, 1, 3)
    assert "(made by $P)" in problem.message
    assert problem.fix is None


def test_a_name_without_definition_is_named_with_its_line() -> None:
    found = conf.check("vrrp_instance x {\n  priority ${PRIO}\n}\n").problems
    assert any(p.code == "undefined-name" and p.line == 2 for p in found)


def test_behind_a_brace_a_line_begins_anew() -> None:
    assert lines("q { @a one\n} @b two\n", "a") == ["q {", "one", "}"]
    assert lines("q { @a one\n} @b two\n", "b") == ["q {", "}", "two"]
    assert lines("q { $X=5\n} say $X\n") == ["q {", "} say 5"]
    assert lines("q { ~SEQ(i, 2) w$i\n}\n") == ["q {", "w1", "w2", "}"]
    assert lines("q { include f\n}\n", "a", {"f": "inner\n"}) == ["q {", "inner", "}"]
    assert lines('say "{ @a" } @a x\n', "b") == ['say "{ @a" }']


def test_two_conditions_on_a_line_are_one_and_a_word() -> None:
    checked = conf.check("@a @b priority 1\n", node="a")
    assert [p.code for p in checked.problems] == ["condition-misplaced"]
    again = conf.check(conf.render(checked.model, target=None).text, node="a")
    assert again.model == checked.model
    assert [s.words for s in again.model.other] == [('"@b"', "priority", "1")]


def test_an_include_inside_a_block_stays_there() -> None:
    text = "vrrp_instance x {\n    include x.conf\n}\n"
    checked = conf.check(text)
    assert "misplaced-keyword" not in [p.code for p in checked.problems]
    assert "    include x.conf\n" in conf.render(checked.model).text


def test_a_definition_may_hold_a_condition() -> None:
    text = "$Y=@a only\n$Y\n"
    assert lines(text, "a") == ["only"]
    assert lines(text, "b") == []


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("{b,a}.conf", ["b.conf", "a.conf"]),
        ("d/{a,{e/a,b}}.conf", ["d/a.conf", "d/e/a.conf", "d/b.conf"]),
        ("{a,b}{1,2}", ["a1", "a2", "b1", "b2"]),
        ("{only}.conf", ["only.conf"]),
        ("{a, b}", ["a", " b"]),
        ("{a,,b}", ["a", "", "b"]),
        ("{open", ["{open"]),
        ("d/{}.conf", ["d/{}.conf"]),
    ],
)
def test_braces_of_an_include_stand_for_several_names(pattern: str, names: list[str]) -> None:
    asked: list[str] = []

    def read(name: str, _: str) -> tuple[tuple[str, str], ...]:
        asked.append(name)
        return ((name, ""),)

    assert not expand(parse(f"include {pattern}\n"), read=read).problems
    assert asked == names


def test_braces_without_end_are_stopped() -> None:
    done = expand(parse("include " + "{a,b}" * 20 + "\n"), read=lambda _n, _f: None)
    assert [p.code for p in done.problems] == ["include-not-found"]


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("include none.conf", "warning"),
        ("include no*.conf", "info"),
        ("include {there,none}.conf", "warning"),
        ("includem none.conf", "error"),
        ("includem {there,none}.conf", "warning"),
        ("includew no*.conf", "error"),
        ("includeb none.conf", "warning"),
        ("includeb {there,none}.conf", "error"),
        ("includea {there,n*}.conf", "error"),
        ("include", "warning"),
        ('include "there.conf"', "warning"),
        ("include\tthere.conf", None),
    ],
)
def test_what_is_not_there_is_as_bad_as_the_form_says(line: str, severity: str | None) -> None:
    files = {"there.conf": (("there.conf", ""),)}
    done = expand(parse(f"{line}\n"), read=lambda name, _: files.get(name))
    assert [p.severity for p in done.problems] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("text", "made"),
    [
        # A loop's variable is an ordinary definition, and keeps its last value.
        ("$W=w_${N}\n$N=4\n~SEQ(N, 5, 6) $W\n$W", ["w_5", "w_6", "w_6"]),
        ("~LST({N, M}, {1, 2}, {3, 4}) ${N}${M}\n$M", ["12", "34", "4"]),
        ("$L=p, q\n~LST(i, $L) x_${i}", ["x_p, q"]),
        # The value of a name is read as a line.
        ("$S=~SEQ(i, 2) x_$i\n$i=9\n$S", ["x_1", "x_2"]),
        ("$D=$Z=5\n$D\nx_$Z", ["x_5"]),
        ("$C=@a x\n$C\n$B=@b y\n$B", ["x"]),
        ("~SEQ(i, 1, 2) $A=v$i\nx_$A", ["x_v2"]),
        ("~SEQ (i, 2) x_$i", ["x_1", "x_2"]),
        # _RANDOM gives its lowest value.
        ("x_${_RANDOM 5 9} x_$_RANDOM", ["x_5 x_0"]),
    ],
)
def test_macros_make_macros(text: str, made: list[str]) -> None:
    assert lines(text + "\n", "a") == made


def test_a_name_that_stands_for_an_include_is_followed() -> None:
    assert lines("$I=include f\n$I\n", "a", {"f": "inside\n"}) == ["inside"]


@pytest.mark.parametrize(
    "line",
    [
        "~LST(i, {1, 2}) x",
        "~LST(i, a b) x",
        "~LST(i) x",
        "~SEQ(i, 08) x",
        "~SEQx(i, -1) x",
        "~SEQ(i, 1, 2, 3, 4) x",
        "~SEQ(i",
        "$S",
    ],
)
def test_what_keepalived_cannot_repeat_is_a_problem(line: str) -> None:
    done = expand(parse(f"$S=~SEQ(i, 2) $S\n{line}\n"))
    assert [p.code for p in done.problems] == ["macro"]


def test_repetitions_of_repetitions_are_stopped() -> None:
    text = "$C=$D=1\n$B=~SEQ(j, 90000) $C\n$A=~SEQ(i, 90000) $B\n$A\n"
    assert [p.code for p in expand(parse(text)).problems] == ["macro"]
