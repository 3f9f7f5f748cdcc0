"""docs/interop.md lists exactly the cases that are tested."""

from __future__ import annotations

import re

from tests.conftest import PROJECT
from tests.interop import test_frr, test_keepalived, test_newer, test_pairs, test_spoken


def test_the_list_names_every_story_and_no_other() -> None:
    text = (PROJECT / "docs" / "interop.md").read_text()
    named = set(re.findall(r"`([a-z0-9_]+)`", text)) - {"nopreempt", "preempt_delay", "preempt"}
    modules = (test_frr, test_keepalived, test_pairs, test_spoken)
    tests = {name for module in modules for name in vars(module) if name.startswith("test_")}
    stories = {*test_keepalived.STORIES, *test_pairs.PAIRS, *test_spoken.SPOKEN}
    stories |= set(test_keepalived.CASES)
    assert stories - named == set(), "tried and not named"
    newer = {
        *test_newer.PAIRS,
        "test_newer",
        "test_newer_dumps",
        "test_newer_verdicts",
        "auth_hmac",
    }
    known = stories | tests | set(test_pairs.WAYS) | {"test_pairs", "test_spoken"} | newer
    assert named - known == set(), "named and not tried"
