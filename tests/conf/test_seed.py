"""The pair of files that users start with: three mistakes, their fixes, the merged document."""

from __future__ import annotations

from pathlib import Path

import pytest

from hanode import conf
from tests.conf.samples import CORPUS, text_of

PAIR = {name: text_of(CORPUS / f"pair_{name}.conf") for name in ("a", "b")}


def where(text: str, word: str) -> list[int]:
    """The lines that begin with that word."""
    return [n for n, line in enumerate(text.split("\n"), 1) if line.split()[:1] == [word]]


@pytest.mark.parametrize(
    ("code", "word", "says"),
    [
        ("retired-keyword", "nat_mask", "unknown to today's keepalived"),
        ("misplaced-keyword", "nb_get_retry", "belongs in HTTP_GET or SSL_GET, not in TCP_CHECK"),
        ("auth-pass-long", "auth_pass", "only the first 8 are sent"),
    ],
)
def test_each_mistake_is_a_warning_with_line_words_and_fix(code: str, word: str, says: str) -> None:
    for text in PAIR.values():
        found = [p for p in conf.check(text).problems if p.code == code]
        assert [p.line for p in found] == where(text, word)
        for problem in found:
            assert problem.severity == "warning"
            assert says in problem.message
            assert problem.hint
            assert problem.fix is not None


def test_nothing_else_is_said_about_the_pair() -> None:
    for text in PAIR.values():
        codes = [p.code for p in conf.check(text).problems if p.code != "default-taken"]
        assert (
            codes
            == ["auth-pass-long", "retired-keyword", "misplaced-keyword", "port-kept"][: len(codes)]
        )


def test_the_fixes_do_what_they_say() -> None:
    text = PAIR["a"]
    fixed = conf.apply_fixes(text, conf.check(text).problems)
    assert "nat_mask" not in fixed
    assert "\t\t\tretry 4\n" in fixed
    assert "\t\tauth_pass ninechar\n" in fixed
    removed = len("\tnat_mask 255.255.255.0\n") + len("nb_get_") + len("s")
    assert len(fixed) == len(text) - removed
    check = conf.check(fixed).model.virtual_servers[0].real_servers[0].check
    assert check is not None
    assert check.retry == 4


def test_unfixed_it_stays_what_keepalived_does_today() -> None:
    rendered = conf.render(conf.check(PAIR["a"]).model)
    assert "nat_mask" not in rendered.text
    assert "retry" not in rendered.text.replace("delay_before_retry", "")
    assert "auth_pass ninechar\n" in rendered.text
    assert [p.code for p in rendered.problems] == ["auth-pass-cut", "left-out", "left-out"]
    assert {p.line for p in rendered.problems if p.code == "left-out"} == set(
        where(PAIR["a"], "nat_mask") + where(PAIR["a"], "nb_get_retry")
    )


def test_no_message_hint_or_fix_holds_the_password() -> None:
    for text in PAIR.values():
        checked = conf.check(text)
        old = conf.check(text.replace("ninechars", "othersecret")).model
        said = [*checked.problems, *conf.render(checked.model).problems]
        said += conf.merge(PAIR).problems
        said += conf.check_pair({"a": checked.model, "b": old})
        shown = repr(said) + repr(conf.diff(old, checked.model)) + repr(checked.model)
        for part in ("ninechar", "othersec"):
            assert part not in shown


def test_the_pair_becomes_one_document_and_two_files_again() -> None:
    merged = conf.merge(PAIR)
    assert conf.node_ids(merged.text) == ("a", "b")
    assert "    @a priority 150\n    @b priority 140\n" in merged.text
    assert "    @a notification_email {\n        @a root@example.org\n    @a }\n" in merged.text
    assert merged.text.count("virtual_server ") == 1
    for node, text in PAIR.items():
        assert conf.expand_for(merged.text, node).model == conf.check(text).model


def test_comments_survive_the_whole_way() -> None:
    merged = conf.merge(PAIR)
    assert "! the web service\nvirtual_server" in merged.text
    assert "@a state MASTER # the first one" in merged.text
    for path in PAIR.values():
        assert path.split("\n")[0] in merged.text
    again = conf.render(conf.expand_for(merged.text, "a").model).text
    assert "# the first one" in again
    assert "! the web service" in again


def test_between_the_two_nodes_nothing_is_wrong() -> None:
    models = {node: conf.check(text).model for node, text in PAIR.items()}
    assert conf.check_pair(models) == ()


@pytest.mark.needs("shared")
def test_the_labs_own_files(shared: Path) -> None:
    files = {n: text_of(shared / "lab" / f"{n}.conf") for n in ("NodeA", "NodeB")}
    lines = {"NodeA": [20, 31, 38, 47], "NodeB": [13, 24, 31, 40]}
    for node, text in files.items():
        checked = conf.check(text, node=node)
        assert [p.line for p in checked.problems] == lines[node]
        assert not conf.has_errors(checked.problems)
        (instance,) = checked.model.instances
        assert (instance.interface, instance.vrid, instance.advert_int_us) == ("ens33", 51, 10**6)
        assert [str(vip) for vip in instance.vips] == ["192.168.192.200/24"]
        fixed = conf.apply_fixes(text, checked.problems)
        assert conf.check(fixed, node=node).problems == ()
    merged = conf.merge(files)
    for node, text in files.items():
        assert conf.expand_for(merged.text, node).model == conf.check(text, node=node).model
