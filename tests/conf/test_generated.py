"""Results for 200 generated files and for every file of the corpora, against keepalived's."""

from __future__ import annotations

import pytest

from hanode import conf
from tests.conf.differential import KeepalivedOutput, corpora, keepalived_says
from tests.conf.differential_generate import generate
from tests.conf.test_laws import assert_laws
from tests.conf.test_merge import assert_law

VALID = {one.name: one.text for one in generate(800, 71) if one.kind == "valid"}
BROKEN = {one.name: one.text for one in generate(120, 72) if one.kind != "valid"}


def complaints(said: KeepalivedOutput) -> set[str]:
    """keepalived's messages about the configuration, without their lines."""
    return {text for texts in said.lines.values() for text in texts} | set(said.loose)


@pytest.mark.needs("root", "netns", "keepalived")
def test_keepalived_says_nothing_new_about_what_we_render() -> None:
    """It is silent where it was silent about the original, or reported only this machine."""
    assert len(VALID) >= 200
    texts = VALID | {f"corpus-{one.name}": one.text for one in corpora()}
    before = {name: complaints(said) for name, said in keepalived_says(texts).items()}
    texts = {name: text for name, text in texts.items() if name in VALID or not before[name]}
    assert sum(not before[name] for name in texts) >= 30
    rendered = {
        name: conf.render(conf.check(text, node="a").model).text for name, text in texts.items()
    }
    after = keepalived_says(rendered)
    new = {name: complaints(said) - before[name] for name, said in after.items()}
    assert {name: (said, rendered[name]) for name, said in new.items() if said} == {}


@pytest.mark.parametrize("texts", [VALID, BROKEN], ids=["valid", "broken"])
def test_generated_files_obey_the_laws(texts: dict[str, str]) -> None:
    for text in list(texts.values())[:60]:
        assert_laws(text)


def test_generated_files_merge() -> None:
    texts = list((VALID | BROKEN).values())[:40]
    for one, other in zip(texts, [*texts[1:], texts[0]], strict=True):
        files = {"a": one, "b": one.replace("100", "90"), "c": other}
        files = {node: text.replace("include", "included") for node, text in files.items()}
        assert_law(files, conf.merge(files).text)
