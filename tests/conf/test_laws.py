"""Invariants of the language for any text and for the corpora."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from hanode import conf
from hanode.conf import Problem
from hanode.conf.text.problems import apply_fixes
from tests.conf.samples import any_texts, configs, corpus, messy_texts, text_of

FILES = corpus()


def assert_inside(text: str, problems: tuple[Problem, ...]) -> None:
    """Checks that every problem's span is inside the text."""
    lines = text.split("\n")
    for p in problems:
        assert 1 <= p.line <= p.end_line <= len(lines), p
        assert 1 <= p.column <= len(lines[p.line - 1]) + 1, p
        assert 1 <= p.end_column <= len(lines[p.end_line - 1]) + 1, p
        assert (p.line, p.column) <= (p.end_line, p.end_column), p
        if p.fix is not None:
            assert 0 <= p.fix.start <= p.fix.end <= len(text), p


def assert_laws(text: str) -> None:
    assert conf.parse(text).text() == text
    for node in (None, "a"):
        checked = conf.check(text, node=node)
        assert_inside(text, checked.problems)
        for target in (None, "keepalived-2.2.7"):
            rendered = conf.render(checked.model, target=target)
            again = conf.check(rendered.text)
            if target is None:
                assert again.model == checked.model
            assert conf.render(again.model, target=target).text == rendered.text
            assert_inside(rendered.text, again.problems)


@given(any_texts)
@settings(max_examples=150, deadline=None)
def test_any_text_is_kept_and_nothing_raises(text: str) -> None:
    assert conf.parse(text).text() == text
    checked = conf.check(text, node="a")
    assert_inside(text, checked.problems)
    apply_fixes(text, checked.problems)
    conf.mask_secrets(text)
    conf.render(checked.model)


@given(messy_texts)
@settings(max_examples=150, deadline=None)
def test_the_layout_of_a_messy_text_means_the_same(text: str) -> None:
    assert_laws(text)


@given(configs)
@settings(max_examples=80, deadline=None)
def test_the_layout_of_a_sound_file_means_the_same(text: str) -> None:
    assert_laws(text)


@given(configs)
@settings(max_examples=60, deadline=None)
def test_words_of_the_tables_are_neither_unknown_nor_misplaced(text: str) -> None:
    codes = {p.code for p in conf.check(text).problems}
    assert not codes & {"unknown-keyword", "misplaced-keyword", "bad-value", "value-missing"}


@given(configs, configs)
@settings(max_examples=60, deadline=None)
def test_a_merged_document_gives_each_node_its_own_file_back(one: str, other: str) -> None:
    files = {"a": one, "b": other}
    merged = conf.merge(files)
    for node, text in files.items():
        assert conf.expand_for(merged.text, node).model == conf.check(text, node=node).model
    models = {node: conf.expand_for(merged.text, node).model for node in files}
    assert conf.merge_models(models) == merged.text


@given(configs)
@settings(max_examples=40, deadline=None)
def test_equal_files_merge_without_conditions(text: str) -> None:
    merged = conf.merge({"a": text, "b": text})
    assert conf.node_ids(merged.text) == ()
    assert merged.text == conf.render(conf.check(text).model, target=None).text


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_corpus_obeys_the_laws(path: Path) -> None:
    assert_laws(text_of(path))


@pytest.mark.needs("shared")
def test_real_files_obey_the_laws(shared: Path) -> None:
    files = [path for path in corpus(shared) if path not in FILES]
    assert len(files) >= 30
    for path in files:
        assert_laws(text_of(path))


def test_two_different_files_of_the_corpus_merge() -> None:
    files = {path.stem: text_of(path).replace("include", "included") for path in FILES}
    merged = conf.merge(files)
    for node, text in files.items():
        assert conf.expand_for(merged.text, node).model == conf.check(text, node=node).model


def test_fixes_leave_nothing_to_fix() -> None:
    for path in FILES:
        text = text_of(path)
        for _ in range(5):
            text = apply_fixes(text, conf.check(text, node="a").problems)
        assert not [p for p in conf.check(text, node="a").problems if p.fix is not None], path
