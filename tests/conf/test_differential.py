"""We complain about the lines that `keepalived -t` 2.2.7 complains about."""

from __future__ import annotations

import pytest

from hanode import conf
from tests.conf.differential import classify, corpora, measure, percent
from tests.conf.differential_break import BREAKERS
from tests.conf.differential_generate import generate


@pytest.mark.needs("root", "netns", "keepalived")
def test_ours_and_keepalived_agree_on_999_lines_of_1000() -> None:
    tallies, differences, _ = measure([*generate(400, 20), *corpora()])
    assert set(tallies) == {"valid", *BREAKERS, "corpora", "all"}
    whole = tallies["all"]
    shown = [f"{d.file}:{d.line} {d.text.strip()} | {d.its} | {d.ours}" for d in differences[:30]]
    assert whole.agree >= 0.999 * whole.lines, (percent(whole.agree, whole.lines), shown)
    assert whole.answered >= 0.985 * whole.complaints, (whole.answered, whole.complaints, shown)
    assert whole.confirmed >= 0.985 * whole.errors, (whole.confirmed, whole.errors, shown)


def test_the_same_seed_makes_the_same_files() -> None:
    assert generate(20, 7) == generate(20, 7)
    assert generate(20, 7) != generate(20, 8)


def test_messages_about_the_machine_are_no_complaints() -> None:
    said = classify(
        5,
        "(x.conf: Line 3) WARNING - interface eth9 for vrrp_instance VI_1 doesn't exist\n"
        "(x.conf: Line 4) Unknown keyword 'frob'\n(Line 5) Extra '}' found\n"
        "(VI_1) the virtual router id must be set\n",
    )
    assert said.lines == {4: ["Unknown keyword 'frob'"], 5: ["Extra '}' found"]}
    assert said.loose == ["(VI_1) the virtual router id must be set"]
    assert len(said.machine) == 1


def test_the_checker_of_edits_says_the_same_of_each_file() -> None:
    for made in generate(80, 9):
        whole = conf.check(made.text, node="a")
        again = conf.Checker(node="a").update(made.text)
        assert again.problems == whole.problems, made.name
        assert again.model == whole.model, made.name
